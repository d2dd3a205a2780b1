"""Simulated buses: patterns, delivery with its faults, and what dead letters say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ledger.contracts.envelopes import open_envelope
from simulation.aws.eventbridge.patterns import compiled
from simulation.faults.kinds import Fault
from simulation.wiring.model import Rule
from tests.support.simulated import SimulatedMessaging, a_queue

EVENT: Mapping[str, Any] = {
    "source": "ledger",
    "detail-type": "payment.screened",
    "detail": {
        "verdict": "review",
        "n": 1,
        "flag": True,
        "none": None,
        "tags": ["a", "b"],
        "events": [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}],
    },
}


def a_world(*, retries: int = 3, **options: Any) -> SimulatedMessaging:
    """A bus with one rule, for events of the source `s`."""
    world = SimulatedMessaging(a_queue("q"), a_queue("dead"), **options)
    world.events.add(
        Rule(
            name="rule",
            bus="bus",
            pattern={"source": ["s"]},
            queue="q",
            dead_letters="dead",
            retries=retries,
            age_seconds=86_400,
        )
    )
    return world


def put(world: SimulatedMessaging, *details: str, source: str = "s", bus: str = "bus") -> Any:
    """The answer to events put in one request."""
    entries = [
        {"EventBusName": bus, "Source": source, "DetailType": "t", "Detail": detail}
        for detail in details
    ]
    return world.client(world.events).put_events(Entries=entries)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({"source": ["ledger"]}, True),
        ({"source": ["other", "ledger"]}, True),
        ({"source": ["other"]}, False),
        ({"source": ["ledger"], "detail-type": ["payment.posted"]}, False),
        ({"detail": {"verdict": ["block", "review"]}}, True),
        ({"detail": {"verdict": ["block"]}}, False),
        ({"detail": {"verdict": {"deeper": ["review"]}}}, False),
        ({"detail": {"tags": ["b", "c"]}}, True),
        ({"detail": {"n": [1]}}, True),
        ({"detail": {"flag": [1]}}, False),
        ({"detail": {"n": ["1"]}}, False),
        ({"detail": {"none": [None]}}, True),
        ({"detail": {"missing": [None]}}, False),
        ({"detail": {"events": {"kind": ["a"]}}}, True),
        ({"detail": {"events": {"kind": ["c"]}}}, False),
        ({"detail": {"events": {"kind": ["b"], "n": [2]}}}, True),
        ({"detail": {"events": {"kind": ["a"], "n": [2]}}}, False),  # of two elements
    ],
)
def test_patterns_match_as_documented(pattern: Mapping[str, Any], matches: bool) -> None:
    """Every field must match, by one of its values, in a list by any; all that is asked for inside
    by the same element of a list; types count."""
    assert compiled(pattern)(EVENT) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": [{"prefix": "led"}]},
        {"source": "ledger"},
        {"$or": [{"source": ["ledger"]}]},
        {"detail": {"n": [{"numeric": [">", 0]}]}},
    ],
)
def test_a_pattern_that_is_not_simulated_says_so(pattern: Mapping[str, Any]) -> None:
    """No operator is taken for a value, and none is ignored."""
    with pytest.raises(NotImplementedError):
        compiled(pattern)


def test_an_event_comes_in_its_envelope_and_observers_see_that() -> None:
    """With a new id, the account and the time; the detail as it was put."""
    world, told = a_world(), []
    world.events.observers.append(lambda *said: told.append(said))
    answer = put(world, '{"a": "ä\\u00e4", "n": 1e2}')
    assert answer["FailedEntryCount"] == 0
    world.wait(5)
    [message] = world.sqs.peek("q")
    envelope = open_envelope(message.body)
    assert (envelope.source, envelope.detail_type) == ("s", "t")
    assert bytes(envelope.detail).decode() == '{"a": "ä\\u00e4", "n": 1e2}'
    assert envelope.id == answer["Entries"][0]["EventId"]
    assert set(json.loads(message.body)) == {
        *("version", "id", "detail-type", "source", "account", "time", "region"),
        *("resources", "detail"),
    }
    assert told == [("bus", message.body)]


def test_only_what_a_rule_asks_for_goes_to_its_queue() -> None:
    """Another source, and a bus without the rule, are taken and go nowhere."""
    world = a_world()
    put(world, "{}", source="other")
    put(world, "{}", bus="unknown")
    world.wait(5)
    assert world.sqs.peek("q") == []


def test_details_count_where_a_rule_asks_for_them() -> None:
    """Of two events of one source and type only that with the verdict comes."""
    world = a_world()
    world.events.add(
        Rule(
            name="by detail",
            bus="other",
            pattern={"source": ["s"], "detail": {"verdict": ["review", "block"]}},
            queue="q",
            dead_letters="dead",
            retries=3,
            age_seconds=60,
        )
    )
    put(world, '{"verdict":"clear"}', '{"verdict":"block"}', bus="other")
    world.wait(5)
    assert ["block" in each.body for each in world.sqs.peek("q")] == [True]


def test_entries_fail_by_themselves_where_that_fault_strikes() -> None:
    """The answer is a success that names and counts them, in their places; they go nowhere."""
    world = a_world(rates={Fault.PUT_EVENTS_ENTRY_FAILED: 0.5})
    answer = put(world, *(json.dumps({"n": each}) for each in range(10)))
    failed = [at for at, each in enumerate(answer["Entries"]) if "ErrorCode" in each]
    assert 0 < len(failed) < 10
    assert answer["FailedEntryCount"] == len(failed)
    assert all(
        set(each) in ({"EventId"}, {"ErrorCode", "ErrorMessage"}) for each in answer["Entries"]
    )
    world.wait(5)
    came = {json.loads(each.body)["detail"]["n"] for each in world.sqs.peek("q")}
    assert came == set(range(10)) - set(failed)


def test_an_event_comes_twice_where_that_fault_strikes() -> None:
    """Both times under one id."""
    world = a_world(rates={Fault.BUS_DUPLICATE: 1.0})
    put(world, "{}")
    world.wait(120)
    ids = [json.loads(each.body)["id"] for each in world.sqs.peek("q")]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_an_event_comes_late_where_that_fault_strikes() -> None:
    """By seconds at least, mostly by minutes at most, seldom by an hour, and then it is there."""
    world = a_world(rates={Fault.BUS_LATE: 1.0})
    for _ in range(30):
        put(world, *["{}"] * 10)
    world.wait(4)
    assert world.sqs.peek("q") == []
    world.wait(300)
    assert 250 < len(world.sqs.peek("q")) < 300
    world.wait(3_300)
    assert len(world.sqs.peek("q")) == 300


def test_a_delivery_is_tried_again_until_it_succeeds() -> None:
    """Where it fails now and then, everything comes, and nothing dies."""
    world = a_world(retries=185, rates={Fault.BUS_DELIVERY_RETRIED: 0.7})
    for _ in range(5):
        put(world, *["{}"] * 10)
    world.hub.run()
    assert world.injector.occurred[Fault.BUS_DELIVERY_RETRIED] > 50
    assert len(world.sqs.peek("q")) == 50
    assert world.sqs.peek("dead") == []


def test_a_delivery_that_always_fails_dies_with_all_that_is_known_of_it() -> None:
    """After as many retries as the rule has, with the event as body and what EventBridge
    documents as attributes."""
    world = a_world(rates={Fault.BUS_DELIVERY_RETRIED: 1.0})
    put(world, '{"n":1}')
    world.hub.run()
    [letter] = world.sqs.peek("dead")
    assert json.loads(letter.body)["detail"] == {"n": 1}
    said = {name: value["StringValue"] for name, value in letter.attributes.items()}
    assert said.pop("ERROR_MESSAGE")
    assert said == {
        "RULE_ARN": "arn:aws:events:eu-central-1:000000000000:rule/bus/rule",
        "TARGET_ARN": "arn:aws:sqs:eu-central-1:000000000000:q",
        "ERROR_CODE": "SDK_CLIENT_ERROR",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "3",
    }
    assert world.sqs.peek("q") == []
    assert world.injector.occurred[Fault.BUS_DELIVERY_DEAD] == 1


def test_no_delivery_is_tried_for_longer_than_the_rule_says() -> None:
    """However many retries are left."""
    world = a_world(retries=10_000, rates={Fault.BUS_DELIVERY_RETRIED: 1.0})
    put(world, "{}")
    begun = world.hub.now
    world.hub.run()
    [letter] = world.sqs.peek("dead")
    assert (
        letter.attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumEventAgeInSeconds"
    )
    assert world.hub.now - begun < 86_400 * 1_000_000


def test_a_delivery_dies_at_once_where_that_fault_strikes() -> None:
    """As one that may not be made at all: without a retry."""
    world = a_world(rates={Fault.BUS_DELIVERY_DEAD: 1.0})
    put(world, "{}")
    world.wait(5)
    [letter] = world.sqs.peek("dead")
    assert letter.attributes["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert letter.attributes["RETRY_ATTEMPTS"]["StringValue"] == "0"
    assert "EXHAUSTED_RETRY_CONDITION" not in letter.attributes


@pytest.mark.parametrize("parameter", ["Time", "Resources", "TraceHeader"])
def test_what_is_not_simulated_says_so(parameter: str) -> None:
    """A parameter that the ledger does not use is never ignored."""
    world = a_world()
    entry = {"EventBusName": "bus", "Source": "s", "DetailType": "t", "Detail": "{}"}
    with pytest.raises(NotImplementedError):
        world.client(world.events).put_events(Entries=[{**entry, parameter: "x"}])
