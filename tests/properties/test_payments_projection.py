"""The payments are the fold of the events, whatever becomes of these on their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from typing_extensions import override

from ledger.contracts.commands import AuthorizePayment, PostPayment, PostTemplate
from ledger.contracts.events import (
    CommandRejected,
    Event,
    PaymentAuthorized,
    PaymentPosted,
)
from ledger.runtime.faults import StoreError
from projections.payments.apply import (
    Metadata,
    Payment,
    coalesce,
    just_before,
    payment_in,
    payment_of_created,
    reach,
)
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.project import listed_together, project
from projections.payments.reading import read_page
from projections.query.payment_views import payment_view
from tests.properties.projection_streams import (
    Batches,
    Book,
    cut,
    delivered_books,
    every_delivery,
    states_of,
)
from tests.support.lives import lives

FIRST, LAST = "0", "~"


def payments_in(book: Book) -> dict[str, tuple[Any, ...]]:
    """Every payment of the book: version, status, amounts held, left, posted and given back, its
    latest event and its metadata; and those that were refused."""
    shown: dict[str, tuple[Any, ...]] = {}
    for name, life in book.payments.items():
        given = book.metadata.get(("payment", name), [])
        shown[name] = (
            life.version,
            life.status,
            life.held,
            life.left,
            life.captured,
            life.given_back,
            life.events[-1],
            len(given),
            given[-1][1] if given else made_with(book, name),
            life.postings,
        )
    for event in refused_payments(book.recorded):
        postings = getattr(event.request, "postings", ())
        zeros = (0,) * len(postings)
        shown[event.id] = (
            *(1, "rejected", zeros, zeros, zeros, zeros, event.id, 0, {}),
            postings,
        )
    return shown


def made_with(book: Book, payment: str) -> dict[str, str]:
    """The metadata in the event that made a payment."""
    event: Any = book.by_id(payment)
    return {} if event.metadata is UNSET else event.metadata


def refused_payments(events: Sequence[Event]) -> list[CommandRejected]:
    """Refusals of what would have been a payment."""
    return [
        event
        for event in events
        if isinstance(event, CommandRejected)
        and isinstance(event.request, PostPayment | AuthorizePayment | PostTemplate)
    ]


def payments_at(store: MemoryPaymentsStore) -> dict[str, tuple[Any, ...]]:
    """The same, as the query API shows it."""
    shown: dict[str, tuple[Any, ...]] = {}
    for payment in store.payments():
        assert payment.origin is not None
        assert payment.progress is not None
        answer = payment_view(payment, payment.origin, payment.progress)
        shown[payment.id] = (
            answer.version,
            answer.status,
            answer.authorized_minor,
            answer.held_minor,
            answer.captured_minor,
            answer.reversed_minor,
            answer.event,
            answer.metadata_version,
            answer.metadata,
            answer.postings,
        )
    return shown


@given(delivered_books())
def test_any_delivery_gives_the_fold_of_the_events(drawn: tuple[Book, Batches]) -> None:
    """Order, repetition and batching of the events leave no trace in the payments; and after every
    batch each is as far as the events that have come bring it, in every part, and no less far."""
    book, batches = drawn
    store = MemoryPaymentsStore()
    furthest: dict[str, tuple[int, ...]] = {}
    for batch in batches:
        assert project(store, batch).failed == {}
        for part in filter(None, map(payment_in, batch)):
            known = furthest.get(part.id, (0, 0, 0))
            furthest[part.id] = tuple(map(max, known, reach(part)))
        assert {payment.id: reach(payment) for payment in store.payments()} == furthest
    assert payments_at(store) == payments_in(book)


def with_parts() -> Book:
    """A payment of which every part but the first changes twice, and one that was refused."""
    book = Book()
    book.open("a")
    book.open("b")
    book.recorded.clear()
    held = book.hold(("a", "b", 7), ("a", "b", 2))
    book.capture(held.id, (3, 0))
    book.describe("payment", held.id, {"name": "y"})
    book.refuse("authorize")
    return book


def with_ends() -> Book:
    """A payment that is posted and given back twice; one of its amounts is never."""
    book = Book()
    book.open("a")
    book.open("b")
    book.recorded.clear()
    paid = book.pay(("a", "b", 7), ("b", "a", 2))
    book.reverse(paid.id, (3, 0))
    book.reverse(paid.id, (4, 0))
    book.describe("payment", paid.id, {})
    return book


@pytest.mark.parametrize("book", [with_parts(), with_ends()], ids=["held", "posted"])
def test_every_order_of_four_events_with_a_repetition_gives_the_fold(book: Book) -> None:
    """Exhaustively: each order of four events, one of them twice, cut in every way into batches."""
    expected = payments_in(book)
    for batches in every_delivery(book.recorded):
        store = MemoryPaymentsStore()
        for batch in batches:
            project(store, batch)
        assert payments_at(store) == expected


@given(lives(), st.data())
def test_the_payments_say_what_the_states_of_the_ledger_say(
    events: list[Event], data: st.DataObject
) -> None:
    """Of whatever commands the ledger got: each payment stands where decisions take it to stand,
    whatever order the events came in; and there is one for every event that made or refused one."""
    states = states_of(events)
    store = MemoryPaymentsStore()
    order = data.draw(st.permutations(events))
    for batch in cut(order, data.draw(st.sets(st.integers(1, len(order))))):
        assert project(store, batch).failed == {}
    shown = {payment.id: payment for payment in store.payments()}
    made = {one.id for one in events if isinstance(one, PaymentPosted | PaymentAuthorized)}
    assert shown.keys() == made | {one.id for one in refused_payments(events)}
    for name, state in states.payments.items():
        payment = shown[name]
        assert payment.origin is not None
        assert payment.progress is not None
        answer = payment_view(payment, payment.origin, payment.progress)
        assert (answer.version, answer.status) == (state.version, state.status)
        assert (answer.event, answer.changed_at) == (state.last_event, state.recorded_at)
        assert answer.postings == state.postings
        assert answer.held_minor == state.remaining_minor
        assert answer.captured_minor == state.captured_minor
        assert answer.reversed_minor == state.reversed_minor
        assert answer.expires_at == (UNSET if state.expires_at is None else state.expires_at)
    for key, metadata in states.metadata.items():
        kind, _, name = key.partition("/")
        if kind == "payment":
            assert shown[name].metadata == Metadata(
                payment=name, metadata_version=metadata.version, metadata=metadata.metadata
            )


@given(delivered_books())
def test_a_batch_costs_one_write_per_payment(drawn: tuple[Book, Batches]) -> None:
    """However many events of a batch are about a payment, it is written once, and those listed
    together are one write more; and events that come as they were recorded are never refused."""
    book, batches = drawn
    for batch in batches:
        store = MemoryPaymentsStore()
        project(store, batch)
        payments = coalesce(batch)
        lists = list(listed_together(payments.values()))
        assert store.writes == len(payments) + len(lists)
        assert len(lists) <= 1  # all in one minute
    store = MemoryPaymentsStore()
    for event in book.recorded:
        before = store.writes
        assert project(store, [event]).counts["WritesOutdated"] == 0
        assert store.writes - before == (payment_in(event) is not None)


@given(delivered_books(), st.integers(1, 5), st.data())
def test_pages_show_every_payment_of_a_status_once_newest_first(
    drawn: tuple[Book, Batches], limit: int, data: st.DataObject
) -> None:
    """Following the pages of a status, all payments that are in it are shown, between any times."""
    _, batches = drawn
    store = MemoryPaymentsStore()
    for batch in batches:
        project(store, batch)
    everything = sorted(
        (payment.origin.created, payment.status)
        for payment in store.payments()
        if payment.origin and payment.status
    )
    times = [*(created.partition("#")[0] for created, _ in everything), FIRST, LAST]
    low, high = sorted(data.draw(st.tuples(st.sampled_from(times), st.sampled_from(times))))
    for status in {status for _, status in everything}:
        expected = [one for one, its in everything if its == status and low <= one <= high][::-1]
        shown: list[str] = []
        upper: str | None = high
        while upper is not None:
            page = read_page(store, status, low, upper, limit=limit)
            assert len(page.payments) <= limit
            shown += [payment.id for payment in page.payments]
            upper = just_before(page.more_before) if page.more_before else None
        assert shown == [payment_of_created(one) for one in expected]


IDS = st.text(st.sampled_from("-.09:AZ_az"), min_size=1, max_size=3)


@given(IDS, IDS, st.sampled_from(("2025-11-24T16:00:00.000000Z", "2025-11-24T16:00:00.000001Z")))
def test_just_before_leaves_out_a_place_and_nothing_before_it(
    one: str, other: str, at: str
) -> None:
    """Whatever the ids are: a place is below it exactly if it is below the one it is before."""
    here, there = f"2025-11-24T16:00:00.000001Z#{one}", f"{at}#{other}"
    assert (there <= just_before(here)) == (there < here)


@dataclass
class FaultyStore(MemoryPaymentsStore):
    """Fails some writes, before or after they took effect, as `plan` says in turn."""

    plan: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def write(self, payment: Payment, *, listed: bool = True) -> int:
        fault = self.plan.pop() if self.plan else "none"
        if fault == "refused":
            raise StoreError("ThrottlingException")
        if fault == "half":
            half = Payment(payment.id, origin=payment.origin, metadata=payment.metadata)
            super().write(half, listed=listed)
            raise StoreError("ThrottlingException")
        newer = super().write(payment, listed=listed)
        if fault == "answer lost":
            raise StoreError("ReadTimeoutError")
        return newer

    @override
    def list_together(self, created: Sequence[str]) -> None:
        fault = self.plan.pop() if self.plan else "none"
        if fault != "refused":
            super().list_together(created)
        if fault != "none":
            raise StoreError("ThrottlingException")


FAULTS = ("none", "refused", "half", "answer lost")


@given(delivered_books(), st.lists(st.sampled_from(FAULTS)))
def test_what_did_not_fail_is_projected_and_what_failed_can_be_retried(
    drawn: tuple[Book, Batches], plan: list[str]
) -> None:
    """With writes that fail, are done in part or lose their answers: an event that did not fail is
    in the payments at once, and retrying those that failed ends in the fold."""
    book, batches = drawn
    store = FaultyStore(plan=plan)
    waiting: list[Sequence[Event]] = list(batches)
    while waiting:
        batch = waiting.pop()
        failed = project(store, batch).failed
        for place, event in enumerate(batch):
            part = payment_in(event)
            if part is not None and place not in failed:
                there = store.some([part.id])[part.id]
                assert all(map(int.__ge__, reach(there), reach(part)))
        if failed:
            waiting.insert(0, [batch[place] for place in failed])
    assert payments_at(store) == payments_in(book)
