"""The commit under faults: one effect or none, for ever, whatever the store and others do."""

from __future__ import annotations

import msgspec
import pytest

from ledger.application.commit import (
    ATTEMPTS_MAX,
    Decided,
    Mismatch,
)
from ledger.application.ports import StateCheck
from ledger.contracts.commands import Command
from ledger.contracts.events import CommandRejected
from ledger.contracts.subjects import account_key
from ledger.domain.states import point_of
from tests.support.builders import ACTOR, NOON_MICROSECONDS, opening, paying
from tests.support.commits import Elsewhere, funded_store
from tests.support.stores import FAULTS, Fault, FaultyStore, OpenStore, StaleStore, cause_of
from tests.support.worlds import (
    World,
    accepted_by,
    balances_of,
    commands_on,
    decided,
    rejected_by,
    states_of,
)

PAYMENT = paying("pay", ("a", "b", 30))
TOO_MUCH = paying("big", ("a", "b", 500))
TO_NOBODY = paying("lost", ("a", "nobody", 5))
ANY = pytest.mark.parametrize(
    "command", [PAYMENT, TOO_MUCH, TO_NOBODY, opening("new"), opening("a", id="again")]
)


@pytest.fixture
def store() -> OpenStore:
    """The bank, a with 100, b and capped with nothing."""
    return funded_store()


def test_an_undisturbed_command_is_one_read_and_one_transaction(store: OpenStore) -> None:
    """One load, one append, no pause; the event is the answer, and no repeat."""
    watched, world = FaultyStore(store), World()
    outcome = decided(world.commands(watched), PAYMENT)
    assert (dict(watched.calls), world.pauses) == ({"load": 1, "append": 1}, [])
    assert (outcome.repeat, outcome.attempts, dict(outcome.causes or {})) == (False, 1, {})
    assert not isinstance(outcome.event, CommandRejected)
    assert (outcome.event.id, outcome.event.actor) == ("pay", ACTOR)
    assert balances_of(store) == {"bank": -100, "a": 70, "b": 30, "capped": 0}


def test_an_accepted_command_writes_its_event_and_every_state(store: OpenStore) -> None:
    """The transaction puts the event and each touched state, each one version on, no checks."""
    watched, before = FaultyStore(store), states_of(store)
    event = accepted_by(commands_on(watched), PAYMENT)
    (transaction,) = watched.transactions
    assert [stored.id for stored in transaction.events] == ["pay"]
    assert [(one.key, one.expected) for one in transaction.writes] == [
        (account_key(name), point_of(before[name])) for name in ("a", "b")
    ]
    assert transaction.checks == ()
    for entry, chain_hash in zip(event.accounts, transaction.events[0].hashes, strict=True):
        written = states_of(store)[entry.id]
        assert (written.version, written.last_event, written.hash) == (
            entry.version,
            "pay",
            chain_hash,
        )


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        (TOO_MUCH, "a"),
        (TO_NOBODY, "nobody"),
        (opening("a", id="again"), "a"),
        (paying("p", ("bank", "capped", 51)), "capped"),
    ],
)
def test_a_refusal_commits_with_its_cause(store: OpenStore, command: Command, cause: str) -> None:
    """A rejection writes no state; it is recorded under the command's id together with a condition
    on the state that caused it, and on no other."""
    watched, before = FaultyStore(store), states_of(store)
    rejected_by(commands_on(watched), command)
    (transaction,) = watched.transactions
    assert transaction.writes == ()
    assert transaction.checks == (StateCheck(account_key(cause), point_of(before.get(cause))),)
    assert [stored.id for stored in transaction.events] == [command.id]
    assert transaction.events[0].hashes == ()
    assert states_of(store) == before


@ANY
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_retried_to_one_effect(store: OpenStore, command: Command, fault: Fault) -> None:
    """Whatever becomes of the first attempt, also if its answer is lost after it took effect, the
    command is decided once as without the fault, and the answer is not called a repeat."""
    undisturbed = funded_store()
    expected = decided(commands_on(undisturbed), command).event
    faulty = FaultyStore(store, appending=[fault])
    outcome = decided(commands_on(faulty), command)
    assert (outcome.repeat, outcome.attempts) == (False, 2)
    assert outcome.causes == {cause_of(fault): 1}
    assert dict(faulty.calls) == {"load": 1, "append": 2}
    assert type(outcome.event) is type(expected)
    assert balances_of(store) == balances_of(undisturbed)
    assert set(store.snapshot().events) == set(undisturbed.snapshot().events)


