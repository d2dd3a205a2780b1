"""What is recorded: asked for, foretold, whole, at its time, for ever."""

from __future__ import annotations

from functools import partial

import pytest
from msgspec import structs

from ledger.adapters.dynamodb.codec import event_item
from ledger.contracts.commands import Command
from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.subjects import payment_key
from tests.support.builders import (
    batching,
    capturing,
    defining,
    freezing,
    holding,
    making,
    opening,
    paying,
    reversing,
    screening,
)
from tests.support.stores import FaultyStore
from tests.unit.simulation.auditor.witness import SECOND, Change, Story, event_with

DAY = 86_400 * SECOND


def bank(*more: Command) -> Story:
    """Two accounts, one with money, and what is done then."""
    story = Story()
    story.does(
        opening("bank", min_balance_minor=None),
        opening("a", account_type="liability"),
        paying("first", ("bank", "a", 100)),
        *more,
    )
    return story


def test_a_true_story_breaks_no_promise() -> None:
    """All that a client can do, refusals and batches among it, and what the ledger does itself."""
    story = bank(
        holding("hold", ("a", "bank", 30)),
        capturing("hold", 10, id="capture"),
        paying("too-much", ("a", "bank", 1_000)),
        reversing("first", 5, id="back"),
        batching("both", opening("b"), paying("third", ("bank", "b", 5))),
        batching("neither", opening("c"), paying("fourth", ("b", "bank", 500))),
    )
    story.sweeps("hold", at=story.now + 8 * DAY)
    story.decides(screening("first"))
    assert story.auditor.findings == []


def test_a_hold_is_given_back_now_or_not_at_all() -> None:
    """As of tomorrow that is refused, though it is a mere void."""
    ahead = instant_of_microseconds(Story().now + DAY)
    story = bank(
        holding("hold", ("a", "bank", 30)),
        reversing("hold", effective_at=ahead, id="tomorrow"),
        reversing("hold", id="now"),
    )
    assert story.auditor.findings == []
    assert story.record("tomorrow").count(b"effective_in_future") == 1
    assert b"payment.voided" in story.record("now")


def test_what_nobody_asked_for_is_found() -> None:
    """An event without a request is one that something made up."""
    story = bank()
    story.answer_to(paying("ghost", ("bank", "a", 1)))
    assert story.broken == {"events_were_asked_for"}


def test_an_event_that_says_something_else_is_found() -> None:
    """What was asked is what is recorded."""
    story = bank()
    story.tampering = lambda changes: [
        event_with(one, reference="other") if one.table == "events" else one for one in changes
    ]
    story.does(paying("next", ("bank", "a", 1), reference="mine"))
    assert "events_were_asked_for" in story.broken


def test_a_member_that_says_something_else_is_found() -> None:
    """Also inside a batch."""
    story = bank()
    story.tampering = lambda changes: [
        event_with(one, reference="other") if one.key == ("p",) else one for one in changes
    ]
    story.does(batching("both", opening("b"), paying("p", ("bank", "b", 5))))
    assert "events_were_asked_for" in story.broken


@pytest.mark.parametrize("used", ["of a client", "of the ledger"])
def test_a_command_of_the_ledgers_own_has_an_id_of_its_own(used: str) -> None:
    """So that it can have one effect only."""
    story = bank()
    command = screening("first")
    if used == "of a client":
        command = structs.replace(command, id="c99")
    story.decides(command)
    assert story.broken == ({"events_were_asked_for"} if used == "of a client" else set())


def test_a_wrong_decision_is_found() -> None:
    """The totals after a payment are what the rules make of it."""
    story = bank()

    def tampered(changes: list[Change]) -> list[Change]:
        (event,) = (one for one in changes if one.table == "events")
        assert event.new is not None
        before = event.new["data"]["S"]
        data = before.replace('"debits_posted_minor":107', '"debits_posted_minor":108')
        assert data != before
        return [
            Change("events", event.key, None, dict(event.new) | {"data": {"S": data}}),
            *(one for one in changes if one.table == "states"),
        ]

    story.tampering = tampered
    story.does(paying("next", ("bank", "a", 7)))
    assert "events_are_foretold" in story.broken


def test_a_refusal_for_what_does_not_hold_is_found() -> None:
    """Any reason that holds is right; another is not."""
    story = bank()
    story.tampering = lambda changes: [event_with(one, reason="account_frozen") for one in changes]
    story.does(paying("next", ("a", "bank", 700)))
    assert "events_are_foretold" in story.broken


