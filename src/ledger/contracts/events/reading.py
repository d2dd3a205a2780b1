"""What an event says, asked of any event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import UNSET

from ledger.contracts.events.accounts import AccountOpened, AlertsSet, MetadataSet
from ledger.contracts.events.base import AccountEntry, PaymentEntry, SubjectEntry
from ledger.contracts.events.books import (
    BookClosed,
    BookOpened,
    BookReopened,
    TemplateDefined,
)
from ledger.contracts.events.catalogue import AccountEvent, Event
from ledger.contracts.events.payments import (
    LaterPaymentEvent,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentEvent,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    ReleaseEvent,
)
from ledger.contracts.postings import Posting
from ledger.contracts.subjects import Key, book_key, metadata_key, payment_key, template_key

# Made once: to join types takes longer than to look for one among them.
_BookEvent: TypeAlias = BookOpened | BookClosed | BookReopened
_FirstEvent: TypeAlias = PaymentPosted | PaymentAuthorized
_MovingEvent: TypeAlias = PaymentPosted | PaymentCaptured | PaymentReversed
_PendingEvent: TypeAlias = PaymentAuthorized | PaymentIncreased


def entries_of(event: Event) -> tuple[AccountEntry, ...]:
    """The accounts an event touched; none for a rejection or a screening."""
    return event.accounts if isinstance(event, AccountEvent) else ()


def subject_of(event: Event) -> tuple[Key, SubjectEntry | PaymentEntry] | None:
    """What else than accounts an event made a new version of, and what it made of it.

    None for a payment posted at once too: it is version 1 of the payment, and has no later life
    until it is reversed.
    """
    if isinstance(event, PaymentPosted):  # most of them are
        return None
    if isinstance(event, PaymentAuthorized):
        return payment_key(event.id), event.entry
    if isinstance(event, LaterPaymentEvent):
        return payment_key(event.payment), event.entry
    if isinstance(event, _BookEvent):
        return book_key(event.book), event.entry
    if isinstance(event, TemplateDefined):
        return template_key(event.template), event.entry
    if isinstance(event, MetadataSet):
        return metadata_key(event.subject, event.subject_id), event.entry
    if isinstance(event, AccountOpened) and event.entry is not UNSET:
        return metadata_key("account", event.account), event.entry
    return None


def payment_of(event: PaymentEvent) -> str:
    """The id of the payment that the event is of."""
    if isinstance(event, _FirstEvent):
        return event.id
    return event.payment


def currency_of(event: AccountEvent, account: str) -> str:
    """The currency of an account that the event touched."""
    if isinstance(event, PaymentEvent):
        return next(
            posting.currency
            for posting in (*event.postings, *_released(event))
            if account in (posting.source, posting.destination)
        )
    return event.currency if isinstance(event, AlertsSet) else event.profile.currency


def moved_minor(event: AccountEvent, account: str) -> tuple[int, int]:
    """What the event itself added to an account's posted (debits, credits), in minor units."""
    if isinstance(event, _MovingEvent):
        return _sums(event.postings, account)
    return 0, 0


def pended_minor(event: AccountEvent, account: str) -> tuple[int, int]:
    """What the event itself added to an account's pending (debits, credits); below 0 if it
    released them."""
    if isinstance(event, _PendingEvent):
        return _sums(event.postings, account)
    debits, credits_ = _sums(_released(event), account)
    return -debits, -credits_


def _released(event: AccountEvent) -> tuple[Posting, ...]:
    """What is no longer pending by the event."""
    if isinstance(event, ReleaseEvent):
        return event.postings
    if isinstance(event, PaymentCaptured):
        return event.postings if event.released is UNSET else event.released
    return ()


def _sums(postings: Iterable[Posting], account: str) -> tuple[int, int]:
    debits = credits_ = 0
    for posting in postings:
        debits += posting.amount_minor if posting.source == account else 0
        credits_ += posting.amount_minor if posting.destination == account else 0
    return debits, credits_
