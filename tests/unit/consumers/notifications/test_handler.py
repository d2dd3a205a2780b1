"""From queue messages to the topic: each event told whole, each failure back to its message."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec import structs

from consumers.notifications import handler as module
from consumers.notifications.handler import PART_RESERVED_MS, make_handler
from consumers.notifications.topic import AWS_ATTEMPTS, FAILURES_IN_A_ROW_MAX, Topic
from ledger.consuming.batches import PART_ENTRIES_MAX
from ledger.contracts import examples
from ledger.contracts.events import EVENT_TYPES, PaymentScreened, decode_event
from ledger.runtime.clients import seconds_at_most
from ledger.runtime.settings import SettingsError
from tests.properties.projection_streams import four_events, message, pack, raw_message
from tests.support.builders import posting
from tests.support.consuming import World
from tests.support.notifying import FakeTopic, Result, crossing, largest_payment

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

BOOK = four_events()
SHOWN = [decode_event(json.dumps(example)) for example in examples.EVENTS.values()]


def handle(topic: FakeTopic, world: World, *records: dict[str, Any]) -> list[str]:
    """Let the handler have a batch; the ids of the messages that it fails."""
    publish = Topic(cast("SNSClient", topic), "arn:topic").publish
    answer = make_handler(publish=publish, **world.collaborators)({"Records": [*records]}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_every_event_is_told_once_as_it_was_published() -> None:
    """Every type of event but a screening, its JSON unchanged, with its attributes; one message
    each, however many come in a pack."""
    topic, world = FakeTopic(), World()
    events = [event for event in SHOWN if not isinstance(event, PaymentScreened)]
    records = [pack(events[start : start + 3], f"m{start}") for start in range(0, len(events), 3)]
    assert handle(topic, world, *records) == []
    assert topic.bodies == [
        event for record in records for event in json.loads(record["body"])["detail"]["events"]
    ]
    kinds = [entry["MessageAttributes"]["type"]["StringValue"] for entry in topic.entries()]
    assert kinds == [body["type"] for body in topic.bodies]
    (line,) = world.lines
    assert line.level == "info"
    assert line.metrics["Notifications"] == ("Count", len(EVENT_TYPES) - 1)
    assert line.metrics["BalanceAlerts"] == ("Count", 0)
    assert world.delayed == []


def test_no_part_is_begun_without_the_time_for_a_topic_out_of_reach() -> None:
    """Three calls that hang, and what follows: the rest comes back instead, untried."""
    out_of_reach_ms = 1_000 * FAILURES_IN_A_ROW_MAX * seconds_at_most(AWS_ATTEMPTS)
    assert out_of_reach_ms + 8_000 <= PART_RESERVED_MS
    topic, world = FakeTopic(), World()
    times = iter([PART_RESERVED_MS, PART_RESERVED_MS - 1])
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: next(times))
    records = [message(BOOK.events[2], f"m{place}") for place in range(PART_ENTRIES_MAX + 1)]
    publish = Topic(cast("SNSClient", topic), "arn:topic").publish
    answer = make_handler(publish=publish, **world.collaborators)({"Records": records}, context)
    assert len(topic.bodies) == PART_ENTRIES_MAX
    assert answer["batchItemFailures"] == [{"itemIdentifier": f"m{PART_ENTRIES_MAX}"}]
    assert world.lines[0].notes["failures"] == {"not_tried": 1}


def test_fields_that_a_newer_release_added_are_told_too() -> None:
    """What is published goes on byte for byte, not as this release understands it."""
    topic = FakeTopic()
    record = message(BOOK.events[2])
    envelope = json.loads(record["body"])
    [event] = envelope["detail"]["events"]
    event["added"] = {"later": [1, "ü"]}
    record["body"] = json.dumps(envelope, separators=(",", ":"))
    assert handle(topic, World(), record) == []
    [entry] = topic.entries()
    assert entry["Message"] == json.dumps(event, separators=(",", ":"))


def test_a_crossing_is_told_beside_its_event() -> None:
    """The event first, then an alert for each of its crossings."""
    topic, world = FakeTopic(), World()
    assert handle(topic, world, message(crossing("p", "a", "b"))) == []
    assert [body["type"] for body in topic.bodies] == [
        *("payment.posted", "balance.alert", "balance.alert"),
    ]
    assert [body["id"] for body in topic.bodies] == ["p", "p/a/below/0", "p/b/below/0"]
    assert world.lines[0].metrics["BalanceAlerts"] == ("Count", 2)
    assert world.lines[0].metrics["Notifications"] == ("Count", 3)


def test_screenings_are_told_to_nobody() -> None:
    """No rule brings one here; if one came all the same it would be done with."""
    topic = FakeTopic()
    screenings = [message(event) for event in SHOWN if isinstance(event, PaymentScreened)]
    assert screenings
    assert handle(topic, World(), *screenings) == []
    assert topic.requests == []


def test_an_event_comes_back_if_any_message_of_it_failed() -> None:
    """An alert that was throttled brings its event back, and no other event."""
    throttled: Result = {"Code": "Throttled"}
    topic = FakeTopic(lambda body: throttled if '"p2/b/below/0"' in body else None)
    world = World()
    records = [message(crossing(name, "a", "b"), name) for name in ("p1", "p2", "p3")]
    assert handle(topic, world, *records) == ["p2"]
    assert world.delayed == ["receipt-p2"]
    (line,) = world.lines
    assert line.level == "warning"
    assert line.notes["failures"] == {"Throttled": 1}
    assert line.metrics["Notifications"] == ("Count", 8)
    assert line.metrics["BalanceAlerts"] == ("Count", 5)


def test_telling_again_tells_the_same() -> None:
    """A redelivered event gives the very same bodies, ids and attributes."""
    first, second = FakeTopic(), FakeTopic()
    record = message(crossing("p", "a", "b"))
    handle(first, World(), record)
    handle(second, World(), record)
    assert first.requests == second.requests


def test_poison_fails_alone() -> None:
    """What is no event of ours comes back by itself, and what shares its batch is told."""
    topic, world = FakeTopic(), World()
    unknown = structs.replace(crossing("p", "a", "b"), postings=(posting("a", "b", 1, "XYZ"),))
    records = [
        raw_message("not JSON", "m0"),
        message(BOOK.events[2], "m1"),
        raw_message("{}", "m2"),
        message(unknown, "m3"),
    ]
    assert handle(topic, world, *records) == ["m0", "m2", "m3"]
    assert [body["id"] for body in topic.bodies] == [BOOK.events[2].id]
    assert world.lines[0].notes["failures"] == {"malformed_message": 2, "unknown_event": 1}


def test_a_batch_of_the_widest_events_is_told_in_parts() -> None:
    """Each is 361 messages: they are not gathered into one part, so that time is looked at."""
    topic, world = FakeTopic(), World()
    events = [structs.replace(largest_payment(), id=f"p{number}") for number in range(5)]
    publishes: list[int] = []

    def publish(messages: Any) -> dict[int, str]:
        publishes.append(len(messages))
        return Topic(cast("SNSClient", topic), "arn:topic").publish(messages)

    consumer = make_handler(publish=publish, **world.collaborators)
    records = [message(event, event.id) for event in events]
    assert consumer({"Records": records}, None) == {"batchItemFailures": []}
    assert publishes == [722, 722, 361]
    ids = [body["id"] for body in topic.bodies]
    assert len(set(ids)) == len(ids) == 5 * 361


def test_the_deployed_handler_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is created at import; the first call says which settings it lacks."""
    monkeypatch.delenv("TOPIC_ARN", raising=False)
    monkeypatch.delenv("QUEUE_URL", raising=False)
    with pytest.raises(SettingsError, match="TOPIC_ARN"):
        module.handler({"Records": []}, None)
