"""A group of commands: in how few transactions, and what becomes of it when something fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from ledger.application import proposals
from ledger.application.commit import ATTEMPTS_MAX, Decided, Mismatch
from ledger.application.group_commit import WHOLE_ATTEMPTS, Answer, Asked
from ledger.application.outages import (
    ClockSkewError,
    ContentionError,
    OutageError,
    StoreUnavailableError,
    UnknownStoredVersionError,
)
from ledger.application.ports import (
    Appended,
    Due,
    Refused,
    Transaction,
    TransientStoreError,
    UnknownStoredStateError,
)
from ledger.contracts.commands import BaseCommand, Command
from ledger.contracts.events import CommandRejected
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.subjects import Key, account_key
from ledger.domain.accounts import BrokenStateError
from ledger.domain.chain import StoredEvent
from ledger.domain.decider import Decision, decide
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from tests.support.builders import (
    ACTOR,
    NOON_MICROSECONDS,
    batching,
    capturing,
    expiring,
    holding,
    opening,
    paying,
)
from tests.support.commits import SECOND, WEEK, Elsewhere, funded_store
from tests.support.grouping import group_on
from tests.support.groups import (
    always,
    asked,
    decided_together,
    handled,
    openings_for,
    payments_between,
    times,
)
from tests.support.stores import Fault, FaultyStore, OpenStore, cause_of
from tests.support.worlds import World, balances_of, commands_on, decided

FEW = [paying(f"p{n}", ("a", "b", 10)) for n in range(3)]


@pytest.fixture
def store() -> OpenStore:
    """The bank, a with 100, b and capped with nothing."""
    return funded_store()


def reasons_of(answers: list[Answer]) -> list[str | None]:
    """Why each command was refused; None if it was accepted."""
    reasons = []
    for one in answers:
        assert isinstance(one, Decided), one
        reasons.append(one.event.reason if isinstance(one.event, CommandRejected) else None)
    return reasons


# How many transactions


@pytest.mark.parametrize(
    ("payers", "payees", "count", "actions"),
    [(33, 33, 33, 99), (1, 49, 49, 99), (1, 1, 98, 100)],
)
def test_as_many_as_a_transaction_holds_take_one_read_and_one_transaction(
    payers: int, payees: int, count: int, actions: int
) -> None:
    """33 payments between disjoint accounts, 49 from one payer, 98 between two accounts; one more
    takes another transaction, and nothing more is read for it but what it alone touches."""
    store = funded_store(*openings_for(payers + 1, payees + 1))
    watched = FaultyStore(store)
    group = group_on(watched)
    decided_together(group, *payments_between(payers, payees, count))
    assert dict(watched.calls) == {"load": 1, "append": 1}
    assert [one.actions for one in watched.transactions] == [actions]
    use = group.take()
    assert (use.transactions, use.commands, use.largest, use.attempts) == (1, count, count, 1)
    more = [paying(f"q{n}", (f"from{n % payers}", f"to{n % payees}", 1)) for n in range(count)]
    decided_together(group, *more, paying("last", (f"from{payers}", f"to{payees}", 1)))
    assert watched.calls["append"] == 3
    assert group.take().largest == count


def test_a_large_group_reads_as_much_at_once_as_it_can() -> None:
    """200 payments between 400 accounts: seven transactions, and four reads of 100 states."""
    store = funded_store(*openings_for(200, 200))
    watched = FaultyStore(store)
    decided_together(group_on(watched), *payments_between(200, 200, 200))
    assert dict(watched.calls) == {"load": 4, "append": 7}


def test_later_commands_see_what_earlier_ones_did(store: OpenStore) -> None:
    """An account opened, paid and emptied in one group, in one transaction: each is decided on the
    effects of those before it, and a refusal too is recorded with them."""
    watched = FaultyStore(store)
    answers = handled(
        group_on(watched),
        paying("early", ("a", "new", 5)),
        opening("new"),
        paying("in", ("a", "new", 30)),
        paying("too-much", ("new", "b", 31)),
        paying("out", ("new", "b", 30)),
        paying("nothing-left", ("new", "b", 1)),
    )
    assert reasons_of(answers) == [
        "account_not_found",
        None,
        None,
        "insufficient_funds",
        None,
        "insufficient_funds",
    ]
    assert watched.calls["append"] == 1
    assert balances_of(store)["b"] == 30
    transaction = watched.transactions[0]
    assert transaction.checks == ()  # what was checked is written
    assert {write.key.id: write.expected.version for write in transaction.writes} == {
        "a": 2,
        "b": 1,
        "new": 0,
    }


def test_a_hold_is_captured_in_its_own_group(store: OpenStore) -> None:
    """A payment that the group itself makes is found by what follows it."""
    watched = FaultyStore(store)
    answers = handled(
        group_on(watched),
        capturing("h"),
        holding("h", ("a", "b", 40)),
        capturing("h", id="again"),
        capturing("h", id="once-more"),
    )
    assert reasons_of(answers) == ["payment_unknown", None, None, "hold_not_open"]
    assert watched.calls["append"] == 1
    assert watched.transactions[0].absent == ()  # the id is put, and so tested, by the hold
    assert balances_of(store)["b"] == 40


def test_an_atomic_batch_stays_whole(store: OpenStore) -> None:
    """A batch is decided in its place, merged into the transaction with its members; refused, it
    leaves nothing, and its neighbours are as without it."""
    whole = batching("whole", paying("m1", ("a", "b", 10)), paying("m2", ("b", "a", 5)))
    broken = batching("broken", paying("m3", ("a", "b", 10)), paying("m4", ("b", "a", 500)))
    watched = FaultyStore(store)
    outcomes = decided_together(group_on(watched), FEW[0], whole, FEW[1], broken, FEW[2])
    assert [member.id for member in outcomes[1].members] == ["m1", "m2"]
    assert reasons_of(list(outcomes)) == [None, None, None, "insufficient_funds", None]
    assert [event.id for event in watched.transactions[0].events] == [
        "p0",
        "whole",
        "m1",
        "m2",
        "p1",
    ]
    assert balances_of(store)["b"] == 35


def test_one_that_does_not_fit_begins_the_next_transaction() -> None:
    """A batch of 96 actions behind five payments is committed after them, in its place."""
    store = funded_store(*openings_for(6, 48))
    batch = batching("large", *(paying(f"m{n}", ("from5", f"to{n}", 1)) for n in range(46)))
    watched = FaultyStore(store)
    decided_together(
        group_on(watched), *payments_between(5, 5, 5), batch, paying("after", ("from0", "to0", 1))
    )
    assert [one.events[0].id for one in watched.transactions] == ["p0", "large"]
    assert [len(one.events) for one in watched.transactions] == [5, 48]


# Repeats


def test_a_repeat_within_a_group_is_told_so(store: OpenStore) -> None:
    """The same command again answers what was recorded a moment ago, another under its id is a
    mismatch; neither costs a request."""
    watched = FaultyStore(store)
    other = paying("p0", ("a", "b", 11))
    first, again, mismatch, member = handled(
        group_on(watched), FEW[0], FEW[0], other, batching("p1", paying("m", ("a", "b", 1)))
    )
    assert isinstance(first, Decided)
    assert isinstance(again, Decided)
    assert (first.repeat, again.repeat, again.event) == (False, True, first.event)
    assert mismatch == Mismatch("p0", ("postings[0].amount_minor",))
    assert reasons_of([member]) == [None]
    assert dict(watched.calls) == {"load": 1, "append": 1}


def test_what_was_recorded_before_is_taken_out_and_answered(store: OpenStore) -> None:
    """Repeats of commands long decided, mixed with new ones: they are found by the refusal of the
    one transaction, answered, and the rest is committed by a second, without a pause."""
    before = decided(commands_on(store), FEW[1]).event
    world, watched = World(now=NOON_MICROSECONDS + SECOND), FaultyStore(store)
    group = group_on(watched, world=world)
    first, repeat, third = decided_together(group, *FEW)
    assert (first.repeat, repeat.repeat, third.repeat) == (False, True, False)
    assert repeat.event == before
    # Its states were read anew by the others: that they moved on was seen at the read.
    assert (dict(watched.calls), world.pauses) == ({"load": 1, "append": 2}, [])
    assert balances_of(store)["b"] == 30
    assert group.take().causes == {}


def test_what_was_seen_before_is_looked_up_at_once(store: OpenStore) -> None:
    """A bulk that came before is answered by one batched read, and writes nothing."""
    group = group_on(store)
    batch = batching("whole", paying("m1", ("a", "b", 10)), paying("m2", ("b", "a", 5)))
    first = decided_together(group, *FEW, batch)
    watched, before = FaultyStore(store), store.snapshot()
    answers = group_on(watched).handle(asked(*FEW, batch, seen_before=True), always)
    assert [
        (one.event, one.repeat, one.members) for one in answers if isinstance(one, Decided)
    ] == [(one.event, True, one.members) for one in first]
    assert dict(watched.calls) == {"events_of": 2}  # and the members of the batch
    assert store.snapshot() == before


def test_a_used_member_refuses_the_batch_alone(store: OpenStore) -> None:
    """A batch with a member whose id was decided, before the group or in it, is refused for that;
    the others go through."""
    decided(commands_on(store), paying("used", ("a", "b", 1)))
    batches = [
        batching("one", paying("m1", ("a", "b", 1)), paying("used", ("a", "b", 1))),
        batching("two", paying("p0", ("a", "b", 1)), paying("m2", ("a", "b", 1))),
    ]
    watched = FaultyStore(store)
    answers = handled(group_on(watched), *FEW, *batches)
    assert reasons_of(answers) == [None, None, None, "member_id_used", "member_id_used"]
    assert balances_of(store)["b"] == 31
    # Of the first batch the transaction says so; of the second it is known. Each then alone: twice.
    assert watched.calls["append"] == 2 + 2 + 2


# Faults and others


@pytest.mark.parametrize("fault", ["conflict", "throttled", "unavailable", "lost_before"])
def test_a_fault_is_one_more_attempt_of_all(store: OpenStore, fault: Fault) -> None:
    """The group is decided again on what is known, nothing is read anew, and every answer says how
    many attempts it took; what they met is told once, by the group."""
    watched, world = FaultyStore(store, appending=[fault, fault]), World()
    group = group_on(watched, world=world)
    outcomes = decided_together(group, *FEW)
    assert [(one.repeat, one.attempts, one.causes) for one in outcomes] == [(False, 3, None)] * 3
    assert (dict(watched.calls), len(world.pauses)) == ({"load": 1, "append": 3}, 2)
    assert group.take().causes == {cause_of(fault): 2}
    assert balances_of(store)["b"] == 30


def test_a_lost_answer_is_no_repeat(store: OpenStore) -> None:
    """The transaction took effect and its answer was lost: the next attempt finds its own events,
    and the clients hear them as the first answer, also of a batch."""
    batch = batching("whole", paying("m1", ("a", "b", 10)), paying("m2", ("b", "a", 5)))
    watched = FaultyStore(store, appending=["lost_after"])
    outcomes = decided_together(group_on(watched), *FEW, batch, FEW[0])
    assert [one.repeat for one in outcomes] == [False] * 4 + [True]
    assert [one.id for one in outcomes[3].members] == ["m1", "m2"]
    assert balances_of(store)["b"] == 35
    assert dict(watched.calls) == {"load": 1, "append": 2}


def test_a_lost_answer_is_no_repeat_if_it_is_found_alone(store: OpenStore) -> None:
    """The transaction took effect and its answer was lost, as were those of the next attempts. When
    half of it is tried, the other half meets its own effects, as if it lacked funds that a due hold
    keeps, and is decided alone: what is recorded is ours all the same."""
    decided(commands_on(store), holding("h", ("a", "b", 20)))
    faults: list[Fault] = ["lost_after"]
    watched = FaultyStore(store, appending=faults + ["conflict"] * (WHOLE_ATTEMPTS - 1))
    late = World(now=NOON_MICROSECONDS + WEEK + 60 * SECOND)
    large = paying("large", ("a", "b", 60))
    outcomes = decided_together(group_on(watched, world=late), FEW[0], large, large)
    assert [one.repeat for one in outcomes] == [False, False, True]
    assert balances_of(store)["b"] == 70


def test_fresh_states_come_with_the_refusal(store: OpenStore) -> None:
    """Another worker was faster: the group is decided again on the states as they are now, without
    reading them, and what was accepted at first may be refused."""
    elsewhere = Elsewhere(store)
    watched = FaultyStore(store, meanwhile=[elsewhere.does(paying("x", ("a", "capped", 50)))])
    answers = handled(group_on(watched), *FEW, *(paying(f"q{n}", ("a", "b", 10)) for n in range(4)))
    assert reasons_of(answers) == [None] * 5 + ["insufficient_funds"] * 2
    assert dict(watched.calls) == {"load": 1, "append": 2}
    assert balances_of(store)["a"] == 0


def test_a_transaction_that_keeps_failing_is_halved() -> None:
    """After some attempts at all of it half is tried, then half of that: so what can go through
    goes; the next one is larger again."""
    store = funded_store(*openings_for(1, 1))
    watched = FaultyStore(store, appending=["conflict"] * (WHOLE_ATTEMPTS + 2))
    decided_together(group_on(watched), *payments_between(1, 1, 64))
    sizes = [len(one.events) for one in watched.transactions]
    assert sizes == [64] * WHOLE_ATTEMPTS + [32, 16, 8, 16, 32, 8]


@pytest.mark.parametrize(
    ("fault", "error", "given_up"),
    [("conflict", ContentionError, 1), ("throttled", StoreUnavailableError, 20)],
)
def test_attempts_are_bounded(
    store: OpenStore, fault: Fault, error: type[OutageError], given_up: int
) -> None:
    """What still fails after twelve attempts is an outage. If others were in the way, of the
    commands that were tried last, by then very few: the rest of the group goes on. If the store
    does not do it, of all that were tried."""
    watched = FaultyStore(store, appending=[fault] * ATTEMPTS_MAX)
    group = group_on(watched)
    answers = handled(group, *(paying(f"p{n}", ("a", "b", 1)) for n in range(20)))
    for answer in answers[:given_up]:
        assert isinstance(answer, error)
        assert answer.causes == {}
    assert reasons_of(answers[given_up:]) == [None] * (20 - given_up)
    assert group.take().causes == {fault: ATTEMPTS_MAX}
    assert balances_of(store)["b"] == 20 - given_up


def test_no_attempt_starts_after_the_deadline(store: OpenStore) -> None:
    """With a store that takes 3 s to fail, attempts end 9 s after the first began."""
    world = World()

    def wait() -> None:
        world.now += 3 * SECOND

    slow = FaultyStore(store, appending=["lost_before"] * 99, meanwhile=[wait] * 99)
    answers = handled(group_on(slow, world=world), *FEW)
    assert [type(one) for one in answers] == [StoreUnavailableError] * 3
    assert slow.calls["append"] == 3


def test_reads_that_fail_are_tried_again(store: OpenStore) -> None:
    """A throttled read is an attempt like any other; a store that never answers is an outage of all
    that waited for the read."""
    watched = FaultyStore(store, loading=["throttled", "unavailable"])
    assert reasons_of(handled(group_on(watched), *FEW)) == [None] * 3
    assert dict(watched.calls) == {"load": 3, "append": 1}
    deaf = FaultyStore(store, loading=["throttled"] * 99)
    late = [paying(f"q{n}", ("a", "b", 1)) for n in range(16)]
    answers = handled(group_on(deaf), *late)
    assert all(isinstance(one, StoreUnavailableError) for one in answers)


# What is decided alone


def test_what_cannot_be_read_fails_nobody_else() -> None:
    """States that a newer release wrote, or that are broken, among a hundred: the commands that
    need them answer as by themselves, all others are decided together."""
    store = funded_store(*openings_for(30, 30))

    class PartlyUnreadable(FaultyStore):
        def load(self, keys: Sequence[Key]) -> States:
            if account_key("from3") in keys:
                self.calls["load"] += 1
                raise UnknownStoredStateError("'account#from3' has schema 9")
            if account_key("to7") in keys:
                self.calls["load"] += 1
                raise BrokenStateError("item 'account#to7' is not a state")
            return super().load(keys)

    answers = handled(group_on(PartlyUnreadable(store)), *payments_between(30, 30, 30))
    assert isinstance(answers[3], UnknownStoredVersionError)
    assert isinstance(answers[7], BrokenStateError)
    others = [one for place, one in enumerate(answers) if place not in {3, 7}]
    assert reasons_of(others) == [None] * 28


def test_a_state_ahead_of_the_clock_fails_nobody_else(store: OpenStore) -> None:
    """A state recorded more than 5 s ahead refuses what needs it; the others keep their time."""
    ahead = World(now=NOON_MICROSECONDS + 60 * SECOND)
    decided(ahead.commands(store), paying("x", ("bank", "capped", 1)))
    behind = World(now=NOON_MICROSECONDS + SECOND)
    answers = handled(
        group_on(store, world=behind), FEW[0], paying("y", ("a", "capped", 1)), FEW[1]
    )
    assert isinstance(answers[1], ClockSkewError)
    assert reasons_of([answers[0], answers[2]]) == [None, None]


def test_a_transaction_that_is_no_good_is_searched_for_who_is_to_blame(store: OpenStore) -> None:
    """The store finds something wrong with a transaction, and not with what: its halves and theirs
    are tried, until the command that it is about is alone, and answers for itself."""

    class Picky(FaultyStore):
        def append(self, transaction: Transaction) -> Appended | Refused:
            if any(event.id == "p5" for event in transaction.events):
                self.calls["refused"] += 1
                raise ValueError("p5 is too large")
            return super().append(transaction)

    picky = Picky(store)
    answers = handled(group_on(picky), *(paying(f"p{n}", ("a", "b", 1)) for n in range(8)))
    assert isinstance(answers[5], ValueError)
    assert reasons_of(answers[:5] + answers[6:]) == [None] * 7
    assert picky.calls["refused"] <= 6


def test_a_bug_in_one_command_is_its_own(store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception while a command is decided is the answer to it, and to nothing else."""

    def buggy(states: States, command: BaseCommand, stamp: Stamp) -> Decision:
        if command.id == "p1":
            raise ZeroDivisionError
        return decide(states, command, stamp)

    monkeypatch.setattr(proposals, "decide", buggy)
    answers = handled(group_on(store), *FEW)
    assert isinstance(answers[1], ZeroDivisionError)
    assert reasons_of([answers[0], answers[2]]) == [None, None]


