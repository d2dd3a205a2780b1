"""What the model adds to an event store: time, conflicts, and partitions that are full."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.hot.partitions import READS_A_SECOND_MAX, WRITES_A_SECOND_MAX, Placement
from bench.hot.store import EVENTS, STATES, Cpu, WorkerStore
from ledger.application.ports import Appended, Refused, Transaction, TransientStoreError
from ledger.contracts.subjects import account_key
from simulation.kernel.hub import MILLISECOND, SECOND
from tests.support.builders import paying
from tests.support.modelled import ModelledStore, ModelledWorld
from tests.support.transactions import acceptance, append_openings

EVERYTHING_IN_ONE = {EVENTS: 1, STATES: 1}
Told = Appended | Refused | str


def told(world: ModelledWorld, transaction: Transaction) -> Told:
    """What a store says to a transaction: the cause of its error, if it raises one."""
    try:
        return WorkerStore(world.dynamodb).append(transaction)
    except TransientStoreError as error:
        return error.cause


class TestConflicts:
    """Transactions that meet on an item."""

    def test_of_two_under_way_on_one_item_one_is_cancelled(self) -> None:
        """A transaction that is prepared while another holds one of its items is cancelled with a
        conflict, changes nothing, and takes as long as any other."""
        world = ModelledWorld()
        states = append_openings(ModelledStore(world), "a", "b", "c")
        first, _ = acceptance(states, paying("p1", ("a", "b", 5)))
        second, _ = acceptance(states, paying("p2", ("c", "b", 5)))
        begun = world.hub.now
        answers = world.at_once(lambda one: told(world, one), [first, second])
        assert sorted(map(str, answers)) == ["Appended()", "conflict"]
        assert world.dynamodb.counts.cancelled == {"conflict": 1}
        assert len(list(world.dynamodb.stored.events())) == 4
        assert world.hub.now - begun > 5 * MILLISECOND

    def test_disjoint_ones_do_not_meet(self) -> None:
        """Transactions on different items are all committed."""
        world = ModelledWorld()
        states = append_openings(ModelledStore(world), "a", "b", "c", "d")
        pairs = [("p1", ("a", "b", 5)), ("p2", ("c", "d", 5))]
        transactions = [acceptance(states, paying(one, legs))[0] for one, legs in pairs]
        assert world.at_once(lambda one: told(world, one), transactions) == [Appended()] * 2

    def test_behind_one_that_has_ended_it_is_stale(self) -> None:
        """Once the first has committed, the second meets the version that it made, and is told."""
        world = ModelledWorld()
        states = append_openings(ModelledStore(world), "a", "b", "c")
        first, after = acceptance(states, paying("p1", ("a", "b", 5)))
        second, _ = acceptance(states, paying("p2", ("c", "b", 5)))
        assert world.run(lambda: told(world, first)) == Appended()
        refused = world.run(lambda: told(world, second))
        assert isinstance(refused, Refused)
        assert refused.fresh == {account_key("b"): after.accounts["b"]}

    def test_a_conflict_does_not_tell_what_is_stored(self) -> None:
        """Of an item that another transaction holds only the conflict is told, even where the
        version that was expected is an old one."""
        world = ModelledWorld()
        states = append_openings(ModelledStore(world), "a", "b", "c")
        stale, _ = acceptance(states, paying("p2", ("c", "b", 5)))
        before, after = acceptance(states, paying("p0", ("a", "b", 5)))
        world.run(lambda: told(world, before))
        holder, _ = acceptance(after, paying("p1", ("a", "b", 5)))
        begun = world.hub.spawn("holder", lambda: told(world, holder))
        late = world.hub.spawn("late", lambda: told(world, stale), delay=2 * MILLISECOND)
        world.hub.run()
        assert (begun.done.result(), late.done.result()) == (Appended(), "conflict")


class TestPartitions:
    """Partitions that are full."""

    def test_no_partition_takes_more_than_its_limit_in_any_second(self) -> None:
        """Commits that go to one partition of each table are throttled beyond 1,000 write units in
        any second, and never before."""
        world = ModelledWorld(Placement(EVERYTHING_IN_ONE), full_ms=1.0)
        store = ModelledStore(world)
        states = append_openings(store, "a", "b")
        world.hub.run(world.hub.now + SECOND)
        committed: list[int] = []
        throttled = 0
        for number in range(600):
            transaction, after = acceptance(states, paying(f"p{number}", ("a", "b", 1)))
            match world.run(lambda one=transaction: told(world, one)):  # type: ignore[misc]
                case "throttled":
                    throttled += 1
                case answer:
                    assert answer == Appended()
                    states = after
                    committed.append(world.hub.now)
        a_payment = 2 * 2  # two states of at most 1 KiB each, prepared and committed
        for begin in committed:
            within = sum(begin <= at < begin + SECOND for at in committed)
            assert within <= WRITES_A_SECOND_MAX / a_payment
        assert throttled > 0
        assert len(committed) >= WRITES_A_SECOND_MAX / a_payment

    def test_reads_are_limited_too(self) -> None:
        """A partition answers 3,000 consistent reads of small items a second, and no more."""
        world = ModelledWorld(Placement(EVERYTHING_IN_ONE))
        store = WorkerStore(world.dynamodb)
        keys = [account_key(f"a{number}") for number in range(100)]

        def read(_: int) -> str:
            try:
                store.load(keys)
            except TransientStoreError as error:
                return error.cause
            return "read"

        answers = world.at_once(read, range(35))
        assert Counter(answers) == {"read": READS_A_SECOND_MAX // 100, "throttled": 5}


class TestTime:
    """What takes how long."""

    def test_a_worker_computes_before_it_calls(self) -> None:
        """What a worker computes takes its time, in proportion to what it sends."""
        world = ModelledWorld()
        states = append_openings(ModelledStore(world), "a", "b")
        transaction, _ = acceptance(states, paying("p1", ("a", "b", 1)))
        idle = world.hub.now
        world.run(lambda: WorkerStore(world.dynamodb).append(transaction))
        without = world.hub.now - idle
        again, _ = acceptance(
            world.dynamodb.stored.load([account_key("a"), account_key("b")]),
            paying("p2", ("a", "b", 1)),
        )
        busy = world.hub.now
        cpu = Cpu(call=1_000.0, action=100.0, event=10.0)
        world.run(lambda: WorkerStore(world.dynamodb, cpu).append(again))
        computed = world.hub.now - busy
        assert computed - 1_310 * MILLISECOND == pytest.approx(without, rel=3.0)
        assert computed > 1_310 * MILLISECOND

    def test_the_time_of_a_transaction_grows_with_its_actions(self) -> None:
        """A large transaction takes longer than a small one, as the curve says."""
        world = ModelledWorld()
        states = append_openings(ModelledStore(world), "a", "b")
        begun = world.hub.now
        for number in range(50):
            transaction, states = acceptance(states, paying(f"p{number}", ("a", "b", 1)))
            world.run(lambda one=transaction: told(world, one))  # type: ignore[misc]
        mean = (world.hub.now - begun) / 50
        assert mean == pytest.approx(20 * MILLISECOND * (0.41 + 0.59 * 3 / 100), rel=0.15)
