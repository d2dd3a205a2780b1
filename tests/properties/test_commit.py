"""The commit against the plainest model, with repeats, mismatches, faults, stale views and races.

Every reply is predicted and every total compared. Where two workers race, their replies must be
those of one order of the two or of the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
)
from msgspec import structs

from ledger.application.commit import Mismatch, Outcome
from ledger.application.ports import EventStore
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import Command
from ledger.contracts.events import CommandRejected, entries_of
from ledger.contracts.primitives import ACCOUNT_TYPES
from tests.support.builders import NOON_MICROSECONDS, opening
from tests.support.model import Model, Reply
from tests.support.stores import FAULTS, Fault, FaultyStore, OpenStore, StaleStore
from tests.support.strategies import (
    FEW,
    alert_settings,
    amounts,
    openings,
    payments,
    postings,
)
from tests.support.worlds import World

ids = st.integers(1, 40).map(lambda n: f"c{n}")
new_payments = st.one_of(
    payments(ids, postings()),
    payments(ids, postings(currencies=("EUR", "EUR", "EUR", "USD"))),
    payments(ids, postings(amount=amounts)),
)
commands = st.one_of(
    new_payments,
    new_payments,
    new_payments,
    openings(ids=ids, currencies=("EUR", "EUR", "USD")),
    alert_settings(ids),
)
faults = st.lists(st.sampled_from([None, *FAULTS]), max_size=5)
#: Microseconds by which a worker's clock is off: any two workers are less than 5 s apart.
clocks = st.integers(-2_400_000, 2_400_000)


def reply_of(outcome: Outcome) -> Reply:
    """An outcome as the model words it."""
    if isinstance(outcome, Mismatch):
        return Reply("mismatch", False, {field.split("[")[0] for field in outcome.fields})
    if isinstance(outcome.event, CommandRejected):
        return Reply("rejected", outcome.repeat, outcome.event.reason)
    return Reply(
        "accepted",
        outcome.repeat,
        {
            entry.id: (
                entry.version,
                entry.debits_posted_minor,
                entry.credits_posted_minor,
                [(alert.direction, alert.threshold_minor) for alert in entry.crossed],
            )
            for entry in entries_of(outcome.event)
        },
    )


class Workers(RuleBasedStateMachine):
    """Several workers on one store, and the model that says what each must answer."""

    def __init__(self) -> None:
        super().__init__()
        self.store = OpenStore()
        self.model = Model()
        self.seconds = 0
        self.pasts = [self.store.snapshot().states]
        for index, account in enumerate(FEW[:3]):
            command = opening(
                account,
                account_type=ACCOUNT_TYPES[index],
                min_balance_minor=None if index == 0 else -50,
                max_balance_minor=None if index < 2 else 150,
            )
            self.handles(command, self.store, 0)

    asked = Bundle("asked")

    def worker(self, store: EventStore, command: Command, clock: int) -> Reply:
        """What a worker whose clock is off by `clock` answers, each time to another caller.

        (Were the caller the same and the clock behind, a refusal would have the bytes of the one
        recorded before, and whose they are could not be told once an answer was lost.)
        """
        self.seconds += 1
        world = World(now=NOON_MICROSECONDS + self.seconds * 10_000 + clock, seed=self.seconds)
        return reply_of(world.commands(store).handle(command, f"caller-{self.seconds}"))

    def handles(self, command: Command, store: EventStore, clock: int) -> None:
        """One worker, nobody else: the answer is the model's."""
        reply = self.worker(store, command, clock)
        heard = reply if isinstance(store, StaleStore) else None
        assert reply == self.model.handle(command, heard)
        self.pasts.append(self.store.snapshot().states)

    @rule(target=asked, command=commands, script=faults, clock=clocks)
    def ask(self, command: Command, script: Sequence[Fault | None], clock: int) -> Command:
        """A new command (or a new use of an old id), through whatever faults."""
        self.handles(command, FaultyStore(self.store, appending=script), clock)
        return command

    @rule(command=asked, script=faults, clock=clocks)
    def repeat(self, command: Command, script: Sequence[Fault | None], clock: int) -> None:
        """An old command again, through whatever faults."""
        before = self.store.snapshot()
        self.handles(command, FaultyStore(self.store, appending=script), clock)
        assert self.store.snapshot() == before

    @rule(old=asked, new=commands, script=faults, clock=clocks)
    def reuse(self, old: Command, new: Command, script: Sequence[Fault | None], clock: int) -> None:
        """Another request under an old id."""
        before = self.store.snapshot()
        command = structs.replace(new, id=old.id)
        self.handles(command, FaultyStore(self.store, appending=script), clock)
        assert self.store.snapshot() == before

    @rule(target=asked, command=commands, ago=st.integers(0, 30), clock=clocks)
    def guess(self, command: Command, ago: int, clock: int) -> Command:
        """A worker whose view of the states is old, as a cache's might be."""
        past = self.pasts[max(0, len(self.pasts) - 1 - ago)]
        self.handles(command, StaleStore(self.store, past), clock)
        return command

    @rule(
        target=asked,
        one=commands,
        other=commands,
        same=st.sampled_from(["no", "no", "id", "command"]),
        script=faults,
        clock=clocks,
    )
    def race(
        self,
        one: Command,
        other: Command,
        same: str,
        script: Sequence[Fault | None],
        clock: int,
    ) -> object:
        """Two workers at once: the other decides its command between the decision and the commit of
        the one. Both answers, and all totals, are those of one order of the two."""
        if same == "command":
            other = one
        elif same == "id":
            other = structs.replace(other, id=one.id)
        others: list[Reply] = []
        racing = FaultyStore(
            self.store,
            appending=script,
            meanwhile=[lambda: others.append(self.worker(self.store, other, -clock))],
        )
        ones = self.worker(racing, one, clock)
        after, before = self.model.copy(), self.model.copy()
        other_first = (after.handle(other), after.handle(one, ones)) == (others[0], ones)
        one_first = (before.handle(one), before.handle(other)) == (ones, others[0])
        assert other_first or one_first
        self.model = after if other_first else before
        self.pasts.append(self.store.snapshot().states)
        return multiple(one, other)

    @invariant()
    def totals_are_the_models(self) -> None:
        """Every account's version and totals; and the sum of all balances of a currency is zero."""
        assert {
            account: (state.version, state.debits_posted_minor, state.credits_posted_minor)
            for account, state in self.store.snapshot().states.items()
        } == {
            name: (one.version, one.debits, one.credits)
            for name, one in self.model.accounts.items()
        }

    @invariant()
    def every_decision_is_recorded(self) -> None:
        """One event for each command that was decided, and no other."""
        assert self.store.snapshot().events.keys() == self.model.decided.keys()

    def teardown(self) -> None:
        """The ledger verifies: dense versions, unbroken chains, monotonic times, zero sums."""
        report = Report()
        verify_store(self.store, report)
        assert report.findings == []


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(max_examples=40, stateful_step_count=25)
