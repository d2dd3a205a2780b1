"""Streams of events as a ledger would publish them, and what must become of them.

The `Book` folds postings into events by itself, in a few lines that are easy to check, so that the
projections are held to something other than the code that decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, count, pairwise, permutations
from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET

from ledger.contracts.commands import Posting
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    Event,
    PaymentPosted,
    encode_event,
)
from ledger.contracts.primitives import ACCOUNT_TYPES, instant_of_microseconds

START = 1_764_000_000_000_000  # 2025-11-24T16:00:00Z
BEFORE = "2025-01-01T00:00:00.000000Z"  # recorded and effective time differ, as they do in life
CURRENCY = "EUR"


@dataclass
class Book:
    """Makes events, remembering each account's version, totals and last event."""

    events: list[AccountEvent] = field(default_factory=list)
    entries: dict[str, list[tuple[AccountEntry, AccountEvent]]] = field(default_factory=dict)
    _ticks: Any = field(default_factory=count)

    def open(self, account: str, account_type: Any = "liability", **limits: Any) -> AccountOpened:
        """Open an account; version 1 of it."""
        at = self._now()
        entry = AccountEntry(
            id=account,
            type=account_type,
            version=1,
            debits_posted_minor=0,
            credits_posted_minor=0,
        )
        event = AccountOpened(
            v=1,
            id=f"open:{account}",
            recorded_at=at,
            effective_at=limits.get("effective_at", BEFORE),
            actor="tests",
            account=account,
            currency=CURRENCY,
            account_type=account_type,
            min_balance_minor=limits.get("lowest", 0),
            max_balance_minor=limits.get("highest"),
            accounts=(entry,),
        )
        self._add(event)
        return event

    def pay(self, *postings: tuple[str, str, int], **texts: str) -> PaymentPosted:
        """Post a payment of (source, destination, amount) postings between open accounts."""
        at = self._now()
        names = list(dict.fromkeys(name for posting in postings for name in posting[:2]))
        event = PaymentPosted(
            v=1,
            id=f"payment-{len(self.events)}",
            recorded_at=at,
            effective_at=texts.get("effective_at", at),
            actor="tests",
            postings=tuple(
                Posting(source=source, destination=destination, amount_minor=amount, currency="EUR")
                for source, destination, amount in postings
            ),
            accounts=tuple(self._next(name, postings) for name in names),
            reference=texts.get("reference", UNSET),
            description=texts.get("description", UNSET),
        )
        self._add(event)
        return event

    def newest(self, account: str) -> AccountEntry:
        """The account's entry in its latest event."""
        return self.entries[account][-1][0]

    def by_id(self, event_id: str) -> AccountEvent:
        """The event that a `prev` names."""
        return next(event for event in self.events if event.id == event_id)

    def _next(self, account: str, postings: Sequence[tuple[str, str, int]]) -> AccountEntry:
        entry, event = self.entries[account][-1]
        return AccountEntry(
            id=account,
            type=entry.type,
            version=entry.version + 1,
            prev=event.id,
            debits_posted_minor=entry.debits_posted_minor
            + sum(amount for source, _, amount in postings if source == account),
            credits_posted_minor=entry.credits_posted_minor
            + sum(amount for _, destination, amount in postings if destination == account),
        )

    def _add(self, event: AccountEvent) -> None:
        self.events.append(event)
        for entry in event.accounts:
            self.entries.setdefault(entry.id, []).append((entry, event))

    def _now(self) -> str:
        return instant_of_microseconds(START + 1_000 * next(self._ticks))


def message(event: Event, message_id: str = "m", received: int = 1) -> dict[str, Any]:
    """The queue message that carries `event` to a projection."""
    envelope = {
        "version": "0",
        "id": "6f3f1d0e-0000-4000-8000-000000000000",
        "detail-type": "a.type",
        "source": "ledger",
        "account": "111122223333",
        "time": "2025-11-24T16:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": json.loads(encode_event(event)),
    }
    return raw_message(json.dumps(envelope), message_id, received)


def raw_message(body: str, message_id: str = "m", received: int = 1) -> dict[str, Any]:
    """A queue message with any body."""
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt-{message_id}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(received)},
    }


Batches = list[list[AccountEvent]]

ACCOUNTS = ("a", "b", "c", "d")


@st.composite
def books(draw: st.DrawFn, payments_max: int = 12) -> Book:
    """A few accounts, and payments of one to four postings between them."""
    book = Book()
    open_accounts = ACCOUNTS[: draw(st.integers(2, len(ACCOUNTS)))]
    for account in open_accounts:
        book.open(account, draw(st.sampled_from(ACCOUNT_TYPES)))
    pairs = st.sampled_from(list(permutations(open_accounts, 2)))
    posting = st.builds(lambda pair, amount: (*pair, amount), pairs, st.integers(1, 1_000))
    for _ in range(draw(st.integers(0, payments_max))):
        book.pay(*draw(st.lists(posting, min_size=1, max_size=4)))
    return book


@st.composite
def deliveries(draw: st.DrawFn, book: Book) -> Batches:
    """The book's events in any order, some of them several times, cut into batches."""
    again = draw(st.lists(st.sampled_from(book.events), max_size=8))
    order = draw(st.permutations([*book.events, *again]))
    return cut(order, draw(st.sets(st.integers(1, len(order)))))


@st.composite
def delivered_books(draw: st.DrawFn) -> tuple[Book, Batches]:
    """A book, and how its events come in."""
    book = draw(books())
    return book, draw(deliveries(book))


def cut(events: Sequence[AccountEvent], places: set[int]) -> Batches:
    """The events in batches that end at `places`; none is empty."""
    edges = sorted({0, len(events), *(place for place in places if place < len(events))})
    return [list(events[start:end]) for start, end in pairwise(edges)]


def four_events() -> Book:
    """The smallest book in which everything meets: two openings, a payment, a payment back."""
    book = Book()
    book.open("a", "asset")
    book.open("b", "liability", lowest=None, highest=500)
    book.pay(("a", "b", 7))
    book.pay(("b", "a", 3), ("a", "b", 1))
    return book


def every_delivery(book: Book) -> Iterator[Batches]:
    """All orders of the book's events, without and with one of them repeated, in all batches."""
    for repeated in ([], *([event] for event in book.events)):
        events = [*book.events, *repeated]
        orders = {tuple(id(event) for event in order): order for order in permutations(events)}
        for order in orders.values():
            for size in range(len(order)):
                for places in combinations(range(1, len(order)), size):
                    yield cut(order, set(places))
