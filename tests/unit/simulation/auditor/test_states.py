"""States, chains, sums and movements: what lies in the table is what the events say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.contracts.commands import Command
from ledger.contracts.subjects import Key, payment_key
from simulation.auditor.recorded import Item
from tests.support.builders import (
    alerting,
    capturing,
    closing,
    closing_book,
    defining,
    describing,
    freezing,
    holding,
    limit,
    limiting,
    opening,
    paying,
    reversing,
    voiding,
)
from tests.unit.simulation.auditor.witness import (
    Change,
    Story,
    Tampering,
    event_with,
    state_with,
)


def bank(*more: Command) -> Story:
    """Two accounts, one with money."""
    story = Story()
    story.does(
        opening("bank", min_balance_minor=None),
        opening("a", account_type="liability"),
        paying("first", ("bank", "a", 100)),
        *more,
    )
    return story


def on_states(change: Callable[[Change], Change], key: str) -> Tampering:
    """Only the state of that key is written otherwise."""
    return lambda changes: [change(one) if one.key == (key,) else one for one in changes]


def on_event(change: Callable[[Change], Change]) -> Tampering:
    """Only the event is written otherwise."""
    return lambda changes: [change(one) if one.table == "events" else one for one in changes]


def items_of(story: Story) -> dict[tuple[str, ...], Item]:
    """All states as they lie in their table."""
    return {(state_item(one)["pk"]["S"],): state_item(one) for one in story.store.states()}


EVERYTHING = (
    alerting("a", ("below", 10)),
    limiting("a", max_balance_minor=5_000),
    describing("account", "a", vip="yes"),
    holding("hold", ("a", "bank", 30)),
    capturing("hold", 10, id="c"),
    reversing("first", 5, id="r"),
    holding("given-up", ("a", "bank", 1), over_capture_bps=100),
    voiding("given-up"),
    holding("settled", ("a", "bank", 1)),
    capturing("settled", id="all"),
    reversing("settled", 1),
    paying("old", ("bank", "a", 1), effective_at="2026-11-21T00:00:00.000000Z"),
    reversing("old", 1),
    freezing("a", "credits", id="f"),
    closing_book("2026-11-01"),
    defining("sale", {"amount": "amount"}, ("bank", "a", "EUR", {"of": "amount"})),
)


def test_true_states_break_no_promise() -> None:
    """Of every kind."""
    assert bank(*EVERYTHING).auditor.findings == []


@pytest.mark.parametrize(
    ("key", "command", "changed"),
    [
        ("account#a", paying("p", ("bank", "a", 1)), {"opened_at": "2020-01-01T00:00:00.000000Z"}),
        ("account#a", paying("p", ("bank", "a", 1)), {"min_balance_minor": -5}),
        ("account#a", paying("p", ("bank", "a", 1)), {"last_event": "q"}),
        ("account#a", paying("p", ("bank", "a", 1)), {"_version": {"N": "9"}}),
        ("account#a", alerting("a", ("below", 10)), {"alerts": []}),
        ("payment#hold", holding("hold", ("a", "bank", 3)), {"authorized_minor": [4]}),
        ("payment#hold", holding("hold", ("a", "bank", 3)), {"over_capture_bps": 1}),
        ("payment#hold", holding("hold", ("a", "bank", 3)), {"ended": "void"}),
        ("payment#first", reversing("first", 5), {"made_at": "2020-01-01T00:00:00.000000Z"}),
        ("payment#first", reversing("first", 5), {"ended": "capture"}),
        ("metadata#account/a", describing("account", "a", vip="yes"), {"metadata": {}}),
        ("book#main", closing_book("2026-11-01"), {"closed_through": "2026-11-02"}),
        (
            "template#sale",
            defining("sale", {"amount": "amount"}, ("bank", "a", "EUR", {"of": "amount"})),
            {"postings": []},
        ),
    ],
)
def test_a_state_that_says_something_else_is_found(
    key: str, command: Command, changed: dict[str, Any]
) -> None:
    """Whatever it says otherwise than its events."""
    story = bank()
    story.tampering = on_states(lambda one: state_with(one, **changed), key)
    story.does(command)
    assert "states_follow_events" in story.broken


def test_a_counter_that_says_something_else_is_found() -> None:
    """Of a velocity limit: a payment is not counted, which shows only when the limit is met."""
    limited = limiting("a", velocity=(limit(max_amount_minor=1_000),), id="velocity")
    story = bank(limited, paying("p", ("a", "bank", 5)))
    assert story.auditor.findings == []
    state = msgspec.json.decode(state_item(story.store.state("a"))["data"]["S"])
    story.tampering = on_states(
        lambda one: state_with(one, velocity=state["velocity"]), "account#a"
    )
    story.does(paying("q", ("a", "bank", 5)))
    assert story.broken == {"states_follow_events"}


def test_a_state_that_is_not_written_is_found() -> None:
    """An event changed it."""
    story = bank()
    story.tampering = lambda changes: [one for one in changes if one.key != ("account#a",)]
    story.does(paying("p", ("bank", "a", 1)))
    assert "states_follow_events" in story.broken


def test_a_state_that_no_event_changed_is_found() -> None:
    """Or that is removed."""
    story = bank()
    state = story.store.state("a")
    item = state_item(state)
    story.auditor.changed([Change("states", ("account#a",), item, item)])
    assert story.broken == {"states_follow_events"}
    other = bank()
    other.auditor.changed([Change("states", ("account#a",), item, None)])
    assert other.broken == {"states_follow_events"}


def test_a_hash_that_does_not_link_is_found() -> None:
    """In the state, beside the event, or missing there."""
    story = bank()
    other_hash = {"_hash": {"B": bytes(32)}}
    story.tampering = on_states(lambda one: state_with(one, **other_hash), "account#a")
    story.does(paying("p", ("bank", "a", 1)))
    assert story.broken == {"chains_link"}
    for hashes in (bytes(64), bytes(32)):
        beside = bank()
        beside.tampering = on_event(
            lambda one, hashes=hashes: Change(  # type: ignore[misc]
                one.table, one.key, None, dict(one.new or {}) | {"hashes": {"B": hashes}}
            )
        )
        beside.does(paying("p", ("bank", "a", 1)))
        assert beside.broken == {"chains_link"}


def test_a_version_that_is_left_out_is_found() -> None:
    """And one that names another before it."""
    story = bank()
    story.tampering = on_event(_one_version_on)
    story.does(paying("p", ("bank", "a", 1)))
    assert "versions_are_dense" in story.broken


def _one_version_on(change: Change) -> Change:
    accounts = msgspec.json.decode((change.new or {})["data"]["S"])["accounts"]
    accounts[0]["version"] += 1
    return event_with(change, accounts=accounts)


def test_an_event_that_rests_on_nothing_is_found() -> None:
    """And the auditor goes on."""
    story, other = Story(), bank()
    story.ask(paying("first", ("bank", "a", 100)))
    item = event_item(other.store.stored("first"))
    story.auditor.changed([Change("events", ("first",), None, item)])
    assert "versions_are_dense" in story.broken


@pytest.mark.parametrize("event", ["first", "c", "r", "f", "void:given-up"])
def test_a_state_whose_events_rest_on_nothing_is_not_compared(event: str) -> None:
    """Of a payment that nothing began, of an account that was not opened: that is said of the
    event, and the auditor goes on."""
    story, other = Story(), bank(*EVERYTHING)
    changes = [Change("events", (event,), None, event_item(other.store.stored(event)))]
    changes += [Change("states", key, None, item) for key, item in items_of(other).items()]
    story.auditor.changed(changes)
    assert "versions_are_dense" in story.broken


def _newer(change: Change) -> Change:
    return state_with(change, channel="web", _v={"N": "5"})


def test_what_a_newer_release_added_must_stay() -> None:
    """As long as it does, all is well."""
    story = bank()
    for id_ in ("p1", "p2"):
        story.tampering = on_states(_newer, "account#a")
        story.does(paying(id_, ("bank", "a", 1)))
    assert story.auditor.findings == []
    story.does(paying("p3", ("bank", "a", 1)))
    assert story.broken == {"states_lose_nothing"}


@pytest.mark.parametrize("schema", ["2", "3"])
def test_a_schema_that_is_not_what_is_there_is_found(schema: str) -> None:
    """An old worker would read what it must not."""
    story = bank()
    marked = {"_v": {"N": schema}}
    story.tampering = on_states(lambda one: state_with(one, **marked), "account#a")
    story.does(paying("p", ("bank", "a", 1)))
    assert story.broken == {"states_lose_nothing"}


def test_a_hold_that_is_not_in_the_index_is_found() -> None:
    """Or is in it though it is over."""
    story = bank()

    def without(change: Change) -> Change:
        item = {name: one for name, one in (change.new or {}).items() if name != "due_at"}
        del item["due_shard"]
        return Change(change.table, change.key, change.old, item)

    story.tampering = on_states(without, "payment#hold")
    story.does(holding("hold", ("a", "bank", 30)))
    assert story.broken == {"holds_are_indexed"}
    other = bank(holding("hold", ("a", "bank", 30)))
    before = state_item(other.store.load([payment_key("hold")]).payments["hold"])
    due = {f"_{name}": before[name] for name in ("due_shard", "due_at", "due_accounts")}
    other.tampering = on_states(lambda one: state_with(one, **due), "payment#hold")
    other.does(capturing("hold", id="c"))
    assert other.broken == {"holds_are_indexed"}


def test_money_that_comes_from_nowhere_is_found() -> None:
    """Posted or pending, in whatever state it is first."""
    for name in ("credits_posted_minor", "debits_pending_minor"):
        story = bank()
        more = {name: 1_000}
        story.tampering = on_states(lambda one, more=more: state_with(one, **more), "account#a")  # type: ignore[misc]
        story.does(paying("p", ("bank", "a", 1)))
        assert "money_is_conserved" in story.broken


def _event_of(story: Story, command: Command) -> dict[str, Any]:
    """What a ledger would record of a command."""
    story.answer_to(command)
    decoded: dict[str, Any] = msgspec.json.decode(story.record(command.id))
    return decoded


def test_totals_that_the_postings_do_not_explain_are_found() -> None:
    """More on an account than was moved."""
    story = bank()

    def more(change: Change) -> Change:
        accounts = msgspec.json.decode((change.new or {})["data"]["S"])["accounts"]
        for entry in accounts:
            entry["debits_posted_minor"] += 3
            entry["credits_posted_minor"] += 3
        return event_with(change, accounts=accounts)

    story.tampering = on_event(more)
    story.does(paying("p", ("bank", "a", 1)))
    assert "totals_are_explained" in story.broken


@pytest.mark.parametrize("side", ["debits", "both"])
def test_a_movement_of_a_frozen_side_is_found(side: Any) -> None:
    """Of a ledger that did not freeze it."""
    _moves_where_it_should_not(freezing("a", side, id="f"), "frozen_stands_still")


def test_a_movement_of_a_closed_account_is_found() -> None:
    """Of a ledger that did not close it."""
    story = bank(paying("back", ("a", "bank", 100)))
    other = bank(paying("back", ("a", "bank", 100)))
    story.does(closing("a", id="close"))
    _copied(other, story, paying("p", ("bank", "a", 1)))
    assert "frozen_stands_still" in story.broken


@pytest.mark.parametrize(
    "limits",
    [{"min_balance_minor": 95}, {"min_balance_minor": 95, "min_balance_basis": "posted"}],
)
def test_a_balance_below_its_limit_is_found(limits: dict[str, Any]) -> None:
    """Of a ledger that did not limit it."""
    _moves_where_it_should_not(limiting("a", id="l", **limits), "limits_hold")


def test_a_balance_above_its_limit_is_found() -> None:
    """Likewise."""
    story, other = bank(), bank()
    story.does(limiting("a", id="l", max_balance_minor=100))
    _copied(other, story, paying("p", ("bank", "a", 10)))
    assert "limits_hold" in story.broken


def _moves_where_it_should_not(command: Command, promise: str) -> None:
    story, other = bank(), bank()
    story.does(command)
    _copied(other, story, paying("p", ("a", "bank", 10)))
    assert promise in story.broken


def _copied(source: Story, target: Story, command: Command) -> None:
    """What one ledger records is told of another."""
    target.ask(command)
    source.answer_to(command)
    item = event_item(source.store.stored(command.id))
    target.auditor.changed([Change("events", (command.id,), None, item)])


def test_restored_states_are_all_looked_at() -> None:
    """What is written before they are whole is not."""
    story = bank(*EVERYTHING)
    items = items_of(story)
    story.auditor.restoring()
    story.auditor.changed([Change("states", ("account#a",), items["account#a",], None)])
    story.world.tables["states"] = items
    story.auditor.restored(story.world)
    story.does(describing("account", "bank"))
    assert story.auditor.findings == []


@pytest.mark.parametrize("what", ["missing", "old", "strange", "money"])
def test_states_that_were_restored_wrongly_are_found(what: str) -> None:
    """One that is not there, or not as it was, or should not be there."""
    story = bank(*EVERYTHING)
    items = items_of(story)
    change = Change("states", ("account#a",), None, items["account#a",])
    if what == "missing":
        del items["account#a",]
    elif what == "strange":
        items["account#z",] = dict(items["account#a",]) | {"pk": {"S": "account#z"}}
    else:
        fields: dict[str, Any] = (
            {"debits_posted_minor": 1} if what == "money" else {"last_event": "x"}
        )
        tampered = state_with(change, **fields).new
        assert tampered is not None
        items["account#a",] = tampered
    story.auditor.restoring()
    story.world.tables["states"] = items
    story.auditor.restored(story.world)
    assert "states_follow_events" in story.broken
    assert ("money_is_conserved" in story.broken) == (what in ("money", "missing", "strange"))


def test_a_payment_posted_at_once_has_no_state_to_restore() -> None:
    """Before it is reversed."""
    story = bank()
    items = items_of(story)
    assert Key("payment", "first") not in {one.key for one in story.store.states()}
    story.world.tables["states"] = items
    story.auditor.restored(story.world)
    assert story.auditor.findings == []
