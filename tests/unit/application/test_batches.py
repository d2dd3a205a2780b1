"""Atomic batches: all of their commands take effect in one transaction, or none does."""

from __future__ import annotations

import pytest

from ledger.application.commit import Mismatch
from ledger.application.ports import StateCheck
from ledger.contracts import reasons
from ledger.contracts.commands import ACTIONS_MAX, AtomicBatch, MemberCommand
from ledger.contracts.events import BatchCommitted, CommandRejected, decode_event
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.subjects import account_key, metadata_key, payment_key
from ledger.domain.states import point_of
from tests.support.builders import (
    ACTOR,
    batching,
    capturing,
    closing,
    describing,
    freezing,
    holding,
    opening,
    paying,
    reversing,
    voiding,
)
from tests.support.commits import Elsewhere, funded_store
from tests.support.stores import FAULTS, Fault, FaultyStore, OpenStore
from tests.support.worlds import (
    accepted_by,
    balances_of,
    commands_on,
    decided,
    rejected_by,
    states_of,
)

LINKED = batching(
    "batch",
    opening("new"),
    paying("m1", ("a", "new", 60)),
    holding("m2", ("new", "b", 50)),
    capturing("m2", 20, id="m3"),
    describing("payment", "m1", id="m4", order="7"),
    reversing("m1", 5, id="m5"),
)
HOLD = holding("h", ("a", "b", 1))
BROKEN = batching("batch", paying("m1", ("a", "b", 60)), paying("m2", ("a", "b", 60)))


@pytest.fixture
def store() -> OpenStore:
    """The bank, a with 100, b and capped with nothing."""
    return funded_store()


def test_commands_build_on_each_other_in_one_transaction(store: OpenStore) -> None:
    """An account opened, paid and held from, a hold captured: each sees what those before it made;
    the events and every state are put at once, each state once, as it is after all."""
    watched = FaultyStore(store)
    outcome = decided(commands_on(watched), LINKED)
    assert isinstance(outcome.event, BatchCommitted)
    assert outcome.event.commands == tuple(command.id for command in LINKED.commands)
    assert [member.id for member in outcome.members] == list(outcome.event.commands)
    (transaction,) = watched.transactions
    assert [one.id for one in transaction.events] == ["batch", *outcome.event.commands]
    assert {
        write.key: (write.expected.version, write.state.version) for write in transaction.writes
    } == {
        account_key("new"): (0, 5),
        account_key("a"): (2, 4),
        account_key("b"): (1, 3),
        payment_key("m2"): (0, 2),
        payment_key("m1"): (0, 2),
        metadata_key("payment", "m1"): (0, 1),
    }
    assert balances_of(store) == {"bank": -100, "a": 45, "b": 20, "capped": 0, "new": 35}
    assert {member.recorded_at for member in outcome.members} == {outcome.event.recorded_at}
    assert all(decode_event(store.stored(one.id).data) == one for one in outcome.members)


def test_a_refused_batch_leaves_the_ids_of_its_commands_free(store: OpenStore) -> None:
    """The reason and the place of the command that cannot be; nothing moves, and the batch's own id
    is all that is used."""
    before, watched = store.snapshot(), FaultyStore(store)
    event = rejected_by(commands_on(watched), BROKEN)
    assert (event.id, event.reason) == ("batch", "insufficient_funds")
    assert event.field == "commands[1].postings[0].source"
    assert event.request == BROKEN
    # Caused by the state as it is stored, not as the first command would have made it.
    assert (event.causes[0].id, event.causes[0].version) == ("a", 2)
    after = store.snapshot()
    assert after.states == before.states
    assert after.events.keys() - before.events.keys() == {"batch"}
    (transaction,) = watched.transactions
    assert set(transaction.checks) == {
        StateCheck(key, point_of(before.states[key])) for key in map(account_key, ("a", "b"))
    }
    accepted_by(commands_on(store), BROKEN.commands[0])
    rejected_by(commands_on(store), BROKEN.commands[1])


