"""`ledger verify` of rules: bounds, frozen sides, velocity limits, currencies, closed periods."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from ledger.application.verification import Check, Report
from ledger.application.verify import verify_store
from ledger.domain.chain import StoredEvent
from tests.support.builders import (
    NOON_MICROSECONDS,
    capturing,
    closing_book,
    holding,
    limit,
    opening,
    opening_book,
    paying,
    voiding,
)
from tests.support.stores import BusyStore, FaultyStore, OpenStore
from tests.support.tampering import (
    FIRST_OF_MONTH,
    MID_MONTH,
    Body,
    forge_event,
    rich_ledger,
)
from tests.support.worlds import World, accepted_by, commands_on, decided

Found = set[tuple[Check, str]]


@pytest.fixture
def store() -> OpenStore:
    """A ledger with one of everything, that verifies."""
    return rich_ledger()


def reported(store: OpenStore) -> Report:
    """The report on a store."""
    report = Report()
    verify_store(store, report)
    return report


def found(store: OpenStore) -> Found:
    """What verification finds: checks and their subjects."""
    return {(finding.check, finding.subject) for finding in reported(store).findings}


def detail(store: OpenStore, check: Check, subject: str) -> str:
    """What the only finding of a check on a subject says."""
    (finding,) = [
        one for one in reported(store).findings if (one.check, one.subject) == (check, subject)
    ]
    return finding.detail


def of(check: Check, *subjects: str) -> Found:
    """Findings of one check."""
    return {(check, subject) for subject in subjects}


def ruled_store() -> OpenStore:
    """a has 100, and pays and holds a few times by rules that are changed afterwards."""
    store = OpenStore()
    commands = commands_on(store)
    for command in (
        opening("bank", min_balance_minor=None),
        opening("a", min_balance_minor=-1_000),
        opening("b"),
        paying("fund", ("bank", "a", 100)),
        paying("spend", ("a", "b", 60)),
        holding("held", ("a", "b", 30)),
        capturing("held", 10),
        voiding("held"),
    ):
        accepted_by(commands, command)
    return store


def ruling(account: str, **rules: object) -> Callable[[Body], object]:
    """An edit of an opening into one by other rules, as no client's opening has."""

    def edit(body: Body) -> None:
        assert body["account"] == account
        body.update(rules)

    return edit


@pytest.mark.parametrize(
    ("account", "rules", "reasons"),
    [
        ("a", {"min_balance_minor": 41}, ["insufficient_funds"]),
        ("a", {"min_balance_minor": 40}, ["insufficient_funds"]),
        ("a", {"min_balance_minor": 10}, []),
        ("a", {"max_balance_minor": 99}, ["balance_limit_exceeded"]),
        ("a", {"max_balance_minor": 100}, []),
        ("b", {"max_balance_minor": 89}, ["balance_limit_exceeded"]),
        ("b", {"max_balance_minor": 90}, []),
    ],
)
def test_balances_keep_within_their_bounds(
    account: str, rules: dict[str, object], reasons: list[str]
) -> None:
    """Those of available and of expected money, by the rules of the account as it was then."""
    store = ruled_store()
    forge_event(store, f"open:{account}", ruling(account, **rules))
    findings = reported(store).findings
    assert {(one.check, one.subject) for one in findings} <= {("constraints_hold", account)}
    assert sorted({one.detail.rpartition(" ")[2] for one in findings}) == reasons


@pytest.mark.parametrize(
    ("profile", "reason", "event"),
    [
        ({"status": "closed"}, "account_closed", "fund"),
        ({"status": "frozen", "frozen": "both"}, "account_frozen", "fund"),
        ({"status": "frozen", "frozen": "debits"}, "account_frozen", "h"),
        ({"status": "frozen", "frozen": "credits"}, "account_frozen", "reverse:p"),
        (
            {"velocity": [msgspec.to_builtins(limit(max_amount_minor=99))]},
            "velocity_limit_exceeded",
            "h",
        ),
        (
            {"velocity": [msgspec.to_builtins(limit(max_count=4))]},
            "velocity_limit_exceeded",
            "p",
        ),
    ],
)
def test_every_rule_was_kept(
    store: OpenStore, profile: dict[str, object], reason: str, event: str
) -> None:
    """A payment by an account that was closed or frozen, or beyond its velocity limits, is found
    though its totals follow."""
    forge_event(store, "unfreeze:a", lambda body: body["profile"].update(profile))
    said = {(one.check, one.subject) for one in reported(store).findings}
    assert said == of("constraints_hold", "a")
    details = [one.detail for one in reported(store).findings]
    assert any(one.endswith(f"({event}): {reason}") for one in details)


def test_money_stays_in_its_currency() -> None:
    """A payment in another currency than its account's is found at once, not only by its sums."""
    store = ruled_store()

    def in_dollars(body: Body) -> None:
        body["postings"][0]["currency"] = "USD"

    forge_event(store, "spend", in_dollars)
    assert found(store) == of("constraints_hold", "a", "b")
    assert "currency_mismatch" in detail(store, "constraints_hold", "a")


