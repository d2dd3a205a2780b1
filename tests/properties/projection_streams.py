"""Streams of events as a ledger would publish them, and what must become of them.

The `Book` folds postings into events by itself, in a few lines that are easy to check, so that the
projections are held to something other than the code that decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise, permutations
from typing import Any

from hypothesis import strategies as st

from ledger.contracts.events import Event, encode_event
from ledger.contracts.primitives import ACCOUNT_TYPES
from ledger.domain.chain import seal
from ledger.domain.evolution import states_after
from ledger.domain.states import States
from tests.properties.projection_books import START, Book

__all__ = ["START", "Book"]


def message(event: Event, message_id: str = "m", received: int = 1) -> dict[str, Any]:
    """The queue message that carries `event` alone to a projection."""
    return pack([event], message_id, received)


def pack(events: Sequence[Event], message_id: str = "m", received: int = 1) -> dict[str, Any]:
    """The queue message that carries several events to a projection."""
    envelope = {
        "version": "0",
        "id": "6f3f1d0e-0000-4000-8000-000000000000",
        "detail-type": "a.type",
        "source": "ledger",
        "account": "111122223333",
        "time": "2025-11-24T16:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {"events": [json.loads(encode_event(event)) for event in events]},
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


Batches = list[list[Event]]

ACCOUNTS = ("a", "b", "c", "d")
_AMOUNTS = st.integers(1, 1_000)
_TEXTS = st.dictionaries(st.sampled_from(("name", "tier")), st.sampled_from("xyz"), max_size=2)
_SIDES = st.sampled_from(("debits", "credits", "both"))


@st.composite
def books(draw: st.DrawFn, actions_max: int = 12) -> Book:
    """A few accounts, and whatever can become of them, of payments and of metadata."""
    book = Book()
    for account in ACCOUNTS[: draw(st.integers(2, len(ACCOUNTS)))]:
        book.open(account, draw(st.sampled_from(ACCOUNT_TYPES)), metadata=draw(st.none() | _TEXTS))
    for _ in range(draw(st.integers(0, actions_max))):
        draw(st.sampled_from(_ACTIONS))(draw, book)
    return book


def _postings(draw: st.DrawFn, book: Book) -> list[tuple[str, str, int]]:
    pairs = st.sampled_from(list(permutations(book.entries, 2)))
    posting = st.builds(lambda pair, amount: (*pair, amount), pairs, _AMOUNTS)
    return draw(st.lists(posting, min_size=1, max_size=4))


def _pay(draw: st.DrawFn, book: Book) -> None:
    book.pay(*_postings(draw, book), reference=draw(st.sampled_from(("r", ""))))


def _hold(draw: st.DrawFn, book: Book) -> None:
    book.hold(*_postings(draw, book))


def _go_on_with_hold(draw: st.DrawFn, book: Book) -> None:
    held = [name for name, life in book.payments.items() if life.is_open]
    if not held:
        return
    payment = draw(st.sampled_from(held))
    left = book.payments[payment].left
    # What is captured may be beyond what is left.
    amounts = tuple(draw(st.integers(0, amount + 2)) for amount in left)
    how = draw(st.sampled_from(("capture", "final", "increase", "void", "expire")))
    if how in ("void", "expire"):
        book.release(payment, expired=how == "expire")
    elif how == "increase":
        book.increase(payment, amounts)
    elif any(amounts):
        book.capture(payment, amounts, final=how == "final")


def _reverse(draw: st.DrawFn, book: Book) -> None:
    given = [name for name, life in book.payments.items() if any(life.reversible)]
    if given:
        payment = draw(st.sampled_from(given))
        amounts = tuple(draw(st.integers(0, most)) for most in book.payments[payment].reversible)
        if any(amounts):
            book.reverse(payment, amounts)


def _describe(draw: st.DrawFn, book: Book) -> None:
    subjects = [("account", name) for name in book.entries]
    subjects += [("payment", name) for name in book.payments]
    book.describe(*draw(st.sampled_from(subjects)), draw(_TEXTS))


def _change(draw: st.DrawFn, book: Book) -> None:
    account = draw(st.sampled_from(list(book.entries)))
    how = draw(st.sampled_from(("freeze", "unfreeze", "limit", "alert", "close")))
    if how == "freeze":
        book.freeze(account, draw(_SIDES))
    elif how == "limit":
        book.limit(account, draw(st.none() | st.integers(-9, 0)), draw(st.booleans()))
    else:
        getattr(book, how)(account)


def _refuse(draw: st.DrawFn, book: Book) -> None:
    book.refuse(draw(st.sampled_from(("post", "authorize", "template", "account", "capture"))))


_Action = Callable[[st.DrawFn, Book], None]
_ACTIONS: tuple[_Action, ...] = (
    *(_pay, _pay, _hold, _hold, _go_on_with_hold, _go_on_with_hold, _go_on_with_hold),
    *(_reverse, _describe, _change, _refuse),
)


@st.composite
def deliveries(draw: st.DrawFn, book: Book) -> Batches:
    """The book's events in any order, some of them several times, cut into batches."""
    again = draw(st.lists(st.sampled_from(book.recorded), max_size=8))
    order = draw(st.permutations([*book.recorded, *again]))
    return cut(order, draw(st.sets(st.integers(1, len(order)))))


@st.composite
def delivered_books(draw: st.DrawFn) -> tuple[Book, Batches]:
    """A book, and how its events come in."""
    book = draw(books())
    return book, draw(deliveries(book))


def cut(events: Sequence[Event], places: set[int]) -> Batches:
    """The events in batches that end at `places`; none is empty."""
    edges = sorted({0, len(events), *(place for place in places if place < len(events))})
    return [list(events[start:end]) for start, end in pairwise(edges)]


def states_of(events: Sequence[Event]) -> States:
    """The states that decisions are made on after these events, all there are, in their order."""
    states = States()
    for event in events:
        for state in states_after(states, event, seal(event, states)):
            states.put(state)
        states.events[event.id] = event
    return states


def four_events() -> Book:
    """The smallest book in which everything meets: two openings, a payment, a payment back."""
    book = Book()
    book.open("a", "asset")
    book.open("b", "liability", lowest=None, highest=500)
    book.pay(("a", "b", 7))
    book.pay(("b", "a", 3), ("a", "b", 1))
    return book


def every_delivery(events: Sequence[Event]) -> Iterator[Batches]:
    """All orders of the events, without and with one of them repeated, in all batches."""
    for repeated in ([], *([event] for event in events)):
        orders = {
            tuple(id(event) for event in order): order
            for order in permutations([*events, *repeated])
        }
        for order in orders.values():
            for size in range(len(order)):
                for places in combinations(range(1, len(order)), size):
                    yield cut(order, set(places))