@pytest.mark.parametrize(
    ("commands", "index", "field", "reason"),
    [
        ((paying("m", ("a", "z", 1)),), 0, "postings[0].destination", "account_not_found"),
        ((opening("x"), opening("x", id="y")), 1, "account", "account_exists"),
        ((freezing("a"), paying("m", ("a", "b", 1))), 1, "postings[0].source", "account_frozen"),
        ((closing("b"), holding("m", ("b", "a", 1))), 1, "postings[0].source", "account_closed"),
        ((voiding("gone"),), 0, "payment", "payment_unknown"),
        ((voiding("batch", id="m"),), 0, "payment", "payment_unknown"),
        ((voiding("m", id="m"),), 0, "payment", "payment_unknown"),
        (
            (holding("h", ("a", "b", 1)), voiding("h"), capturing("h")),
            2,
            "payment",
            "hold_not_open",
        ),
    ],
)
def test_a_batch_is_refused_for_its_first_command_that_cannot_be(
    store: OpenStore, commands: tuple[MemberCommand, ...], index: int, field: str, reason: str
) -> None:
    """Whatever is refused by itself, and whatever only what went before it in the batch forbids."""
    event = rejected_by(commands_on(store), batching("batch", *commands))
    assert (event.field, event.reason) == (f"commands[{index}].{field}", reason)
    assert store.snapshot().events.keys() & {command.id for command in commands} == set()


@pytest.mark.parametrize("batch", [LINKED, BROKEN])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_retried_to_one_effect(
    store: OpenStore, batch: AtomicBatch, fault: Fault
) -> None:
    """As for a single command: also if the answer is lost after it took effect; then the members
    come with the answer all the same."""
    undisturbed = funded_store()
    expected = decided(commands_on(undisturbed), batch)
    outcome = decided(commands_on(FaultyStore(store, appending=[fault])), batch)
    assert (outcome.repeat, outcome.attempts) == (False, 2)
    assert [one.id for one in outcome.members] == [one.id for one in expected.members]
    assert balances_of(store) == balances_of(undisturbed)


@pytest.mark.parametrize("batch", [LINKED, BROKEN])
def test_a_repeat_is_answered_the_same(store: OpenStore, batch: AtomicBatch) -> None:
    """With the events of all its commands, though they would be decided otherwise now."""
    first = decided(commands_on(store), batch)
    commands_on(store).handle(paying("more", ("bank", "a", 900)), ACTOR)
    before = store.snapshot()
    again = decided(commands_on(store), batch)
    assert again.repeat
    assert (again.event, again.members) == (first.event, first.members)
    assert store.snapshot() == before


@pytest.mark.parametrize(
    ("second", "fields"),
    [
        (paying("batch", ("a", "b", 1)), ("type",)),
        (batching("batch", *LINKED.commands[:5]), ("commands",)),
        (
            batching(
                "batch", LINKED.commands[0], paying("m1", ("a", "new", 61)), *LINKED.commands[2:]
            ),
            ("commands[1].postings[0].amount_minor",),
        ),
        (
            batching(
                "batch",
                opening("new", id="other"),
                *LINKED.commands[1:4],
                describing("payment", "m1", id="m4", order="8"),
                LINKED.commands[5],
            ),
            ("commands[0].id", "commands[4].metadata"),
        ),
    ],
)
def test_another_batch_under_a_used_id_is_a_mismatch(
    store: OpenStore, second: MemberCommand | AtomicBatch, fields: tuple[str, ...]
) -> None:
    """Told by the paths in which it differs, and it changes nothing."""
    decided(commands_on(store), LINKED)
    before = store.snapshot()
    assert commands_on(store).handle(second, ACTOR) == Mismatch("batch", fields)
    assert store.snapshot() == before


def test_a_member_by_itself_repeats_what_the_batch_decided(store: OpenStore) -> None:
    """The ids of a committed batch's commands are used like any other."""
    members = decided(commands_on(store), LINKED).members
    outcome = decided(commands_on(store), LINKED.commands[1])
    assert (outcome.repeat, outcome.event) == (True, members[1])
    other = paying("m1", ("a", "b", 1))
    assert commands_on(store).handle(other, ACTOR) == Mismatch(
        "m1", ("postings[0].destination", "postings[0].amount_minor")
    )


USING = batching("batch", paying("m1", ("a", "b", 1)), paying("used", ("a", "b", 2)))


def is_refused_for_used_id(event: CommandRejected) -> bool:
    """Whether it is the refusal of USING that names the id."""
    cause = event.causes[0]
    return (event.reason, event.field, cause.kind, cause.id) == (
        "member_id_used",
        "commands[1].id",
        "event",
        "used",
    )


@pytest.mark.parametrize("request_", [paying("used", ("a", "b", 2)), opening("a", id="used")])
def test_an_id_that_was_used_refuses_the_batch(store: OpenStore, request_: MemberCommand) -> None:
    """Though the same was decided under it: a batch is new or it is not."""
    decided(commands_on(store), request_)
    before = store.snapshot()
    assert is_refused_for_used_id(rejected_by(commands_on(store), USING))
    assert store.snapshot().states == before.states
    assert store.snapshot().events.keys() - before.events.keys() == {"batch"}
    assert decided(commands_on(store), USING).repeat