def refused_for_the_lesser(*, raced: bool) -> Story:
    """A payment from a frozen account without funds, which is refused for want of funds."""
    story = bank(freezing("a", "debits"))
    command = paying("next", ("a", "bank", 700))
    ask = story.ask(command)
    if raced:
        story.does(opening("b"))
    story.tampering = lambda changes: [
        event_with(one, reason="insufficient_funds") for one in changes
    ]
    story.auditor.answered(ask, story.answer_to(command))
    return story


def test_a_refusal_for_another_reason_than_the_first_is_found() -> None:
    """Both hold. Only if others were at it meanwhile, either may be the one."""
    assert "events_are_foretold" in refused_for_the_lesser(raced=False).broken
    assert "events_are_foretold" not in refused_for_the_lesser(raced=True).broken


def test_a_batch_refused_for_another_reason_than_the_first_is_found() -> None:
    """Of its command that is refused."""
    story = bank(freezing("a", "debits"))
    batch = batching("both", opening("b"), paying("q", ("a", "bank", 700)))
    story.tampering = lambda changes: [
        event_with(one, reason="insufficient_funds") for one in changes
    ]
    story.does(batch)
    assert "events_are_foretold" in story.broken


@pytest.mark.parametrize(
    "changed",
    [
        {"field": "commands[0].account"},
        {"field": "commands[1].postings[0].source", "reason": "account_closed"},
        {"field": "commands[7]"},
        {"field": "id"},
    ],
)
def test_a_batch_that_is_refused_for_the_wrong_command_is_found(changed: dict[str, str]) -> None:
    """What is said against it holds for the command that it names, behind those before it."""
    batch = batching("neither", opening("c"), paying("fourth", ("c", "bank", 500)))
    assert bank(batch).broken == set()
    story = bank()
    story.tampering = lambda changes: [event_with(one, **changed) for one in changes]
    story.does(batch)
    assert "events_are_foretold" in story.broken


def test_a_batch_is_refused_for_its_first_command_that_cannot_take_effect() -> None:
    """At its commit, whatever was so when it was decided first; or for an id that was used."""
    story = bank(opening("b"))
    batch = batching("both", paying("p", ("a", "bank", 100)), paying("q", ("b", "bank", 1)))
    ask = story.ask(batch)
    freeze = partial(story.does, freezing("a", id="freeze"))
    racing = FaultyStore(story.store, meanwhile=[freeze])
    story.auditor.answered(ask, story.answer_to(batch, store=racing))
    story.does(batching("used", paying("r", ("a", "bank", 1)), opening("z", id="first")))
    assert story.auditor.findings == []


def test_a_second_event_under_an_id_is_found() -> None:
    """Had the table lost the first."""
    story = bank()
    ask = story.ask(paying("first", ("bank", "a", 100)))
    story.store.drop_event("first")
    story.auditor.answered(ask, story.answer_to(paying("first", ("bank", "a", 100))))
    assert "events_are_foretold" in story.broken


def test_half_a_batch_is_found() -> None:
    """All of its commands, or none."""
    story = bank()
    story.tampering = lambda changes: [one for one in changes if one.key != ("p",)]
    story.does(batching("both", opening("b"), paying("p", ("bank", "b", 5))))
    assert "batches_are_whole" in story.broken


@pytest.mark.parametrize("seconds", [-10, 10])
def test_a_time_that_cannot_be_is_found(seconds: int) -> None:
    """Before it was asked for, or after it was there."""
    story = Story()
    story.ask(opening("a"))
    asked_at = story.now

    def tampered(changes: list[Change]) -> list[Change]:
        story.now = asked_at
        return changes

    story.tampering = tampered
    story.now += seconds * SECOND
    story.decides(opening("a"))
    assert story.broken == {"times_are_true"}


def test_a_subjects_time_that_goes_back_is_found() -> None:
    """Even if each time by itself can be."""
    story = bank()
    story.now += 1_500_000
    story.does(paying("ahead", ("bank", "a", 1)))
    story.now -= 3 * SECOND
    story.tampering = lambda changes: [
        event_with(one, recorded_at=instant_of_microseconds(story.now))
        if one.table == "events"
        else one
        for one in changes
    ]
    story.does(paying("behind", ("bank", "a", 1)))
    assert "times_are_true" in story.broken


def test_an_event_that_changes_or_goes_is_found() -> None:
    """For ever is for ever."""
    story = bank()
    item = event_item(story.store.stored("first"))
    other = dict(item) | {"type": {"S": "payment.held"}}
    story.auditor.changed([Change("events", ("first",), item, other)])
    assert story.broken == {"events_stay"}
    story.auditor.changed([Change("events", ("first",), item, None)])
    assert len(story.auditor.findings) == 2


