"""Simulated topics: delivery, faults, and what is not simulated."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.faults.kinds import Fault
from simulation.wiring.model import Subscription
from tests.support.simulated import SimulatedMessaging, a_queue

TOPIC = "arn:aws:sns:eu-central-1:000000000000:topic"
TEXT = {"type": {"DataType": "String", "StringValue": "x"}}


def a_world(*queues: str, **options: Any) -> SimulatedMessaging:
    """A topic with queues subscribed to it."""
    world = SimulatedMessaging(*map(a_queue, queues), **options)
    world.sns.add(TOPIC)
    for queue in queues:
        world.sns.subscribe(Subscription(TOPIC, queue, None))
    return world


def published(world: SimulatedMessaging, count: int) -> Any:
    """The answer to a batch of so many messages."""
    return world.client(world.sns).publish_batch(
        TopicArn=TOPIC,
        PublishBatchRequestEntries=[
            {"Id": str(each), "Message": str(each), "MessageAttributes": TEXT}
            for each in range(count)
        ],
    )


def test_every_subscriber_gets_every_message_and_observers_are_told_of_it() -> None:
    """As it was published, with its attributes, soon."""
    world, told = a_world("one", "other"), []
    world.sns.observers.append(lambda *said: told.append(said))
    world.client(world.sns).publish(TopicArn=TOPIC, Message="0", MessageAttributes=TEXT)
    published(world, 3)
    world.wait(5)
    for queue in ("one", "other"):
        lying = world.sqs.peek(queue)
        assert sorted(each.body for each in lying) == ["0", "0", "1", "2"]
        assert all(each.attributes == TEXT for each in lying)
    assert told == [(TOPIC, body, TEXT) for body in ("0", "0", "1", "2")]


def test_entries_of_a_batch_fail_by_themselves_where_that_fault_strikes() -> None:
    """A failed entry is named, is no fault of the sender's and goes to nobody."""
    world = a_world("q", rates={Fault.TOPIC_ENTRY_FAILED: 0.5})
    answer = published(world, 10)
    taken = [entry["Id"] for entry in answer["Successful"]]
    failed = [entry["Id"] for entry in answer["Failed"]]
    assert taken
    assert failed
    assert {(e["Code"], e["SenderFault"]) for e in answer["Failed"]} == {("InternalError", False)}
    world.wait(5)
    assert sorted(each.body for each in world.sqs.peek("q")) == taken


def test_a_message_with_too_many_attributes_reaches_no_queue() -> None:
    """SNS accepts it, and drops it where a queue asked for it as it is."""
    world = a_world("q")
    attributes = {f"n{each}": TEXT["type"] for each in range(11)}
    world.client(world.sns).publish(TopicArn=TOPIC, Message="x", MessageAttributes=attributes)
    world.wait(5)
    assert world.sqs.peek("q") == []


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("publish", {"Message": "x", "Subject": "y"}),
        ("publish_batch", {"PublishBatchRequestEntries": [{"Id": "1", "MessageGroupId": "g"}]}),
        ("subscribe", {}),
    ],
)
def test_what_is_not_simulated_says_so(operation: str, request_: dict[str, Any]) -> None:
    """An operation or a parameter that the ledger does not use is never ignored."""
    world = a_world("q")
    with pytest.raises(NotImplementedError):
        getattr(world.client(world.sns), operation)(TopicArn=TOPIC, **request_)
