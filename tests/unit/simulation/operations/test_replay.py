"""Replays: what a projection had lost is there again, whatever comes in between."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from simulation.operations.replay import replay
from tests.unit.simulation.operations.bank import PROJECTIONS, Bank

#: Where each shows what it has; a single payment would be read from the events without it.
PATHS = {"balances": "/accounts/b", "history": "/accounts/b/history", "payments": "/payments"}


def used() -> Bank:
    """A bank with some payments, which all projections have."""
    return Bank().opened("a", "b").paid("p", "q").rest()


def spoilt(projection: str) -> tuple[Bank, Any]:
    """A bank whose projection has lost what it had, and what this showed."""
    bank = used()
    shown = shown_by(bank, projection)
    bank.world.dynamodb.wipe(bank.named(projection))
    assert shown_by(bank, projection) != shown
    return bank, shown


def shown_by(bank: Bank, projection: str) -> Any:
    """What a projection shows."""
    query = {"status": "posted"} if projection == "payments" else {}
    return bank.shown(PATHS[projection], **query)


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_what_was_lost_is_there_again(projection: str) -> None:
    """In the next generation, which alone is left."""
    bank, shown = spoilt(projection)
    bank.played(lambda: replay(bank.world, projection))
    assert shown_by(bank, projection) == shown
    pointer = bank.pointer(projection)
    assert (pointer.phase, pointer.live, pointer.other) == ("steady", 2, None)
    assert bank.world.injector.occurred == {Fault.PROJECTION_REPLAYED: 1}


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_what_comes_meanwhile_is_in_it(projection: str) -> None:
    """Payments go on all the while."""
    bank = used()
    task = bank.hub.spawn("operator", lambda: replay(bank.world, projection))
    made = 0
    while not task.done.done:
        made += 1
        bank.paid(f"more-{made}")
        bank.hub.run(until=bank.hub.now + SECOND // 2)
    task.done.result()
    bank.rest()
    assert made > 5
    assert bank.shown("/accounts/b")["credits_posted_minor"] == 5 * (made + 2)
    assert bank.shown("/accounts/b/history")["version"] == made + 3
    assert bank.shown(f"/payments/more-{made}")["status"] == "posted"


@pytest.mark.parametrize("after_ms", [1, 60, 150, 1_000, 9_000, 20_000])
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_an_interrupted_replay_is_resumed(projection: str, after_ms: int) -> None:
    """Wherever an outage stops it: it is not begun anew, nor are there two of it."""
    bank, shown = spoilt(projection)
    task = bank.hub.spawn("operator", lambda: replay(bank.world, projection))
    bank.hub.run(until=bank.hub.now + after_ms * SECOND // 1_000)
    bank.world.network.out("dynamodb", 45 * SECOND)
    out_until = bank.hub.now + 45 * SECOND
    bank.until(task)
    task.done.result()
    assert bank.hub.now > out_until
    pointer = bank.pointer(projection)
    assert (pointer.phase, pointer.live, pointer.newest) == ("steady", 2, 2)
    assert shown_by(bank, projection) == shown
    assert bank.world.injector.occurred == {Fault.PROJECTION_REPLAYED: 1}


def test_an_outage_without_end_is_told_of() -> None:
    """An operator does not try for ever, and does not take it for done."""
    bank = used()
    bank.world.network.out("dynamodb", 86_400 * SECOND)
    with pytest.raises(AssertionError, match="history could not be looked at"):
        bank.played(lambda: replay(bank.world, "history"))


def test_what_is_never_complete_is_told_of() -> None:
    """Events that the states speak of may be on their way, but not for ever; nothing is swapped."""
    bank = used()
    table = bank.named("events")
    left = [item for key, item in bank.events().items() if key != ("q",)]
    bank.world.dynamodb.wipe(table)
    bank.world.dynamodb.load(table, left)
    with pytest.raises(AssertionError, match="history could not be replayed"):
        bank.played(lambda: replay(bank.world, "history"))
    assert bank.pointer("history").live == 1


def test_an_error_that_is_no_outage_is_told_at_once() -> None:
    """A second replay beside the first is refused; to try again would help nobody."""
    bank = used()
    first = bank.hub.spawn("operator", lambda: replay(bank.world, "balances"))
    bank.hub.run(until=bank.hub.now + SECOND)
    with pytest.raises(Exception, match="is there beside") as refused:
        bank.played(lambda: replay(bank.world, "balances"))
    assert type(refused.value).__name__ == "ReplayRefusedError"
    bank.until(first)
    first.done.result()
