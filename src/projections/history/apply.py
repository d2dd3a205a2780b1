"""What an event makes of the history: one row for every account that it touched.

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
    PaymentPosted,
)
from ledger.contracts.primitives import AccountType, balance_minor

#: A row shows at most this many legs, so that with the longest ids and texts it is 3 write units (a
#: usual one is 1); the payment itself has them all, and `legs_count` says how many there are.
LEGS_SHOWN_MAX: Final = 10

RowKey = tuple[str, int]


class Leg(Struct, frozen=True, kw_only=True):
    """One posting as seen from an account: which side of it moved, and against whom."""

    counterparty: str
    side: Literal["debit", "credit"]
    amount_minor: int


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one event did to one account. Field names are stored.

    `debited_minor` and `credited_minor` are what this event moved; the four totals are those after
    it. `prev` is the event of the version before, absent for version 1.
    """

    account: str
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
    prev: str | UnsetType = UNSET
    legs: tuple[Leg, ...] = ()
    legs_count: int = 0
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET

    @property
    def key(self) -> RowKey:
        """What a row is stored under."""
        return self.account, self.version

    @property
    def balance_minor(self) -> int:
        """The posted balance after the event, on the account's normal side."""
        return balance_minor(self.account_type, self.debits_posted_minor, self.credits_posted_minor)


def rows_of(event: Event) -> tuple[Row, ...]:
    """The rows of an event, one for each account that it touched."""
    if not isinstance(event, AccountEvent):
        return ()
    if not isinstance(event, PaymentPosted):
        return tuple(_row(event, entry, event.currency, []) for entry in event.accounts)
    legs, currencies = _legs(event)
    return tuple(
        _row(event, entry, currencies[entry.id], legs[entry.id]) for entry in event.accounts
    )


def rows_of_batch(events: Iterable[Event]) -> list[Row]:
    """The rows of several events, each key once."""
    return list({row.key: row for event in events for row in rows_of(event)}.values())


def _row(event: AccountEvent, entry: AccountEntry, currency: str, legs: list[Leg]) -> Row:
    payment = event if isinstance(event, PaymentPosted) else None
    return Row(
        account=entry.id,
        version=entry.version,
        event=event.id,
        type=event_type(event),
        recorded_at=event.recorded_at,
        effective_at=event.effective_at,
        account_type=entry.type,
        currency=currency,
        debits_posted_minor=entry.debits_posted_minor,
        credits_posted_minor=entry.credits_posted_minor,
        debits_pending_minor=entry.debits_pending_minor,
        credits_pending_minor=entry.credits_pending_minor,
        debited_minor=sum(leg.amount_minor for leg in legs if leg.side == "debit"),
        credited_minor=sum(leg.amount_minor for leg in legs if leg.side == "credit"),
        prev=entry.prev,
        legs=tuple(legs[:LEGS_SHOWN_MAX]),
        legs_count=len(legs),
        reference=payment.reference if payment else UNSET,
        description=payment.description if payment else UNSET,
    )


def event_type(event: AccountEvent) -> str:
    """The stored name of an event's type."""
    return str(event.__struct_config__.tag)


def _legs(event: PaymentPosted) -> tuple[dict[str, list[Leg]], dict[str, str]]:
    """Each account's legs and currency, in one pass over the postings (a payment has up to 45)."""
    legs: dict[str, list[Leg]] = {entry.id: [] for entry in event.accounts}
    currencies: dict[str, str] = {}
    for posting in event.postings:
        source, destination, amount = posting.source, posting.destination, posting.amount_minor
        legs[source].append(Leg(counterparty=destination, side="debit", amount_minor=amount))
        legs[destination].append(Leg(counterparty=source, side="credit", amount_minor=amount))
        currencies[source] = currencies[destination] = posting.currency
    return legs, currencies
