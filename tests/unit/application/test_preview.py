"""Dry runs: the decision that would be made, and nothing written."""

from __future__ import annotations

import pytest

from ledger.application.commit import Decided, Mismatch, Outcome
from ledger.application.outages import OutageError, UnknownStoredVersionError
from ledger.contracts.commands import Command
from ledger.contracts.events import CommandRejected
from ledger.contracts.reasons import InvalidCommandError
from ledger.domain.chain import StoredEvent
from tests.support.builders import (
    ACTOR,
    NOON_MICROSECONDS,
    batching,
    capturing,
    closing_book,
    defining,
    describing,
    expiring,
    freezing,
    holding,
    making,
    opening,
    opening_book,
    paying,
    reversing,
    voiding,
)
from tests.support.commits import SECOND, WEEK, funded_store
from tests.support.stores import Fault, FaultyStore, OpenStore
from tests.support.worlds import World, accepted_by, decided

LATER = NOON_MICROSECONDS + WEEK + 60 * SECOND
SALE = defining(
    "sale",
    {"payer": "account", "amount": "amount"},
    ("{payer}", "b", "EUR", {"of": "amount"}),
)


@pytest.fixture
def store() -> OpenStore:
    """a has 100, of which hold h has 40; p was paid."""
    store = funded_store(holding("h", ("a", "b", 40)), paying("p", ("a", "b", 10)))
    decided(World().commands(store), SALE)
    return store


COMMANDS: dict[str, Command] = {
    "accepted": paying("new", ("a", "b", 30)),
    "refused for funds": paying("new", ("a", "b", 70)),
    "refused for an account": paying("new", ("a", "z", 1)),
    "hold": holding("new", ("a", "b", 50)),
    "capture": capturing("h", 10, id="new"),
    "void": voiding("h", id="new"),
    "void of nothing": voiding("none", id="new"),
    "void of itself": voiding("new", id="new"),
    "reversal": reversing("p", id="new"),
    "reversal of too much": reversing("p", 11, id="new"),
    "opening": opening("z", id="new"),
    "opening again": opening("a", id="new"),
    "freeze": freezing("a", id="new"),
    "metadata": describing("account", "a", id="new", tier="gold"),
    "metadata of nothing": describing("payment", "none", id="new", tier="gold"),
    "template": making("new", "sale", payer="a", amount=5),
    "template, too dear": making("new", "sale", payer="a", amount=500),
    "closing too soon": closing_book("2026-11-21", id="new"),
    "closing": closing_book("2026-11-19", id="new"),
    "book": opening_book("side", id="new"),
    "batch": batching("new", opening("z"), paying("m1", ("a", "z", 5)), capturing("h", id="m2")),
    "batch, refused": batching("new", paying("m1", ("a", "b", 40)), paying("m2", ("a", "b", 40))),
    "batch, id used": batching("new", paying("m1", ("b", "a", 900)), paying("p", ("a", "b", 1))),
}


def at(now: int) -> World:
    """A worker whose clock stands."""
    return World(now=now, tick=0)


def told(outcome: Outcome) -> tuple[object, ...]:
    """What is answered, but for the effort."""
    if isinstance(outcome, Mismatch):
        return (outcome,)
    return (outcome.event, outcome.members, outcome.repeat)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("now", [NOON_MICROSECONDS + SECOND, LATER])
def test_a_dry_run_is_the_decision_and_writes_nothing(
    store: OpenStore, name: str, now: int
) -> None:
    """To the byte what the command is answered then at the same moment, accepted or refused; and
    the id is free until then. The same with holds that are due: the dry run counts what they have
    as released, and releases nothing."""
    before = store.snapshot()
    watched = FaultyStore(store)
    preview = at(now).commands(watched).preview(COMMANDS[name], ACTOR)
    assert isinstance(preview, Decided)
    assert not preview.repeat
    assert watched.calls["append"] == 0
    assert store.snapshot() == before
    assert told(at(now).commands(store).handle(COMMANDS[name], ACTOR)) == told(preview)
    assert store.stored("new").id == "new"