def test_what_is_no_event_is_found() -> None:
    """Bytes that nothing can read."""
    story = bank()
    item = {"pk": {"S": "x"}, "data": {"S": "{}"}}
    story.auditor.changed([Change("events", ("x",), None, item)])
    assert story.broken == {"events_are_foretold"}


def test_an_event_of_the_next_release_is_read() -> None:
    """It has a version and a field that are not known here."""
    story = bank()
    story.tampering = _newer
    story.does(paying("next", ("bank", "a", 1)))
    assert story.broken <= {"chains_link", "answers_are_recorded"}


def _newer(changes: list[Change]) -> list[Change]:
    made = []
    for one in changes:
        if one.table == "events":
            assert one.new is not None
            data = one.new["data"]["S"].replace('"v":1', '"v":2,"channel":"web"', 1)
            item = dict(one.new) | {"data": {"S": data}}
            made.append(Change(one.table, one.key, None, item))
        else:
            made.append(one)
    return made


def test_the_events_of_a_batch_may_be_told_of_in_any_order() -> None:
    """They are taken in the order of its commands."""
    story = bank()
    story.tampering = lambda changes: changes[::-1]
    story.does(batching("b", holding("new", ("a", "bank", 1)), capturing("new", id="c")))
    assert story.auditor.findings == []


def test_a_refusal_caused_by_what_is_no_more_is_found() -> None:
    """It names another version than the one that there is."""
    story = bank()
    story.tampering = _of_another_version
    story.does(paying("p", ("a", "bank", 900)))
    assert "causes_are_current" in story.broken


def _of_another_version(changes: list[Change]) -> list[Change]:
    cause = {"id": "a", "version": 7, "values": {"available_minor": 0}}
    return [event_with(one, causes=[cause]) if one.table == "events" else one for one in changes]


@pytest.mark.parametrize("line", [{}, {"causes": {"throttled": 1}}])
def test_a_refusal_while_a_hold_is_over_is_found(line: dict[str, object]) -> None:
    """Unless something failed on the way, as its line says."""
    story = bank(holding("hold", ("a", "bank", 100)))
    story.now += 8 * DAY
    story.store.drop_state(payment_key("hold"))  # as if it were not in the index
    story.does(paying("p", ("a", "bank", 50)))
    said = {"command_id": "p", "outcomes": {"rejected": 1}}
    assert story.broken == set()
    story.auditor.logged("Api", {"command_id": "p", "outcomes": {"repeat": 1}})
    assert story.broken == set()
    story.auditor.logged("Api", said | line)
    assert story.broken == (set() if line else {"due_holds_are_released"})


def test_a_refusal_after_due_holds_were_released_is_none_to_find() -> None:
    """Nor one while the hold is not over."""
    story = bank(holding("hold", ("a", "bank", 30)))
    story.does(paying("p", ("a", "bank", 90)))
    story.now += 8 * DAY
    story.does(paying("q", ("a", "bank", 500)))
    for id in ("p", "q"):
        story.auditor.logged("Api", {"command_id": id, "outcomes": {"rejected": 1}})
    assert story.broken == set()


def sales(bps: int) -> Command:
    """A version of a template, which takes so much more as a fee."""
    return defining(
        "sale",
        {"amount": "amount"},
        ("bank", "a", "EUR", {"of": "amount"}),
        ("bank", "fees", "EUR", {"of": "amount", "bps": bps}),
        id=f"define-{bps}",
    )


def test_a_payment_may_be_of_any_version_that_was_the_newest_since_it_was_asked_for() -> None:
    """Its transaction does not look at the template: alone or in a batch."""
    story = bank(opening("fees"), sales(1_000))
    for command in (
        making("early", "sale", amount=50),
        batching("batch", making("other", "sale", amount=50)),
    ):
        ask = story.ask(command)
        definition = sales(len(command.id) * 100)
        racing = FaultyStore(story.store, meanwhile=[partial(story.does, definition)])
        story.auditor.answered(ask, story.answer_to(command, store=racing))
        story.does(command)
    assert story.auditor.findings == []


def test_a_payment_of_a_version_that_was_old_already_is_found() -> None:
    """Whoever asks gets the newest there is."""
    story = bank(opening("fees"), sales(1_000), sales(2_000))
    story.answer_to(making("early", "sale", 1, amount=50))
    other = bank(opening("fees"), sales(1_000), sales(2_000))
    command = making("late", "sale", amount=50)
    other.ask(command)
    data = story.record("early").replace(b'"pinned":true,', b"").replace(b"early", b"late")
    item = {"pk": {"S": "late"}, "data": {"S": data.decode()}}
    other.auditor.changed([Change("events", ("late",), None, item)])
    assert "was not the newest" in other.auditor.findings[0].message