def test_a_recorded_event_that_cannot_be_read_is_its_own(store: OpenStore) -> None:
    """A repeat of what a newer release decided is an outage of that command."""
    store.put_event(StoredEvent("p1", b'{"type":"payment.posted","v":2}', ()))
    answers = handled(group_on(store), *FEW)
    assert isinstance(answers[1], UnknownStoredVersionError)
    assert reasons_of([answers[0], answers[2]]) == [None, None]


def test_a_system_command_without_ground_is_answered_so(store: OpenStore) -> None:
    """It is malformed, and nothing is recorded of it."""
    decided(commands_on(store), holding("h", ("a", "b", 1)))
    answers = handled(group_on(store), FEW[0], expiring("h", 1), FEW[1])
    assert isinstance(answers[1], InvalidCommandError)
    assert reasons_of([answers[0], answers[2]]) == [None, None]


def test_due_holds_are_released_before_a_refusal(store: OpenStore) -> None:
    """A payment that lacks just what an expired hold keeps is accepted, in its place; with nothing
    due the refusal is recorded with the rest, and the index is asked once."""
    decided(commands_on(store), holding("h", ("a", "b", 80)))
    group = [paying("p", ("a", "b", 10)), paying("q", ("a", "b", 30)), paying("r", ("a", "b", 61))]
    early = FaultyStore(store)
    answers = handled(
        group_on(early, world=World(now=NOON_MICROSECONDS + SECOND)),
        paying("e1", ("a", "b", 30)),
        paying("e2", ("a", "b", 31)),
    )
    assert reasons_of(answers) == ["insufficient_funds"] * 2
    assert dict(early.calls) == {"load": 1, "due": 1, "append": 1}
    late = World(now=NOON_MICROSECONDS + WEEK + 60 * SECOND)
    later = group_on(store, world=late)
    assert reasons_of(handled(later, *group)) == [
        None,
        None,
        "insufficient_funds",
    ]
    assert {event.id for event in store.events()} >= {"expire:h:1"}
    assert later.take().causes == {}  # what was decided alone is known behind it
    assert balances_of(store)["a"] == 60


