"""Publishing stored events: what goes onto the bus, and the port that puts it there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Published(Struct, frozen=True):
    """One event for the bus: its stored type, and its stored bytes as they are."""

    type: str
    data: str


class Publisher(Protocol):
    """Puts events onto the ledger's bus, at least once, in no promised order."""

    def publish(self, events: Sequence[Published]) -> frozenset[int]:
        """Publishes all it can, retrying those that fail; the indices of those that it could not.

        Never raises for an error of the bus: an event that is not named here is on it.
        """
        ...
