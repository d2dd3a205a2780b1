"""The history has every version of every account once, and knows what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from ledger.contracts.events import AccountEntry, AccountEvent, Event, entries_of
from ledger.contracts.primitives import balance_minor
from projections.history.apply import Row, RowKey
from projections.history.completeness import Completeness, Gap, gaps, missing, settle, walk
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project
from projections.history.reading import read_page
from tests.properties.projection_streams import (
    Batches,
    Book,
    books,
    cut,
    delivered_books,
    every_delivery,
    four_events,
)

Facts = tuple[object, ...]


def facts_of(book: Book) -> dict[RowKey, Facts]:
    """For each account and version: its event, the payment that this is of, what its totals became
    and by how much that changed them."""
    facts: dict[RowKey, Facts] = {}
    for account, entries in book.entries.items():
        before = (0, 0, 0, 0)
        for number, (entry, event) in enumerate(entries, start=1):
            after = totals_of(entry)
            facts[account, number] = (
                event.id,
                event.__struct_config__.tag,
                event.recorded_at,
                event.effective_at,
                after,
                tuple(now - was for was, now in zip(before, after, strict=True)),
                balance_minor(entry.type, *after[:2]),
                entry.prev,
                getattr(event, "payment", event.id),
                legs_of(event, account),
            )
            before = after
    return facts


def totals_of(totals: AccountEntry | Row) -> tuple[int, int, int, int]:
    """Posted and pending debits and credits."""
    return (
        totals.debits_posted_minor,
        totals.credits_posted_minor,
        totals.debits_pending_minor,
        totals.credits_pending_minor,
    )


def legs_of(event: Any, account: str) -> list[tuple[str, str, int]]:
    """The postings of the event that an account is in: the other one, the side, the amount."""
    return [
        (posting.destination, "debit", posting.amount_minor)
        if posting.source == account
        else (posting.source, "credit", posting.amount_minor)
        for posting in getattr(event, "postings", ())
        if account in (posting.source, posting.destination)
    ]


def facts_in(store: MemoryHistoryStore) -> dict[RowKey, Facts]:
    """The same of the rows in the store."""
    return {
        row.key: (
            row.event,
            row.type,
            row.recorded_at,
            row.effective_at,
            totals_of(row),
            (
                row.debited_minor,
                row.credited_minor,
                row.debits_pended_minor,
                row.credits_pended_minor,
            ),
            row.balance_minor,
            row.prev,
            row.payment or row.event,
            [(leg.counterparty, leg.side, leg.amount_minor) for leg in row.legs],
        )
        for row in store.rows()
    }


def complete_to(versions: Iterable[int]) -> int:
    """Up to where `versions` lack nothing, by counting."""
    present, end = set(versions), 0
    while end + 1 in present:
        end += 1
    return end


def versions_in(store: MemoryHistoryStore, account: str) -> list[int]:
    """The versions of an account that have rows."""
    return [row.version for row in store.rows_after(account, 0)]


@given(delivered_books())
def test_any_delivery_gives_one_row_per_account_and_version(drawn: tuple[Book, Batches]) -> None:
    """Order, repetition and batching of the events leave no trace in the history."""
    book, batches = drawn
    store = MemoryHistoryStore()
    for batch in batches:
        assert project(store, batch).failed == {}
    assert facts_in(store) == facts_of(book)


def test_every_order_of_four_events_with_a_repetition_gives_the_same_rows() -> None:
    """Exhaustively: each order of four events, one of them twice, cut in every way into batches;
    and in each, what is complete is known exactly after every batch."""
    book = four_events()
    for batches in every_delivery(book.recorded):
        store = MemoryHistoryStore()
        for batch in batches:
            project(store, batch, checkpoint_every=2)
            for account in ("a", "b"):
                true = complete_to(versions_in(store, account))
                assert walk(store, account) == Completeness(true, exact=True)
        assert facts_in(store) == facts_of(book)


@given(delivered_books(), st.integers(1, 5), st.integers(1, 6))
def test_complete_to_never_claims_too_much(
    drawn: tuple[Book, Batches], checkpoint_every: int, walk_max: int
) -> None:
    """After every batch, marker, walk and page claim no version beyond the first that is missing;
    what they call exact is; and `settle` finds it however short the walks are."""
    book, batches = drawn
    store = MemoryHistoryStore()
    for batch in batches:
        project(store, batch, checkpoint_every=checkpoint_every, walk_max=walk_max)
        for account in book.entries:
            true = complete_to(versions_in(store, account))
            assert store.marker(account) <= true
            for found in claims(store, account, walk_max):
                assert found.complete_to == true if found.exact else found.complete_to <= true
    for account, entries in book.entries.items():
        assert settle(store, account, walk_max=walk_max) == len(entries)
        assert store.marker(account) == len(entries)


def claims(store: MemoryHistoryStore, account: str, walk_max: int) -> list[Completeness]:
    """Everything that says how complete an account is."""
    pages = [
        read_page(store, account, below=below, limit=limit, walk_max=walk_max)
        for below in (None, 1, 3, 10)
        for limit in (1, 3)
    ]
    return [walk(store, account, walk_max=walk_max), *(page.completeness for page in pages if page)]


@given(delivered_books(), st.integers(1, 5))
def test_complete_to_is_exact_whenever_a_walk_can_reach_it(
    drawn: tuple[Book, Batches], checkpoint_every: int
) -> None:
    """With walks as long as they are in production, a quiescent history says exactly how complete
    it is, whatever order its events came in."""
    book, batches = drawn
    store = MemoryHistoryStore()
    for batch in batches:
        project(store, batch, checkpoint_every=checkpoint_every)
        for account in book.entries:
            true = complete_to(versions_in(store, account))
            for found in claims(store, account, 1_024):
                assert found == Completeness(true, exact=True)


@given(st.integers(1, 400), st.integers(1, 16))
def test_a_reader_of_an_orderly_history_looks_at_few_rows(payments: int, batch: int) -> None:
    """When events come in order, the marker is never 64 versions or more behind."""
    book = Book()
    book.open("a")
    book.open("b")
    for _ in range(payments):
        book.pay(("a", "b", 1))
    store = MemoryHistoryStore()
    for events in cut(book.events, set(range(0, len(book.events), batch))):
        project(store, events)
        newest = store.before("b", None, 1)
        if newest:
            assert newest[0].version - store.marker("b") < 64


@given(st.data())
def test_gaps_name_exactly_what_is_missing_and_repair_fills_it(data: st.DataObject) -> None:
    """Events are lost, but not the last of an account: the gaps are the missing versions, walking
    `prev` from each finds their events, and with these the history is whole."""
    book = data.draw(books())
    last = {book.entries[account][-1][1].id for account in book.entries}
    lost = data.draw(st.sets(st.sampled_from(book.events).map(lambda event: event.id))) - last
    store = MemoryHistoryStore()
    project(store, [event for event in book.events if event.id not in lost], checkpoint_every=2)
    found = [gap for account in book.entries for gap in missing(store, account)]
    assert versions_of(found) == set(facts_of(book)) - set(facts_in(store))
    for account in book.entries:
        # Whoever does not believe the marker finds the same.
        assert list(gaps(account, store.rows_after(account, 0))) == list(missing(store, account))
    project(store, [event for gap in found for event in walked(book, gap)])
    assert facts_in(store) == facts_of(book)
    for account, entries in book.entries.items():
        assert list(missing(store, account)) == []
        assert settle(store, account) == len(entries)


def versions_of(found: Iterable[Gap]) -> set[RowKey]:
    """The versions that lie in gaps."""
    return {(gap.lane, version) for gap in found for version in range(gap.first, gap.last + 1)}


def walked(book: Book, gap: Gap) -> Iterable[AccountEvent]:
    """The events of a gap, newest first, found by `prev` alone."""
    event_id = gap.event
    for version in range(gap.last, gap.first - 1, -1):
        event = book.by_id(event_id)
        entry = next(entry for entry in event.accounts if entry.id == gap.lane)
        assert entry.version == version
        yield event
        if isinstance(entry.prev, str):
            event_id = entry.prev


@given(delivered_books(), st.integers(1, 7), st.integers(0, 10))
def test_pages_show_every_row_once_newest_first(
    drawn: tuple[Book, Batches], limit: int, batches_in: int
) -> None:
    """Following the pages of an account from the newest shows all rows that it has, gaps or none,
    and each page says the same newest version."""
    book, batches = drawn
    store = MemoryHistoryStore()
    for batch in batches[:batches_in]:
        project(store, batch)
    for account in book.entries:
        shown: list[Row] = []
        below, more = None, True
        while more:
            page = read_page(store, account, below=below, limit=limit)
            if page is None:
                assert versions_in(store, account) == []
                break
            assert len(page.rows) <= limit
            assert page.newest == max(versions_in(store, account))
            shown += page.rows
            below, more = page.rows[-1].version, page.more
        assert [row.version for row in shown] == versions_in(store, account)[::-1]


@dataclass
class FaultyStore(MemoryHistoryStore):
    """Does not write some rows, or does and says that it did not, as `plan` says in turn."""

    plan: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def write(self, rows: Sequence[Row]) -> Mapping[RowKey, str]:
        faults = {row.key: self.plan.pop() if self.plan else "none" for row in rows}
        super().write([row for row in rows if faults[row.key] != "refused"])
        return {key: fault for key, fault in faults.items() if fault != "none"}


@given(delivered_books(), st.lists(st.sampled_from(["none", "refused", "answer lost"])))
def test_what_did_not_fail_is_written_and_what_failed_can_be_retried(
    drawn: tuple[Book, Batches], plan: list[str]
) -> None:
    """With rows that are not written, or are without the store knowing: an event that did not fail
    has all its rows at once, and retrying those that failed ends in the whole history."""
    book, batches = drawn
    store = FaultyStore(plan=plan)
    waiting: list[Sequence[Event]] = list(batches)
    while waiting:
        batch = waiting.pop()
        failed = project(store, batch, checkpoint_every=2).failed
        written = {row.key for row in store.rows()}
        for place, event in enumerate(batch):
            if place not in failed:
                assert {(entry.id, entry.version) for entry in entries_of(event)} <= written
        if failed:
            waiting.insert(0, [batch[place] for place in failed])
    assert facts_in(store) == facts_of(book)
