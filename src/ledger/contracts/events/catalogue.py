"""Every event there is, by its stored type, and events from stored bytes and back."""

from __future__ import annotations

from typing import Final, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.building import built_once
from ledger.contracts.commands import COMMAND_VERSIONS
from ledger.contracts.events.accounts import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    AlertsSet,
    LimitsSet,
    MetadataSet,
    StripesSet,
)
from ledger.contracts.events.books import (
    BatchCommitted,
    BookClosed,
    BookOpened,
    BookReopened,
    CommandRejected,
    TemplateDefined,
)
from ledger.contracts.events.payments import (
    PaymentAuthorized,
    PaymentCaptured,
    PaymentExpired,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentScreened,
    PaymentVoided,
)

AccountEvent = (
    AccountOpened
    | AccountClosed
    | AccountFrozen
    | AccountUnfrozen
    | AlertsSet
    | LimitsSet
    | PaymentAuthorized
    | PaymentCaptured
    | PaymentExpired
    | PaymentIncreased
    | PaymentPosted
    | PaymentReversed
    | PaymentVoided
    | StripesSet
)
"""An event that made a new version of every account, or stripe of one, in its `accounts`."""

BackDatableEvent = AccountOpened | PaymentPosted | PaymentCaptured | PaymentReversed
"""An event that can be effective in the past, and then names the `books` it was checked against."""

Accepted = (
    AccountEvent
    | BatchCommitted
    | BookClosed
    | BookOpened
    | BookReopened
    | MetadataSet
    | PaymentScreened
    | TemplateDefined
)
Event = Accepted | CommandRejected
EVENT_TYPES: Final[dict[str, type[Event]]] = dict(
    sorted((str(one.__struct_config__.tag), one) for one in get_args(Event))
)
#: The types of those that made new versions of accounts.
ACCOUNT_EVENT_TYPES: Final = tuple(
    sorted(str(one.__struct_config__.tag) for one in get_args(AccountEvent))
)
_VERSIONS: Final = dict.fromkeys(EVENT_TYPES, frozenset({1}))

_ENCODER = msgspec.json.Encoder()


class _Head(Struct):
    type: str
    v: int
    request: _RequestHead | UnsetType = UNSET


class _RequestHead(Struct):
    type: str
    v: int


_HEAD = msgspec.json.Decoder(_Head)
#: What decoding raises for bytes that are no event, or none of the type.
_NO_EVENT: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class UnknownEventError(Exception):
    """An event of a type or version that this release does not know: a newer one wrote it.

    Retryable: never skip it, never write after it.
    """


class CorruptEventError(Exception):
    """Stored bytes that are not an event of the type and version that they claim."""


@built_once
def _decoder(event_type: str) -> msgspec.json.Decoder[Event]:
    """The reader of one type of event, built when one is met: those of all, with all commands that
    can be refused, would cost every cold start some 10 ms."""
    return msgspec.json.Decoder(EVENT_TYPES[event_type])


def encode_event(event: Event) -> bytes:
    """The bytes that are stored, hashed and published."""
    return _ENCODER.encode(event)


def decode_event(data: bytes | str) -> Event:
    """The event in `data`. Unknown fields of the event and of its entries are ignored: adding one
    is compatible within a version. Postings and a refused request are closed, as in a command.

    Raises UnknownEventError or CorruptEventError.
    """
    named = _first_named(data)
    if named in EVENT_TYPES:
        try:
            event = _decoder(named).decode(data)
        except _NO_EVENT:
            pass  # why not is found below
        else:
            if event.v in _VERSIONS[named]:
                return event
    try:
        head = _HEAD.decode(data)
        if head.v not in _VERSIONS.get(head.type, frozenset()):
            raise UnknownEventError(f"event type {head.type!r} version {head.v}")
        request = head.request  # a refusal of a newer release may be of a command that it brought
        if request is not UNSET and request.v not in COMMAND_VERSIONS.get(request.type, ()):
            raise UnknownEventError(f"refusal of {request.type!r} version {request.v}")
        return _decoder(head.type).decode(data)
    except _NO_EVENT as error:
        raise CorruptEventError("the stored bytes are not an event") from error


def _first_named(data: bytes | str) -> str:
    """The type that `data` begins with, as whatever `encode_event` wrote does: so an event is read
    once, and not its head before it. Only a guess: the decoder of a type takes no other's events,
    and none of a version or with a request that it does not know."""
    if isinstance(data, bytes):
        named = data[9 : data.find(b'"', 9)] if data.startswith(b'{"type":"') else b""
        return named.decode(errors="replace")
    return data[9 : data.find('"', 9)] if data.startswith('{"type":"') else ""
