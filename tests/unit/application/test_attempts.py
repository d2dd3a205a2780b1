"""Attempts at one command: how many, how far apart, at what time, and what outage they end in."""

from __future__ import annotations

import msgspec
import pytest

from ledger.application.commit import (
    ATTEMPTS_MAX,
    GIVE_UP_AFTER_MICROSECONDS,
    PAUSE_BASE_SECONDS,
    PAUSE_CAP_SECONDS,
)
from ledger.application.outages import (
    ClockSkewError,
    ContentionError,
    OutageError,
    StoreUnavailableError,
    UnknownStoredVersionError,
)
from ledger.application.ports import UnknownStoredStateError
from ledger.contracts import reasons
from ledger.contracts.primitives import instant_of_microseconds, microseconds_of_instant
from ledger.domain.accounts import BrokenStateError
from ledger.domain.chain import StoredEvent
from tests.support.builders import ACTOR, NOON_MICROSECONDS, paying
from tests.support.commits import FUNDING, Elsewhere, funded_store
from tests.support.stores import Fault, FaultyStore, OpenStore, cause_of
from tests.support.worlds import (
    World,
    accepted_by,
    balances_of,
    commands_on,
    decided,
    states_of,
)

PAYMENT = paying("pay", ("a", "b", 30))


@pytest.fixture
def store() -> OpenStore:
    """The bank, a with 100, b and capped with nothing."""
    return funded_store()


@pytest.mark.parametrize("ahead", [1, 4_999_000, 5_000_000])
def test_history_is_monotonic_under_clock_skew(store: OpenStore, ahead: int) -> None:
    """A worker up to 5 s behind records the time of the latest state it touches."""
    latest = max(states_of(store)[name].recorded_at for name in ("a", "b"))
    accepted_by(World(now=NOON_MICROSECONDS + 10**9).commands(store), paying("x", ("a", "b", 1)))
    recorded = states_of(store)["a"].recorded_at
    assert recorded > latest
    behind = World(now=microseconds_of_instant(recorded) - ahead, tick=0)
    event = accepted_by(behind.commands(store), PAYMENT)
    assert (event.recorded_at, event.effective_at) == (recorded, recorded)


def test_a_clock_too_far_behind_decides_nothing(store: OpenStore) -> None:
    """More than 5 s behind a touched state is an outage of this worker, retryable, not retried
    here; nothing is written."""
    before, watched = store.snapshot(), FaultyStore(store)
    behind = World(now=NOON_MICROSECONDS - 10_000_000)
    with pytest.raises(ClockSkewError) as raised:
        behind.commands(watched).handle(PAYMENT, ACTOR)
    assert (raised.value.reason, raised.value.causes) == (reasons.CLOCK_SKEW, {"skewed": 1})
    assert (dict(watched.calls), behind.pauses) == ({"load": 1}, [])
    assert store.snapshot() == before


def test_every_attempt_is_stamped_anew(store: OpenStore) -> None:
    """The recorded time is that of the attempt that took effect, not of the first."""
    world = World()
    faulty = FaultyStore(store, appending=["throttled"] * 5)
    event = accepted_by(world.commands(faulty), PAYMENT)
    assert sum(world.pauses) > 0
    assert event.recorded_at == instant_of_microseconds(world.now)
    times = [msgspec.json.decode(t.events[0].data)["recorded_at"] for t in faulty.transactions]
    assert times == sorted(set(times))
    assert len(times) == 6


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("conflict", ContentionError),
        ("throttled", StoreUnavailableError),
        ("unavailable", StoreUnavailableError),
        ("lost_before", StoreUnavailableError),
        ("lost_after", None),
    ],
)
def test_attempts_are_bounded(
    store: OpenStore, fault: Fault, error: type[OutageError] | None
) -> None:
    """Twelve attempts, with full jitter of a doubling pause between them, then an outage that says
    what was met; its reason tells contention from a store that does not answer."""
    world, faulty = World(), FaultyStore(store, appending=[fault] * 99)
    if error is None:
        # The first one took effect: all that follow must find it, and none may be refused.
        with pytest.raises(StoreUnavailableError):
            world.commands(faulty).handle(PAYMENT, ACTOR)
        assert balances_of(store)["b"] == 30
        assert decided(commands_on(store), PAYMENT).repeat
        return
    with pytest.raises(error) as raised:
        world.commands(faulty).handle(PAYMENT, ACTOR)
    assert dict(raised.value.causes) == {cause_of(fault): ATTEMPTS_MAX}
    assert faulty.calls["append"] == ATTEMPTS_MAX
    ceilings = [min(PAUSE_CAP_SECONDS, PAUSE_BASE_SECONDS * 2**n) for n in range(1, ATTEMPTS_MAX)]
    assert len(world.pauses) == len(ceilings)
    assert all(0 <= pause <= top for pause, top in zip(world.pauses, ceilings, strict=True))
    assert balances_of(store)["b"] == 0
    assert not decided(commands_on(store), PAYMENT).repeat


