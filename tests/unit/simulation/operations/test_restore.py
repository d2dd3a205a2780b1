"""Restores of the states table: nobody decides meanwhile, and afterwards all is as it was."""

from __future__ import annotations

from functools import partial

import pytest

from simulation.faults.kinds import Fault
from simulation.functions.function import Outcome
from simulation.kernel.hub import SECOND, Future
from simulation.operations.restore import Items, backup, restore_states
from tests.unit.simulation.operations.bank import Bank, Table

#: All that write states, by docs/operations.md.
_DECIDING = ("Api", "Commands", "Expiry")


class Restore:
    """A restore that is under way, and what was seen of the world at its two ends."""

    def __init__(self, bank: Bank, backed_up: Items) -> None:
        self._bank = bank
        self.steps: list[str] = []
        self.busy: list[int] = []
        self.tried: list[Future[Outcome]] = []
        self.whole: Table = {}
        self.task = bank.hub.spawn(
            "operator",
            lambda: restore_states(bank.world, backed_up, begun=self._begun, ended=self._ended),
        )

    def _begun(self) -> None:
        self._look("begun")

    def _ended(self) -> None:
        self.whole = self._bank.states()
        self._look("ended")

    def _look(self, step: str) -> None:
        functions = self._bank.world.functions
        self.steps.append(step)
        self.busy += [functions[name].busy for name in _DECIDING]
        self.tried += [functions[name].invoke({}) for name in _DECIDING]


def old() -> tuple[Bank, Items]:
    """A bank in use, and a backup of its states from before some of its payments."""
    bank = Bank().opened("a", "b").paid("p")
    backed_up = backup(bank.world)
    bank.opened("c").paid("q").paid("r", destination="c").rest()
    return bank, backed_up


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "from a backup"])
def test_states_are_what_they_were(*, lost: bool) -> None:
    """All of them, item for item, when it is said that they are whole; no event is made."""
    bank, backed_up = old()
    states, events = bank.states(), bank.events()
    restore = Restore(bank, [] if lost else backed_up)
    bank.until(restore.task)
    assert restore.steps == ["begun", "ended"]
    assert restore.whole == bank.states() == states
    assert bank.events() == events
    assert restore.task.done.result() == 3  # a and b are older in the backup, c is not in it
    assert bank.world.injector.occurred[Fault.STATES_RESTORED] == 1


def test_a_backup_that_is_up_to_date_is_left_as_it_is() -> None:
    """Only what is behind its events is written."""
    bank, _ = old()
    states = bank.states()
    restore = Restore(bank, backup(bank.world))
    bank.until(restore.task)
    assert restore.task.done.result() == 0
    assert bank.states() == states


def test_the_table_goes_only_when_nobody_decides() -> None:
    """What was under way has ended, nothing else begins until it is over, and then it does."""
    bank, _ = old()
    bank.world.injector.change({Fault.CALL_SLOW: 1.0})
    under_way = [bank.asked_to_pay("slow"), bank.asked_to_pay("slower")]
    bank.hub.run(until=bank.hub.now + SECOND // 10)
    assert bank.world.functions["Api"].busy == 2
    restore = Restore(bank, [])
    bank.hub.run(until=bank.hub.now + 10 * SECOND)
    assert [one.result().status for one in under_way] == [201, 201]
    assert restore.steps == []
    assert bank.pay("too-early") == 429
    bank.world.injector.quieten()
    bank.until(restore.task)
    assert restore.busy == [0] * 2 * len(_DECIDING)
    assert all(one.result().throttled for one in restore.tried)
    assert bank.payments() == {"p", "q", "r", "slow", "slower"}
    bank.paid("afterwards")


def test_commands_wait_for_a_restore() -> None:
    """What comes by bus and queue meanwhile is done when it is over."""
    bank, _ = old()
    restore = Restore(bank, [])
    bank.send("by-bus")
    bank.send_in_order("by-queue")
    bank.until(restore.task)
    assert bank.payments() == {"p", "q", "r"}
    assert bank.rest().payments() == {"p", "q", "r", "by-bus", "by-queue"}


def test_an_outage_only_delays_it() -> None:
    """The operator gives the command again until it has gone through."""
    bank, backed_up = old()
    states = bank.states()
    restore = Restore(bank, backed_up)
    out = partial(bank.world.network.out, "dynamodb", 50 * SECOND)
    bank.hub.after(60 * SECOND + 20_000, out)
    begins = bank.hub.now
    bank.until(restore.task)
    assert bank.hub.now - begins > 110 * SECOND
    assert restore.whole == states


def test_an_outage_without_end_is_told_of() -> None:
    """And nobody is told that the states are whole."""
    bank, _ = old()
    restore = Restore(bank, [])
    bank.hub.after(59 * SECOND, lambda: bank.world.network.out("dynamodb", 86_400 * SECOND))
    bank.until(restore.task)
    with pytest.raises(AssertionError, match="could not be rebuilt"):
        restore.task.done.result()
    assert restore.steps == ["begun"]
