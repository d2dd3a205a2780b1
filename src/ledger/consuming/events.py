"""From a queue message to the events in it, each checked.

One that is not an event of ours, or of a version not known here (a newer release wrote it), is
refused as a value: its message comes back until the queue dead-letters it with its payload.
"""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, UnsetType

from ledger.contracts.commands import accounts_in
from ledger.contracts.envelopes import open_envelope
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    CommandRejected,
    CorruptEventError,
    Event,
    PaymentCaptured,
    PaymentEntry,
    PaymentEvent,
    decode_event,
    entries_of,
    payment_of,
    subject_of,
)
from ledger.contracts.packs import events_in
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, STRIPES_MAX, is_id, is_stored_instant

_VERSION_MAX: Final = 2**63 - 1


class MalformedMessageError(ValueError):
    """A queue message that holds no event of ours."""


def texts_of_message(body: str) -> list[str]:
    """The JSON of the events in the body of a queue message, as they were published: with fields
    that a newer release added and this one does not know. At least one; none is looked into.

    Raises MalformedMessageError.
    """
    try:
        return events_in(open_envelope(body).detail)
    except ValueError:  # no envelope, no pack, or no text at all: a lone surrogate
        # `from None`: the cause may quote the body.
        raise MalformedMessageError("no events of the ledger") from None


def checked_event(text: str) -> Event:
    """The event that a published text is. Raises CorruptEventError or UnknownEventError."""
    event = decode_event(text)
    check_event(event)
    return event


def check_event(event: Event) -> None:
    """Raises CorruptEventError unless a ledger can have recorded `event`.

    The store refuses to record such a thing; here it keeps a corrupted message from overwriting
    what is right, and from failing the messages that share its batch.
    """
    entries = entries_of(event)
    if not event.id or not all(map(_possible, entries)) or not _is_possible_subject(event):
        raise CorruptEventError("an id, version or total out of range")
    keys = {entry.key for entry in entries}
    if len(keys) < len(entries) or {entry.id for entry in entries} != _touched(event):
        raise CorruptEventError("entries that are not those of the accounts touched")
    if not all(map(is_stored_instant, _times(event))):
        raise CorruptEventError("a time that is not in the stored form")


def _touched(event: Event) -> set[str]:
    """The accounts that an event must have entries of."""
    if isinstance(event, PaymentEvent):
        released = event.released if isinstance(event, PaymentCaptured) else UNSET
        return set(accounts_in((*event.postings, *(released or ()))))
    return {event.account} if isinstance(event, AccountEvent) else set()


def _times(event: Event) -> list[str]:
    times = [event.recorded_at]
    if not isinstance(event, CommandRejected):
        times.append(event.effective_at)
    subject = subject_of(event)
    if subject and isinstance(subject[1], PaymentEntry) and subject[1].expires_at is not UNSET:
        times.append(subject[1].expires_at)
    return times


def _possible(entry: AccountEntry) -> bool:
    totals = (
        entry.debits_posted_minor,
        entry.credits_posted_minor,
        entry.debits_pending_minor,
        entry.credits_pending_minor,
    )
    return (
        is_id(entry.id)
        and 0 <= entry.stripe_number < STRIPES_MAX
        and _is_possible_version(entry.version, entry.prev)
        and min(totals) >= 0
        and max(totals) <= AMOUNT_MINOR_MAX
    )


def _is_possible_subject(event: Event) -> bool:
    """Whether what the event says of its payment, book, template or metadata can be."""
    if isinstance(event, PaymentEvent) and not is_id(payment_of(event)):
        return False
    subject = subject_of(event)
    if subject is None:
        return True
    key, entry = subject
    amounts = (
        (*entry.authorized_minor, *entry.captured_minor, *entry.reversed_minor)
        if isinstance(entry, PaymentEntry)
        else ()
    )
    return (
        bool(key.id)
        and _is_possible_version(entry.version, entry.prev)
        and all(0 <= minor <= AMOUNT_MINOR_MAX for minor in amounts)
    )


def _is_possible_version(version: int, prev: str | UnsetType) -> bool:
    return 1 <= version <= _VERSION_MAX and (version == 1) == (prev is UNSET)
