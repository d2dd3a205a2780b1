"""Workers on striped accounts: what they release, remember and read."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.application.commit import Commands, Decided
from ledger.application.group_commit import Asked, GroupCommit
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import Command
from ledger.contracts.events import CommandRejected, PaymentExpired, PaymentPosted, entries_of
from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.subjects import account_key, stripe_key
from ledger.domain.states import States
from ledger.domain.striped import whole
from tests.support.builders import (
    ACTOR,
    NOON_MICROSECONDS,
    batching,
    holding,
    opening,
    paying,
    striping,
)
from tests.support.spreading import spread
from tests.support.stores import FaultyStore, OpenStore, StaleStore
from tests.support.worlds import World

SOON = instant_of_microseconds(NOON_MICROSECONDS + 60 * 1_000_000)
LATER = NOON_MICROSECONDS + 3_600 * 1_000_000


@pytest.fixture
def store() -> OpenStore:
    """A bank without limits, and `s` with 100 on the first of four stripes."""
    made = OpenStore()
    spread(made, opening("bank", account_type="asset", min_balance_minor=None))
    spread(made, replace(opening("s"), stripes=4))
    spread(made, paying("fund", ("bank", "s", 100)))
    return made


def worker(
    store: FaultyStore | OpenStore, stripe: int, cache: StateCache | None = None
) -> Commands:
    """A worker that uses that stripe of four."""
    world = World(now=LATER, tick=0)
    return Commands(
        store,
        clock=world.clock,
        pause=world.pause,
        chance=lambda: (stripe + 0.5) / (1 << 16),
        cache=cache,
    )


def decided(worker: Commands, command: Command) -> Decided:
    """What a command comes to."""
    outcome = worker.handle(command, ACTOR)
    assert isinstance(outcome, Decided)
    return outcome


def stripes_in(outcome: Decided, account: str = "s") -> list[int]:
    """The stripes of an account that the event touched."""
    return [one.stripe_number for one in entries_of(outcome.event) if one.id == account]


@pytest.mark.parametrize("stripe", range(4))
def test_a_worker_uses_a_stripe(store: OpenStore, stripe: int) -> None:
    """One and the same as long as nobody else is in its way."""
    one = worker(store, stripe)
    for number in range(3):
        assert stripes_in(decided(one, paying(f"p{number}", ("bank", "s", 1)))) == [stripe]


def test_holds_that_are_due_are_released_on_every_stripe(store: OpenStore) -> None:
    """Before a payment is refused for want of what they hold, wherever they are."""
    for stripe in (1, 3):
        spread(store, holding(f"h{stripe}", ("s", "bank", 40), expires_at=SOON), stripe)
    assert decided(worker(store, 2), paying("p", ("s", "bank", 90))).event.id == "p"
    made = {one.id for one in store.events()}
    assert {"expire:h1:1", "expire:h3:1"} <= made
    account = whole(States.of(store.states()), "s")
    assert account is not None
    assert (account.balance_minor, account.available_minor) == (10, 10)
    last = decided(worker(store, 0), paying("q", ("s", "bank", 11)))
    assert isinstance(last.event, CommandRejected)


def test_a_dry_run_says_what_would_be(store: OpenStore) -> None:
    """The same as the command then does: releases, leases and the refusal of all stripes."""
    spread(store, holding("h", ("s", "bank", 40), expires_at=SOON), 1)
    before = store.snapshot()
    for command in (paying("p", ("s", "bank", 90)), paying("q", ("s", "bank", 101))):
        would = worker(store, 2).preview(command, ACTOR)
        assert store.snapshot() == before
        assert isinstance(would, Decided)
        copy = OpenStore()
        for event in store.events():
            copy.put_event(event)
        for state in store.states():
            copy.put_state(state)
        assert decided(worker(copy, 2), command).event == would.event


def test_a_repeat_is_answered_from_whichever_stripe_it_comes(store: OpenStore) -> None:
    """By another worker, with other stripes by then: nothing is decided anew."""
    first = decided(worker(store, 1), paying("p", ("s", "bank", 30)))
    spread(store, striping("s", 2), seconds=3_600)
    before = store.snapshot()
    again = decided(worker(store, 3), paying("p", ("s", "bank", 30)))
    assert (again.event, again.repeat) == (first.event, True)
    assert store.snapshot() == before


def test_a_payment_reads_its_stripe_and_the_first(store: OpenStore) -> None:
    """Which says how many there are; no other. And writes three items."""
    watched = FaultyStore(store)
    decided(worker(watched, 3), paying("p", ("bank", "s", 5)))
    (transaction,) = watched.transactions
    assert {write.key for write in transaction.writes} == {account_key("bank"), stripe_key("s", 3)}
    assert transaction.checks == ()
    assert watched.calls["load"] == 2


def test_what_was_remembered_of_an_account_may_be_long_gone(store: OpenStore) -> None:
    """A worker that takes it to have four stripes, or none, finds what it has now."""
    for stripes, stripe in ((2, 3), (8, 3), (1, 1)):
        past = dict(store.snapshot().states)
        spread(store, striping("s", stripes, id=f"to-{stripes}"), seconds=3_600)
        stale = StaleStore(store, past)
        stale_worker = worker(stale, stripe)
        event = decided(stale_worker, paying(f"p{stripes}", ("bank", "s", 1))).event
        assert isinstance(event, PaymentPosted)
        assert all(one.stripe_number < stripes for one in entries_of(event) if one.id == "s")


def test_a_group_uses_one_stripe_for_many_payments(store: OpenStore) -> None:
    """In one transaction, and remembers it: the next group reads nothing."""
    watched = FaultyStore(store)
    cache = StateCache(100)
    world = World(now=LATER, tick=0)
    commands = worker(watched, 2, cache)
    group = GroupCommit(
        commands,
        watched,
        clock=world.clock,
        pause=world.pause,
        chance=world.chance,
        cache=cache,
    )
    for turn in range(3):
        asked = [
            Asked(paying(f"p{turn}-{number}", ("bank", "s", 1)), ACTOR) for number in range(10)
        ]
        answers = group.handle(asked, lambda: True)
        assert all(isinstance(one, Decided) for one in answers)
        transaction = watched.transactions[-1]
        assert {write.key.id for write in transaction.writes} == {"bank", "s/2"}
        assert transaction.actions == 12
    assert len(watched.transactions) == 3


def test_a_batch_opens_a_striped_account_and_pays_into_it(store: OpenStore) -> None:
    """Its stripes are known, though they are not stored yet."""
    batch = batching(
        "b",
        replace(opening("t"), stripes=3),
        paying("p", ("bank", "t", 5)),
        paying("q", ("t", "s", 5)),
    )
    outcome = decided(worker(store, 2), batch)
    assert [type(one).__name__ for one in outcome.members] == [
        "AccountOpened",
        "PaymentPosted",
        "PaymentPosted",
    ]
    refused = decided(
        worker(store, 1), batching("c", paying("r", ("bank", "t", 5)), paying("x", ("t", "s", 6)))
    )
    assert isinstance(refused.event, CommandRejected)
    assert refused.event.field == "commands[1].postings[0].source"
    assert [cause.id for cause in refused.event.causes] == ["t", "t/1", "t/2"]


def test_a_stripe_that_is_not_there_is_a_corruption(store: OpenStore) -> None:
    """Read anew a few times, for it could be that the reads were torn; then it stops."""
    store.drop_state(stripe_key("s", 3))
    with pytest.raises(Exception, match="no stripe 3"):
        decided(worker(store, 3), paying("p", ("bank", "s", 5)))
    assert not any(isinstance(one, PaymentExpired) for one in store.events())
