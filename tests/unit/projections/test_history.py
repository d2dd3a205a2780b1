"""History: rows, their size, and what a page and its completeness cost in requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import boto3
import pytest
from moto import mock_aws
from msgspec import UNSET, structs
from typing_extensions import override

from ledger.contracts.events import AccountEvent
from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    DESCRIPTION_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
)
from ledger.runtime.faults import StoreError
from projections.generations.memory import single
from projections.history import handler as module
from projections.history.apply import LEGS_SHOWN_MAX, Leg, Row, RowKey, rows_of, rows_of_batch
from projections.history.completeness import Completeness, checkpoint, settle, walk
from projections.history.handler import make_handler
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project
from projections.history.reading import read_page
from projections.history.store import DynamoHistoryStore, Versions, item_of_row, row_of_item
from tests.properties.projection_streams import Book, four_events, message
from tests.support.consuming import REJECTION, World, function_environment
from tests.unit.projections.fakes import create_tables
from tests.unit.projections.sizes import item_bytes

BOOK = four_events()


def steady_book(payments: int) -> Book:
    """Account b credited by a, again and again: versions 1 to `payments` + 1 of both."""
    book = Book()
    book.open("a", "asset")
    book.open("b")
    for _ in range(payments):
        book.pay(("a", "b", 1))
    return book


def test_a_row_shows_the_event_from_the_account_s_side() -> None:
    """What moved, against whom and in which direction; totals and balance after; the way back."""
    book = four_events()
    payment = book.pay(
        ("a", "b", 5), ("b", "a", 2), effective_at="2025-01-01T00:00:00.000000Z", reference="r"
    )
    first, second = rows_of(payment)
    assert first == Row(
        account="a",
        version=4,
        event=payment.id,
        type="payment.posted",
        recorded_at=payment.recorded_at,
        effective_at="2025-01-01T00:00:00.000000Z",
        account_type="asset",
        currency="EUR",
        debits_posted_minor=7 + 1 + 5,
        credits_posted_minor=3 + 2,
        debited_minor=5,
        credited_minor=2,
        prev=book.events[3].id,
        legs=(
            Leg(counterparty="b", side="debit", amount_minor=5),
            Leg(counterparty="b", side="credit", amount_minor=2),
        ),
        legs_count=2,
        reference="r",
    )
    assert first.balance_minor == 8
    assert (second.account, second.debited_minor, second.credited_minor) == ("b", 2, 5)
    assert second.balance_minor == 8  # what a owns, b is owed


def test_the_life_of_a_hold_is_a_row_for_every_event_of_it() -> None:
    """What was held, posted and released, by side; each but the first says whose it is."""
    book = Book()
    book.open("a")
    book.open("b", "asset")
    held = book.hold(("a", "b", 10))
    later: list[AccountEvent] = [
        book.increase(held.id, (5,)),
        book.capture(held.id, (4,)),
        book.capture(held.id, (6,), final=True),
        book.reverse(held.id, (10,)),
    ]
    assert [
        (
            row.type,
            row.payment,
            (row.debits_pended_minor, row.credits_pended_minor),
            (row.debited_minor, row.credited_minor),
            (row.debits_pending_minor, row.credits_pending_minor),
            row.legs,
        )
        for event in (held, *later)
        for row in rows_of(event)
        if row.account == "a"
    ] == [
        ("payment.authorized", UNSET, (10, 0), (0, 0), (10, 0), leg("debit", 10)),
        ("payment.increased", held.id, (5, 0), (0, 0), (15, 0), leg("debit", 5)),
        ("payment.captured", held.id, (-4, 0), (4, 0), (11, 0), leg("debit", 4)),
        ("payment.captured", held.id, (-11, 0), (6, 0), (0, 0), leg("debit", 6)),
        ("payment.reversed", held.id, (0, 0), (0, 10), (0, 0), leg("credit", 10)),
    ]
    assert rows_of(later[-1])[0].reason == "sent back"


def leg(side: Literal["debit", "credit"], amount: int) -> tuple[Leg, ...]:
    """The only leg of a row: with b."""
    return (Leg(counterparty="b", side=side, amount_minor=amount),)


def test_a_released_hold_is_a_row_that_posts_nothing() -> None:
    """Voided or expired alike: what is no longer held, with its legs."""
    for expired in (False, True):
        book = Book()
        book.open("a")
        book.open("b")
        held = book.hold(("a", "b", 10))
        row = rows_of(book.release(held.id, expired=expired))[0]
        assert (row.debits_pended_minor, row.debited_minor, row.payment) == (-10, 0, held.id)
        assert row.legs == leg("debit", 10)


def test_a_change_of_an_account_is_a_row_with_its_reason() -> None:
    """No money, no payment, no legs; metadata make no version of an account, and no row."""
    book = Book()
    book.open("a")
    events: list[AccountEvent] = [
        book.freeze("a", "both"),
        book.limit("a", None, velocity=True),
        book.close("a"),
    ]
    rows = [row for event in events for row in rows_of(event)]
    assert [(row.type, row.reason, row.version) for row in rows] == [
        ("account.frozen", "doubtful", 2),
        ("account.limits_set", UNSET, 3),
        ("account.closed", "left", 4),
    ]
    assert {(row.currency, row.legs, row.payment) for row in rows} == {("EUR", (), UNSET)}
    assert rows_of(book.describe("account", "a", {"name": "x"})) == ()


def test_an_increase_that_prolongs_only_is_no_row() -> None:
    """It touches no account."""
    book = Book()
    book.open("a")
    book.open("b")
    held = book.hold(("a", "b", 10))
    assert rows_of(book.increase(held.id, (0,))) == ()


def test_an_opening_is_a_row_that_moves_nothing() -> None:
    """Version 1 has no event before it and no legs."""
    (row,) = rows_of(BOOK.events[0])
    assert (row.type, row.version, row.legs, row.legs_count) == ("account.opened", 1, (), 0)
    assert "prev" not in item_of_row(row)
    assert rows_of(REJECTION) == ()


def test_a_payer_of_many_shows_the_first_legs_and_says_how_many_there_are() -> None:
    """45 postings from one account: ten legs, all of the amount; each payee sees its own."""
    book = Book()
    names = [f"payee-{number}" for number in range(45)]
    for name in ("payer", *names):
        book.open(name)
    rows = {row.account: row for row in rows_of(book.pay(*(("payer", to, 2) for to in names)))}
    payer, payee = rows["payer"], rows["payee-44"]
    assert [leg.counterparty for leg in payer.legs] == names[:LEGS_SHOWN_MAX]
    assert (payer.legs_count, payer.debited_minor) == (45, 90)
    assert payee.legs == (Leg(counterparty="payer", side="credit", amount_minor=2),)
    assert payee.legs_count == 1


def test_a_batch_has_each_row_once() -> None:
    """A batch write refuses two items of one key."""
    rows = rows_of_batch([*BOOK.events, *BOOK.events])
    assert Counter(row.key for row in rows) == Counter(
        {(account, version): 1 for account in "ab" for version in (1, 2, 3)}
    )


def test_the_row_of_a_usual_payment_is_one_write_unit() -> None:
    """Two legs, 36-character ids, a reference and a long description: at most 1 KiB."""
    book = Book()
    payer, payee = "a" * 36, "b" * 36
    for name in (payer, payee):
        book.open(name)
    event = book.pay((payer, payee, 10**9), reference="r" * 36, description="d" * 140)
    for row in rows_of(event):
        item = item_of_row(row, generation=9_999)
        assert item_bytes(item) + 2 * 36 <= 1_024  # event ids here are shorter


LONGEST = Row(
    account="a" * 64,
    version=AMOUNT_MINOR_MAX,
    event="e" * 64,
    type="payment.authorized",
    recorded_at="2026-11-21T23:10:05.123456Z",
    effective_at="2026-11-21T23:10:05.123456Z",
    account_type="liability",
    currency="EUR",
    debits_posted_minor=AMOUNT_MINOR_MAX,
    credits_posted_minor=AMOUNT_MINOR_MAX,
    debits_pending_minor=AMOUNT_MINOR_MAX,
    credits_pending_minor=AMOUNT_MINOR_MAX,
    debited_minor=AMOUNT_MINOR_MAX,
    credited_minor=AMOUNT_MINOR_MAX,
    debits_pended_minor=-AMOUNT_MINOR_MAX,
    credits_pended_minor=-AMOUNT_MINOR_MAX,
    prev="p" * 64,
    legs=(Leg(counterparty="c" * 64, side="credit", amount_minor=AMOUNT_MINOR_MAX),)
    * LEGS_SHOWN_MAX,
    legs_count=45,
    reference="\U0001f4b6" * REFERENCE_LENGTH_MAX,
)
TEXT = "\U0001f4b6" * DESCRIPTION_LENGTH_MAX


@pytest.mark.parametrize(
    "texts", [{"description": TEXT}, {"payment": "p" * 64, "reason": TEXT}], ids=["first", "later"]
)
def test_the_largest_row_is_three_write_units(texts: dict[str, str]) -> None:
    """Longest ids, amounts and texts of four-byte characters, ten legs: at most 3 KiB; whether of
    the event that makes a payment, which may describe it, or of a later one, which has a reason."""
    longest = structs.replace(LONGEST, **texts)
    assert 2 * 1_024 < item_bytes(item_of_row(longest, generation=9_999)) <= 3 * 1_024
    assert row_of_item(longest.account, item_of_row(longest)) == longest


class Counting(MemoryHistoryStore):
    """Counts reading requests, as a table would get them."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[str] = Counter()

    @override
    def before(self, account: str, version: int | None, limit: int) -> tuple[Row, ...]:
        self.reads["before"] += 1
        return super().before(account, version, limit)

    @override
    def versions_after(self, account: str, version: int, limit: int) -> Versions:
        self.reads["versions_after"] += 1
        return super().versions_after(account, version, limit)

    @override
    def marker(self, account: str) -> int:
        self.reads["marker"] += 1
        return super().marker(account)