def test_a_store_that_refuses_everything_fails_each_for_itself(store: OpenStore) -> None:
    """No grant to read, or none to look up what is recorded: every command has the error for its
    answer, after a bounded number of calls."""

    class Denying(FaultyStore):
        def _may_read(self, method: str) -> None:
            self.calls[method] += 1
            raise PermissionError

    denying = Denying(store)
    group: list[Command] = [*FEW, batching("whole", paying("m1", ("a", "b", 10)))]
    answers = group_on(denying).handle(asked(*group, seen_before=True), always)
    assert [type(one) for one in answers] == [PermissionError] * 4
    assert denying.calls.total() <= 24


def test_a_look_for_due_holds_that_fails_is_an_outage_of_who_needs_it(store: OpenStore) -> None:
    """The index does not answer: the payment that it is about is not refused without it, and all
    the others are decided."""
    decided(commands_on(store), holding("h", ("a", "b", 20)))

    class Blind(FaultyStore):
        def due(self, now: str, *, account: str | None = None, limit: int) -> tuple[Due, ...]:
            super().due(now, account=account, limit=limit)
            raise TransientStoreError("throttled")

    group = [FEW[0], paying("large", ("a", "b", 80)), FEW[1]]
    first, large, last = handled(group_on(Blind(store)), *group)
    assert isinstance(large, StoreUnavailableError)
    assert reasons_of([first, last]) == [None, None]


