"""What is published on the ledger bus: events of one type in packs, each as it was stored.

An entry of the bus is paid for by 64 KB and a message of a queue by itself, whatever is in it: so
several events share one. The detail of an entry is `{"events": [...]}`, also for a single event.

A release before published each event as the detail itself. Such entries are read as well: while a
deployment goes on, and in queues, dead letters and the archive long after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

#: Of an entry: EventBridge bills by 64 KB of it. The rest is left for the envelope.
PACK_BYTES_MAX: Final = 60_000
#: So that a consumer's batch of packs is a bounded piece of work, however small events are.
PACK_EVENTS_MAX: Final = 100

_OPENING: Final = '{"events":['
_CLOSING: Final = "]}"
#: What a pack adds to its events, but for a comma between each two.
FRAME_BYTES: Final = len(_OPENING) + len(_CLOSING)


class MalformedPackError(ValueError):
    """A detail that is no pack of events."""


class _Pack(Struct, frozen=True):
    # No event has a member of this name.
    events: tuple[Raw, ...] | UnsetType = UNSET


_DECODE: Final = msgspec.json.Decoder(_Pack).decode


def detail_of(events: Iterable[str]) -> str:
    """The detail that carries these events, each byte for byte."""
    return f"{_OPENING}{','.join(events)}{_CLOSING}"


def events_in(detail: bytes | bytearray | memoryview | Raw | str) -> list[str]:
    """The texts of the events in a detail, of which there is at least one.

    Each as it is there: with fields that a newer release added, and perhaps no event at all. Raises
    MalformedPackError.
    """
    try:
        pack = _DECODE(detail)
        if pack.events is UNSET:
            return [detail if isinstance(detail, str) else bytes(detail).decode()]
        texts = [bytes(event).decode() for event in pack.events]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # `from None`: the cause may quote the body, and no body may reach a log.
        raise MalformedPackError("not a pack of events") from None
    if not texts:
        raise MalformedPackError("a pack without events")
    return texts
