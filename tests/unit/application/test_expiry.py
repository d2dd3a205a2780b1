"""Holds past their expiry: released by the sweep, and by whoever lacks the money they have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ledger.application.commit import EXPIRY_ACTOR, Commands, Mismatch
from ledger.application.expiry import Swept, release_due
from ledger.application.outages import StoreUnavailableError, UnknownStoredVersionError
from ledger.application.ports import EventStore, TransientStoreError, UnknownStoredStateError
from ledger.contracts import reasons
from ledger.contracts.events import PaymentExpired, PaymentPosted
from ledger.contracts.primitives import microseconds_of_instant
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.subjects import Key, payment_key
from ledger.domain.accounts import BrokenStateError
from ledger.domain.states import PaymentState, States
from tests.support.builders import (
    ACTOR,
    NOON_MICROSECONDS,
    batching,
    capturing,
    expiring,
    holding,
    increasing,
    paying,
    voiding,
)
from tests.support.commits import SECOND, WEEK, Elsewhere, funded_store
from tests.support.stores import FaultyStore, OpenStore
from tests.support.worlds import World, accepted_by, balances_of, decided, rejected_by, states_of

LATER = NOON_MICROSECONDS + WEEK + 60 * SECOND


def due_store(*holds: str) -> OpenStore:
    """a has 100, of which each of `holds` has 20, and all are due at LATER; b holds nothing."""
    return funded_store(*(holding(one, ("a", "b", 20)) for one in holds))


def status(store: OpenStore, payment: str) -> str:
    """Where in its life a hold is."""
    state = store.snapshot().states[payment_key(payment)]
    assert isinstance(state, PaymentState)
    return state.status


def test_a_due_hold_is_released() -> None:
    """By an event of the ledger's own under an id made of the payment and its version, which gives
    back what is pending; once: then there is nothing to do."""
    store = due_store("h")
    commands = World(now=LATER).commands(store)
    outcome = commands.expire("h")
    assert outcome is not None
    assert isinstance(outcome.event, PaymentExpired)
    assert (outcome.event.id, outcome.event.actor) == ("expire:h:1", EXPIRY_ACTOR)
    assert states_of(store)["a"].debits_pending_minor == 0
    assert states_of(store)["b"].credits_pending_minor == 0
    before = store.snapshot()
    assert commands.expire("h") is None
    assert store.snapshot() == before


@pytest.mark.parametrize("early", [1, 0])
def test_a_hold_is_due_from_its_expiry_on(early: int) -> None:
    """To the microsecond."""
    store = due_store("h")
    state = store.snapshot().states[payment_key("h")]
    assert isinstance(state, PaymentState)
    expires = microseconds_of_instant(str(state.expires_at))
    world = World(now=expires - early, tick=0)
    assert (world.commands(store).expire("h") is None) == bool(early)
    assert status(store, "h") == ("held" if early else "expired")


def test_what_is_no_due_hold_is_left_alone() -> None:
    """A payment that is not there, one posted at once, one that ended, one not yet due."""
    store = due_store("h", "v")
    world = World()
    accepted_by(world.commands(store), voiding("v"))
    before = store.snapshot()
    for payment in ("nothing", "fund", "v", "h"):
        assert world.commands(store).expire(payment) is None
    assert store.snapshot() == before


@pytest.mark.parametrize("what", [capturing("h"), voiding("h"), increasing("h", 1)])
def test_a_hold_that_moves_on_meanwhile_is_not_released(
    what: object,
) -> None:
    """Captured, voided or increased between the look and the commit: by a worker whose clock is a
    little behind, so that it was not due to it."""
    store = due_store("h")
    early = Elsewhere(store, now=NOON_MICROSECONDS + WEEK - 1 * SECOND)
    racing = FaultyStore(store, meanwhile=[early.does(what)])  # type: ignore[arg-type]
    world = World(now=NOON_MICROSECONDS + WEEK + 1 * SECOND)
    assert world.commands(racing).expire("h") is None
    assert status(store, "h") in ("captured", "voided", "held")
    assert "expire:h:1" not in store.snapshot().events


def test_two_sweepers_release_a_hold_once() -> None:
    """The second finds it done, and says that there was nothing to do."""
    store = due_store("h")
    other = World(now=LATER + SECOND).commands(store)
    racing = FaultyStore(store, meanwhile=[lambda: other.expire("h")])
    assert World(now=LATER).commands(racing).expire("h") is None
    assert status(store, "h") == "expired"
    assert states_of(store)["a"].debits_pending_minor == 0


def test_outages_of_an_expiry() -> None:
    """A hold that cannot be read, or that a newer release wrote: nothing is written."""

    class Newer(OpenStore):
        def load(self, keys: Sequence[Key]) -> States:
            raise UnknownStoredStateError(str(keys))

    store = due_store("h")
    silent = FaultyStore(store, loading=["throttled"])
    with pytest.raises(StoreUnavailableError) as raised:
        World(now=LATER).commands(silent).expire("h")
    assert raised.value.causes == {"throttled": 1}
    with pytest.raises(UnknownStoredVersionError):
        World(now=LATER).commands(Newer()).expire("h")
    assert status(store, "h") == "held"


def test_an_expiry_without_ground_is_no_fact() -> None:
    """Before it is due, of another version, of what is no open hold: refused, nothing recorded. The
    repeat of one that was recorded is answered all the same."""
    store = due_store("h")
    early = World().commands(store)
    for command in (expiring("h"), expiring("h", 2), expiring("fund"), expiring("nothing")):
        with pytest.raises(InvalidCommandError) as raised:
            early.handle(command, EXPIRY_ACTOR)
        assert [one.reason for one in raised.value.violations] == [reasons.HOLD_NOT_DUE]
    assert len(store.snapshot().events) == 6
    first = World(now=LATER).commands(store).expire("h")
    assert first is not None
    again = decided(World(now=LATER + SECOND).commands(store), expiring("h"))
    assert (again.repeat, again.event) == (True, first.event)


# --- the sweep


def swept(
    store: EventStore, world: World, limit: int = 100, has_time: Callable[[], bool] = lambda: True
) -> Swept:
    """What a sweep of `store` comes to."""
    return release_due(store, world.commands(store), world.clock, limit, has_time)


HOLDS = tuple(f"h{number}" for number in range(5))


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_a_sweep_releases_all_that_is_due(limit: int) -> None:
    """However few it asks for at a time; what is not due stays."""
    store = due_store(*HOLDS)
    oldest = store.due("9", limit=1)[0].due_at
    world = World(now=LATER)
    accepted_by(World(now=LATER - 30 * SECOND).commands(store), paying("x", ("bank", "a", 5)))
    accepted_by(World(now=LATER - 30 * SECOND).commands(store), holding("new", ("a", "b", 1)))
    assert swept(store, world, limit) == Swept(5, 0, oldest, {})
    assert {status(store, one) for one in HOLDS} == {"expired"}
    assert status(store, "new") == "held"
    assert swept(store, world, limit) == Swept(0, 0, None, {})


class Poisoned(FaultyStore):
    """A store in which some holds cannot be read, each in its way."""

    def __init__(self, store: EventStore, errors: dict[str, Exception]) -> None:
        super().__init__(store)
        self._errors = errors
        self.tried: list[str] = []

    def load(self, keys: Sequence[Key]) -> States:
        if len(keys) == 1 and keys[0].kind == "payment":
            self.tried.append(keys[0].id)
            if keys[0].id in self._errors:
                raise self._errors[keys[0].id]
        return super().load(keys)


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_hold_that_cannot_be_released_keeps_no_other(limit: int) -> None:
    """An outage, a corruption, a bug: each is counted with its cause and tried once in a sweep;
    all others are released, those behind it in the order too."""
    store = due_store(*HOLDS)
    errors: dict[str, Exception] = {
        "h0": TransientStoreError("throttled"),
        "h1": BrokenStateError("corrupt"),
        "h3": KeyError("bug"),
    }
    poisoned = Poisoned(store, errors)
    result = swept(poisoned, World(now=LATER), limit)
    assert (result.expired, result.failed) == (2, 3)
    assert result.causes == {
        "throttled": 1,
        "exception:BrokenStateError": 1,
        "exception:KeyError": 1,
    }
    assert {status(store, one) for one in ("h2", "h4")} == {"expired"}
    assert [poisoned.tried.count(one) for one in errors] == [1, 1, 1]


def test_a_sweep_ends_with_its_time() -> None:
    """What is left comes in the next one; the oldest first."""
    store = due_store(*HOLDS)
    left = iter([True, True, False])
    result = swept(store, World(now=LATER), has_time=lambda: next(left))
    assert result.expired == 2
    assert [status(store, one) for one in HOLDS] == ["expired"] * 2 + ["held"] * 3


def test_conflicts_of_a_sweep_are_counted() -> None:
    """What its attempts met is told, though all came well."""
    store = due_store("h")
    faulty = FaultyStore(store, appending=["conflict", "throttled"])
    result = swept(faulty, World(now=LATER))
    assert (result.expired, result.failed) == (1, 0)
    assert result.causes == {"conflict": 1, "throttled": 1}


def test_a_sweep_that_cannot_ask_says_so() -> None:
    """Its caller is told, and asks again in a minute."""

    class Deaf(FaultyStore):
        def due(self, *_: object, **__: object) -> tuple[()]:
            raise TransientStoreError("unavailable")

    with pytest.raises(TransientStoreError):
        swept(Deaf(due_store("h")), World(now=LATER))


# --- release before refusal

ALL = paying("all", ("a", "b", 100))


def test_what_lacks_funds_takes_those_of_due_holds() -> None:
    """The holds are released, each by its own event, and the payment is decided on what is there
    then: no sweep has to come first."""
    store = due_store("h1", "h2")
    watched = FaultyStore(store)
    event = accepted_by(World(now=LATER).commands(watched), ALL)
    assert isinstance(event, PaymentPosted)
    assert {status(store, one) for one in ("h1", "h2")} == {"expired"}
    assert balances_of(store)["b"] == 100
    assert watched.calls["due"] == 1


def test_holds_that_are_not_due_keep_what_they_have() -> None:
    """The refusal stands, and nothing is released."""
    store = due_store("h1")
    before = store.snapshot().states
    event = rejected_by(World().commands(store), ALL)
    assert event.reason == "insufficient_funds"
    assert store.snapshot().states == before


def test_a_refusal_that_stands_releases_all_the_same() -> None:
    """What was released is released; the command is refused on the account as it is then."""
    store = due_store("h1")
    event = rejected_by(World(now=LATER).commands(store), paying("much", ("a", "b", 101)))
    assert (event.reason, event.causes[0].values["available_minor"]) == ("insufficient_funds", 100)
    assert event.causes[0].version == states_of(store)["a"].version
    assert status(store, "h1") == "expired"


def test_only_a_lack_of_funds_looks_for_due_holds() -> None:
    """Nobody else pays for the question: accepted, refused for something else, nothing held."""
    store = due_store("h1")
    watched = FaultyStore(store)
    commands = World(now=LATER).commands(watched)
    accepted_by(commands, paying("fits", ("a", "b", 80)))
    rejected_by(commands, paying("nobody", ("a", "z", 900)))
    rejected_by(commands, paying("poor", ("b", "a", 900)))  # nothing is held of b's
    assert watched.calls["due"] == 0


def test_each_account_that_lacks_is_helped_once() -> None:
    """A payment of two payers with a due hold each: both are released, and each account is asked
    for once."""
    store = funded_store(
        paying("fund-b", ("bank", "b", 50)),
        holding("of-a", ("a", "capped", 20)),
        holding("of-b", ("b", "capped", 10)),
    )
    watched = FaultyStore(store)
    commands = World(now=LATER).commands(watched)
    accepted_by(commands, paying("both", ("a", "bank", 100), ("b", "bank", 50)))
    assert watched.calls["due"] == 2
    assert {status(store, one) for one in ("of-a", "of-b")} == {"expired"}
    assert balances_of(store) == {"bank": 0, "a": 0, "b": 0, "capped": 0}


@pytest.mark.parametrize("batch", [False, True])
def test_a_repeat_or_a_mismatch_releases_nothing(batch: bool) -> None:
    """A command that is decided already learns that first, though it would lack funds now."""
    store = due_store("h1")
    used = paying("used", ("a", "capped", 50))
    accepted_by(World().commands(store), used)
    first = (
        batching("first", paying("m", ("a", "b", 30))) if batch else paying("first", ("a", "b", 30))
    )
    World().commands(store).handle(first, ACTOR)
    before = store.snapshot()
    late = World(now=LATER).commands(store)
    assert decided(late, first).repeat
    assert isinstance(late.handle(paying("used", ("a", "b", 99)), ACTOR), Mismatch)
    assert store.snapshot() == before


def test_a_batch_is_helped_too() -> None:
    """Its commands together may be what needs the money."""
    store = due_store("h1", "h2")
    batch = batching("batch", paying("m1", ("a", "b", 50)), paying("m2", ("a", "b", 50)))
    outcome = decided(World(now=LATER).commands(store), batch)
    assert len(outcome.members) == 2
    assert balances_of(store)["b"] == 100


def test_a_hold_beside_another_is_helped_too() -> None:
    """An authorization that lacks what a due hold has."""
    store = due_store("h1")
    commands: Commands = World(now=LATER).commands(store)
    accepted_by(commands, holding("h9", ("a", "b", 100)))
    assert (status(store, "h1"), status(store, "h9")) == ("expired", "held")