def test_the_marker_is_raised_every_64_versions_and_costs_nothing_between() -> None:
    """Projecting 200 events one by one reads at versions 64, 128 and 192 of each account only."""
    store = Counting()
    for event in steady_book(199).events:
        project(store, [event])
    assert store.reads == {"marker": 6, "versions_after": 6}
    assert (store.marker("a"), store.marker("b")) == (192, 192)


@pytest.mark.parametrize(
    ("payments", "below", "reads"),
    [
        (0, None, {"before": 1}),
        (50, None, {"before": 1}),  # 51 rows: the page reaches version 1
        (51, None, {"before": 1, "marker": 1, "versions_after": 1}),
        (70, None, {"before": 1, "marker": 1}),  # the page reaches the marker at 64
        (120, None, {"before": 1, "marker": 1, "versions_after": 1}),
        (120, 30, {"before": 1, "marker": 1, "versions_after": 1}),
    ],
)
def test_a_page_takes_at_most_three_requests(
    payments: int, below: int | None, reads: Mapping[str, int]
) -> None:
    """One for a short history, a second or third to know how complete a long one is."""
    store = Counting()
    for event in steady_book(payments).events:
        project(store, [event])
    store.reads.clear()
    page = read_page(store, "b", below=below, limit=50)
    assert page is not None
    assert page.completeness == Completeness(payments + 1, exact=True)
    assert page.newest == payments + 1
    assert store.reads == reads