def test_the_table_above_has_both_answers(store: OpenStore) -> None:
    """And due holds decide some of them."""
    early, late = (
        {
            name
            for name, command in COMMANDS.items()
            if isinstance(at(now).commands(store).preview(command, ACTOR), Decided)
            and not isinstance(
                getattr(at(now).commands(store).preview(command, ACTOR), "event", None),
                CommandRejected,
            )
        }
        for now in (NOON_MICROSECONDS + SECOND, LATER)
    )
    assert {"accepted", "hold", "batch"} <= early
    assert late - early == {"refused for funds", "batch, refused", "closing too soon"}
    assert early - late == {"capture", "batch"}  # the hold has expired
    assert len(early) < len(COMMANDS)


@pytest.mark.parametrize("name", ["accepted", "refused for funds", "batch", "batch, refused"])
def test_a_dry_run_of_a_decided_id(store: OpenStore, name: str) -> None:
    """Is answered as the command would be: what was recorded, or in what it differs."""
    command = COMMANDS[name]
    first = decided(World().commands(store), command)
    before = store.snapshot()
    again = at(LATER).commands(store).preview(command, ACTOR)
    assert isinstance(again, Decided)
    assert (again.event, again.members, again.repeat) == (first.event, first.members, True)
    other = at(LATER).commands(store).preview(paying("new", ("a", "b", 1)), ACTOR)
    assert isinstance(other, Mismatch)
    assert other == at(LATER).commands(store).handle(paying("new", ("a", "b", 1)), ACTOR)
    assert store.snapshot() == before


def test_two_payers_with_due_holds() -> None:
    """Those of each are counted as released."""
    store = funded_store(
        paying("fund-b", ("bank", "b", 50)),
        holding("of-a", ("a", "capped", 20)),
        holding("of-b", ("b", "capped", 10)),
    )
    before = store.snapshot()
    both = paying("both", ("a", "bank", 100), ("b", "bank", 50))
    preview = at(LATER).commands(store).preview(both, ACTOR)
    assert store.snapshot() == before
    assert told(at(LATER).commands(store).handle(both, ACTOR)) == told(preview)
    assert isinstance(preview, Decided)
    assert not isinstance(preview.event, CommandRejected)


def test_a_dry_run_without_ground(store: OpenStore) -> None:
    """Raises what the command would: an expiry that is not due."""
    with pytest.raises(InvalidCommandError):
        World().commands(store).preview(expiring("h"), ACTOR)


def test_outages_of_a_dry_run(store: OpenStore) -> None:
    """It is not tried again: whoever asks may do so."""
    faults: tuple[Fault, ...] = ("throttled", "conflict")
    for fault in faults:
        faulty = FaultyStore(store, loading=[fault])
        with pytest.raises(OutageError) as raised:
            World().commands(faulty).preview(COMMANDS["accepted"], ACTOR)
        assert raised.value.causes == {fault: 1}
        assert faulty.calls["load"] == 1
    store.put_event(StoredEvent("new", b'{"type":"payment.posted","v":2}', ()))
    with pytest.raises(UnknownStoredVersionError):
        World().commands(store).preview(COMMANDS["accepted"], ACTOR)


def test_the_dry_run_of_a_system_command(store: OpenStore) -> None:
    """As its command."""
    preview = at(LATER).commands(store).preview(expiring("h"), ACTOR)
    assert told(at(LATER).commands(store).handle(expiring("h"), ACTOR)) == told(preview)


def test_a_dry_run_is_no_promise(store: OpenStore) -> None:
    """What changes after it changes the answer."""
    preview = World().commands(store).preview(COMMANDS["accepted"], ACTOR)
    assert isinstance(preview, Decided)
    accepted_by(World().commands(store), paying("x", ("a", "b", 45)))
    outcome = decided(World().commands(store), COMMANDS["accepted"])
    assert isinstance(outcome.event, CommandRejected)
