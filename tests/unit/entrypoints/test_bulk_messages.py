"""Bulk messages on the queues of commands: each command decided, answered and buried by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.application.outages import ContentionError
from ledger.contracts.commands import (
    BULK_BYTES_MAX,
    BULK_COMMANDS_MAX,
    BULK_DETAIL_TYPE,
    Command,
    bulk_of,
)
from ledger.entrypoints.commands import BURYING_MILLISECONDS_MIN
from tests.support.builders import opening, paying, screening
from tests.support.records import (
    QUEUES,
    Context,
    bus_message,
    fifo_message,
    standard_message,
    system_message,
    text_of,
)
from tests.support.worlds import balances_of
from tests.unit.entrypoints.test_commands import CARD, Function, attributes_of

Given = Sequence[Command | str]
Way = Callable[..., dict[str, Any]]


def bulk(commands: Given) -> str:
    """A bulk message of commands, or of texts in the place of commands."""
    return bulk_of(text_of(one).encode() for one in commands).decode()


def by_bus(commands: Given, **more: Any) -> dict[str, Any]:
    """In an event of the ingress bus."""
    return bus_message(bulk(commands), detail_type=BULK_DETAIL_TYPE, **more)


def by_fifo(commands: Given, **more: Any) -> dict[str, Any]:
    """In a message of the FIFO queue."""
    return fifo_message(bulk(commands), **more)


def straight(commands: Given, **more: Any) -> dict[str, Any]:
    """In a message that somebody sent to the standard queue."""
    return standard_message(bulk(commands), **more)


WAYS: dict[str, tuple[Way, str, str]] = {
    "bus": (by_bus, "events:123456789012:core-banking", QUEUES.commands_dlq_url),
    "fifo": (by_fifo, "sqs:AROAEXAMPLE:sender", QUEUES.commands_fifo_dlq_url),
    "straight": (straight, "sqs:AIDAEXAMPLE", QUEUES.commands_dlq_url),
}


def pay(number: int, amount: int = 1) -> Command:
    """One of many payments."""
    return paying(f"p{number}", ("bank", "a", amount))


@pytest.mark.parametrize("way", WAYS)
def test_all_commands_of_a_message_are_decided_in_their_order(way: str) -> None:
    """An account that the first opens is paid into by the second; who sent it is their actor."""
    message, actor, _ = WAYS[way]
    function = Function()
    spend = paying("p2", ("c", "a", 20))
    commands = [opening("c"), paying("p1", ("bank", "c", 20)), spend, paying("p3", ("c", "a", 1))]
    assert function(message(commands)) == []
    assert function.outcomes == {"accepted": 3, "rejected": 1}
    assert function.lines.last.notes["commands"] == 4
    assert function.lines.last.notes["rejections"] == {"insufficient_funds": 1}
    for command in commands:
        assert json.loads(function.store.stored(command.id).data)["actor"] == actor
    assert (balances_of(function.store)["a"], function.sqs.sent) == (20, [])


def test_single_and_bulk_messages_are_one_group() -> None:
    """Whatever a batch brings is decided in one go, with a lane for what has an order: a group of
    the FIFO queue, the commands of one message."""
    function = Function({})
    messages = [
        by_fifo([pay(1), pay(2)], id="m1", group="g1"),
        fifo_message(pay(3), id="m2", group="g2", received=2),
        bus_message(pay(4), id="m3"),
        by_bus([pay(5), pay(6)], id="m4", received=3),
        by_bus([pay(7)], id="m5"),
    ]
    assert function(*messages) == []
    assert [(one.command.id, one.lane, one.seen_before) for one in function.asked] == [
        ("p1", "g1", False),
        ("p2", "g1", False),
        ("p3", "g2", True),
        ("p4", None, False),
        ("p5", "m4", True),
        ("p6", "m4", True),
        ("p7", None, False),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_command_is_buried_alone(way: str) -> None:
    """With its reason and its field's path in the message that it came in, in a message like that
    one with nothing else in it; the others are decided."""
    message, actor, dead_letters = WAYS[way]
    function = Function()
    bad = text_of(pay(2)).replace('"amount_minor":1', '"amount_minor":0')
    record = message([pay(1), bad, "7", pay(3)], id="m9")
    assert function(record) == []
    assert function.outcomes == {"accepted": 2}
    assert function.lines.last.notes["dead_letters"] == {"invalid_amount": 1, "malformed_json": 1}
    assert [letter["QueueUrl"] for letter in function.sqs.sent] == [dead_letters] * 2
    assert [attributes_of(letter) for letter in function.sqs.sent] == [
        {
            "reason": "invalid_amount",
            "field": "commands[1].postings[0].amount_minor",
            "retry": "never",
            "source_message_id": "m9",
        },
        {
            "reason": "malformed_json",
            "field": "commands[2]",
            "retry": "never",
            "source_message_id": "m9",
        },
    ]
    for letter, text in zip(function.sqs.sent, (bad, "7"), strict=True):
        found = json.loads(letter["MessageBody"])
        if way == "bus":
            assert found | {"detail": 0} == json.loads(record["body"]) | {"detail": 0}
            found = found["detail"]
        assert found == {"commands": [json.loads(text)]}
    # Mended and sent back, such a letter is decided, for the same actor.
    mended = function.sqs.sent[0]["MessageBody"].replace('"amount_minor":0', '"amount_minor":5')
    assert function(record | {"body": mended, "messageId": "m10"}) == []
    assert json.loads(function.store.stored("p2").data)["actor"] == actor


def test_dead_letters_of_one_message_are_told_apart() -> None:
    """In the FIFO queue of dead letters: of one group, each with a deduplication id of its own."""
    function = Function()
    assert function(by_fifo(["{}", "[]"], id="m7", group="g")) == []
    assert [
        (one["MessageGroupId"], one["MessageDeduplicationId"]) for one in function.sqs.sent
    ] == [
        ("g", "m7:0"),
        ("g", "m7:1"),
    ]


def test_a_mismatch_in_bulk_is_buried_alone() -> None:
    """By its place, as what is malformed."""
    function = Function()
    assert function(fifo_message(pay(1))) == []
    assert function(by_fifo([pay(2), pay(1, amount=2), pay(3)], id="m2")) == []
    (letter,) = function.sqs.sent
    assert attributes_of(letter)["reason"] == "idempotency_mismatch"
    assert attributes_of(letter)["field"] == "commands[1].postings[0].amount_minor"
    assert balances_of(function.store)["a"] == 3


def test_an_id_twice_in_a_message_is_decided_once() -> None:
    """The second is a repeat, or if it differs a mismatch: the same as in two messages."""
    function = Function()
    assert function(by_fifo([pay(1), pay(1), pay(1, amount=2), pay(2)])) == []
    assert function.outcomes == {"accepted": 2, "repeat": 1}
    assert function.lines.last.notes["dead_letters"] == {"idempotency_mismatch": 1}
    assert balances_of(function.store)["a"] == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_message_that_was_not_decided_wholly_comes_back_as_it_is(way: str) -> None:
    """Behind what could not be decided nothing of it is; nothing of it is buried yet, or a second
    delivery would bury it again. What was decided is a repeat then."""
    message, _, _ = WAYS[way]
    function = Function({"p2": ContentionError("busy", {"stale": 2})})
    record = message([pay(1), "{}", pay(2), pay(3)])
    assert function(record) == ["m1"]
    assert function.outcomes == {"accepted": 1, "contention": 1, "deferred": 1}
    assert function.sqs.sent == []
    assert sum(map(len, function.sqs.delayed.values())) == 1
    again = Function(store=function.store)
    assert again(message([pay(1), "{}", pay(2), pay(3)], received=2)) == []
    assert again.outcomes == {"repeat": 1, "accepted": 2}
    assert len(again.sqs.sent) == 1
    assert balances_of(function.store)["a"] == 3


def test_a_bug_in_one_command_holds_up_its_own_message_only() -> None:
    """And its group: the message behind it comes back whole, what is no command in it, too."""
    function = Function({"p1": ValueError("a bug")})
    messages = [
        by_fifo([pay(1), pay(2)], id="m1", group="g1"),
        by_fifo([pay(3)], id="m2", group="g2"),
        by_fifo(["{}", pay(4)], id="m3", group="g1"),
    ]
    assert function(*messages) == ["m1", "m3"]
    assert [one.command.id for one in function.asked] == ["p1", "p3"]
    assert function.outcomes == {"exception:ValueError": 1, "deferred": 3, "accepted": 1}
    assert function.sqs.sent == []


def test_dead_letters_are_sent_ten_at_a_time_and_what_is_not_taken_comes_back() -> None:
    """A message with 25 faults takes three requests. Each result counts: one refused entry brings
    the message back, whose commands are decided."""
    function = Function()
    assert function(by_bus([pay(1), *["{}"] * 25])) == []
    assert (len(function.sqs.sent), function.lines.count("CommandsBuried")) == (25, 25)
    function.sqs.full = 1
    assert function(by_bus([pay(2), *["{}"] * 2], id="m2"), by_bus([pay(3)], id="m3")) == ["m2"]
    assert function.outcomes == {"accepted": 2, "not_buried": 1}
    assert function.lines.count("CommandsBuried") == 1


def test_dead_letters_for_which_there_is_no_time_bring_their_message_back() -> None:
    """A client that sends nothing but nonsense must not keep the answer from going out: then all of
    the batch would come back, and be buried again."""
    function = Function()
    context = Context(BURYING_MILLISECONDS_MIN, BURYING_MILLISECONDS_MIN - 1)
    assert function(by_bus(["{}"] * 25), context=context) == ["m1"]
    assert len(function.sqs.sent) == 10
    assert function.outcomes == {"not_buried": 15}


WRONG: dict[str, tuple[str, str, str]] = {
    "no commands": ('{"commands":[]}', "invalid_batch", "commands"),
    "no list": ('{"commands":{}}', "invalid_batch", "commands"),
    "another field": ('{"commands":[1],"note":1}', "unknown_field", "note"),
    "twice": ('{"commands":[1],"commands":[1]}', "malformed_json", ""),
    "too many": (bulk(["1"] * (BULK_COMMANDS_MAX + 1)), "invalid_batch", "commands"),
    "too long": (bulk([f'"{"x" * BULK_BYTES_MAX}"']), "payload_too_large", ""),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("way", ["bus", "fifo"])
def test_what_is_no_bulk_message_is_buried_whole(how: str, way: str) -> None:
    """As it is: there is no telling which commands were meant."""
    body, reason, field = WRONG[how]
    function = Function()
    record = bus_message(body, detail_type="commands") if way == "bus" else fifo_message(body)
    assert function(record) == []
    (letter,) = function.sqs.sent
    assert letter["MessageBody"] == record["body"]
    assert attributes_of(letter)["reason"] == reason
    assert attributes_of(letter).get("field", "") == field


def test_the_envelope_says_what_is_in_it() -> None:
    """Many commands under the type of one, one command under the type of many: both are refused,
    the first for the type that it lacks."""
    function = Function()
    assert function(bus_message(bulk([pay(1)]), detail_type="payment.post")) == []
    assert function(bus_message(text_of(pay(1)), detail_type=BULK_DETAIL_TYPE, id="m2")) == []
    reasons = [(a["reason"], a.get("field")) for a in map(attributes_of, function.sqs.sent)]
    assert reasons == [("missing_field", "type"), ("unknown_field", "type")]
    assert function(by_bus([pay(1)], source=CARD)) == []
    assert attributes_of(function.sqs.sent[-1])["field"] == "source"
    assert "p1" not in function.store.snapshot().events


def test_system_commands_in_bulk_are_taken_from_their_queue_only() -> None:
    """There they are decided, and a client's among them is refused; elsewhere they are."""
    function = Function()
    assert function(by_fifo([pay(1), pay(2)])) == []
    verdicts = [screening("p1"), screening("p2")]
    assert function(by_fifo([verdicts[0], pay(3)])) == []
    assert attributes_of(function.sqs.sent[-1])["reason"] == "unsupported_type"
    assert attributes_of(function.sqs.sent[-1])["field"] == "commands[0].type"
    assert function(system_message(bulk([verdicts[0], pay(4), verdicts[1]]))) == []
    assert attributes_of(function.sqs.sent[-1])["field"] == "commands[1].type"
    assert function.outcomes == {"accepted": 2}
    assert {one.id for one in verdicts} <= function.store.snapshot().events.keys()


