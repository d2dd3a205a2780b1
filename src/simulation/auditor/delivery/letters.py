"""The dead letters that are left: what they hold, by queue, and whether they hold it whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from ledger.contracts.envelopes import MalformedEnvelopeError, open_envelope
from simulation.auditor.world import Message, View
from simulation.wiring.model import Wiring


class Named(Struct, frozen=True):
    """What every event, command and notification has; some of it may be missing."""

    id: str = ""
    type: str = ""


class _Delivery(Struct, frozen=True):
    subscriber: str
    notification: Raw


class _Several(Struct, frozen=True):
    """A message that holds more than one thing, none of which it is itself."""

    id: str = ""
    events: tuple[Raw, ...] = ()
    commands: tuple[Raw, ...] = ()


#: One body comes out of each queue whose rule it matches, within a few hundred others.
_KEPT: Final = 1024

_NAMED = msgspec.json.Decoder(Named)
_SEVERAL = msgspec.json.Decoder(_Several)
_DELIVERY = msgspec.json.Decoder(_Delivery)


@lru_cache(_KEPT)
def named_in(body: bytes | str) -> Named:
    """What a body is called; nothing if it is none of ours."""
    try:
        return _NAMED.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return Named()


def detail_of(body: str) -> bytes:
    """What is in EventBridge's envelope; the body itself if it is in none."""
    try:
        return bytes(open_envelope(body).detail)
    except MalformedEnvelopeError:
        return body.encode()


@lru_cache(_KEPT)
def parts_of(body: str) -> tuple[bytes, ...]:
    """What is in a message, in EventBridge's envelope or not: each event of a pack, each command of
    those sent together; else what `detail_of` says."""
    detail = detail_of(body)
    try:
        several = _SEVERAL.decode(detail)
    except (msgspec.DecodeError, UnicodeError):
        return (detail,)
    parts = () if several.id else several.events or several.commands
    return tuple(map(bytes, parts)) or (detail,)


def same_json(one: bytes, other: bytes) -> bool:
    """Whether two texts are the same JSON; the same bytes if one is no JSON."""
    if one == other:
        return True
    try:
        same: bool = msgspec.json.decode(one) == msgspec.json.decode(other)
    except msgspec.DecodeError:
        return False
    return same


def delivery_in(body: str) -> tuple[str, bytes]:
    """For which subscriber a message of the queue of deliveries is, and what."""
    try:
        delivery = _DELIVERY.decode(body)
    except msgspec.DecodeError:
        return "", body.encode()
    return delivery.subscriber, bytes(delivery.notification)


class Letters:
    """The dead letters of a world at rest."""

    def __init__(self, wiring: Wiring, world: View) -> None:
        self._world = world
        self._wiring = wiring
        self._ids: dict[str, frozenset[str]] = {}

    def queues(self) -> list[str]:
        """The queues of dead letters."""
        names = [one.dead_letters for one in self._wiring.queues]
        names += [one.dead_letters for one in self._wiring.rules]
        names += [one.dead_letters for one in self._wiring.subscriptions]
        return sorted({name for name in names if name is not None})

    def of(self, queue: str) -> list[Message]:
        """The letters in a queue of dead letters."""
        return list(self._world.sqs.peek(queue))

    def ids(self, queue: str) -> frozenset[str]:
        """The ids of the events, or commands, that lie in a queue of dead letters."""
        if queue not in self._ids:
            bodies = (part for letter in self.of(queue) for part in parts_of(letter.body))
            self._ids[queue] = frozenset(named_in(body).id for body in bodies)
        return self._ids[queue]

    def unpublished(self) -> frozenset[str]:
        """The ids of the events that lie in the bucket of what could not be published."""
        return frozenset(
            record["dynamodb"]["Keys"]["pk"]["S"]
            for mapping in self._wiring.stream_mappings
            for data in self._world.buckets.peek(mapping.failures).values()
            for record in _records(msgspec.json.decode(data))
        )


def _records(found: Any) -> Iterator[Mapping[str, Any]]:
    """The stream's records in what Lambda wrote of a batch that it gave up, wherever they are."""
    if isinstance(found, dict):
        if "dynamodb" in found:
            yield found
        else:
            yield from _within(found.values())
    elif isinstance(found, list):
        yield from _within(found)
    elif isinstance(found, str) and found.startswith("{"):
        yield from _records(msgspec.json.decode(found))


def _within(parts: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for part in parts:
        yield from _records(part)