def test_behind_a_long_walk_complete_to_is_a_lower_bound_and_says_so() -> None:
    """When the marker was held up for longer than a walk is, nothing is claimed beyond the walk;
    `settle` brings the marker to the end."""
    store = MemoryHistoryStore()
    rows = [row for row in rows_of_batch(steady_book(99).events) if row.account == "b"]
    store.write(rows)
    for below in (None, 50):
        page = read_page(store, "b", below=below, limit=5, walk_max=30)
        assert page is not None
        assert page.completeness == Completeness(30, exact=False)
        assert page.newest == 100
    assert walk(store, "b", walk_max=30) == Completeness(30, exact=False)
    assert checkpoint(store, "b", walk_max=30) == Completeness(30, exact=False)
    assert settle(store, "b", walk_max=30) == 100


def test_a_gap_holds_complete_to_and_its_event_raises_it_again() -> None:
    """The page shows what has arrived; `complete_to` stops below what has not."""
    store, book = MemoryHistoryStore(), steady_book(10)
    late = book.events[5]  # made version 5 of a and b
    project(store, [event for event in book.events if event is not late])
    page = read_page(store, "b", limit=3)
    assert page is not None
    assert page.completeness == Completeness(4, exact=True)
    assert [row.version for row in page.rows] == [11, 10, 9]
    project(store, [late])
    page = read_page(store, "b", limit=3)
    assert page is not None
    assert page.completeness == Completeness(11, exact=True)


@pytest.mark.parametrize("between", ["marker", "versions_after"])
def test_rows_that_arrive_while_a_page_is_read_are_not_claimed_by_it(between: str) -> None:
    """`complete_to` is never above the newest version that the page knows of, whichever request
    the rows arrive before."""
    book = steady_book(99)
    events = iter(book.events)

    class Moving(MemoryHistoryStore):
        @override
        def marker(self, account: str) -> int:
            if between == "marker":
                project(self, list(events))
            return super().marker(account)

        @override
        def versions_after(self, account: str, version: int, limit: int) -> Versions:
            if between == "versions_after":
                project(self, list(events))
            return super().versions_after(account, version, limit)

    store = Moving()
    project(store, [next(events) for _ in range(61)])
    page = read_page(store, "b", limit=3)
    assert page is not None
    assert page.newest == 60
    assert page.completeness == Completeness(60, exact=True)


