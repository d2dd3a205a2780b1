"""States are read one after the other: what changes between is not recorded as it never was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from ledger.application.ports import StateCheck
from ledger.contracts.commands import Command, PaymentCommand
from ledger.contracts.events import CommandRejected, PaymentCaptured, PaymentPosted
from ledger.contracts.subjects import Key, account_key, payment_key
from ledger.domain.accounts import BrokenStateError
from ledger.domain.chain import StoredEvent
from ledger.domain.states import BEGINNING, States, point_of
from tests.support.builders import (
    NOON_MICROSECONDS,
    capturing,
    describing,
    freezing,
    holding,
    increasing,
    paying,
    reversing,
    voiding,
)
from tests.support.commits import WEEK, Elsewhere, funded_store
from tests.support.stores import FaultyStore, OpenStore
from tests.support.worlds import World, accepted_by, commands_on, decided, rejected_by, states_of


class Interrupted(FaultyStore):
    """A store on which others act once, after a read of the first so many."""

    def __init__(self, store: OpenStore, reads: int, step_in: Callable[[], object]) -> None:
        super().__init__(store)
        self._left = reads
        self._step_in = step_in

    def load(self, keys: Sequence[Key]) -> States:
        found = super().load(keys)
        self._count()
        return found

    def event(self, event_id: str) -> StoredEvent | None:
        found = super().event(event_id)
        self._count()
        return found

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._step_in()


@pytest.fixture
def store() -> OpenStore:
    """a has 100, of which 40 are held for b; b was paid 30 by p."""
    return funded_store(paying("p", ("a", "b", 30)), holding("h", ("a", "b", 40)))


ABOUT = (
    capturing("new", id="c"),
    voiding("new", id="c"),
    increasing("new", 5, id="c"),
    reversing("new", id="c"),
    describing("payment", "new", id="c", order="7"),
)


@pytest.mark.parametrize("command", ABOUT)
def test_nothing_under_an_id_is_a_condition_of_the_refusal(
    store: OpenStore, command: Command
) -> None:
    """A payment that is unknown must still be so when that is recorded."""
    watched = FaultyStore(store)
    event = rejected_by(commands_on(watched), command)
    assert event.reason == "payment_unknown"
    (transaction,) = watched.transactions
    assert transaction.absent == ("new",)


@pytest.mark.parametrize("command", ABOUT)
@pytest.mark.parametrize("made", [paying("new", ("a", "b", 5)), holding("new", ("a", "b", 5))])
@pytest.mark.parametrize("reads", [0, 1, 2])
def test_a_payment_made_meanwhile_is_there(
    store: OpenStore, command: Command, made: Command, reads: int
) -> None:
    """Between the reads of its state and of its event, or before the commit: the command is decided
    on the payment, as if it had come after it."""
    after = funded_store(paying("p", ("a", "b", 30)), holding("h", ("a", "b", 40)))
    decided(commands_on(after), made)
    expected = decided(commands_on(after), command).event
    step_in = Elsewhere(store).does(made)
    racing = (
        Interrupted(store, reads, step_in) if reads else FaultyStore(store, meanwhile=[step_in])
    )
    outcome = decided(commands_on(racing), command)
    event = outcome.event
    assert outcome.attempts <= 2  # what stood in the way came with the refusal
    assert type(event) is type(expected)
    if isinstance(event, CommandRejected) and isinstance(expected, CommandRejected):
        assert (event.reason, event.field) == (expected.reason, expected.field)


@pytest.mark.parametrize("command", ABOUT)
def test_something_else_under_the_id_is_no_payment(store: OpenStore, command: Command) -> None:
    """Made meanwhile too; then it is so for ever, and no condition is needed."""
    racing = FaultyStore(store, meanwhile=[Elsewhere(store).does(freezing("b", id="new"))])
    event = rejected_by(commands_on(racing), command)
    assert (event.reason, event.causes[0].kind) == ("payment_unknown", "event")
    assert racing.transactions[-1].absent == ()


@pytest.mark.parametrize("kind", [capturing, voiding, increasing, reversing])
def test_a_command_about_itself_is_refused(
    store: OpenStore, kind: Callable[..., PaymentCommand]
) -> None:
    """There is no payment under its id, which is its own: no condition contradicts the event."""
    command = kind("self", 5, id="self") if kind is increasing else kind("self", id="self")
    watched = FaultyStore(store)
    event = rejected_by(commands_on(watched), command)
    assert event.reason == "payment_unknown"
    assert watched.transactions[0].absent == ()


@pytest.mark.parametrize(
    "ended", [capturing("h", id="x"), voiding("h", id="x"), reversing("h", id="x")]
)
@pytest.mark.parametrize("command", [capturing("h"), voiding("h"), increasing("h", 5)])
@pytest.mark.parametrize("reads", [1, 2])
def test_a_hold_that_ends_between_two_reads(
    store: OpenStore, ended: Command, command: Command, reads: int
) -> None:
    """The accounts are read without what it held: no account gets less than nothing pending, and
    the command is refused for what is true, the hold is not open."""
    racing = Interrupted(store, reads, Elsewhere(store).does(ended))
    event = rejected_by(commands_on(racing), command)
    assert event.reason == "hold_not_open"
    pending = {
        (state.debits_pending_minor, state.credits_pending_minor)
        for state in states_of(store).values()
    }
    assert pending == {(0, 0)}


def test_a_hold_that_ends_between_two_reads_of_its_expiry(store: OpenStore) -> None:
    """Nothing to do: it is released by the other."""
    late = Elsewhere(store, NOON_MICROSECONDS + WEEK + 10**7)
    for reads in (1, 2, 3):
        racing = Interrupted(store, reads, late.does(voiding("h")))
        world = World(now=NOON_MICROSECONDS + WEEK + 10**7)
        assert world.commands(racing).expire("h") is None
    assert states_of(store)["a"].debits_pending_minor == 0


def test_a_refusal_rests_on_its_payment_too(store: OpenStore) -> None:
    """A reversal is not refused for lack of funds that another reversal took: all is reversed."""
    racing = Interrupted(store, 2, Elsewhere(store).does(reversing("p", id="x")))
    event = rejected_by(commands_on(racing), reversing("p"))
    assert event.reason == "reversal_exceeds_payment"
    accepted_by(commands_on(store), paying("q", ("a", "b", 10)))
    accepted_by(commands_on(store), paying("away", ("b", "bank", 10)))
    watched = FaultyStore(store)
    poor = rejected_by(commands_on(watched), reversing("q"))
    assert poor.reason == "insufficient_funds"
    assert set(watched.transactions[0].checks) == {
        StateCheck(account_key("b"), point_of(states_of(store)["b"])),
        StateCheck(payment_key("q"), BEGINNING),
    }


def test_states_that_never_fit_each_other_are_a_corruption(store: OpenStore) -> None:
    """No race lasts for ever: then the error passes, and nothing is written."""
    state = store.state("a")
    store.put_state(msgspec.structs.replace(state, debits_pending_minor=0))
    before, world = store.snapshot(), World()
    with pytest.raises(BrokenStateError):
        world.commands(store).handle(voiding("h"), "me")
    assert store.snapshot() == before
    assert 0 < len(world.pauses) < 12


def test_what_is_read_is_no_more_than_needed(store: OpenStore) -> None:
    """A payment in its later life, then its accounts: two loads. One posted at once: its event too.
    A command on accounts alone: one load."""
    for command, made, calls in (
        (capturing("h"), PaymentCaptured, {"load": 2, "append": 1}),
        (paying("x", ("a", "b", 1)), PaymentPosted, {"load": 1, "append": 1}),
    ):
        watched = FaultyStore(store)
        assert isinstance(decided(commands_on(watched), command).event, made)
        assert watched.calls == calls
    watched = FaultyStore(store)
    decided(commands_on(watched), reversing("p", 1))
    assert watched.calls == {"load": 2, "event": 1, "append": 1}
