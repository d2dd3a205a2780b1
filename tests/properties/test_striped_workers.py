"""Workers with caches, in groups, through faults and races, on striped accounts: whatever they
commit, in the order of the commits, is what a ledger without stripes decides."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Decided
from ledger.application.group_commit import Asked, GroupCommit
from ledger.application.ports import EventStore
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import AtomicBatch, Command, ExpirePayment
from ledger.contracts.events import BatchCommitted, CommandRejected, decode_event
from ledger.contracts.reasons import InvalidCommandError
from tests.properties.life_stores import InterruptedStore
from tests.properties.striped_twins import Sent, Twins, check_figures, commands, stripes, unstriped
from tests.support.builders import NOON_MICROSECONDS
from tests.support.stores import FAULTS, Fault, FaultyStore
from tests.support.worlds import World

faults = st.lists(st.sampled_from([None, None, *FAULTS]), max_size=3)
several = st.lists(commands, min_size=1, max_size=6)


class StandingClock(World):
    """All is decided at the same moment: between stripes there is no order of times."""

    def pause(self, seconds: float) -> None:
        """Notes the pause; no time passes."""
        self.pauses.append(seconds)


class StripedWorkers(RuleBasedStateMachine):
    """Workers on one store, and the ledger without stripes that says what each must do."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, Sent] = {}
        self.cache = StateCache(8)
        self.turn = 0

    @initialize(
        opened=st.tuples(
            st.lists(stripes, min_size=3, max_size=3),
            st.lists(st.integers(0, 5), min_size=2, max_size=2),
        )
    )
    def begin(self, opened: tuple[list[int], list[int]]) -> None:
        """The accounts."""
        self.twins = Twins(*opened)
        self.store: MemoryEventStore = self.twins.striped.store
        self.settled = sum(1 for _ in self.store.events())

    @rule(
        drafts=several,
        script=faults,
        other=commands,
        reads=st.integers(0, 5),
        seed=st.integers(0, 9),
    )
    def group(
        self,
        drafts: Sequence[Command],
        script: Sequence[Fault | None],
        other: Command,
        reads: int,
        seed: int,
    ) -> None:
        """A worker with a cache decides some commands together; another one steps in between."""
        chosen = [self.new(draft) for draft in drafts]
        second = self.new(other)

        def other_worker() -> None:
            self.alone(second, self.store, seed + 100)

        world = StandingClock(tick=0, seed=seed)
        store = InterruptedStore(self.store, script, reads, other_worker)
        worker = GroupCommit(
            world.commands(store, self.cache),
            store,
            clock=world.clock,
            pause=world.pause,
            chance=world.chance,
            cache=self.cache,
        )
        answers = worker.handle([Asked(one, "caller") for one in chosen], lambda: True)
        assert all(isinstance(one, Decided | InvalidCommandError) for one in answers), answers
        self.settle()

    @rule(draft=commands, script=faults, seed=st.integers(0, 9))
    def single(self, draft: Command, script: Sequence[Fault | None], seed: int) -> None:
        """A worker without a cache decides one."""
        self.alone(self.new(draft), FaultyStore(self.store, appending=script), seed)
        self.settle()

    @rule(members=st.lists(commands, min_size=2, max_size=4), seed=st.integers(0, 9))
    def batch(self, members: Sequence[Command], seed: int) -> None:
        """An atomic batch: each on the effects of those before it."""
        if all(isinstance(one, ExpirePayment) for one in members):
            return
        sent = self.twins.batched(members, 0, 0)
        self.asked[sent.command.id] = sent
        self.alone(sent.command, self.store, seed)
        self.settle()

    @invariant()
    def both_agree(self) -> None:
        """The same accounts, with the same totals, and leases as they must be."""
        if hasattr(self, "twins"):
            self.twins.agree()

    def teardown(self) -> None:
        """Whoever verifies the ledger finds nothing."""
        if hasattr(self, "twins"):
            self.twins.verified()

    def new(self, draft: Command) -> Command:
        """The command of a draft."""
        sent = self.twins.named(draft, 0, 0)
        self.asked[sent.command.id] = sent
        return sent.command

    def alone(self, command: Command, store: EventStore, seed: int) -> None:
        """Decided by a worker without a memory, on a stripe by chance."""
        try:
            outcome = StandingClock(tick=0, seed=seed).commands(store).handle(command, "caller")
        except InvalidCommandError:
            return
        assert isinstance(outcome, Decided)

    def settle(self) -> None:
        """Has the other ledger decide what was committed since, in the order of the commits."""
        events = [decode_event(one.data) for one in self.store.events()][self.settled :]
        self.settled += len(events)
        members: set[str] = set()
        for event in events:
            if event.id in members:
                continue
            if isinstance(event, BatchCommitted):
                members |= set(event.commands)
            states = self.twins.plain.states()
            there = self.twins.plain.decide(unstriped(self.asked[event.id]))
            if isinstance(event, CommandRejected):
                # A batch's figures are those behind the commands before the one refused.
                if not isinstance(event.request, AtomicBatch):
                    check_figures(event, states)
                assert there[:1].islower(), (event, there)
            else:
                assert there == type(event).__name__, (event, there)


TestStripedWorkers = StripedWorkers.TestCase
TestStripedWorkers.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)


def test_the_clock_of_the_twins_is_the_workers() -> None:
    """So that both decide at the same time."""
    assert World(tick=0).clock() == NOON_MICROSECONDS
