"""What the auditor may look at, besides what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Table(Protocol):
    """The tables of a world."""

    def peek(self, table: str) -> Mapping[tuple[str, ...], Mapping[str, Mapping[str, Any]]]:
        """All items of a table by their keys; no time passes."""


class Message(Protocol):
    """A message in a queue."""

    @property
    def body(self) -> str:
        """Its text."""

    @property
    def attributes(self) -> Mapping[str, Mapping[str, Any]]:
        """What was sent beside it, by name."""

    @property
    def moved_from(self) -> str:
        """The queue that it died in, if SQS itself moved it here."""


class Queues(Protocol):
    """The queues of a world."""

    def peek(self, queue_name: str) -> Sequence[Message]:
        """All messages of a queue, in flight or not."""

    def depth(self, queue_name: str) -> tuple[int, int, int]:
        """How many messages are visible, in flight and delayed."""

    def expired(self, queue_name: str) -> int:
        """How many messages its retention threw away."""


class Objects(Protocol):
    """The buckets of a world."""

    def peek(self, bucket: str) -> Mapping[str, bytes]:
        """All objects of a bucket, by their keys."""


class Secrets(Protocol):
    """The secrets of a world."""

    def peek(self, name: str) -> Sequence[str]:
        """Whatever was ever written under a name."""


class View(Protocol):
    """A world that is at rest, or as good as."""

    @property
    def dynamodb(self) -> Table: ...

    @property
    def sqs(self) -> Queues: ...

    @property
    def buckets(self) -> Objects: ...

    @property
    def secrets(self) -> Secrets: ...
