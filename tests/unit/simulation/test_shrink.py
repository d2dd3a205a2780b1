"""A run that fails is made as small as it gets, and still fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.contracts.commands import OpenAccount, PostPayment, accounts_of
from simulation.auditor.findings import Finding
from simulation.faults.kinds import Fault
from simulation.faults.profiles import Profile
from simulation.load.plan import plan_of
from simulation.results import Result
from simulation.settings import Settings
from simulation.shrinking.ddmin import ddmin, shortest_beginning
from simulation.shrinking.nearness import guesses
from simulation.shrinking.shrink import Shrinker
from simulation.world import BEGINNING

PLANNED = 400
NEEDED = frozenset({17, 203})


@given(st.integers(1, 80).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_what_is_needed_is_what_remains(case: tuple[int, set[int]]) -> None:
    """Of elements of which some are needed together, those are left, in their order."""
    length, needed = case
    assert list(ddmin(range(length), lambda some: needed <= set(some))) == sorted(needed)


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_what_remains_fails(answers: list[bool]) -> None:
    """Whatever `fails` says, and however inconsistently, it has said yes to what is left."""
    left = iter(answers)
    failing: list[Sequence[int]] = [range(20)]

    def fails(some: Sequence[int]) -> bool:
        if next(left, False):
            failing.append(list(some))
            return True
        return False

    assert list(ddmin(range(20), fails)) == list(failing[-1])


@given(st.integers(0, 50))
def test_the_shortest_beginning_is_found(needed: int) -> None:
    """By bisection, as finely as a sixteenth of all: it fails, and hardly anything shorter does."""
    found = shortest_beginning(range(50), lambda some: len(some) >= needed)
    assert list(found) == list(range(len(found)))
    assert needed <= len(found) <= needed + 50 // 16


def ran(settings: Settings, *, fails: bool, promise: str = "money_is_conserved") -> Result:
    """A result that nothing was run for."""
    strikes = 9 if settings.strikes is None else len(settings.strikes)
    return Result(
        settings=settings,
        findings=(Finding(promise, 5, "it is not", ("p1",)),) if fails else (),
        planned=PLANNED,
        commands=1,
        sent=1,
        handled=1,
        asks=1,
        outcomes={},
        occurred={Fault.CRASH_AFTER_CALL: 3} if settings.faults is Profile.HEAVY else {},
        strikes=strikes,
        virtual_seconds=1.0,
        steps=1,
        entries=1,
        digest="",
    )


def nothing(_: Result) -> tuple[()]:
    """No guess at what is enough."""
    return ()


def failing(settings: Settings) -> bool:
    """Whether two asks are there, and a crash: the fifth strike."""
    kinds, strikes = settings.kinds, settings.strikes
    return (
        (settings.only is None or set(settings.only) >= NEEDED)
        and settings.faults is Profile.HEAVY
        and (kinds is None or "CRASH_AFTER_CALL" in kinds)
        and (strikes is None or 5 in strikes)
    )


def test_a_run_is_shrunk_in_every_respect() -> None:
    """The asks, the kind and the strike that it takes are left, and no operation."""
    first = ran(Settings(seed=3), fails=True)
    shrunk = Shrinker(lambda one: ran(one, fails=failing(one)), lambda: False, nothing).shrink(
        first
    )
    assert shrunk.whole
    assert shrunk.result.settings == Settings(
        seed=3,
        deployment=False,
        restore=False,
        replay=False,
        redrive=False,
        only=tuple(sorted(NEEDED)),
        kinds=("CRASH_AFTER_CALL",),
        often=50,
        strikes=(5,),
        until=("money_is_conserved",),
    )


def test_a_run_that_needs_no_fault_is_shrunk_to_one_without() -> None:
    """Then no kind and no strike is looked at."""
    first = ran(Settings(seed=3), fails=True)
    shrunk = Shrinker(lambda one: ran(one, fails=True), lambda: False, nothing).shrink(first)
    assert shrunk.result.settings.faults is Profile.NONE
    assert shrunk.result.settings.only == ()
    assert shrunk.result.settings.kinds is None


def test_guesses_are_tried_first() -> None:
    """What is near the finding may be enough: then nothing larger is run again, once it is known
    whether faults and operators are needed."""
    sizes: list[int] = []

    def run(settings: Settings) -> Result:
        sizes.append(PLANNED if settings.only is None else len(settings.only))
        return ran(settings, fails=failing(settings))

    tried = ((17,), (17, 99, 203), tuple(range(250)))
    first = ran(Settings(seed=3), fails=True)
    shrunk = Shrinker(run, lambda: False, lambda _: tried).shrink(first)
    assert shrunk.result.settings.only == tuple(sorted(NEEDED))
    assert [size for size in sizes if size > 3] == [PLANNED] * 3


def test_another_promise_is_not_what_was_looked_for() -> None:
    """A smaller run in which something else is broken is no smaller run of this."""
    first = ran(Settings(seed=3), fails=True)
    other = Shrinker(
        lambda one: ran(one, fails=True, promise="chains_link"), lambda: False, nothing
    )
    assert replace(other.shrink(first).result, settings=first.settings) == first


def test_a_small_run_is_tried_with_other_luck() -> None:
    """What fails with some luck is found, and the luck named."""

    def unlucky(settings: Settings) -> Result:
        few = settings.only is not None and len(settings.only) < 4
        return ran(settings, fails=failing(settings) and (not few or settings.luck % 4 == 3))

    shrunk = Shrinker(unlucky, lambda: False, nothing).shrink(ran(Settings(seed=3), fails=True))
    assert shrunk.result.settings.only == tuple(sorted(NEEDED))
    assert shrunk.result.settings.luck % 4 == 3


@pytest.mark.parametrize("runs", [0, 1, 5, 40])
def test_it_ends_when_the_time_is_up(runs: int) -> None:
    """With the smallest so far, which fails."""
    ticks = count()
    spent: Callable[[], bool] = lambda: next(ticks) >= runs  # noqa: E731
    shrinker = Shrinker(lambda one: ran(one, fails=failing(one)), spent, nothing)
    shrunk = shrinker.shrink(ran(Settings(seed=3), fails=True))
    assert not shrunk.whole
    assert shrunk.runs == runs
    assert shrunk.result.findings


def test_what_is_near_a_finding_is_guessed() -> None:
    """The requests that name it first, then what is done to the same accounts, then all until it;
    with the openings, and nothing that comes later."""
    plan = plan_of(11, 300, BEGINNING)
    opens = {
        one.account
        for element in plan.elements
        for one in element.commands
        if isinstance(one, OpenAccount)
    }
    element, command = next(
        (element, one)
        for element in plan.elements
        for one in element.commands
        if isinstance(one, PostPayment) and opens.issuperset(accounts_of(one))
    )
    finding = Finding("events_stay", element.at, "it does not", (command.id,))
    found = guesses(plan, finding)
    assert [len(guess) for guess in found] == sorted(map(len, found))
    for guess in found:
        assert element.place in guess
        assert max(guess) <= len(plan.elements)
        assert all(plan.elements[place].at <= finding.at for place in guess)
    opened = {
        one.account
        for place in found[0]
        for one in plan.elements[place].commands
        if isinstance(one, OpenAccount)
    }
    assert set(accounts_of(command)) <= opened