@ANY
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_a_late_repeat_changes_nothing(
    store: OpenStore, command: Command, fault: Fault | None
) -> None:
    """A repeat, however late, by whatever worker, and though it would now be decided otherwise, is
    answered what was recorded and called a repeat."""
    first = decided(commands_on(store), command).event
    others = commands_on(store)
    for one in (opening("nobody"), paying("x1", ("bank", "a", 900)), paying("x2", ("b", "a", 30))):
        others.handle(one, ACTOR)
    before = store.snapshot()
    late = World(now=NOON_MICROSECONDS + 10**15)
    outcome = decided(late.commands(FaultyStore(store, appending=[fault])), command)
    assert (outcome.repeat, outcome.event) == (True, first)
    assert store.snapshot() == before


@pytest.mark.parametrize("command", [TOO_MUCH, TO_NOBODY])
def test_a_repeat_with_the_same_bytes_is_a_repeat(store: OpenStore, command: Command) -> None:
    """A worker whose clock is behind stamps a refusal with its states' time, so its bytes are those
    of the recorded one: that alone does not make it the first answer."""
    slow = World(now=NOON_MICROSECONDS - 1_000_000, tick=0)
    first = decided(slow.commands(store), command)
    watched = FaultyStore(store)
    second = decided(slow.commands(watched), command)
    assert watched.transactions[0].events[0].data == store.stored(command.id).data
    assert (first.repeat, second.repeat) == (False, True)
    conflicting = FaultyStore(store, appending=["conflict", "throttled"])
    assert decided(slow.commands(conflicting), command).repeat  # neither can have taken effect


@pytest.mark.parametrize("lost", [["lost_after", "lost_after"], ["lost_before", "lost_after"]])
def test_answers_lost_again_and_again_move_money_once(store: OpenStore, lost: list[Fault]) -> None:
    """Two lost answers in a row: the third attempt finds the first one's event, its own."""
    outcome = decided(commands_on(FaultyStore(store, appending=lost)), PAYMENT)
    assert (outcome.repeat, outcome.attempts, outcome.causes) == (False, 3, {"lost_answer": 2})
    assert balances_of(store)["b"] == 30


@pytest.mark.parametrize(
    ("first", "second", "fields"),
    [
        (PAYMENT, paying("pay", ("a", "b", 31)), ("postings[0].amount_minor",)),
        (TOO_MUCH, paying("big", ("a", "b", 5)), ("postings[0].amount_minor",)),
        (PAYMENT, paying("pay", ("a", "b", 30), reference="r"), ("reference",)),
        (PAYMENT, opening("z", id="pay"), ("type",)),
        (opening("z", id="o"), opening("z", id="o", currency="USD"), ("currency",)),
        (opening("a", id="o"), opening("b", id="o"), ("account",)),
    ],
)
def test_another_request_under_a_used_id_is_a_mismatch(
    store: OpenStore, first: Command, second: Command, fields: tuple[str, ...]
) -> None:
    """It changes nothing, and names the fields in which it differs from what was decided, whether
    that was accepted or refused, and whether or not its own accounts exist."""
    commands = commands_on(store)
    decided(commands, first)
    before = store.snapshot()
    assert commands.handle(second, ACTOR) == Mismatch(first.id, fields)
    assert store.snapshot() == before
    assert decided(commands, first).repeat


def test_another_actor_repeats_too(store: OpenStore) -> None:
    """Who asks is not part of the request: the answer names the actor of the first."""
    first = decided(commands_on(store), PAYMENT).event
    outcome = commands_on(store).handle(PAYMENT, "someone else")
    assert isinstance(outcome, Decided)
    assert (outcome.repeat, outcome.event) == (True, first)


def test_fresh_states_come_with_the_refusal(store: OpenStore) -> None:
    """A stale state costs one more append and no more reads: the refusal brought the fresh one."""
    past = store.snapshot().states
    accepted_by(commands_on(store), paying("other", ("bank", "a", 1), ("bank", "b", 1)))
    stale = StaleStore(store, past)
    outcome = decided(commands_on(stale), PAYMENT)
    assert (outcome.attempts, outcome.causes) == (2, {"stale": 1})
    assert dict(stale.calls) == {"load": 1, "append": 2}
    assert (balances_of(store)["a"], balances_of(store)["b"]) == (71, 31)
    assert states_of(store)["a"].version == 4


