"""Many commands in one request or message: which of them go together, and in what order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from ledger.client.messages import Message
from ledger.contracts.commands import (
    BULK_BYTES_AROUND,
    BULK_BYTES_BETWEEN,
    BULK_BYTES_MAX,
    BULK_COMMANDS_MAX,
    BULK_DETAIL_TYPE,
    bulk_of,
)
from ledger.contracts.primitives import COMMAND_BYTES_MAX

_T = TypeVar("_T")

#: Of a bulk message: EventBridge and SQS bill by 64 KiB, and the envelope takes its part.
MESSAGE_BYTES_MAX: Final = 60_000
#: Ordering keys of which messages are being filled at a time; then the longest open one is sent.
_OPEN_KEYS_MAX: Final = 64


class _Typed(Struct):
    type: str


_TYPED: Final = msgspec.json.Decoder(_Typed)
_ANYTHING: Final = msgspec.json.Decoder()


def goes_in_bulk(command_type: str, body: bytes) -> bool:
    """Whether `body` is answered in bulk as it is by itself: one JSON object of that type, no
    longer than a command may be. What is not would be taken for another, or spoil the request."""
    if len(body) > COMMAND_BYTES_MAX:
        return False
    try:
        _ANYTHING.decode(body)
        return _TYPED.decode(body).type == command_type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


@dataclass(slots=True)
class Room:
    """What is left of a bulk message that is being filled: `commands`, and `size` in bytes."""

    commands: int = BULK_COMMANDS_MAX
    size: int = BULK_BYTES_MAX

    def __post_init__(self) -> None:
        self.size -= BULK_BYTES_AROUND

    def has_for(self, body: bytes) -> bool:
        """Whether one more command fits."""
        return self.commands > 0 and len(body) + BULK_BYTES_BETWEEN <= self.size

    def take(self, body: bytes) -> None:
        """Gives a command its room."""
        self.commands -= 1
        self.size -= len(body) + BULK_BYTES_BETWEEN


def in_requests(items: Iterable[_T], body_of: Callable[[_T], bytes]) -> Iterator[list[_T]]:
    """Items in their order, as many in each list as one request takes; one that is too long for any
    is alone."""
    request: list[_T] = []
    room = Room()
    for item in items:
        body = body_of(item)
        if request and not room.has_for(body):
            yield request
            request, room = [], Room()
        request.append(item)
        room.take(body)
    if request:
        yield request


@dataclass(slots=True)
class _Open:
    messages: list[Message] = field(default_factory=list)
    room: Room = field(default_factory=lambda: Room(size=MESSAGE_BYTES_MAX))


def bulked(messages: Iterable[Message]) -> Iterator[Message]:
    """The same commands in fewer messages, those of an ordering key in their order.

    What cannot go in bulk, and what has no other of its key near, stays a message of its own.
    """
    open_: OrderedDict[str, _Open] = OrderedDict()
    for message in messages:
        key = message.ordering_key
        if not goes_in_bulk(message.command_type, message.body):
            if key in open_:
                yield _closed(open_.pop(key))
            yield message
            continue
        if key in open_ and not open_[key].room.has_for(message.body):
            yield _closed(open_.pop(key))
        if key not in open_ and len(open_) == _OPEN_KEYS_MAX:
            yield _closed(open_.popitem(last=False)[1])
        filled = open_.setdefault(key, _Open())
        filled.messages.append(message)
        filled.room.take(message.body)
    for left in open_.values():
        yield _closed(left)


def _closed(filled: _Open) -> Message:
    first, *others = filled.messages
    if not others:
        return first
    body = bulk_of(message.body for message in filled.messages)
    return Message(BULK_DETAIL_TYPE, body, first.ordering_key, len(filled.messages))