def test_the_jitter_is_full(store: OpenStore) -> None:
    """A pause is the drawn share of its ceiling, from nothing up."""
    world = World()
    of_the_spread = 0.7
    shares = iter([of_the_spread, 0.0, 0.5, 0.999])
    world.chance = lambda: next(shares)
    decided(world.commands(FaultyStore(store, appending=["throttled"] * 3)), PAYMENT)
    assert world.pauses == pytest.approx([0.0, 0.02, 0.999 * 0.08])


@pytest.mark.parametrize(
    ("conflicts", "throttles", "error"),
    [(6, 6, ContentionError), (7, 5, ContentionError), (5, 7, StoreUnavailableError)],
)
def test_the_outage_is_named_after_what_was_met_most(
    store: OpenStore, conflicts: int, throttles: int, error: type[OutageError]
) -> None:
    """Half of the attempts or more met other commands: contention."""
    faults: list[Fault] = ["conflict"] * conflicts
    faults += ["throttled"] * throttles
    with pytest.raises(error):
        commands_on(FaultyStore(store, appending=faults)).handle(PAYMENT, ACTOR)


def test_stale_states_count_as_contention(store: OpenStore) -> None:
    """An account that others change at every attempt is contended."""
    elsewhere = Elsewhere(store)
    steps = [elsewhere.does(paying(f"x{n}", ("bank", "a", 1))) for n in range(ATTEMPTS_MAX)]
    with pytest.raises(ContentionError) as raised:
        commands_on(FaultyStore(store, meanwhile=steps)).handle(PAYMENT, ACTOR)
    assert raised.value.causes == {"stale": ATTEMPTS_MAX}
    assert raised.value.reason is reasons.CONTENTION


def test_no_attempt_starts_after_the_deadline(store: OpenStore) -> None:
    """With a store that takes 3 s to fail, attempts end 9 s after the first began."""
    world = World()

    def wait() -> None:
        world.now += 3_000_000

    slow = FaultyStore(store, appending=["lost_before"] * 99, meanwhile=[wait] * 99)
    started = world.now
    with pytest.raises(StoreUnavailableError) as raised:
        world.commands(slow).handle(PAYMENT, ACTOR)
    assert raised.value.reason is reasons.STORE_UNAVAILABLE
    attempts = slow.calls["append"]
    assert attempts < ATTEMPTS_MAX
    assert (attempts - 1) * 3_000_000 <= GIVE_UP_AFTER_MICROSECONDS < attempts * 3_000_000 + 1
    assert world.now - started < GIVE_UP_AFTER_MICROSECONDS + 3_000_000 + 1_000_000


def test_what_a_newer_release_wrote_is_left_alone(store: OpenStore) -> None:
    """A state of an unknown schema is an outage of this worker, which is being replaced: whether it
    is met at the read or, by way of a refusal, at the commit."""
    newer = UnknownStoredStateError("'account#a' has schema 2")

    def met() -> None:
        raise newer

    watched = FaultyStore(store, meanwhile=[met])
    with pytest.raises(UnknownStoredVersionError, match="account#a") as raised:
        commands_on(watched).handle(PAYMENT, ACTOR)
    assert raised.value.reason is reasons.UNKNOWN_STORED_VERSION
    assert watched.calls["append"] == 1


@pytest.mark.parametrize("head", ['"payment.posted","v":2', '"payment.settled","v":1'])
def test_an_event_of_a_newer_release_is_an_outage(store: OpenStore, head: str) -> None:
    """A repeat of a command that a newer release decided cannot be answered by this one: it says so
    retryably, and writes nothing."""
    store.put_event(StoredEvent("pay", f'{{"type":{head}}}'.encode(), ()))
    before = store.snapshot()
    with pytest.raises(UnknownStoredVersionError):
        commands_on(store).handle(PAYMENT, ACTOR)
    assert store.snapshot() == before


def test_corruption_is_not_retried(store: OpenStore) -> None:
    """A record that cannot be is no outage: the store's error passes at once, as it is."""

    def met() -> None:
        raise BrokenStateError("item 'account#a' is not a state")

    watched, world = FaultyStore(store, meanwhile=[met]), World()
    with pytest.raises(BrokenStateError, match="account#a"):
        world.commands(watched).handle(FUNDING, ACTOR)
    assert (watched.calls["append"], world.pauses) == (1, [])
