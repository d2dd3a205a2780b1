"""What an event makes of the history: one row for every account, and every stripe, that it touched.

Pure, and a function of the event alone: a row written twice is the same row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    Event,
    PaymentEvent,
    currency_of,
    entry_moved_minor,
    entry_pended_minor,
    moving_entries,
    payment_of,
)
from ledger.contracts.primitives import AccountType, balance_minor
from projections.lanes import lane_of

#: A row shows at most this many legs, so that with the longest ids and texts it is 3 write units (a
#: usual one is 1); the payment itself has them all, and `legs_count` says how many there are.
LEGS_SHOWN_MAX: Final = 10

RowKey = tuple[str, int]
"""The lane that a row is of, and its version."""


class Leg(Struct, frozen=True, kw_only=True):
    """One posting of an event as seen from an account: which side of it, and against whom."""

    counterparty: str
    side: Literal["debit", "credit"]
    amount_minor: int


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one event did to one account. Field names are stored.

    `debited_minor` and `credited_minor` are what this event posted; `debits_pended_minor` and
    `credits_pended_minor` what it held, or, below 0, no longer holds; the four totals are those
    after it. `legs` are of the postings of the event: what it posted, held or released. `payment`
    is whose they are, if another event made it. `prev` is the event of the version before, absent
    for version 1. `stripe` is that of an account which has several: version, totals and `prev` are
    of the stripe then.
    """

    account: str
    stripe: int | UnsetType = UNSET
    version: int
    event: str
    type: str
    recorded_at: str
    effective_at: str
    account_type: AccountType
    currency: str
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int = 0
    credits_pending_minor: int = 0
    debited_minor: int = 0
    credited_minor: int = 0
    debits_pended_minor: int = 0
    credits_pended_minor: int = 0
    payment: str | UnsetType = UNSET
    prev: str | UnsetType = UNSET
    legs: tuple[Leg, ...] = ()
    legs_count: int = 0
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET

    @property
    def lane(self) -> str:
        """Whose version it is."""
        return lane_of(self.account, 0 if self.stripe is UNSET else self.stripe)

    @property
    def key(self) -> RowKey:
        """What a row is stored under."""
        return self.lane, self.version

    @property
    def balance_minor(self) -> int:
        """The posted balance after the event, on the account's normal side."""
        return balance_minor(self.account_type, self.debits_posted_minor, self.credits_posted_minor)


def rows_of(event: Event) -> tuple[Row, ...]:
    """The rows of an event, one for each account, and each stripe, that it touched."""
    if not isinstance(event, AccountEvent):
        return ()
    legs = _legs(event)
    moving = {entry.key for entry in moving_entries(event)}
    return tuple(
        _row(event, entry, legs[entry.id] if entry.key in moving else [])
        for entry in event.accounts
    )


def rows_of_batch(events: Iterable[Event]) -> list[Row]:
    """The rows of several events, each key once."""
    return list({row.key: row for event in events for row in rows_of(event)}.values())


def _row(event: AccountEvent, entry: AccountEntry, legs: list[Leg]) -> Row:
    debited_minor, credited_minor = entry_moved_minor(event, entry)
    debits_pended_minor, credits_pended_minor = entry_pended_minor(event, entry)
    payment = payment_of(event) if isinstance(event, PaymentEvent) else event.id
    return Row(
        account=entry.id,
        stripe=entry.stripe,
        version=entry.version,
        event=event.id,
        type=event_type(event),
        recorded_at=event.recorded_at,
        effective_at=event.effective_at,
        account_type=entry.type,
        currency=currency_of(event, entry.id),
        debits_posted_minor=entry.debits_posted_minor,
        credits_posted_minor=entry.credits_posted_minor,
        debits_pending_minor=entry.debits_pending_minor,
        credits_pending_minor=entry.credits_pending_minor,
        debited_minor=debited_minor,
        credited_minor=credited_minor,
        debits_pended_minor=debits_pended_minor,
        credits_pended_minor=credits_pended_minor,
        payment=UNSET if payment == event.id else payment,
        prev=entry.prev,
        legs=tuple(legs[:LEGS_SHOWN_MAX]),
        legs_count=len(legs),
        reference=_text(event, "reference"),
        description=_text(event, "description"),
        reason=_text(event, "reason"),
    )


def event_type(event: AccountEvent) -> str:
    """The stored name of an event's type."""
    return str(event.__struct_config__.tag)


def _text(event: AccountEvent, name: str) -> str | UnsetType:
    """A text that events of some types have."""
    text: str | UnsetType = getattr(event, name, UNSET)
    return text


def _legs(event: AccountEvent) -> dict[str, list[Leg]]:
    """Each account's legs, in one pass over the postings (a payment has up to 45)."""
    legs: dict[str, list[Leg]] = {entry.id: [] for entry in event.accounts}
    if isinstance(event, PaymentEvent):
        for posting in event.postings:
            source, destination, amount = posting.source, posting.destination, posting.amount_minor
            legs[source].append(Leg(counterparty=destination, side="debit", amount_minor=amount))
            legs[destination].append(Leg(counterparty=source, side="credit", amount_minor=amount))
    return legs
