"""What an event says, asked of any event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, get_args

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

# Every consumer asks these of every event, several times: a type is looked up, as it takes ten
# times as long to ask of one union after the other whether an event is among it.
_WITH_ENTRIES: Final = frozenset(get_args(AccountEvent))
_OF_PAYMENTS: Final = frozenset(get_args(PaymentEvent))
_RELEASING: Final = frozenset(get_args(ReleaseEvent))
_Subject: TypeAlias = "tuple[Key, SubjectEntry | PaymentEntry] | None"
_SUBJECTS: Final[Mapping[type, Callable[[Any], _Subject]]] = {
    PaymentAuthorized: lambda event: (payment_key(event.id), event.entry),
    **dict.fromkeys(
        get_args(LaterPaymentEvent), lambda event: (payment_key(event.payment), event.entry)
    ),
    **dict.fromkeys(get_args(_BookEvent), lambda event: (book_key(event.book), event.entry)),
    TemplateDefined: lambda event: (template_key(event.template), event.entry),
    MetadataSet: lambda event: (metadata_key(event.subject, event.subject_id), event.entry),
    AccountOpened: lambda event: (
        (metadata_key("account", event.account), event.entry) if event.entry is not UNSET else None
    ),
}


def entries_of(event: Event) -> tuple[AccountEntry, ...]:
    """The accounts, and stripes of them, that an event touched; none for a rejection or a
    screening."""
    if type(event) not in _WITH_ENTRIES:
        return ()
    entries: tuple[AccountEntry, ...] = event.accounts  # type: ignore[union-attr]  # it has them
    return entries


def moving_entries(event: Event) -> tuple[AccountEntry, ...]:
    """Of every account touched the entry of the stripe on which the event moved what it moved: the
    first. Those behind it only gave up, or took, a share of the account's limits."""
    entries = entries_of(event)
    first: dict[str, AccountEntry] = {}
    for entry in entries:
        first.setdefault(entry.id, entry)
    return entries if len(first) == len(entries) else tuple(first.values())


def subject_of(event: Event) -> tuple[Key, SubjectEntry | PaymentEntry] | None:
    """What else than accounts an event made a new version of, and what it made of it.

    None for a payment posted at once too: it is version 1 of the payment, and has no later life
    until it is reversed.
    """
    subject = _SUBJECTS.get(type(event))
    return subject(event) if subject is not None else None


def payment_of(event: PaymentEvent) -> str:
    """The id of the payment that the event is of."""
    if isinstance(event, _FirstEvent):
        return event.id
    return event.payment


def currency_of(event: AccountEvent, account: str) -> str:
    """The currency of an account that the event touched."""
    if type(event) in _OF_PAYMENTS:
        touched: tuple[Posting, ...] = (*event.postings, *_released(event))  # type: ignore[union-attr]
        for posting in touched:
            if account in (posting.source, posting.destination):
                return posting.currency
        raise ValueError("a payment that does not touch the account")
    return event.currency if isinstance(event, AlertsSet) else event.profile.currency  # type: ignore[union-attr]


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


def entry_moved_minor(event: AccountEvent, entry: AccountEntry) -> tuple[int, int]:
    """What the event added to the posted (debits, credits) of one of its entries."""
    return moved_minor(event, entry.id) if _is_moving(event, entry) else (0, 0)


def entry_pended_minor(event: AccountEvent, entry: AccountEntry) -> tuple[int, int]:
    """What the event added to the pending (debits, credits) of one of its entries; below 0 if it
    released them."""
    return pended_minor(event, entry.id) if _is_moving(event, entry) else (0, 0)


def _is_moving(event: AccountEvent, entry: AccountEntry) -> bool:
    first = next(one for one in event.accounts if one.id == entry.id)
    return first is entry or first.stripe_number == entry.stripe_number


def _released(event: AccountEvent) -> tuple[Posting, ...]:
    """What is no longer pending by the event."""
    if type(event) in _RELEASING:
        return event.postings  # type: ignore[union-attr]  # it has them
    if isinstance(event, PaymentCaptured):
        return event.postings if event.released is UNSET else event.released
    return ()


def _sums(postings: Iterable[Posting], account: str) -> tuple[int, int]:
    debits = credits_ = 0
    for posting in postings:
        debits += posting.amount_minor if posting.source == account else 0
        credits_ += posting.amount_minor if posting.destination == account else 0
    return debits, credits_
