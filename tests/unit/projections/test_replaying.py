"""A replay's steps one by one: what it waits for, what it gives up, what it reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from ledger.consuming.batches import Handled
from ledger.contracts.events import Event
from ledger.contracts.subjects import (
    Key,
    account_key,
    book_key,
    metadata_key,
    payment_key,
    template_key,
)
from ledger.runtime.faults import StoreError
from projections.balances.memory import MemoryBalancesStore
from projections.balances.replay import REPLAYABLE as BALANCES
from projections.generations import pointer as phases
from projections.generations.pointer import Pointer
from projections.history.memory import MemoryHistoryStore
from projections.history.replay import REPLAYABLE as HISTORY
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.replay import REPLAYABLE as PAYMENTS
from projections.replay.replayable import Replayable
from projections.replay.replaying import (
    SETTLED_SECONDS,
    IncompleteError,
    ReplayRefusedError,
)
from tests.unit.projections.replays import Ledger, through, until


@pytest.fixture
def balances() -> Ledger:
    """Balances."""
    return Ledger(BALANCES, MemoryBalancesStore)


@pytest.fixture
def history() -> Ledger:
    """A history."""
    return Ledger(HISTORY, MemoryHistoryStore)


@pytest.fixture
def payments() -> Ledger:
    """Payments."""
    return Ledger(PAYMENTS, MemoryPaymentsStore)


@pytest.fixture(params=["balances", "history", "payments"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """Any of them."""
    found: Ledger = request.getfixturevalue(request.param)
    return found


def test_a_sound_projection_is_replaced_by_its_equal(ledger: Ledger) -> None:
    """No difference; the new generation is live, alone, and complete; three waits, two scans."""
    outcome, steps = through(ledger.replay().run())
    assert outcome.compared is not None
    assert (outcome.compared.events, outcome.compared.subjects, outcome.compared.count) == (6, 3, 0)
    assert outcome.swapped
    assert outcome.pointer == Pointer(
        revision=4, live=2, newest=2, since="2026-11-21T23:10:05.123456Z"
    )
    assert list(ledger.generations.stores) == [2]
    assert ledger.lagging(2) == set()
    assert ledger.scans == 2  # to fill it, and to know what came since
    assert [step.wait_seconds for step in steps if step.wait_seconds] == [SETTLED_SECONDS] * 3


def test_a_dry_run_leaves_everything_as_it_was(balances: Ledger) -> None:
    """Compared and dropped: the wrong generation stays live."""
    totals = balances.live.account("b").totals
    wrong = msgspec.structs.replace(totals, credits_posted_minor=7)
    balances.live._totals["b"] = wrong  # noqa: SLF001 - as a hand does
    outcome, _ = through(balances.replay().run(swap=False))
    assert outcome.compared is not None
    assert outcome.compared.count == 1
    assert not outcome.swapped
    assert outcome.pointer.live == 1
    assert balances.generations.stores == {1: balances.live}
    assert balances.live.account("b").totals.credits_posted_minor == 7


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
    assert ledger.lagging(live) == set()


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
    assert ledger.lagging(2) == set(ledger.reaches())


def test_an_event_that_is_committed_meanwhile_and_lost_is_taken_from_the_events(
    ledger: Ledger,
) -> None:
    """It does not arrive in time: the new generation has it all the same before it is live."""
    steps = ledger.replay().run()
    until(steps, "events projected")
    ledger.change()
    _, taken = through(steps)
    assert any("projected again" in step.what for step in taken)
    assert ledger.lagging(2) == set()


def test_what_the_live_generation_lacks_it_is_given_before_readers_go_over(ledger: Ledger) -> None:
    """A lost event is reported; then the new generation is not ahead of the live one, which some
    readers still answer from."""
    lost = ledger.change()
    steps = ledger.replay().run()
    until(steps, "every reader looks")
    assert ledger.generations.pointer().phase == "swapping"
    assert ledger.lagging(1) == set()
    outcome, _ = through(steps)
    assert outcome.compared is not None
    assert {each.subject for each in outcome.compared.kept} == ledger.subjects_of(lost)


def test_what_the_new_generation_was_given_beyond_its_need_the_live_one_has_too(
    ledger: Ledger,
) -> None:
    """What it lost again is taken from the events, which bring later ones along. Readers go over
    only when the live generation has these, too."""
    steps = ledger.replay().run()
    until(steps, "events projected")
    ledger.generations.stores[2].__init__()  # as if somebody had emptied it
    until(steps, "waiting for generation 2")
    ledger.change()
    until(steps, "events projected again")
    assert ledger.lagging(2) == set()
    assert ledger.lagging(1) != set()
    until(steps, "every reader looks")
    assert ledger.lagging(1) == set()


def test_an_aborted_swap_leaves_the_live_generation_nothing_to_lack(ledger: Ledger) -> None:
    """Readers may have seen in the new generation what the live one was never given."""
    until(ledger.replay().run(), "every reader looks")
    ledger.replayable.project(ledger.generations.store_of(2), [ledger.change()])
    through(ledger.replay().abort())
    assert list(ledger.generations.stores) == [1]
    assert ledger.lagging(1) == set()


@pytest.mark.parametrize(
    ("name", "key", "subject"),
    [
        ("balances", account_key("c"), "c"),
        ("balances", metadata_key("account", "c"), "c"),
        ("history", account_key("c"), "c"),
        ("payments", payment_key("payment-4"), "payment-4"),
        ("payments", payment_key("unheard-of"), "unheard-of"),
        ("payments", metadata_key("payment", "payment-4"), "payment-4"),
    ],
)
def test_states_that_no_event_made_end_a_replay(
    name: str, key: Key, subject: str, request: pytest.FixtureRequest
) -> None:
    """What cannot be complete is not swapped in; the message names what it lacks. Other states,
    which say nothing of the projection, do not."""
    ledger: Ledger = request.getfixturevalue(name)
    made = dict(ledger.versions())
    unmade = {key: 7, book_key("main"): 9, template_key("sale"): 9}
    ledger.versions = lambda: iter((made | unmade).items())  # type: ignore[method-assign]
    with pytest.raises(IncompleteError, match=f"lack versions of 1: {subject}"):
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
    assert len(tried) == 1 + 6  # the first of them got further


def test_as_long_as_something_is_projected_the_store_is_not_given_up(ledger: Ledger) -> None:
    """A store that takes one event at a time, and refuses all others, is filled in the end: only
    tries that got no further are counted."""
    tried: list[int] = []

    def project(store: Any, events: Sequence[Event]) -> Handled:
        tried.append(len(events))
        ledger.replayable.project(store, events[:1])
        return Handled(dict.fromkeys(range(1, len(events)), "unprocessed"))

    for _ in range(10):
        ledger.change()
    slow = msgspec.structs.replace(ledger.replayable, project=project)
    outcome, _ = through(ledger.replay(slow).run())
    assert outcome.swapped
    assert tried[:16] == list(range(16, 0, -1))


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
            return iter(history.book.recorded[::-1])

    history.__class__ = Backwards
    through(history.replay(msgspec.structs.replace(HISTORY, part=1)).run())
    store = history.generations.store_of(2)
    assert (store.marker("a"), store.marker("b"), store.marker("c")) == (200, 200, 0)


def test_a_swap_waits_for_what_the_new_generation_lacks(ledger: Ledger) -> None:
    """An event that only the live one has, and readers saw: it is in the new one before the old
    one goes."""
    steps = ledger.replay().run()
    until(steps, "every reader looks")
    ledger.replayable.project(ledger.live, [ledger.change()])
    outcome, _ = through(steps)
    assert outcome.swapped
    assert ledger.lagging(2) == set()


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