def test_an_id_that_is_used_meanwhile_refuses_the_batch(store: OpenStore) -> None:
    """Between the decision and the commit: of accounts that the batch does not touch, too."""
    elsewhere = Elsewhere(store).does(paying("used", ("bank", "capped", 1)))
    assert is_refused_for_used_id(
        rejected_by(commands_on(FaultyStore(store, meanwhile=[elsewhere])), USING)
    )
    assert balances_of(store)["b"] == 0


def test_a_used_id_comes_before_every_other_reason(store: OpenStore) -> None:
    """As in the table of reasons, though another command would refuse the batch as well."""
    decided(commands_on(store), paying("used", ("a", "b", 2)))
    poor = batching("batch", paying("m1", ("b", "a", 900)), paying("used", ("a", "b", 2)))
    assert is_refused_for_used_id(rejected_by(commands_on(store), poor))


def test_a_batch_is_decided_anew_on_fresh_states(store: OpenStore) -> None:
    """What moved between its decision and its commit is taken in; then it may be refused."""
    elsewhere = Elsewhere(store)
    fine = FaultyStore(store, meanwhile=[elsewhere.does(paying("x", ("bank", "b", 1)))])
    batch = batching("fits", paying("m1", ("a", "b", 30)), paying("m2", ("a", "b", 30)))
    assert decided(commands_on(fine), batch).attempts == 2
    poorer = FaultyStore(store, meanwhile=[elsewhere.does(paying("y", ("a", "capped", 30)))])
    batch = batching("fits-not", paying("m3", ("a", "b", 20)), paying("m4", ("a", "b", 20)))
    assert rejected_by(commands_on(poorer), batch).field == "commands[0].postings[0].source"
    assert (balances_of(store)["a"], balances_of(store)["b"]) == (10, 61)


def test_a_refusal_is_right_when_it_commits(store: OpenStore) -> None:
    """A batch whose trouble is over before its refusal is recorded is accepted."""
    elsewhere = Elsewhere(store).does(paying("x", ("bank", "a", 20)))
    outcome = decided(commands_on(FaultyStore(store, meanwhile=[elsewhere])), BROKEN)
    assert isinstance(outcome.event, BatchCommitted)
    assert balances_of(store)["a"] == 0


def captures(count: int) -> AtomicBatch:
    """A batch that captures so many holds: an event, a payment and two accounts each."""
    return batching("large", *(capturing(f"h{number}") for number in range(count)))


def holds(store: OpenStore) -> None:
    """25 holds between 50 accounts."""
    commands = commands_on(store)
    for number in range(25):
        payer, payee = f"x{number}", f"y{number}"
        accepted_by(commands, opening(payer, min_balance_minor=None))
        accepted_by(commands, opening(payee))
        accepted_by(commands, holding(f"h{number}", (payer, payee, 1)))


def test_a_batch_has_room_for_a_transaction(store: OpenStore) -> None:
    """24 captures and the batch itself are 97 of 100 actions; one more is too large, which is no
    decision: nothing is recorded, by a dry run neither, and the id stays free."""
    holds(store)
    before = store.snapshot()
    for ask in (commands_on(store).handle, commands_on(store).preview):
        with pytest.raises(InvalidCommandError) as raised:
            ask(captures(25), ACTOR)
        assert [(one.reason, one.field) for one in raised.value.violations] == [
            (reasons.TRANSACTION_TOO_LARGE, "commands")
        ]
    assert store.snapshot() == before
    watched = FaultyStore(store)
    assert isinstance(decided(commands_on(watched), captures(24)).event, BatchCommitted)
    assert watched.transactions[0].actions == 97 <= ACTIONS_MAX


def test_a_repeat_that_would_be_too_large_now_is_answered(store: OpenStore) -> None:
    """It was refused while its holds were not there."""
    first = rejected_by(commands_on(store), captures(25))
    assert (first.reason, first.field) == ("payment_unknown", "commands[0].payment")
    holds(store)
    again = decided(commands_on(store), captures(25))
    assert (again.repeat, again.event) == (True, first)


def test_two_workers_with_one_batch(store: OpenStore) -> None:
    """Delivered twice at the same time: one decides, the other repeats it, members and all."""
    racing = FaultyStore(store, meanwhile=[Elsewhere(store).does(LINKED)])
    outcome = decided(commands_on(racing), LINKED)
    assert outcome.repeat
    assert {member.actor for member in outcome.members} == {"elsewhere"}
    assert [member.id for member in outcome.members] == [one.id for one in LINKED.commands]
    assert states_of(store)["new"].version == 5
