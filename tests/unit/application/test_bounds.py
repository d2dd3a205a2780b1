"""What a command or a sweep may cost: decisions in vain, rounds of reading, time on one hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ledger.application import proposals
from ledger.application.commit import (
    GIVE_UP_AFTER_MICROSECONDS,
    PAUSE_CAP_SECONDS,
    ROUNDS_MAX,
    Commands,
)
from ledger.application.expiry import RELEASE_MICROSECONDS_MAX, release_due
from ledger.application.outages import OutageError
from ledger.application.ports import Appended, EventStore, Refused, Transaction
from ledger.contracts import reasons
from ledger.contracts.commands import ACTIONS_MAX, AtomicBatch, BaseCommand, Command
from ledger.contracts.events import Accepted, BatchCommitted
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.subjects import Key
from ledger.domain.decider import decide
from ledger.domain.rejections import Rejection
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from tests.support.builders import (
    ACTOR,
    NOON_MICROSECONDS,
    batching,
    defining,
    holding,
    making,
    opening,
    paying,
)
from tests.support.commits import SECOND, WEEK, funded_store
from tests.support.stores import Fault, FaultyStore, OpenStore
from tests.support.worlds import World, balances_of, decided

LATER = NOON_MICROSECONDS + WEEK + 60 * SECOND
#: The most commands that fit with their own template: an event each, the template, the payer, one
#: payee each, and the batch itself.
FITTING = (ACTIONS_MAX - 4) // 2


def leading_on(count: int) -> AtomicBatch:
    """A batch that defines a template and pays `count` accounts by it: only when a command is
    decided does it show which account comes next, so that each wants a round of its own."""
    template = defining("t", {"x": "account", "n": "amount"}, ("a", "{x}", "EUR", {"of": "n"}))
    return batching(
        "large", template, *(making(f"m{at}", "t", x=f"x{at}", n=1) for at in range(count))
    )


@pytest.fixture
def store() -> OpenStore:
    """The payer a, and as many payees as a batch can have."""
    return funded_store(*(opening(f"x{number}") for number in range(97)))


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the commands that were decided, again each time."""
    made: list[str] = []

    def counted(states: States, command: BaseCommand, stamp: Stamp) -> Accepted | Rejection:
        made.append(command.id)
        return decide(states, command, stamp)

    monkeypatch.setattr(proposals, "decide", counted)
    return made


def test_a_batch_that_grows_too_large_is_not_decided_to_its_end(
    store: OpenStore, decisions: list[str]
) -> None:
    """It is refused at the command with which the transaction is full, before the next is read: the
    commands and the template are 98 actions and one, which leaves room for one account."""
    before = store.snapshot()
    watched = FaultyStore(store)
    with pytest.raises(InvalidCommandError) as raised:
        World().commands(watched).handle(leading_on(97), ACTOR)
    assert [(one.reason, one.field) for one in raised.value.violations] == [
        (reasons.TRANSACTION_TOO_LARGE, "commands")
    ]
    assert decisions.count("m0") == 1
    assert len(decisions) <= 4
    assert watched.calls["load"] <= 2
    assert store.snapshot() == before


def test_the_largest_batch_that_fits_is_committed(store: OpenStore) -> None:
    """Though each of its commands leads on by itself, in fewer rounds than there may be."""
    watched = FaultyStore(store)
    outcome = decided(World().commands(watched), leading_on(FITTING))
    assert isinstance(outcome.event, BatchCommitted)
    assert watched.transactions[0].actions in (ACTIONS_MAX - 1, ACTIONS_MAX)
    assert FITTING < watched.calls["load"] <= ROUNDS_MAX
    assert balances_of(store)["a"] == 100 - FITTING


class SlowStore(FaultyStore):
    """A store in which time passes with every load: seconds of it."""

    def __init__(self, store: EventStore, world: World, seconds: int) -> None:
        super().__init__(store)
        self._world, self._seconds = world, seconds

    def load(self, keys: Sequence[Key]) -> States:
        """See EventStore."""
        self._world.now += self._seconds * SECOND
        return super().load(keys)


Ask = Callable[[Commands, Command], object]
ASKS: dict[str, Ask] = {
    "handle": lambda commands, command: commands.handle(command, ACTOR),
    "preview": lambda commands, command: commands.preview(command, ACTOR),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_no_round_begins_after_its_time(store: OpenStore, ask: Ask) -> None:
    """An outage, of a dry run too: nothing is recorded, and the same command may come again."""
    before = store.snapshot()
    world = World()
    slow = SlowStore(store, world, seconds=2)
    with pytest.raises(OutageError):
        ask(world.commands(slow), leading_on(FITTING))
    assert slow.calls["load"] == GIVE_UP_AFTER_MICROSECONDS // (2 * SECOND) + 1
    assert store.snapshot() == before
    assert isinstance(decided(World().commands(store), leading_on(FITTING)).event, BatchCommitted)


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_command_with_time_left_is_decided(ask: Ask) -> None:
    """However slow the one read was that it needed."""
    world = World()
    slow = SlowStore(funded_store(), world, seconds=8)
    ask(world.commands(slow), paying("p", ("a", "b", 1)))
    assert slow.calls["load"] == 1


class LateStore(FaultyStore):
    """A store of which a load takes almost all the time that there is."""

    def __init__(self, store: EventStore, world: World) -> None:
        super().__init__(store)
        self._world = world

    def load(self, keys: Sequence[Key]) -> States:
        """See EventStore."""
        states = super().load(keys)
        self._world.now += GIVE_UP_AFTER_MICROSECONDS - 2 * self._world.tick
        return states


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_due_holds_are_not_looked_for_after_the_time(ask: Ask) -> None:
    """Nor is the command refused for funds that a due hold may have: it is an outage."""
    store = funded_store(holding("h", ("a", "b", 20)))
    before = store.snapshot()
    world = World(now=LATER)
    late = LateStore(store, world)
    with pytest.raises(OutageError):
        ask(world.commands(late), paying("all", ("a", "b", 100)))
    assert late.calls["due"] == 0
    assert store.snapshot() == before


class ContendedStore(FaultyStore):
    """A store in which what releases certain holds conflicts with others, always."""

    def __init__(self, store: EventStore, world: World, contended: frozenset[str]) -> None:
        super().__init__(store)
        self._world, self._contended = world, contended
        self.conflicts: dict[str, list[int]] = {}

    def append(self, transaction: Transaction) -> Appended | Refused:
        """See EventStore."""
        payment = transaction.events[0].id.split(":")[1]
        faults: list[Fault | None] = []
        if payment in self._contended:
            faults = ["conflict"]
            self.conflicts.setdefault(payment, []).append(self._world.now)
        self._appending = iter(faults)
        return super().append(transaction)


def test_contended_holds_do_not_take_the_sweep() -> None:
    """However long due: each gets a second, counts as failed, and those behind it are released."""
    holds = [f"h{number}" for number in range(5)]
    store = funded_store(*(holding(one, ("a", "b", 20)) for one in holds))
    world = World(now=LATER)
    contended = ContendedStore(store, world, frozenset(holds[:3]))
    swept = release_due(contended, world.commands(contended), world.clock, 100, lambda: True)
    assert (swept.expired, swept.failed) == (2, 3)
    assert swept.causes["conflict"] == sum(map(len, contended.conflicts.values()))
    longest = RELEASE_MICROSECONDS_MAX + PAUSE_CAP_SECONDS * SECOND + 10 * world.tick
    assert set(contended.conflicts) == set(holds[:3])
    for times in contended.conflicts.values():
        assert len(times) > 2
        assert times[-1] - times[0] <= longest
