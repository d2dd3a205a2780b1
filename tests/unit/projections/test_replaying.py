"""A replay's steps one by one: what it waits for, what it gives up, what it reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from ledger.consuming.batches import Handled
from ledger.contracts.events import Event
from ledger.runtime.faults import StoreError
from projections.balances.memory import MemoryBalancesStore
from projections.balances.replay import REPLAYABLE as BALANCES
from projections.generations import pointer as phases
from projections.generations.memory import MemoryGenerations
from projections.generations.pointer import Pointer
from projections.history.memory import MemoryHistoryStore
from projections.history.replay import REPLAYABLE as HISTORY
from projections.replay.differences import Difference
from projections.replay.replayable import Replayable
from projections.replay.replaying import (
    SETTLED_SECONDS,
    IncompleteError,
    Outcome,
    Replay,
    ReplayRefusedError,
    Step,
    Steps,
)
from tests.properties.projection_streams import Book


class Ledger:
    """A book as a Source, and a projection of it that is complete."""

    def __init__(self, replayable: Replayable[Any], empty: Any, *, payments: int = 3) -> None:
        self.book = Book()
        for name in "abc":
            self.book.open(name, lowest=None)
        for _ in range(payments):
            self.book.pay(("a", "b", 10))
        self.replayable = replayable
        self.generations: MemoryGenerations[Any] = MemoryGenerations(empty)
        self.live = self.generations.store_of(1)
        self.scans = 0
        replayable.project(self.live, self.book.events)

    def events(self) -> Iterator[Event]:
        self.scans += 1
        return iter(list(self.book.events))

    def versions(self) -> dict[str, int]:
        return {account: len(entries) for account, entries in self.book.entries.items()}

    def version(self, account: str) -> int:
        return self.versions().get(account, 0)

    def replay(self, replayable: Replayable[Any] | None = None, **how: Any) -> Replay[Any]:
        """A replay of it; patience of three looks."""
        return Replay(
            replayable or self.replayable,
            generations=self.generations,
            store_of=self.generations.store_of,
            source=self,
            patience_seconds=3.0,
            now=lambda: "2026-11-21T23:10:05.123456Z",
            **how,
        )


def through(steps: Steps[Outcome]) -> tuple[Outcome, list[Step]]:
    """The outcome, and the steps on the way."""
    taken: list[Step] = []
    while True:
        try:
            taken.append(next(steps))
        except StopIteration as done:
            return done.value, taken


def until(steps: Steps[Outcome], what: str) -> None:
    """Goes on to the step that says this."""
    assert any(what in step.what for step in steps)


@pytest.fixture
def balances() -> Ledger:
    """Balances."""
    return Ledger(BALANCES, MemoryBalancesStore)


@pytest.fixture
def history() -> Ledger:
    """A history."""
    return Ledger(HISTORY, MemoryHistoryStore)


@pytest.fixture(params=["balances", "history"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """Either."""
    found: Ledger = request.getfixturevalue(request.param)
    return found


def test_a_sound_projection_is_replaced_by_its_equal(ledger: Ledger) -> None:
    """No difference; the new generation is live, alone, and complete; three waits."""
    outcome, steps = through(ledger.replay().run())
    assert outcome.compared is not None
    assert (outcome.compared.events, outcome.compared.accounts, outcome.compared.count) == (6, 3, 0)
    assert outcome.swapped
    assert outcome.pointer == Pointer(
        revision=4, live=2, newest=2, since="2026-11-21T23:10:05.123456Z"
    )
    assert list(ledger.generations.stores) == [2]
    assert ledger.replayable.lagging(ledger.generations.store_of(2), ledger.versions()) == set()
    assert [step.wait_seconds for step in steps if step.wait_seconds] == [SETTLED_SECONDS] * 3


def test_a_dry_run_leaves_everything_as_it_was(balances: Ledger) -> None:
    """Compared and dropped: the wrong generation stays live."""
    balances.live._totals["b"] = changed(balances, "b", credits_posted_minor=7)  # noqa: SLF001
    outcome, _ = through(balances.replay().run(swap=False))
    assert outcome.compared is not None
    assert outcome.compared.count == 1
    assert not outcome.swapped
    assert outcome.pointer.live == 1
    assert balances.generations.stores == {1: balances.live}
    assert balances.live.account("b").totals.credits_posted_minor == 7


def changed(ledger: Ledger, name: str, **changes: Any) -> Any:
    """The totals of an account, otherwise."""
    return msgspec.structs.replace(ledger.live.account(name).totals, **changes)


def test_balances_are_compared_field_by_field(balances: Ledger) -> None:
    """A changed total, a changed profile, a lost account, an account of nobody, a lost tail."""
    live = balances.live
    live._totals["a"] = changed(balances, "a", debits_posted_minor=7)  # noqa: SLF001 - as a hand does
    live._profiles["a"] = msgspec.structs.replace(live._profiles["a"], max_balance_minor=1)  # noqa: SLF001
    live._totals["x"] = changed(balances, "b", account="x")  # noqa: SLF001
    del live._totals["b"]  # noqa: SLF001
    live._totals["c"] = changed(balances, "c", version=9)  # noqa: SLF001
    outcome, _ = through(balances.replay().run())
    assert outcome.compared is not None
    assert outcome.compared.kept == [
        Difference(account="a", version=4, kind="differs", field="debits_posted_minor",
                   live=7, rebuilt=30),
        Difference(account="a", version=4, kind="differs", field="max_balance_minor",
                   live=1, rebuilt=None),
        Difference(account="b", version=4, kind="missing"),
        Difference(account="c", version=1, kind="differs", field="version", live=9, rebuilt=1),
        Difference(account="x", version=4, kind="extra"),
    ]  # fmt: skip
    assert through(balances.replay().run(swap=False))[0].compared == msgspec.structs.replace(
        outcome.compared, count=0, kept=[]
    )


def test_history_is_compared_row_by_row(history: Ledger) -> None:
    """A changed row, a lost one, one of nobody's version, one of nobody's account."""
    live = history.live
    rows = {row.key: row for row in live.rows()}
    wrong = msgspec.structs.replace(rows["a", 2], reference="x", debited_minor=7)
    beyond = msgspec.structs.replace(rows["b", 4], version=9)
    live.write([wrong, beyond, msgspec.structs.replace(rows["c", 1], account="x")])
    del live._rows["b"][3]  # noqa: SLF001 - as a hand does
    live._versions["b"].remove(3)  # noqa: SLF001
    outcome, _ = through(history.replay().run())
    assert outcome.compared is not None
    assert outcome.compared.kept == [
        Difference(account="a", version=2, kind="differs", field="debited_minor",
                   live=7, rebuilt=10),
        Difference(account="a", version=2, kind="differs", field="reference",
                   live="x", rebuilt=None),
        Difference(account="b", version=3, kind="missing"),
        Difference(account="b", version=9, kind="extra"),
        Difference(account="x", version=1, kind="extra"),
    ]  # fmt: skip
    assert sorted(history.generations.store_of(2).rows(), key=lambda row: row.key) == sorted(
        rows.values(), key=lambda row: row.key
    )


def test_only_one_replay_is_begun(ledger: Ledger) -> None:
    """A second one is told of the first; there must be one to be resumed or aborted."""
    for begin in (ledger.replay().abort, lambda: ledger.replay().run(resume=True)):
        with pytest.raises(ReplayRefusedError, match=r"no replay of \w+ is under way"):
            through(begin())
    until(ledger.replay().run(), "both generations")
    with pytest.raises(ReplayRefusedError, match="--resume goes on"):
        through(ledger.replay().run())


@pytest.mark.parametrize(
    "what", ["every worker writes", "events projected", "every reader looks", "nobody uses"]
)
def test_an_interrupted_replay_can_be_resumed_or_aborted(ledger: Ledger, what: str) -> None:
    """Wherever it was interrupted. Once swapped, an abort only deletes what is old."""
    until(ledger.replay().run(), what)
    outcome, _ = through(ledger.replay().run(resume=True))
    assert (outcome.pointer.phase, outcome.pointer.live) == ("steady", 2)
    assert list(ledger.generations.stores) == [2]
    until(ledger.replay().run(), what)
    outcome, _ = through(ledger.replay().abort())
    live = 3 if what == "nobody uses" else 2
    assert (outcome.pointer.phase, outcome.pointer.live) == ("steady", live)
    assert list(ledger.generations.stores) == [live]
    assert ledger.replayable.lagging(ledger.generations.store_of(live), ledger.versions()) == set()


def test_what_is_kept_is_deleted_by_who_resumes(ledger: Ledger) -> None:
    """Until then nothing new is begun."""
    outcome, _ = through(ledger.replay().run(keep_old=True))
    assert (outcome.pointer.phase, outcome.deleted) == ("retired", 0)
    assert set(ledger.generations.stores) == {1, 2}
    with pytest.raises(ReplayRefusedError, match="retired"):
        through(ledger.replay().run())
    outcome, _ = through(ledger.replay().run(resume=True))
    assert (outcome.compared, outcome.deleted) == (None, 1)
    assert list(ledger.generations.stores) == [2]


def test_a_run_that_was_overtaken_ends(ledger: Ledger) -> None:
    """It writes nothing more, and changes no pointer."""
    first = ledger.replay().run()
    until(first, "every worker")
    through(ledger.replay().abort())
    with pytest.raises(ReplayRefusedError, match="somebody else"):
        through(first)
    assert ledger.generations.pointer().phase == "steady"
    left = ledger.replayable.lagging(ledger.generations.store_of(2), ledger.versions())
    assert left == {"a", "b", "c"}


def test_an_event_that_is_committed_meanwhile_and_lost_is_taken_from_the_events(
    ledger: Ledger,
) -> None:
    """It does not arrive in time: the new generation has it all the same, and the report too."""
    steps = ledger.replay().run()
    until(steps, "events projected")
    ledger.book.pay(("a", "c", 1))
    outcome, taken = through(steps)
    assert any("projected again" in step.what for step in taken)
    assert outcome.compared is not None
    assert {each.account for each in outcome.compared.kept} == {"a", "c"}
    assert ledger.replayable.lagging(ledger.generations.store_of(2), ledger.versions()) == set()


def test_what_the_live_generation_lacks_it_is_given_before_readers_go_over(ledger: Ledger) -> None:
    """A lost event is reported; then the new generation is not ahead of the live one, which some
    readers still answer from."""
    ledger.book.pay(("a", "c", 1))
    steps = ledger.replay().run()
    until(steps, "every reader looks")
    assert ledger.generations.pointer().phase == "swapping"
    assert ledger.replayable.lagging(ledger.live, ledger.versions()) == set()
    outcome, _ = through(steps)
    assert outcome.compared is not None
    assert {each.account for each in outcome.compared.kept} == {"a", "c"}


def test_what_the_new_generation_was_given_beyond_its_need_the_live_one_has_too(
    ledger: Ledger,
) -> None:
    """A consumer that lags longer than the patience: what is taken from the events brings later
    ones along. Readers go over only when the live generation has these, too."""
    steps = ledger.replay().run()
    until(steps, "events projected")
    waited_for = ledger.book.pay(("a", "c", 1))
    until(steps, "waiting for generation 2")
    ledger.book.pay(("a", "c", 1))
    until(steps, "events projected again")
    built = ledger.generations.store_of(2)
    assert ledger.replayable.lagging(built, ledger.versions()) == set()
    ledger.replayable.project(ledger.live, [waited_for])
    until(steps, "every reader looks")
    assert ledger.replayable.lagging(ledger.live, ledger.versions()) == set()


def test_an_aborted_swap_leaves_the_live_generation_nothing_to_lack(ledger: Ledger) -> None:
    """Readers may have seen in the new generation what the live one was never given."""
    until(ledger.replay().run(), "every reader looks")
    lost = ledger.book.pay(("a", "c", 1))
    ledger.replayable.project(ledger.generations.store_of(2), [lost])
    through(ledger.replay().abort())
    assert list(ledger.generations.stores) == [1]
    assert ledger.replayable.lagging(ledger.live, ledger.versions()) == set()


def test_states_that_no_event_made_end_a_replay(ledger: Ledger) -> None:
    """What cannot be complete is not swapped in; the message names the accounts."""
    ledger.versions = lambda: {"a": 4, "b": 4, "c": 2}  # type: ignore[method-assign]
    with pytest.raises(IncompleteError, match="1 accounts: c"):
        through(ledger.replay().run())
    assert ledger.generations.pointer().live == 1


def test_what_the_store_refuses_is_projected_again_for_a_while(ledger: Ledger) -> None:
    """Only what failed; then the replay ends as the store's failure."""
    tried: list[int] = []

    def failing(times: int) -> Replayable[Any]:
        tried.clear()

        def project(store: Any, events: Sequence[Event]) -> Handled:
            tried.append(len(events))
            if len(tried) > times:
                return ledger.replayable.project(store, events)
            ledger.replayable.project(store, events[1:])
            return Handled({0: "ThrottlingException"})

        return msgspec.structs.replace(ledger.replayable, project=project)

    outcome, _ = through(ledger.replay(failing(3)).run())
    assert outcome.swapped
    assert tried == [6, 1, 1, 1]
    with pytest.raises(StoreError, match="ThrottlingException"):
        through(ledger.replay(failing(100)).run())
    assert len(tried) == 6