# --- closed periods


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"books": []}, "names no book"),
        (
            {"effective_at": "2026-11-10T23:59:59.999999Z"},
            "book main was closed through 2026-11-10",
        ),
        ({"books": [{"book": "main", "version": 9}]}, "book main has no version 9"),
        ({"books": [{"book": "side", "version": 1}]}, "names the books side for main"),
        (
            {"books": [{"book": "side", "version": 1}, {"book": "main", "version": 1}]},
            "names the books main, side for main",
        ),
    ],
)
def test_closed_periods_were_respected(
    store: OpenStore, said: dict[str, object], problem: str
) -> None:
    """A back-dated payment names each book of its accounts, as it was, and open for its time."""
    forge_event(store, "late", lambda body: body.update(said))
    assert found(store) == of("periods_respected", "late")
    assert detail(store, "periods_respected", "late") == problem


def test_a_book_is_named_as_it_was_then(store: OpenStore) -> None:
    """A version that was long over, open for the time as it may have been, is no excuse. (A book
    that moved on a moment before is: stamps of two workers may be out of order by that.)"""
    accepted = World(now=NOON_MICROSECONDS + 2 * 3_600 * 1_000_000).commands(store)
    decided(accepted, closing_book("2026-11-09"))
    accepted_by(accepted, paying("last", ("a", "b", 1), effective_at=MID_MONTH))
    assert found(store) == set()
    said = {"books": [{"book": "main", "version": 2, "closed_through": "2026-11-05"}]}
    forge_event(store, "last", lambda body: body.update(said))
    assert found(store) == set()
    said["books"][0] |= {"version": 1, "closed_through": "2026-11-10"}
    forge_event(store, "last", lambda body: body.update(said))
    assert found(store) == of("periods_respected", "last")
    assert detail(store, "periods_respected", "last") == "book main was at version 2 by then"


def test_a_time_at_the_end_of_what_was_closed_is_open(store: OpenStore) -> None:
    """A book closed through a day is open from the next midnight."""
    midnight = "2026-11-11T00:00:00.000000Z"
    forge_event(store, "late", lambda body: body.update(effective_at=midnight))
    assert found(store) == set()


def old_release(body: Body) -> None:
    """Makes a back-dated event one of a release that knew no books."""
    body.pop("books", None)


def test_a_back_dated_event_of_an_old_release_is_no_finding() -> None:
    """It names no book, and there was none: only what came after the first closing has to. A
    closing later makes no finding of it."""
    store = OpenStore()
    commands = commands_on(store)
    for command in (
        opening("a", min_balance_minor=None, effective_at=FIRST_OF_MONTH),
        opening("b", effective_at=FIRST_OF_MONTH),
        paying("old", ("a", "b", 1), effective_at=MID_MONTH),
    ):
        accepted_by(commands, command)
    for event in ("open:a", "open:b", "old"):
        forge_event(store, event, old_release)
    assert found(store) == set()
    decided(commands, closing_book("2026-11-18"))
    assert found(store) == set()
    accepted_by(commands, paying("new", ("a", "b", 1), effective_at="2026-11-20T00:00:00.000000Z"))
    assert found(store) == set()
    forge_event(store, "new", old_release)
    assert found(store) == of("periods_respected", "new")


class Closings:
    """Somebody who closes main day by day, each time opens a book with an account, and back-dates
    payments to both."""

    def __init__(self, store: OpenStore, skipped: int) -> None:
        self._commands = commands_on(store)
        self._skipped = skipped
        self._days = iter(range(2, 15))
        for account in ("a", "b"):
            self._open(account)

    def __call__(self) -> None:
        """Does it for one day, after so many calls that are `skipped`; then no more."""
        self._skipped -= 1
        day = next(self._days, None) if self._skipped < 0 else None
        if day is None:
            return
        decided(self._commands, closing_book(f"2026-11-{day:02}"))
        decided(self._commands, opening_book(f"book{day}"))
        self._open(f"n{day}", f"book{day}")
        for payee in ("b", f"n{day}"):
            late = paying(f"late{day}:{payee}", ("a", payee, 1), effective_at=MID_MONTH)
            accepted_by(self._commands, late)

    def _open(self, account: str, book: str = "main") -> None:
        command = opening(account, min_balance_minor=None, book=book, effective_at=FIRST_OF_MONTH)
        accepted_by(self._commands, command)


@pytest.mark.parametrize("skipped", range(6))
def test_books_that_close_during_the_scans_make_no_finding(skipped: int) -> None:
    """Nor do accounts that are opened in new books then, nor payments that are back-dated there."""
    store = OpenStore()
    report = Report()
    verify_store(BusyStore(store, Closings(store, skipped)), report)
    assert report.findings == []
    assert found(store) == set()


class TornStore(FaultyStore):
    """A store whose scan of the events comes to `missed` before they are there, and to others that
    were committed with them after."""

    def __init__(self, store: OpenStore, missed: str) -> None:
        super().__init__(store)
        self._missed = missed

    def events(self) -> Iterator[StoredEvent]:
        return (stored for stored in super().events() if stored.id != self._missed)


@pytest.mark.parametrize("missed", ["m1", "m2"])
def test_a_batch_has_all_its_commands(store: OpenStore, missed: str) -> None:
    """One that is gone is named. One that was committed while the scan had passed its place is in
    the store, though the scan saw the batch without it: no finding of this check."""
    report = Report()
    verify_store(TornStore(store, missed), report)
    assert "batches_whole" not in report.failures
    store.drop_event(missed)
    assert ("batches_whole", "batch") in found(store)
    assert detail(store, "batches_whole", "batch") == f"without its commands {missed}"
