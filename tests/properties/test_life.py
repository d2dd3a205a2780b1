"""The whole life of payments and accounts, against the plainest ledger.

Every command, with repeats, mismatched repeats, stale views, faults, lost answers and races mixed
in. Each event that is committed must be what the model makes of its command at that place in the
order of commits, and each answer what is recorded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import structs

from ledger.application.commit import EXPIRY_ACTOR, Decided, Mismatch
from ledger.application.group_commit import Asked, GroupCommit
from ledger.application.ports import EventStore
from ledger.application.state_cache import StateCache
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import (
    SYSTEM_ID_PREFIXES,
    Command,
    ExpirePayment,
    ReversePayment,
)
from ledger.contracts.events import (
    BatchCommitted,
    CommandRejected,
    Event,
    LaterPaymentEvent,
    PaymentAuthorized,
    PaymentExpired,
    PaymentReversed,
    decode_event,
    entry_moved_minor,
    entry_pended_minor,
    payment_of,
)
from ledger.contracts.primitives import (
    instant_of_microseconds,
    microseconds_of_instant,
    shifted_instant,
)
from ledger.contracts.reasons import InvalidCommandError
from ledger.domain.accounts import AccountState
from ledger.domain.states import PaymentState
from simulation.auditor.model import UNRECORDED, Detail, Model, release
from simulation.auditor.wording import reply_of_event, told_by, touched_by
from tests.properties.life_commands import (
    BEGINNING,
    Scene,
    batches,
    drafts,
    filled,
    later_lives,
    others,
    payments,
)
from tests.properties.life_stores import CachingStore, InterruptedStore
from tests.properties.life_words import Answer, asked_for, reply_of
from tests.support.builders import NOON_MICROSECONDS
from tests.support.stores import FAULTS, Fault, FaultyStore, OpenStore
from tests.support.worlds import World

repeats = st.sampled_from([*[None] * 5, 0, 1, 2, 5])
faults = st.lists(st.sampled_from([None, *FAULTS]), max_size=4)
#: Microseconds by which a worker's clock is off: any two workers are less than 5 s apart.
clocks = st.sampled_from([0, 0, 0, 0, 900_000, -900_000, 2_400_000, -2_400_000])
STEP = 10_000
WAITS = (0, 0, 0, 1, 60, 601, 3_600, 4 * 3_600, 86_400, 86_400, 3 * 86_400, 8 * 86_400, 31 * 86_400)


class Life(RuleBasedStateMachine):
    """Several workers on one store, and the model that says what each must answer."""

    def __init__(self) -> None:
        super().__init__()
        self.store = OpenStore()
        self.model = Model()
        self.now = NOON_MICROSECONDS
        self.count = 0
        self.asked: dict[str, Command] = {}
        self.settled = 0
        self.pasts = [self.store.snapshot().states]
        self.moves: dict[str, Moved] = {}
        self.cache = StateCache(6)

    @initialize()
    def begin(self) -> None:
        """A few accounts with some money, a payment and a hold."""
        for command in BEGINNING:
            self.asked[command.id] = command
            self.handles(command, self.store)

    # What happens

    @rule(draft=payments(), script=faults, clock=clocks)
    def pay(self, draft: Any, script: Sequence[Fault | None], clock: int) -> None:
        """A new payment, posted or held, through whatever faults."""
        self.handles(self.new(draft), FaultyStore(self.store, appending=script), clock)

    @rule(draft=later_lives(), script=faults, clock=clocks)
    def go_on(self, draft: Any, script: Sequence[Fault | None], clock: int) -> None:
        """Something is done to a payment, through whatever faults."""
        self.handles(self.new(draft), FaultyStore(self.store, appending=script), clock)

    @rule(draft=others())
    def govern(self, draft: Any) -> None:
        """Something is done to accounts, books, templates or metadata."""
        self.handles(self.new(draft), self.store)

    @rule(draft=batches(), script=faults, clock=clocks, used=st.sampled_from([False] * 4 + [True]))
    def gather(self, draft: Any, script: Sequence[Fault | None], clock: int, used: bool) -> None:
        """Some commands at once, the last perhaps with an id of before."""
        self.handles(self.new(draft, used), FaultyStore(self.store, appending=script), clock)

    @rule(draft=drafts(), clock=clocks)
    def look_ahead(self, draft: Any, clock: int) -> None:
        """What a command would do is what it then does."""
        command = self.new(draft)
        self.previews(command, clock)
        self.handles(command, self.store, clock)

    @rule(place=st.integers(0, 60), script=faults, clock=clocks, draft=drafts() | st.none())
    def repeat(
        self, place: int, script: Sequence[Fault | None], clock: int, draft: Any | None
    ) -> None:
        """A command of before again, or another under its id, through whatever faults: what was
        decided stands, and nothing changes."""
        command = self.old(place)
        if draft is not None:
            command = structs.replace(self.new(draft), id=command.id)
        before = self.store.snapshot()
        self.handles(command, FaultyStore(self.store, appending=script), clock)
        if command.id in before.events:
            assert self.store.snapshot() == before

    @rule(draft=drafts(), ago=st.integers(0, 20), clock=clocks)
    def guess(self, draft: Any, ago: int, clock: int) -> None:
        """A worker whose view of the states is old, as a cache's might be."""
        past = self.pasts[max(0, len(self.pasts) - 1 - ago)]
        self.handles(self.new(draft), CachingStore(self.store, past), clock)

    @rule(
        one=drafts(),
        other=drafts(),
        same=st.sampled_from(["no", "no", "no", "id", "command", "about"]),
        where=st.tuples(faults, clocks, st.integers(0, 4)),
    )
    def race(
        self, one: Any, other: Any, same: str, where: tuple[Sequence[Fault | None], int, int]
    ) -> None:
        """Two workers at once: the other decides between two reads of the one, or between the
        decision and the commit of the one."""
        script, clock, reads = where
        first, second = self.new(one), self.new(other)
        if same == "command":
            second = first
        elif same == "id" and not second.id.startswith(SYSTEM_ID_PREFIXES):
            second = structs.replace(second, id=first.id)
        elif same == "about" and hasattr(first, "payment"):  # what it is about is made only now
            first = structs.replace(first, payment=second.id)
        answers: list[Answer] = []

        def other_worker() -> None:
            answers.append(self.answer(second, self.store, -clock))

        racing: FaultyStore = InterruptedStore(self.store, script, reads, other_worker)
        mine = self.answer(first, racing, clock)
        self.settle([(first, mine), *[(second, one) for one in answers]], racing=True)

    @rule(
        several=st.lists(st.tuples(drafts(), repeats), min_size=1, max_size=7),
        other=drafts(),
        where=st.tuples(faults, clocks, st.integers(0, 6)),
        racing=st.booleans(),
    )
    def group(
        self,
        several: Sequence[tuple[Any, int | None]],
        other: Any,
        where: tuple[Sequence[Fault | None], int, int],
        racing: bool,
    ) -> None:
        """A worker that remembers states from one group to the next decides some commands
        together, repeats among them, through whatever faults; perhaps another decides one between
        two reads, or between the decision and the commit."""
        script, clock, reads = where
        commands = [
            self.new(draft) if place is None else self.old(place) for draft, place in several
        ]
        second = self.new(other)
        others: list[Answer] = []

        def other_worker() -> None:
            if racing:
                others.append(self.answer(second, self.store, -clock))

        self.now += STEP
        store = InterruptedStore(self.store, script, reads, other_worker)
        world = World(now=self.now + clock, tick=0, seed=self.now)
        worker = GroupCommit(
            world.commands(store, self.cache),
            store,
            clock=world.clock,
            pause=world.pause,
            chance=world.chance,
            cache=self.cache,
        )
        asked = [
            Asked(one, f"caller-{self.now}-{index}", seen_before=index % 3 == 1)
            for index, one in enumerate(commands)
        ]
        answers = []
        for one in worker.handle(asked, lambda: True):
            assert isinstance(one, Decided | Mismatch | InvalidCommandError), one
            answers.append(one)
        heard = [*zip(commands, answers, strict=True), *((second, one) for one in others)]
        self.settle(heard, racing=True)

    @rule(seconds=st.sampled_from(WAITS), place=st.integers(0, 3), early=st.sampled_from([0, 1]))
    def wait(self, seconds: int, place: int, early: int) -> None:
        """Time passes; or (0 seconds) just so much that a hold is due at the very next look at the
        clock, or at the one after."""
        self.now += seconds * 1_000_000
        ends = sorted(one.expires_at for one in self.model.payments.values() if one.open)
        if seconds == 0 and ends:
            due = microseconds_of_instant(ends[place % len(ends)])
            self.now = max(self.now, due - STEP - early)

    @rule(clock=clocks)
    def sweep(self, clock: int) -> None:
        """The scheduled sweeper: every hold that is due is released, no other."""
        self.now += STEP
        now = instant_of_microseconds(self.now + clock)
        for due in self.store.due(now, limit=100):
            world = World(now=self.now + clock, tick=0)
            assert world.commands(self.store).expire(due.payment)
        self.settle([])
        assert self.model.due(now) == []

    # What it is held to

    def new(self, draft: Any, used: bool = False) -> Any:
        """The command that a draft becomes now; of a batch, a member's id may be used already."""
        self.count += 1
        names = list(self.model.payments)
        if hasattr(draft, "payment") and not isinstance(draft, ReversePayment):
            names += [name for name in names if self.model.payments[name].open] * 3
        old = self.old(self.count).id if used else None
        command = filled(draft, f"c{self.count}", Scene(names, self.now + STEP, old))
        self.asked[command.id] = command
        return command

    def old(self, place: int) -> Any:
        """A command of before. (Nobody can use the id of a system command for another.)"""
        known = [one for one in self.asked.values() if not one.id.startswith(SYSTEM_ID_PREFIXES)]
        return known[-1 - place % len(known)]

    def answer(
        self, command: Command, store: EventStore, clock: int, *, dry: bool = False
    ) -> Answer:
        """What a worker whose clock is off by `clock` answers, each time to another caller.

        (Were the caller the same and the clock behind, a refusal would have the bytes of the one
        recorded before, and whose they are could not be told once an answer was lost.)
        """
        self.now += STEP
        commands = World(now=self.now + clock, tick=0, seed=self.now).commands(store)
        try:
            decide = commands.preview if dry else commands.handle
            return decide(command, f"caller-{self.now}")
        except InvalidCommandError as error:
            return error

    def previews(self, command: Command, clock: int) -> None:
        """What is said of a command that is not sent is what sending it would answer, and nothing
        is written."""
        before = self.store.snapshot()
        there = self.copy_of_store()
        now = self.now
        said = self.answer(command, self.store, clock, dry=True)
        assert self.store.snapshot() == before
        self.now = now
        assert reply_of(said) == reply_of(self.answer(command, there, clock))
        self.now = now

    def copy_of_store(self) -> OpenStore:
        """A store with the same in it."""
        copy = OpenStore()
        for event in self.store.events():
            copy.put_event(event)
        for state in self.store.states():
            copy.put_state(state)
        return copy

    def handles(self, command: Command, store: EventStore, clock: int = 0) -> None:
        """One worker, nobody else."""
        answer = self.answer(command, store, clock)
        self.settle([(command, answer)], racing=isinstance(store, CachingStore))

    def settle(self, answers: Sequence[tuple[Command, Answer]], *, racing: bool = False) -> None:
        """Goes through what was committed since, in the order of the commits, and then through the
        answers to the commands that were sent meanwhile."""
        events = [decode_event(one.data) for one in self.store.events()][self.settled :]
        self.settled += len(events)
        committed = {event.id for event in events}
        stripes = {event.id: touched_by(event) for event in events}
        sent = [command for command, _ in answers]
        members: dict[str, Detail] = {}
        for event in events:
            told = told_by(event)
            if event.id in members:  # of a batch, whose own event was first
                assert told == members.pop(event.id)
            else:
                command = asked_for(event, sent) or self.released(
                    event, sent if event is events[0] and not racing else []
                )
                heard = reply_of_event(event, repeat=False)
                said = self.model.handle(
                    command, event.recorded_at, heard if racing else None, stripes
                )
                if isinstance(event, BatchCommitted):
                    assert said.verdict == "accepted"
                    members = {name: one for (_, name), one in said.detail.items()}
                    assert tuple(members) == event.commands
                else:
                    assert said == heard
            self.note(event)
        assert not members
        firsts = [self.check_answer(command, answer) for command, answer in answers]
        assert Counter(filter(None, firsts)) == Counter(committed & {one.id for one in sent})
        self.pasts.append(self.store.snapshot().states)

    def released(self, event: Event, sent: Sequence[Command]) -> ExpirePayment:
        """The command of an expiry that nobody sent: the sweeper's, or one made because a command
        in `sent` would be refused for lack of funds while the hold is due."""
        assert isinstance(event, PaymentExpired)
        assert event.actor == EXPIRY_ACTOR
        at = event.recorded_at
        if sent:
            assert ["insufficient_funds"] in [self.model.against(one, at)[:1] for one in sent]
        version = event.entry.version - 1
        return ExpirePayment(v=1, id=event.id, payment=event.payment, version=version)

    def check_answer(self, command: Command, answer: Answer) -> str | None:
        """An answer is what is recorded; its command's id if it says that this request did it."""
        reply = reply_of(answer)
        now = instant_of_microseconds(self.now)
        known = command.id in self.model.decided
        if reply.verdict == "malformed":
            assert not known
            assert reply.detail in self.unrecorded(command)
            return None
        assert known
        recorded = self.model.handle(command, now)
        assert (reply.verdict, reply.detail) == (recorded.verdict, recorded.detail)
        if not isinstance(answer, Decided):
            return None
        assert answer.event == decode_event(self.store.stored(command.id).data)
        if reply.detail == "insufficient_funds":
            self.nothing_is_due(answer.event)
        return None if reply.repeat else command.id

    def unrecorded(self, command: Command) -> set[str]:
        """What a command may be refused for that leaves no trace, by clocks that may differ."""
        clocks = (self.now - 2_400_000, self.now, self.now + 2_400_000)
        against = [self.model.against(command, instant_of_microseconds(at))[:1] for at in clocks]
        return {reason for one in against for reason in one if reason in UNRECORDED}

    def nothing_is_due(self, event: Event) -> None:
        """No payment is refused for lack of funds while a hold keeps them that has been due for
        longer than clocks may differ and a command may take."""
        assert isinstance(event, CommandRejected)
        name = event.causes[0].id
        since = shifted_instant(event.recorded_at, -15_000_000)
        for payment in self.model.due(since, name):
            after = self.model.copy()
            release(after, payment, event.recorded_at)
            assert after.accounts[name].least <= self.model.accounts[name].least

    def note(self, event: Event) -> None:
        """Adds up what events say of each payment, from the events alone."""
        if isinstance(event, PaymentAuthorized | LaterPaymentEvent):
            moved = self.moves.setdefault(payment_of(event), Moved())
            for entry in event.accounts:
                posted = entry_moved_minor(event, entry)
                pended = entry_pended_minor(event, entry)
                if isinstance(event, PaymentReversed):
                    moved.given_back += posted[0]
                else:
                    moved.captured += posted[0]
                moved.held += max(pended[0], 0)
                moved.let_go -= min(pended[0], 0)

    @invariant()
    def accounts_are_the_models(self) -> None:
        """The version and totals of every account, or of each of its stripes, and what it is."""
        states = self.store.snapshot().states
        assert {
            (one.id, one.stripe): _totals(one)
            for one in states.values()
            if isinstance(one, AccountState)
        } == {
            (name, stripe): (
                {total: getattr(part, total) for total in _TOTALS},
                *(one.lowest, one.highest, one.closed, one.frozen, one.book, one.stripes),
            )
            for name, one in self.model.accounts.items()
            for stripe, part in enumerate(one.parts or [one])
        }

    @invariant()
    def money_is_conserved(self) -> None:
        """Of each currency as much is debited as credited, posted and pending."""
        sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        for state in self.accounts():
            sums[state.currency][0] += state.debits_posted_minor - state.credits_posted_minor
            sums[state.currency][1] += state.debits_pending_minor - state.credits_pending_minor
        assert all(both == [0, 0] for both in sums.values())

    @invariant()
    def what_is_pending_is_what_open_holds_have(self) -> None:
        """The pending totals of each account, and of each stripe, are the sums over the open holds
        on it, never below 0."""
        held: Counter[tuple[str, int, str]] = Counter()
        for one in self.store.snapshot().states.values():
            if isinstance(one, PaymentState):
                for posting, minor in zip(one.postings, one.remaining_minor, strict=True):
                    source, destination = posting.source, posting.destination
                    held[source, one.stripes.get(source, 0), "debits"] += minor
                    held[destination, one.stripes.get(destination, 0), "credits"] += minor
        for state in self.accounts():
            assert state.debits_pending_minor == held[state.id, state.stripe, "debits"]
            assert state.credits_pending_minor == held[state.id, state.stripe, "credits"]

    @invariant()
    def what_was_held_is_accounted_for(self) -> None:
        """Of each hold: captured, released and still held make what was authorised, but for what a
        margin allowed beyond it; and no more was given back than was posted."""
        for key, one in self.store.snapshot().states.items():
            if isinstance(one, PaymentState) and one.expires_at is not None:
                moved = self.moves[key.id]
                authorized, captured = sum(one.authorized_minor), sum(one.captured_minor)
                assert (moved.held, moved.captured) == (authorized, captured)
                assert moved.held - moved.let_go == sum(one.remaining_minor)
                allowed = sum(
                    minor + minor * one.over_capture_bps // 10_000 + 1
                    for minor in one.authorized_minor
                )
                assert captured <= allowed
            if isinstance(one, PaymentState):
                assert sum(one.reversed_minor) <= sum(one.captured_minor)
                assert sum(one.reversed_minor) == self.moves[key.id].given_back

    @invariant()
    def every_decision_is_recorded(self) -> None:
        """One event for each command that was decided, and no other."""
        assert self.store.snapshot().events.keys() == self.model.decided.keys()

    def accounts(self) -> list[AccountState]:
        """Every account's state."""
        return [one for one in self.store.states() if isinstance(one, AccountState)]

    def teardown(self) -> None:
        """The ledger verifies: dense versions, unbroken chains, monotonic times, zero sums."""
        report = Report()
        verify_store(self.store, report)
        assert report.findings == []


@dataclass
class Moved:
    """What events did to a payment, in minor units of whatever currency."""

    held: int = 0
    captured: int = 0
    let_go: int = 0
    given_back: int = 0


_TOTALS = ("version", "debits", "credits", "held_debits", "held_credits")


def _totals(state: AccountState) -> tuple[Any, ...]:
    return (
        {
            "version": state.version,
            "debits": state.debits_posted_minor,
            "credits": state.credits_posted_minor,
            "held_debits": state.debits_pending_minor,
            "held_credits": state.credits_pending_minor,
        },
        state.min_balance_minor,
        state.max_balance_minor,
        state.status == "closed",
        {"both": {"debits", "credits"}, None: set()}.get(state.frozen, {state.frozen}),
        state.book,
        state.stripes,
    )


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=30, stateful_step_count=50)
