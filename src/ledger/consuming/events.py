"""From a queue message to the event in it, checked.

One that is not an event of ours, or of a version not known here (a newer release wrote it), is
refused as a value: its message comes back until the queue dead-letters it with its payload.
"""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from ledger.contracts.commands import accounts_of
from ledger.contracts.envelopes import open_envelope
from ledger.contracts.events import (
    AccountEntry,
    CommandRejected,
    CorruptEventError,
    Event,
    decode_event,
    entries_of,
    request_of,
)
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, canonical_instant, is_id

_VERSION_MAX: Final = 2**63 - 1


class MalformedMessageError(ValueError):
    """A queue message that holds no event of ours."""


def event_of_message(body: str) -> Event:
    """The event in the body of a queue message, checked.

    Raises MalformedMessageError, CorruptEventError or UnknownEventError.
    """
    return event_and_text(body)[0]


def event_and_text(body: str) -> tuple[Event, str]:
    """The event in the body of a queue message, checked, and its JSON as it was published: with
    fields that a newer release added and this one does not know.

    Raises MalformedMessageError, CorruptEventError or UnknownEventError.
    """
    try:
        text = bytes(open_envelope(body).detail).decode()
        event = decode_event(text)
    except ValueError:  # no envelope, or no text at all: a lone surrogate
        # `from None`: the cause may quote the body.
        raise MalformedMessageError("not an event of the ledger") from None
    check_event(event)
    return event, text


def check_event(event: Event) -> None:
    """Raises CorruptEventError unless a ledger can have recorded `event`.

    The store refuses to record such a thing; here it keeps a corrupted message from overwriting
    what is right, and from failing the messages that share its batch.
    """
    entries = entries_of(event)
    if not event.id or any(not _possible(entry) for entry in entries):
        raise CorruptEventError("an id, version or total out of range")
    if not isinstance(event, CommandRejected) and tuple(
        entry.id for entry in entries
    ) != accounts_of(request_of(event)):
        raise CorruptEventError("entries that are not those of the accounts moved")
    times = [event.recorded_at]
    if not isinstance(event, CommandRejected):
        times.append(event.effective_at)
    if not all(map(_is_instant, times)):
        raise CorruptEventError("a time that is not in the stored form")


def _possible(entry: AccountEntry) -> bool:
    totals = (
        entry.debits_posted_minor,
        entry.credits_posted_minor,
        entry.debits_pending_minor,
        entry.credits_pending_minor,
    )
    return (
        is_id(entry.id)
        and 1 <= entry.version <= _VERSION_MAX
        and (entry.version == 1) == (entry.prev is UNSET)
        and all(0 <= total <= AMOUNT_MINOR_MAX for total in totals)
    )


def _is_instant(text: str) -> bool:
    try:
        return canonical_instant(text) == text
    except ValueError:
        return False