def test_an_outage_takes_no_answer_back(store: OpenStore) -> None:
    """A command that proved to be recorded keeps that answer, whatever becomes of the others."""
    before = decided(commands_on(store), FEW[0]).event
    faults: list[Fault | None] = ["conflict", None]
    faulty = FaultyStore(store, appending=faults + ["throttled"] * 99)
    first, *others = handled(group_on(faulty), *FEW)
    assert isinstance(first, Decided)
    assert (first.event, first.repeat) == (before, True)
    assert [type(one) for one in others] == [StoreUnavailableError] * 2


def test_a_repeat_waits_for_what_it_repeats(store: OpenStore) -> None:
    """It is not answered before the other is recorded: when that ends in an outage, the repeat is
    what is decided."""
    faulty = FaultyStore(store, appending=["conflict"] * ATTEMPTS_MAX)
    first, again = handled(group_on(faulty), FEW[0], FEW[0])
    assert isinstance(first, ContentionError)
    assert isinstance(again, Decided)
    assert not again.repeat
    assert balances_of(store)["b"] == 10


# Lanes and time


def test_behind_an_outage_its_lane_waits(store: OpenStore) -> None:
    """Behind a command that could not be decided, those of its lane are not tried; other lanes, and
    commands of none, are. What is malformed blocks nothing."""
    ahead = World(now=NOON_MICROSECONDS + 60 * SECOND)
    decided(ahead.commands(store), paying("x", ("bank", "capped", 1)))
    decided(commands_on(store), holding("h", ("a", "b", 1)))
    outage = paying("y", ("a", "capped", 1))
    group = [
        Asked(FEW[0], ACTOR, lane="one"),
        Asked(outage, ACTOR, lane="one"),
        Asked(FEW[1], ACTOR, lane="one"),
        Asked(expiring("h", 1), ACTOR, lane="two"),
        Asked(FEW[2], ACTOR, lane="two"),
        Asked(paying("z", ("a", "b", 1)), ACTOR),
    ]
    behind = World(now=NOON_MICROSECONDS + SECOND)
    answers = group_on(store, world=behind).handle(group, always)
    assert reasons_of([answers[0], answers[4], answers[5]]) == [None] * 3
    assert isinstance(answers[1], ClockSkewError)
    assert answers[2] is None
    assert isinstance(answers[3], InvalidCommandError)


def test_without_time_nothing_more_is_begun() -> None:
    """Time is asked for before each transaction; what is left then was not tried."""
    store = funded_store(*openings_for(40, 40))
    answers = group_on(store).handle(asked(*payments_between(40, 40, 40)), times(1))
    assert reasons_of(answers[:33]) == [None] * 33
    assert answers[33:] == [None] * 7
    assert group_on(store).handle(asked(*FEW), times(0)) == [None] * 3


def test_a_group_of_nobody_is_no_request(store: OpenStore) -> None:
    """Nothing asked, nothing done."""
    watched = FaultyStore(store)
    assert group_on(watched).handle([], always) == []
    assert watched.calls == Counter()
