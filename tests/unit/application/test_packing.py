"""Proposals merged into a transaction, and taken out of what is known again."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.application.packing import EVENT_BYTES_MAX, Packing, transaction_of
from ledger.application.ports import StateCheck, Transaction
from ledger.application.proposals import Known, Proposal, propose
from ledger.contracts.commands import Command, accounts_of
from ledger.contracts.subjects import account_key, payment_key
from ledger.domain.chain import StoredEvent
from ledger.domain.states import State, States
from tests.support.builders import STAMP, capturing, holding, paying, state
from tests.support.groups import payments_between
from tests.support.subjects import at

PAYMENT = paying("p0", ("a", "b", 10))
TOO_MUCH = paying("p1", ("a", "c", 9_000))
BACK = paying("p2", ("b", "a", 4))


def known_of(states: Iterable[State]) -> Known:
    """All that there is, known."""
    world = States.of(states)
    return Known(world, {one.key for one in world}, {"p0", "p1", "h", "capture:h"})


def three() -> Known:
    """a with 100, b and c with nothing; may not go below 0."""
    return known_of((state("a", credits=100, lowest=0), state("b", lowest=0), state("c", lowest=0)))


def proposed(known: Known, command: Command) -> Proposal:
    """The decision on a command of which all is known."""
    made = propose(known, command, STAMP)
    assert isinstance(made, Proposal), made
    return made


def packed(known: Known, *commands: Command) -> Packing:
    """The commands decided and merged, each on those before it."""
    packing = Packing(known)
    for command in commands:
        packing.add(proposed(known, command))
    return packing


def snapshot(known: Known) -> tuple[dict[str, State], set[object], set[str], dict[str, object]]:
    """What is known, to compare with."""
    facts = {one: event for one, event in known.states.events.items() if event is not None}
    return (
        {f"{one.key}": one for one in known.states},
        set(known.keys),
        set(known.events) - {"p0", "p1", "p2", "h", "capture:h"},
        dict(facts),
    )


def test_one_proposal_is_its_own_transaction() -> None:
    """Packed alone or by itself, it is the same; and nothing known is changed by the latter."""
    for command in (PAYMENT, TOO_MUCH, paying("lost", ("a", "b", 1))):
        known = three()
        before = snapshot(known)
        alone = transaction_of(known, proposed(known, command))
        assert snapshot(known) == before
        assert packed(known, command).transaction() == alone


def test_a_subject_is_written_once_from_the_first_version_to_the_last() -> None:
    """Two payments between the same accounts and a refusal on one of them: two puts, no check."""
    transaction = packed(three(), PAYMENT, TOO_MUCH, BACK).transaction()
    assert [event.id for event in transaction.events] == ["p0", "p1", "p2"]
    versions = {one.key.id: (one.expected.version, one.state.version) for one in transaction.writes}
    assert versions == {"a": (7, 9), "b": (7, 9)}
    assert transaction.checks == ()


def test_what_is_checked_first_and_written_later_is_written() -> None:
    """A refusal before the payment that changes what it rests on."""
    transaction = packed(three(), TOO_MUCH).transaction()
    assert transaction.checks == (StateCheck(account_key("a"), at(7)),)
    transaction = packed(three(), TOO_MUCH, PAYMENT).transaction()
    assert (transaction.checks, len(transaction.writes)) == ((), 2)


def test_an_id_that_must_be_free_may_be_taken_by_what_follows() -> None:
    """A capture of a hold that comes behind it is refused; then the hold is put under that id."""
    hold = holding("h", ("a", "b", 10))
    first: Transaction = packed(three_knowing_h(), capturing("h")).transaction()
    assert first.absent == ("h",)
    both = packed(three_knowing_h(), capturing("h"), hold).transaction()
    assert both.absent == ()
    assert [event.id for event in both.events] == ["capture:h", "h"]


def three_knowing_h() -> Known:
    """The three, and that there is no payment h."""
    known = three()
    known.keys.add(payment_key("h"))
    return known


def test_undone_it_is_as_if_nothing_had_been() -> None:
    """States, what is known to be there and what is known to be recorded: all as before; and the
    packing is empty."""
    known = three()
    before = snapshot(known)
    packing = packed(known, PAYMENT, TOO_MUCH, holding("h", ("a", "b", 10)), BACK)
    assert packing
    assert packing.holds("h")
    assert snapshot(known) != before
    packing.undo()
    assert snapshot(known) == before
    assert not packing
    assert not packing.holds("h")
    packing.undo()
    assert snapshot(known) == before


def test_there_is_room_for_a_hundred_actions() -> None:
    """What proposals have in common counts once: 98 payments between two accounts fit, 49 from one
    payer, 33 between disjoint accounts, and as many refusals on one account."""
    for payers, payees, most in ((1, 1, 98), (1, 49, 49), (33, 33, 33)):
        commands = payments_between(payers, payees, most + 1)
        names = dict.fromkeys(name for one in commands for name in accounts_of(one))
        names["more"] = None
        known = known_of(state(name, lowest=None) for name in names)
        packing = packed(known, *commands[:most])
        other = paying("other", (commands[0].postings[0].source, "more", 1))
        assert not packing.has_room_for(proposed(known, other))
        assert packing.transaction().actions >= 99
    known = three()
    packing = packed(known, *(paying(f"r{n}", ("a", "b", 9_000)) for n in range(98)))
    assert packing.has_room_for(proposed(known, paying("r98", ("a", "b", 9_000))))
    assert not packing.has_room_for(proposed(known, PAYMENT))


def test_there_is_room_for_so_many_bytes() -> None:
    """Events as large as they can be: only as many as leave room for states in the 4 MB that a
    transaction may have. One alone has room, whatever its size."""
    known = three()
    proposal = proposed(known, paying("large", ("a", "b", 1)))
    packing = Packing(known)
    heavy = Proposal(
        proposal.event,
        (StoredEvent("heavy", b"x" * EVENT_BYTES_MAX, ()),),
        {},
        (),
    )
    assert packing.has_room_for(heavy)
    packing.add(heavy)
    assert not packing.has_room_for(proposed(known, PAYMENT))