def test_the_most_there_can_be_is_decided() -> None:
    """500 payments in a message, answered in one invocation."""
    function = Function()
    assert function(by_fifo([pay(number) for number in range(BULK_COMMANDS_MAX)])) == []
    assert function.outcomes == {"accepted": BULK_COMMANDS_MAX}
    assert balances_of(function.store)["a"] == BULK_COMMANDS_MAX


FAULTS = (
    lambda number: text_of(pay(number)).replace('"v":1', f'"v":1,"description":"pan {CARD}"'),
    lambda number: text_of(pay(number)).replace('"v":1', '"v":1,"v":1'),
    lambda number: text_of(pay(number)).replace('"v":1', '"v":2'),
    lambda number: text_of(pay(number)).replace('"v":1', '"v":1,"colour":"red"'),
    lambda number: text_of(pay(number)).replace(f'"p{number}"', '"expire:p:1"'),
    lambda number: text_of(pay(number)).replace(f'"p{number}"', f'"{"x" * 70_000}"'),
)


@given(st.lists(st.one_of(st.none(), st.integers(0, len(FAULTS) - 1)), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_in_bulk_a_command_is_judged_as_by_itself(kinds: list[int | None]) -> None:
    """Whatever is beside it: the same commands are decided, the same refused, for the same reason
    at the same field. No card number reaches an event."""
    bodies = [
        text_of(pay(number)) if kind is None else FAULTS[kind](number)
        for number, kind in enumerate(kinds)
    ]
    together, apart = Function(), Function()
    assert together(fifo_message(bulk(bodies))) == []
    assert apart(*[fifo_message(body, id=f"m{n}") for n, body in enumerate(bodies)]) == []
    assert together.store.snapshot().events.keys() == apart.store.snapshot().events.keys()
    assert balances_of(together.store) == balances_of(apart.store)
    places = [number for number, kind in enumerate(kinds) if kind is not None]
    singly = [attributes_of(letter) for letter in apart.sqs.sent]
    for place, letter, alone in zip(places, together.sqs.sent, singly, strict=True):
        found = attributes_of(letter)
        field = alone.get("field", "")
        path = f"commands[{place}].{field}" if field else f"commands[{place}]"
        if len(kinds) > 1:
            assert msgspec.json.decode(letter["MessageBody"]) == {
                "commands": [msgspec.json.decode(bodies[place])]
            }
        assert (found["reason"], found.get("field", "")) == (alone["reason"], path)
    assert all(CARD.encode() not in event.data for event in together.store.events())