def test_a_state_that_is_gone_is_not_kept(store: OpenStore) -> None:
    """A refusal may also bring that there is no state: then there is no such account."""
    racing = FaultyStore(store, meanwhile=[lambda: store.drop_state("b")])
    event = rejected_by(commands_on(racing), PAYMENT)
    assert (event.reason, event.causes[0].id, event.causes[0].version) == (
        "account_not_found",
        "b",
        0,
    )
    assert dict(racing.calls) == {"load": 1, "append": 2}


def test_each_conflict_in_a_storm_costs_one_append(store: OpenStore) -> None:
    """As many others step in as there are attempts to spare: still one read, and one effect."""
    elsewhere = Elsewhere(store)
    steps = [elsewhere.does(paying(f"x{n}", ("bank", "a", 1))) for n in range(ATTEMPTS_MAX - 1)]
    stormy = FaultyStore(store, meanwhile=steps)
    outcome = decided(commands_on(stormy), PAYMENT)
    assert (outcome.attempts, outcome.causes) == (ATTEMPTS_MAX, {"stale": ATTEMPTS_MAX - 1})
    assert dict(stormy.calls) == {"load": 1, "append": ATTEMPTS_MAX}
    assert balances_of(store)["a"] == 100 + ATTEMPTS_MAX - 1 - 30


@pytest.mark.parametrize(
    ("command", "meanwhile"),
    [
        (TOO_MUCH, paying("funds", ("bank", "a", 400))),
        (TO_NOBODY, opening("nobody")),
        (paying("p", ("bank", "capped", 50), ("bank", "capped", 5)), paying("x", ("a", "b", 1))),
    ],
)
def test_a_refusal_is_right_when_it_commits(
    store: OpenStore, command: Command, meanwhile: Command
) -> None:
    """If its cause is gone by the time it would commit, the refusal is not recorded and the command
    is decided on what is true then; if its cause still stands, whatever else moved, it is."""
    racing = FaultyStore(store, meanwhile=[Elsewhere(store).does(meanwhile)])
    outcome = decided(commands_on(racing), command)
    still_standing = isinstance(outcome.event, CommandRejected)
    assert still_standing == (command.id == "p")
    assert outcome.attempts == (1 if still_standing else 2)
    assert store.stored(command.id).data == msgspec.json.encode(outcome.event)


def test_an_acceptance_is_right_when_it_commits(store: OpenStore) -> None:
    """Money that went elsewhere between decision and commit is not spent twice: the command is then
    refused, on the state that is true then."""
    racing = FaultyStore(store, meanwhile=[Elsewhere(store).does(paying("x", ("a", "b", 80)))])
    event = rejected_by(commands_on(racing), PAYMENT)
    assert (event.reason, event.causes[0].version) == ("insufficient_funds", 3)
    assert balances_of(store)["a"] == 20


def test_two_openings_of_one_account_race(store: OpenStore) -> None:
    """The one that commits second is refused, on the account as the first one opened it."""
    elsewhere = Elsewhere(store).does(opening("z", id="first", currency="USD"))
    event = rejected_by(
        commands_on(FaultyStore(store, meanwhile=[elsewhere])), opening("z", id="second")
    )
    assert (event.reason, event.causes[0].version) == ("account_exists", 1)
    assert states_of(store)["z"].last_event == "first"


@ANY
def test_one_command_in_two_workers_at_once(store: OpenStore, command: Command) -> None:
    """The same message delivered twice at the same time: one decides, the other repeats it."""
    racing = FaultyStore(store, meanwhile=[Elsewhere(store).does(command)])
    outcome = decided(commands_on(racing), command)
    assert (outcome.repeat, outcome.event.actor) == (True, "elsewhere")


def test_a_failed_read_is_read_again(store: OpenStore) -> None:
    """A fault of the load is retried like any other, and counted."""
    faulty = FaultyStore(store, loading=["throttled", "lost_before", "unavailable"])
    outcome = decided(commands_on(faulty), PAYMENT)
    assert outcome.causes == {"throttled": 1, "lost_answer": 1, "unavailable": 1}
    assert (outcome.repeat, dict(faulty.calls)) == (False, {"load": 4, "append": 1})
