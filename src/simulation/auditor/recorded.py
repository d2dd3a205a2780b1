"""Events as they lie in their table, read without the help of what wrote them.

A newer release may write an event in a version that this one has no words for. It says the same,
and more: what is not known of it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from ledger.contracts.events import (
    CommandRejected,
    Event,
    UnknownEventError,
    decode_event,
    entries_of,
    subject_of,
)
from ledger.contracts.subjects import Key

HASH_BYTES: Final = 32
#: The chain of everything begins with this.
GENESIS: Final = bytes(HASH_BYTES)

Item = Mapping[str, Mapping[str, Any]]


class Recorded(Struct, frozen=True):
    """An event, and the instant of its commit (microseconds since 1970).

    `place` is where it stands among the events of its transaction.
    """

    at: int
    event: Event
    data: bytes
    hashes: tuple[bytes, ...]
    place: int = 0

    @property
    def order(self) -> tuple[int, int]:
        """Its place in the order in which all events took effect."""
        return self.at, self.place

    @property
    def id(self) -> str:
        """The id of its command."""
        return self.event.id

    @property
    def type(self) -> str:
        """The stored name of its type."""
        return str(self.event.__struct_config__.tag)

    @property
    def accepted(self) -> bool:
        """Whether it says that something happened, and not that it was refused."""
        return not isinstance(self.event, CommandRejected)


def recorded(item: Item, at: int, place: int = 0) -> Recorded:
    """The event in an item of the table of events. Raises what its decoder does."""
    data = item["data"]["S"].encode()
    hashes = bytes(item["hashes"]["B"]) if "hashes" in item else b""
    return Recorded(
        at,
        event_in(data),
        data,
        tuple(hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)),
        place,
    )


def event_in(data: bytes) -> Event:
    """The event in stored or published bytes, of whatever version."""
    try:
        return decode_event(data)
    except UnknownEventError:
        return decode_event(msgspec.json.encode(msgspec.json.decode(data) | {"v": 1}))


def as_json(value: object) -> Any:
    """A value as JSON shows it."""
    return msgspec.json.decode(msgspec.json.encode(value))


def changed_by(event: Event) -> tuple[Key, ...]:
    """What an event makes a new version of, in the order of its hashes: each account, or stripe,
    then what else it changes."""
    accounts = tuple(entry.key for entry in entries_of(event))
    other = subject_of(event)
    return accounts if other is None else (*accounts, other[0])


def entry_of(event: Event, key: Key) -> Any:
    """What an event says of a subject that it changed: its version, and `prev`."""
    if key.kind in ("account", "stripe"):
        return next(entry for entry in entries_of(event) if entry.key == key)
    other = subject_of(event)
    assert other is not None  # it is one of `changed_by`
    return other[1]
