"""What a warm worker remembers: when it guesses, when it reads, and what a guess is good for."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from ledger.application.commit import Commands, Decided
from ledger.application.outages import ContentionError
from ledger.application.state_cache import DOUBT_MAX, CacheUse, StateCache
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import Command
from ledger.contracts.events import CommandRejected, PaymentExpired
from ledger.contracts.subjects import account_key, template_key
from ledger.domain.accounts import HASH_BYTES, AccountState
from tests.support.builders import (
    ACTOR,
    NOON_MICROSECONDS,
    defining,
    describing,
    expiring,
    holding,
    increasing,
    making,
    opening,
    paying,
    state,
)
from tests.support.commits import SECOND, WEEK, funded_store
from tests.support.grouping import group_on
from tests.support.groups import decided_together
from tests.support.stores import FaultyStore, OpenStore
from tests.support.worlds import (
    World,
    accepted_by,
    balances_of,
    decided,
    rejected_by,
    states_of,
)

MANY = 1_000


@pytest.fixture
def store() -> OpenStore:
    """The bank, a with 100, b and capped with nothing."""
    return funded_store()


class Worker:
    """One that remembers, and what it asks of the store."""

    def __init__(self, store: OpenStore, states_max: int = MANY) -> None:
        self.store = FaultyStore(store)
        self.cache = StateCache(states_max)
        self.commands: Commands = World().commands(self.store, self.cache)

    def asks(self, command: Command) -> dict[str, int]:
        """The calls that it takes to have a command accepted."""
        self.store.calls.clear()
        assert not isinstance(decided(self.commands, command).event, CommandRejected)
        return dict(self.store.calls)


def one_by_one(worker: Worker, *commands: Command) -> None:
    """Has each accepted by itself."""
    for command in commands:
        worker.asks(command)


def together(worker: Worker, *commands: Command) -> None:
    """Has them accepted in groups of one, as many transactions as they are."""
    group = group_on(worker.store, cache=worker.cache)
    for command in commands:
        (outcome,) = decided_together(group, command)
        assert not isinstance(outcome.event, CommandRejected)


def accounts(*versions: tuple[str, int]) -> list[AccountState]:
    """States of accounts at these versions."""
    return [state(name, version=version) for name, version in versions]


def test_a_warm_payment_is_one_request(store: OpenStore) -> None:
    """The first payment reads and commits; those that follow on the same accounts only commit."""
    worker = Worker(store)
    assert worker.asks(paying("p0", ("a", "b", 1))) == {"load": 1, "append": 1}
    for number in range(1, 20):
        assert worker.asks(paying(f"p{number}", ("a", "b", 1))) == {"append": 1}
    assert worker.cache.take() == CacheUse(hits=38, stale=0)
    assert balances_of(store)["b"] == 20


def test_without_a_cache_every_payment_reads(store: OpenStore) -> None:
    """A cache of no states is none."""
    worker = Worker(store, 0)
    for number in range(3):
        assert worker.asks(paying(f"p{number}", ("a", "b", 1))) == {"load": 1, "append": 1}
    assert worker.cache.take() == CacheUse()


def test_a_warm_group_is_one_request(store: OpenStore) -> None:
    """What one group wrote the next does not read."""
    watched = FaultyStore(store)
    group = group_on(watched, cache=StateCache(MANY))
    for turn in range(3):
        decided_together(group, *(paying(f"p{turn}-{n}", ("a", "b", 1)) for n in range(9)))
    assert dict(watched.calls) == {"load": 1, "append": 3}


def test_a_stale_guess_costs_an_attempt_and_no_read(store: OpenStore) -> None:
    """Another worker changed an account: the refused transaction brings its state, and the second
    attempt stands on it."""
    worker, other = Worker(store), Worker(store)
    worker.asks(paying("p0", ("a", "b", 1)))
    other.asks(paying("x0", ("bank", "a", 7)))
    assert worker.asks(paying("p1", ("a", "b", 1))) == {"append": 2}
    assert worker.cache.take().stale == 1
    assert balances_of(store) == {"bank": -107, "a": 105, "b": 2, "capped": 0}


def test_a_vanished_history_is_not_gone_on_with(store: OpenStore) -> None:
    """Both tables are put back, and grow the versions that a worker remembers anew: it learns of
    that as of any stale guess, alone and in a group, and what it records follows what is there."""
    for handle in (one_by_one, together):
        past, other = store.snapshot(), Worker(store)
        worker = Worker(store)
        handle(worker, paying("gone", ("a", "b", 50)), paying("gone-too", ("b", "a", 20)))
        remembered = dict(states_of(store))
        store.put_back(past)
        other.asks(paying(f"{handle.__name__}:1", ("a", "b", 7)))
        other.asks(paying(f"{handle.__name__}:2", ("a", "b", 2)))
        before = states_of(store)
        for name in ("a", "b"):
            assert before[name].version == remembered[name].version
            assert before[name].hash != remembered[name].hash
        worker.store.calls.clear()
        handle(worker, paying(f"{handle.__name__}:3", ("a", "b", 1)))
        assert dict(worker.store.calls) == {"append": 2}
        assert worker.cache.take().stale == 2
        after = states_of(store)
        assert {name: after[name].balance_minor for name in ("a", "b")} == {
            "a": before["a"].balance_minor - 1,
            "b": before["b"].balance_minor + 1,
        }
        report = Report()
        verify_store(store, report)
        assert report.findings == []


def test_a_read_of_another_history_is_a_lesson() -> None:
    """A state of the same version and another hash was not the one that was remembered."""
    cache = StateCache(MANY)
    cache.wrote(accounts(("a", 1)))
    other = replace(state("a", version=1), hash=b"x" * HASH_BYTES)
    cache.found([other])
    assert cache.guess([other.key]) is None
    for _ in range(7):
        cache.found([other])
    assert cache.guess([other.key]) == [other]


def test_a_refusal_rests_on_no_guess(store: OpenStore) -> None:
    """What a guess refuses is read, and decided on what was read: money that came meanwhile is
    seen, and a refusal that stands was read for."""
    worker, other = Worker(store), Worker(store)
    worker.asks(paying("p0", ("a", "b", 100)))
    other.asks(paying("x0", ("bank", "a", 50)))
    assert worker.asks(paying("p1", ("a", "b", 50))) == {"load": 1, "append": 1}
    worker.store.calls.clear()
    rejected_by(worker.commands, paying("p2", ("a", "b", 1)))
    assert dict(worker.store.calls) == {"load": 1, "append": 1}


def test_a_group_with_a_refusal_reads_what_it_guessed(store: OpenStore) -> None:
    """One refusal in a group of guesses: all that was guessed is read at once, and the group
    decided anew."""
    Worker(store).asks(paying("p", ("bank", "a", 1)))
    cache = StateCache(MANY)
    watched = FaultyStore(store)
    group = group_on(watched, cache=cache)
    decided_together(group, paying("p0", ("a", "b", 100)))
    Worker(store).asks(paying("x0", ("bank", "a", 49)))
    watched.calls.clear()
    outcomes = decided_together(
        group, *(paying(f"q{n}", ("a", "b", 20)) for n in range(3)), paying("in", ("b", "a", 5))
    )
    refused = [isinstance(one.event, CommandRejected) for one in outcomes]
    assert refused == [False, False, True, False]
    assert dict(watched.calls) == {"load": 1, "append": 1}


def test_a_conflict_ends_guessing(store: OpenStore) -> None:
    """Whoever is at the same accounts right now makes the guess stale: the next attempt reads."""
    worker = Worker(store)
    worker.asks(paying("p0", ("a", "b", 1)))
    conflicting = FaultyStore(store, appending=["conflict"])
    outcome = decided(World().commands(conflicting, worker.cache), paying("p1", ("a", "b", 1)))
    assert outcome.attempts == 2
    assert dict(conflicting.calls) == {"append": 2, "load": 1}


def test_absence_is_never_remembered(store: OpenStore) -> None:
    """An account that was not there is looked for again: another worker may have opened it."""
    worker = Worker(store)
    rejected_by(worker.commands, paying("p0", ("a", "new", 1)))
    accepted_by(Worker(store).commands, opening("new"))
    assert worker.asks(paying("p1", ("a", "new", 1))) == {"load": 1, "append": 1}


def test_templates_are_always_read(store: OpenStore) -> None:
    """A payment that names no version is made of the newest, which no condition would test."""
    worker = Worker(store)
    template = defining("fee", {"n": "amount"}, ("a", "b", "EUR", {"of": "n"}))
    worker.asks(template)
    worker.asks(making("p0", "fee", n=5))
    assert worker.cache.guess((template_key("fee"),)) is None
    changed = defining("fee", {"n": "amount"}, ("a", "capped", "EUR", {"of": "n"}), id="define-2")
    Worker(store).asks(changed)
    worker.asks(making("p1", "fee", n=5))
    assert balances_of(store)["capped"] == 5


def test_what_is_looked_at_and_not_conditioned_is_read(store: OpenStore) -> None:
    """Metadata of an account are written without touching the account: that it is there is read,
    though it is remembered."""
    worker = Worker(store)
    worker.asks(paying("p0", ("a", "b", 1)))
    worker.asks(describing("account", "a", vip="yes"))
    asked = worker.asks(describing("account", "a", id="again", vip="no"))
    assert asked == {"load": 1, "append": 1}


def test_a_dry_run_guesses_nothing(store: OpenStore) -> None:
    """No transaction would test it."""
    worker = Worker(store)
    worker.asks(paying("p0", ("a", "b", 1)))
    Worker(store).asks(paying("x", ("a", "b", 99)))
    outcome = worker.commands.preview(paying("p1", ("a", "b", 50)), ACTOR)
    assert isinstance(outcome, Decided)
    assert isinstance(outcome.event, CommandRejected)


def test_a_remembered_hold_is_read_before_it_is_called_not_due(store: OpenStore) -> None:
    """That a hold is not due any more says that a command has no ground: never by a guess."""
    worker = Worker(store)
    worker.asks(holding("h", ("a", "b", 10)))
    Worker(store).asks(increasing("h", 10))
    late = World(now=NOON_MICROSECONDS + WEEK + 60 * SECOND)
    outcome = decided(late.commands(worker.store, worker.cache), expiring("h", 2))
    assert isinstance(outcome.event, PaymentExpired)
    assert outcome.attempts == 1


# When it guesses


def test_it_guesses_all_or_nothing() -> None:
    """What is not known makes everything be read: one request brings all."""
    cache = StateCache(MANY)
    cache.wrote(accounts(("a", 3), ("b", 4)))
    assert cache.guess((account_key("a"), account_key("c"))) is None
    guessed = cache.guess((account_key("b"), account_key("a")))
    assert guessed == accounts(("b", 4), ("a", 3))
    assert cache.take() == CacheUse(hits=2, stale=0)
    assert cache.take() == CacheUse()


def test_it_is_bounded() -> None:
    """The states that were used last are kept, as many as it may have."""
    cache = StateCache(3)
    cache.wrote(accounts(("a", 1), ("b", 1), ("c", 1)))
    cache.found(accounts(("a", 1)))
    cache.wrote(accounts(("d", 1)))
    assert len(cache) == 3
    known = [name for name in "abcd" if cache.guess((account_key(name),)) is not None]
    assert known == ["a", "c", "d"]


def test_what_proved_stale_is_read_until_it_was_right_often_enough() -> None:
    """One staleness: 7 reads that find nothing changed; every further one takes more."""
    key = account_key("a")
    reads = []
    for failures in (1, 2, 4, 30):
        cache = StateCache(MANY)
        cache.wrote(accounts(("a", 1)))
        for version in range(failures):
            cache.proved_stale({key: state("a", version=2 + version)}, [key])
        count = 0
        while cache.guess((key,)) is None:
            cache.found(accounts(("a", 1 + failures)))
            count += 1
        reads.append(count)
    assert reads == [7, 12, 16, 23]


def test_a_contended_account_says_nothing_of_others() -> None:
    """The doubt about states that were never tried is learnt from as many states, not from one
    that is stale a hundred times; and if most are, new ones are not guessed either."""
    cache = StateCache(MANY)
    hot = account_key("hot")
    cache.wrote(accounts(("hot", 1)))
    for version in range(2, 100):
        cache.proved_stale({hot: state("hot", version=version)}, [hot])
    cache.wrote(accounts(("new", 1)))
    assert cache.guess((account_key("new"),)) is not None
    for number in range(5):
        cache.wrote(accounts((f"x{number}", 1)))
        cache.found(accounts((f"x{number}", 2)))
    cache.wrote(accounts(("newer", 1)))
    assert cache.guess((account_key("newer"),)) is None


def test_doubts_add_up() -> None:
    """A transaction on many states is as doubtful as all of them together."""
    cache = StateCache(MANY)
    names = [f"x{number}" for number in range(40)]
    for name in names:
        cache.wrote(accounts((name, 1)))
        cache.proved_stale({account_key(name): state(name, version=2)}, ())
        for _ in range(30):
            cache.found(accounts((name, 2)))
    few, all_ = (tuple(map(account_key, some)) for some in (names[:4], names))
    assert cache.guess(few) is not None
    assert cache.guess(all_) is None


def test_a_shared_account_is_read_and_trusted_again_when_the_others_leave(store: OpenStore) -> None:
    """Two workers pay into one account in turn: after a few attempts in vain they read it, and no
    more than one guess in twenty is stale; when one of them stops, the other needs no read after a
    while."""
    one, other = Worker(store), Worker(store)
    asked: Counter[str] = Counter()
    rounds = 60
    for turn in range(rounds):
        asked.update(one.asks(paying(f"p{turn}", ("bank", "a", 1))))
        other.asks(paying(f"q{turn}", ("bank", "a", 1)))
    assert asked["append"] <= rounds * (1 + DOUBT_MAX)
    assert asked["load"] >= rounds * 0.9
    alone = [one.asks(paying(f"r{turn}", ("bank", "a", 1))) for turn in range(40)]
    assert alone[-1] == {"append": 1}
    assert sum(each.get("load", 0) for each in alone) <= 30


@pytest.mark.parametrize("affine", [0.9, 1.0])
def test_with_affinity_a_payment_is_barely_more_than_one_request(
    store: OpenStore, affine: float
) -> None:
    """Accounts that meet mostly one worker: 1.1 requests a payment at most if only this worker
    comes; with one payment in ten elsewhere the cache is no worse than none, 2 requests."""
    for number in range(20):
        accepted_by(Worker(store, 0).commands, opening(f"p{number}", min_balance_minor=None))
        accepted_by(Worker(store, 0).commands, opening(f"s{number}"))
    here, there = Worker(store), Worker(store)
    world = World(seed=3)
    requests = payments = 0
    for turn in range(1_000):
        number = int(world.chance() * 20)
        command = paying(f"t{turn}", (f"p{number}", f"s{number}", 1))
        if world.chance() < affine:
            requests += sum(here.asks(command).values())
            payments += 1
        else:
            there.asks(command)
    assert requests / payments <= (1.1 if affine == 1.0 else 2.0)


def test_an_outage_teaches_nothing(store: OpenStore) -> None:
    """A worker that cannot commit forgets nothing of what it knew, and learns nothing."""
    worker = Worker(store)
    worker.asks(paying("p0", ("a", "b", 1)))
    worker.cache.take()
    dead = FaultyStore(store, appending=["conflict"] * 99)
    with pytest.raises(ContentionError):
        World().commands(dead, worker.cache).handle(paying("p1", ("a", "b", 1)), ACTOR)
    assert worker.cache.take().stale == 0
    assert worker.asks(paying("p2", ("a", "b", 1))) == {"append": 1}