def test_parts_are_projected_several_at_once(ledger: Ledger) -> None:
    """As many as there are lanes, each of the projection's size."""
    sizes: list[list[int]] = []

    def spread(function: Any, parts: list[Any]) -> Any:
        sizes.append([len(part) for part in parts])
        return map(function, parts)

    small = msgspec.structs.replace(ledger.replayable, part=2)
    outcome, _ = through(ledger.replay(small, spread=spread, lanes=2).run())
    assert outcome.swapped
    assert sizes == [[2, 2], [2]]


def test_a_long_history_is_known_to_be_complete_at_once() -> None:
    """Events came in any order, so that no checkpoint saw them dense: the markers are raised."""
    history = Ledger(HISTORY, MemoryHistoryStore, payments=199)

    class Backwards(Ledger):
        @override
        def events(self) -> Iterator[Event]:
            return iter(history.book.events[::-1])

    history.__class__ = Backwards
    through(history.replay(msgspec.structs.replace(HISTORY, part=1)).run())
    store = history.generations.store_of(2)
    assert (store.marker("a"), store.marker("b"), store.marker("c")) == (200, 200, 0)


@pytest.mark.parametrize("limit", ["POINT_READS_MAX"])
@pytest.mark.parametrize("ledger", ["balances", "history"], indirect=True)
def test_what_lags_is_found_by_scans_as_by_reads(
    ledger: Ledger, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many accounts are asked for."""
    wanted = {"a": 4, "b": 5, "c": 1, "x": 1}
    for most in (100, 3, 0):
        for name in ("balances", "history"):
            monkeypatch.setattr(f"projections.{name}.replay.{limit}", most)
        assert ledger.replayable.lagging(ledger.live, wanted) == {"b", "x"}


def test_differences_in_flight_are_none(ledger: Ledger) -> None:
    """Either generation may have what the other has not got yet: the report does not say it."""
    built = ledger.generations.store_of(2)
    known = ledger.versions()
    ledger.replayable.project(built, ledger.book.events)
    for ahead in (ledger.live, built):
        ledger.replayable.project(ahead, [ledger.book.pay(("a", "b", 1))])
    ledger.replayable.project(ledger.live, [ledger.book.open("new")])
    found = ledger.replayable.differences(ledger.live, built, known, ledger.version)
    assert list(found) == []


def test_a_swap_waits_for_what_the_new_generation_lacks(ledger: Ledger) -> None:
    """An event that only the live one has, and readers saw: it is in the new one before the old
    one goes."""
    steps = ledger.replay().run()
    until(steps, "every reader looks")
    ledger.replayable.project(ledger.live, [ledger.book.pay(("a", "b", 1))])
    outcome, _ = through(steps)
    assert outcome.swapped
    assert ledger.replayable.lagging(ledger.generations.store_of(2), {"a": 5, "b": 5}) == set()


def test_phases_are_entered_in_their_order(ledger: Ledger) -> None:
    """As the pointer tells them, one revision each."""
    steps = ledger.replay().run()
    seen = []
    for _ in steps:
        pointer = ledger.generations.pointer()
        if (pointer.revision, pointer.phase) not in seen:
            seen.append((pointer.revision, pointer.phase))
    assert seen == [(1, "building"), (2, "swapping"), (3, "retired")]
    assert phases.begun(ledger.generations.pointer(), "t").other == 3
