"""What clients are answered is what is recorded, and one is told at most that it did it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import structs

from ledger.contracts.commands import Command
from simulation.asks import HttpAnswer
from tests.support.builders import (
    batching,
    capturing,
    describing,
    freezing,
    holding,
    making,
    opening,
    opening_book,
    paying,
    reversing,
    voiding,
)
from tests.unit.simulation.auditor.witness import Story, altered


def bank() -> Story:
    """Two accounts, one with money, and a hold."""
    story = Story()
    story.does(
        opening("bank", min_balance_minor=None),
        opening("a", account_type="liability"),
        paying("first", ("bank", "a", 100)),
        holding("hold", ("a", "bank", 30)),
    )
    return story


def each(*bodies: object) -> bytes:
    """An answer to several commands."""
    return msgspec.json.encode({"answers": list(bodies)})


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        (paying("p", ("bank", "a", 1)), {"recorded_at": "2026-11-21T12:00:00.000000Z"}),
        (paying("p", ("bank", "a", 1)), {"id": "q"}),
        (paying("p", ("bank", "a", 1)), {"status": "authorized"}),
        (paying("p", ("bank", "a", 1)), {"accounts": []}),
        (paying("p", ("bank", "a", 1)), {"_status": 200}),
        (paying("p", ("bank", "a", 1)), {"repeat": "no"}),
        (capturing("hold", 10, id="c"), {"postings": []}),
        (capturing("hold", 10, id="c"), {"payment": {}}),
        (capturing("hold", 10, id="c"), {"released": []}),
        (voiding("hold", id="v"), {"payment": None}),
        (reversing("first", 5, id="r"), {"effective_at": "2026-11-21T12:00:00.000000Z"}),
        (freezing("a", id="f"), {"account_status": "open"}),
        (opening_book("side", id="b"), {"version": 2}),
        (describing("account", "a", vip="yes"), {"metadata": {}}),
        (paying("p", ("a", "bank", 900)), {"reason": "account_closed"}),
        (paying("p", ("a", "bank", 900)), {"causes": []}),
        (paying("p", ("a", "bank", 900)), {"_status": 409}),
        (batching("both", opening("b"), paying("p", ("bank", "b", 5))), {"answers": []}),
    ],
)
def test_an_answer_that_is_not_what_is_recorded_is_found(
    command: Command, changed: dict[str, Any]
) -> None:
    """Whatever it shows otherwise; and the true one is not."""
    true = bank()
    true.does(command, command)
    assert true.auditor.findings == []
    story = bank()
    story.is_told(command, **changed)
    assert story.broken - {"repeats_are_told"} == {"answers_are_recorded"}


def test_a_member_that_is_answered_wrongly_is_found() -> None:
    """In the answer to a batch."""
    story = bank()
    batch = batching("both", opening("b"), paying("p", ("bank", "b", 5)))
    ask = story.ask(batch)
    answer = story.answer_to(batch)
    members = msgspec.json.decode(answer.body)["answers"]
    members[1]["status"] = "authorized"
    story.auditor.answered(ask, altered(answer, answers=members))
    assert story.broken == {"answers_are_recorded"}


def test_an_answer_about_nothing_is_found() -> None:
    """It was acknowledged before it was written."""
    story, other = bank(), bank()
    command = paying("p", ("bank", "a", 1))
    ask = story.ask(command)
    story.auditor.answered(ask, other.answer_to(command))
    assert story.broken == {"answers_are_recorded"}


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_promises_nothing_is_believed(status: int) -> None:
    """It may have been done or not."""
    story = bank()
    story.is_told(paying("p", ("bank", "a", 1)), _status=status)
    story.auditor.answered(story.ask(paying("q", ("bank", "a", 1))), HttpAnswer(status, {}, b""))
    story.does(paying("p", ("bank", "a", 1)))
    assert story.auditor.findings == []


def test_who_did_it_is_told_once() -> None:
    """Of two that did it one at most did."""
    story = bank()
    command = paying("p", ("bank", "a", 1))
    ask = story.ask(command)
    again = story.ask(command)
    answer = story.answer_to(command)
    story.auditor.answered(ask, answer)
    assert story.auditor.findings == []
    story.auditor.answered(again, answer)
    assert story.broken == {"repeats_are_told"}


def test_a_repeat_that_shows_less_is_found() -> None:
    """What is left out of one answer is no less wrong than what is said otherwise."""
    story = bank()
    command = paying("p", ("bank", "a", 1))
    story.does(command, command)
    assert story.auditor.findings == []
    ask = story.ask(command)
    answer = story.answer_to(command)
    body = msgspec.json.decode(answer.body)
    del body["postings"]
    story.auditor.answered(ask, HttpAnswer(200, answer.headers, msgspec.json.encode(body)))
    assert story.broken == {"answers_are_recorded"}


def test_who_came_later_cannot_have_done_it() -> None:
    """Even if whoever did it was never answered."""
    story = bank()
    command = paying("p", ("bank", "a", 1))
    first = story.ask(command)
    answer = story.answer_to(command)
    story.auditor.unanswered(first)
    story.auditor.answered(story.ask(command), answer)
    assert story.broken == {"repeats_are_told"}


def test_who_was_alone_cannot_have_repeated() -> None:
    """Nobody else asked for it."""
    story = bank()
    command = paying("p", ("bank", "a", 1))
    ask = story.ask(command)
    story.answer_to(command)
    story.auditor.answered(ask, story.answer_to(command))
    assert story.broken == {"repeats_are_told"}


def test_a_real_mismatch_is_none_to_find() -> None:
    """Another request of the same id, whatever it is about."""
    story = bank()
    story.does(
        paying("first", ("bank", "a", 7)),
        paying("first", ("bank", "a", 100), reference="new"),
        opening("c", id="first"),
        paying("hold", ("bank", "a", 1)),
    )
    assert story.auditor.findings == []


@pytest.mark.parametrize("fields", [[], ["reference"], ["postings[0].amount_minor", "id"]])
def test_a_mismatch_that_names_other_fields_is_found(fields: list[str]) -> None:
    """It is not the mismatch there is."""
    story = bank()
    story.is_told(paying("first", ("bank", "a", 7)), fields=fields)
    assert story.broken == {"mismatches_are_real"}


def test_the_answer_to_another_request_is_found() -> None:
    """It should have been told that the id is taken."""
    story = bank()
    command = paying("first", ("bank", "a", 100))
    other = structs.replace(command, reference="other")
    story.auditor.answered(story.ask(other), story.answer_to(command))
    assert story.broken == {"mismatches_are_real"}


def test_what_is_no_command_must_be_refused_as_such() -> None:
    """And what is one must not."""
    problem = {"title": "", "reason": "invalid_amount"}
    refusal = HttpAnswer(400, {}, msgspec.json.encode(problem))
    story = bank()
    story.auditor.answered(story.ask(None), refusal)
    assert story.auditor.findings == []
    story.auditor.answered(story.ask(paying("p", ("bank", "a", 1))), refusal)
    assert story.broken == {"malformed_leaves_no_trace"}
    other = bank()
    other.auditor.answered(other.ask(None), other.answer_to(paying("p", ("bank", "a", 1))))
    assert "malformed_leaves_no_trace" in other.broken


def test_a_batch_that_fits_is_not_too_large() -> None:
    """Whatever its commands find; one that may not fit can be refused."""
    problem = {"title": "", "reason": "transaction_too_large"}
    refusal = HttpAnswer(400, {}, msgspec.json.encode(problem))
    # Its event, one of each command, the payment, and its two accounts.
    for count, broken in ((97, set()), (96, {"malformed_leaves_no_trace"})):
        story = bank()
        batch = batching("all", *(capturing("hold", 1, id=f"c{n}") for n in range(count)))
        story.auditor.answered(story.ask(batch), refusal)
        assert story.broken == broken
    story = bank()
    fill = batching("fill", making("t", "nothing-yet", amount=1))
    story.auditor.answered(story.ask(fill), refusal)
    assert story.broken == set()


def test_of_several_each_is_looked_at() -> None:
    """Each by itself, what is malformed or not decided among them."""
    story = bank()
    one, two = paying("one", ("bank", "a", 1)), paying("two", ("bank", "a", 2))
    ask = story.ask(one, None, two, route="batch")
    answer = story.answer_to(one)
    first = {"status": answer.status, "body": msgspec.json.decode(answer.body)}
    malformed = {"status": 400, "body": {"title": "", "reason": "invalid_amount"}}
    later = {"status": 503, "body": {"title": "", "reason": "unavailable"}}
    story.auditor.answered(ask, HttpAnswer(200, {}, each(first, malformed, later)))
    assert story.auditor.findings == []
    story.auditor.answered(ask, HttpAnswer(200, {}, each(first, malformed)))
    assert story.broken == {"answers_are_recorded"}
    first["body"]["recorded_at"] = ""
    other = bank()
    other_ask = other.ask(one, route="batch")
    other.answer_to(one)
    other.auditor.answered(other_ask, HttpAnswer(200, {}, each(first)))
    assert other.broken == {"answers_are_recorded"}


def test_a_list_that_is_none_may_be_refused_as_a_whole() -> None:
    """If it was none on purpose."""
    refusal = HttpAnswer(400, {}, msgspec.json.encode({"title": "", "reason": "malformed_json"}))
    story = bank()
    story.auditor.answered(story.ask(None, route="batch"), refusal)
    assert story.auditor.findings == []
    story.auditor.answered(story.ask(paying("p", ("bank", "a", 1)), route="batch"), refusal)
    assert story.broken == {"answers_are_recorded"}


def test_a_body_that_is_no_json_is_found() -> None:
    """Whatever its status promises."""
    story = bank()
    ask = story.ask(paying("p", ("bank", "a", 1)))
    story.auditor.answered(ask, HttpAnswer(201, {}, b"created"))
    assert story.broken == {"answers_are_recorded"}