@pytest.mark.parametrize("between", ["marker", "versions_after"])
@pytest.mark.parametrize(
    ("below", "complete_to"),
    [(None, 95), (100, 95), (98, 95), (97, 95), (96, 101), (51, 101)],
    ids=str,
)
def test_a_row_that_arrives_late_for_a_page_is_not_claimed_by_it(
    between: str, below: int | None, complete_to: int
) -> None:
    """A page that lacks version 96, which comes while it is read, is complete to 95; one that ends
    below may say what is true by then."""
    book = steady_book(100)
    late = book.events[96]  # made version 96 of b

    class Moving(MemoryHistoryStore):
        moved = False

        @override
        def marker(self, account: str) -> int:
            if between == "marker" and self.moved:
                project(self, [late])
                self.raise_marker(account, 96)
            return super().marker(account)

        @override
        def versions_after(self, account: str, version: int, limit: int) -> Versions:
            if between == "versions_after" and self.moved:
                project(self, [late])
            return super().versions_after(account, version, limit)

    store = Moving()
    project(store, [event for event in book.events if event is not late])
    store.moved = True
    page = read_page(store, "b", below=below, limit=8)
    assert page is not None
    assert 96 not in [row.version for row in page.rows]
    assert page.completeness == Completeness(complete_to, exact=True)


class Broken(MemoryHistoryStore):
    """Does not write the rows of some accounts, or fails every checkpoint."""

    def __init__(self, *accounts: str, checkpoints: bool = True) -> None:
        super().__init__()
        self.accounts_out = accounts
        self.checkpoints = checkpoints

    @override
    def write(self, rows: Sequence[Row]) -> Mapping[RowKey, str]:
        super().write([row for row in rows if row.account not in self.accounts_out])
        return {row.key: "unprocessed" for row in rows if row.account in self.accounts_out}

    @override
    def marker(self, account: str) -> int:
        if not self.checkpoints:
            raise StoreError("ThrottlingException")
        return super().marker(account)


def test_an_unwritten_row_fails_the_messages_that_make_it_and_no_other() -> None:
    """A hot account that is throttled holds up its own events only."""
    book = Book()
    for name in "abcd":
        book.open(name)
    hot, cold = book.pay(("a", "b", 1)), book.pay(("c", "d", 1))
    outcome = project(Broken("b"), [*book.events[:4], hot, cold])
    assert outcome.failed == {1: "unprocessed", 4: "unprocessed"}
    assert outcome.counts == {"Rows": 6, "Checkpoints": 0, "CheckpointsMissed": 0}


def test_an_unwritten_row_is_no_checkpoint() -> None:
    """The marker is looked at when the row of the checkpoint is there."""
    store = Broken("b")
    outcome = project(store, steady_book(63).events)
    assert outcome.counts["Checkpoints"] == 1
    assert (store.marker("a"), store.marker("b")) == (64, 0)


def test_a_missed_checkpoint_fails_no_message() -> None:
    """The rows are there; the next checkpoint makes up for it."""
    store = Broken(checkpoints=False)
    outcome = project(store, steady_book(63).events)
    assert outcome.failed == {}
    assert outcome.counts == {"Rows": 128, "Checkpoints": 0, "CheckpointsMissed": 2}


def test_the_handler_projects_a_batch_and_says_so() -> None:
    """From queue messages to rows, with counts in the line."""
    world, store = World(), MemoryHistoryStore()
    handler = make_handler(stores=single(store), **world.collaborators)
    records = [message(event, event.id) for event in BOOK.events]
    assert handler({"Records": records}, None) == {"batchItemFailures": []}
    assert len(list(store.rows())) == 6
    assert world.lines[0].metrics["Rows"] == ("Count", 6)


def test_the_function_is_built_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployed entry point, with a table: importing it created nothing, calling it projects."""
    for name, value in function_environment(
        "History", HISTORY_TABLE="history", QUEUE_URL="https://queue"
    ).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb")
        create_tables(client)
        records = [message(event, event.id) for event in steady_book(63).events]
        assert module.handler({"Records": records}, None) == {"batchItemFailures": []}
        store = DynamoHistoryStore(client, "history", random=lambda: 0.0, sleep=lambda _: None)
        assert store.marker("b") == 64
        assert [row.version for row in store.rows_after("b", 60)] == [61, 62, 63, 64]
