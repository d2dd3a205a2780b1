"""Simulated queues: what mappings and faults do with them. What a client sees is held to AWS's
answers by the conformance checks (`tests/contract/services`)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from simulation.aws.errors import ServiceError
from simulation.aws.sqs.message import Record
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from simulation.wiring import model
from tests.support.simulated import REGION, SimulatedMessaging, a_queue

QUEUE = a_queue("q")
FIFO = a_queue("q.fifo")


def send(world: SimulatedMessaging, queue: model.Queue, *bodies: str, group: str = "") -> None:
    """Sends texts, one after the other."""
    sqs = world.client(world.sqs)
    for body in bodies:
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": body} if group else {}
        sqs.send_message(QueueUrl=queue.url, MessageBody=body, **fifo)


def bodies(records: list[Record]) -> list[str]:
    return [record["body"] for record in records]


def handles(records: list[Record]) -> list[str]:
    return [record["receiptHandle"] for record in records]


def test_a_record_has_the_shape_that_lambda_gives_it() -> None:
    """All that Lambda documents of a record of SQS, message attributes in its own spelling."""
    world = SimulatedMessaging(FIFO)
    sent_at = world.hub.now // 1_000
    world.client(world.sqs).send_message(
        QueueUrl=FIFO.url,
        MessageBody="text",
        MessageGroupId="g",
        MessageDeduplicationId="d",
        MessageAttributes={"reason": {"DataType": "String", "StringValue": "why"}},
    )
    [record] = world.sqs.receive("q.fifo", 10)
    attributes = record.pop("attributes")
    assert set(record) == {
        *("messageId", "receiptHandle", "body", "messageAttributes", "md5OfBody"),
        *("eventSource", "eventSourceARN", "awsRegion"),
    }
    assert record["body"] == "text"
    assert record["md5OfBody"] == "1cb251ec0d568de6a929b520c4aed8d1"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", REGION)
    assert record["eventSourceARN"] == FIFO.arn
    assert record["messageAttributes"] == {
        "reason": {
            "stringValue": "why",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        }
    }
    assert attributes["ApproximateReceiveCount"] == "1"
    assert attributes["MessageGroupId"] == "g"
    assert attributes["MessageDeduplicationId"] == "d"
    assert len(attributes["SequenceNumber"]) == 20
    assert sent_at <= int(attributes["SentTimestamp"])
    assert int(attributes["SentTimestamp"]) <= int(attributes["ApproximateFirstReceiveTimestamp"])
    assert attributes["SenderId"]


def test_listeners_are_told_once_of_all_that_happens_at_an_instant() -> None:
    """Of a batch that was sent there is one word, of a message that shows again another, and of
    what was there before the listener too."""
    world, heard = SimulatedMessaging(QUEUE), []
    send(world, QUEUE, "before")
    world.sqs.on_available("q", lambda: heard.append(world.sqs.depth("q")))
    world.wait(1)
    assert heard == [(1, 0, 0)]
    world.client(world.sqs).send_message_batch(
        QueueUrl=QUEUE.url,
        Entries=[{"Id": str(each), "MessageBody": str(each)} for each in range(3)],
    )
    assert heard == [(1, 0, 0), (4, 0, 0)]
    world.sqs.receive("q", 10)
    world.wait(QUEUE.visibility_seconds + 1)
    assert heard == [(1, 0, 0), (4, 0, 0), (4, 0, 0)]


def test_nothing_is_planned_for_what_was_deleted() -> None:
    """A queue that is empty again keeps nobody waiting for time-outs."""
    world = SimulatedMessaging(QUEUE, FIFO)
    send(world, QUEUE, "1", "2")
    send(world, FIFO, "1", "2", group="g")
    for queue in (QUEUE, FIFO):
        world.sqs.delete(queue.name, handles(world.sqs.receive(queue.name, 10)))
        assert world.sqs.depth(queue.name) == (0, 0, 0)
    assert world.hub.waited_for == 0


def test_a_queue_without_faults_gives_each_message_once_in_order() -> None:
    """Without faults nothing is out of order or comes twice."""
    world = SimulatedMessaging(QUEUE)
    send(world, QUEUE, *"abcdef")
    first, second = world.sqs.receive("q", 4), world.sqs.receive("q", 4)
    assert bodies(first) + bodies(second) == list("abcdef")


def test_messages_come_in_any_order_where_that_fault_strikes() -> None:
    """None is lost or invented, and the order is another."""
    world = SimulatedMessaging(QUEUE, rates={Fault.QUEUE_REORDERED: 1.0})
    send(world, QUEUE, *"abcdefghij")
    found = bodies(world.sqs.receive("q", 10))
    assert sorted(found) == list("abcdefghij") != found
    assert world.injector.occurred[Fault.QUEUE_REORDERED] == 1


def test_a_message_comes_twice_where_that_fault_strikes_though_it_was_deleted() -> None:
    """It shows again within seconds, under its id, with another handle and a higher count."""
    world = SimulatedMessaging(QUEUE, rates={Fault.QUEUE_DUPLICATE: 1.0})
    send(world, QUEUE, "a")
    [first] = world.sqs.receive("q", 10)
    world.sqs.delete("q", [first["receiptHandle"]])
    assert world.sqs.depth("q") == (0, 0, 0)
    world.injector.quieten()
    world.wait(20)
    [second] = world.sqs.receive("q", 10)
    assert (second["messageId"], second["body"]) == (first["messageId"], "a")
    assert second["attributes"]["ApproximateReceiveCount"] == "2"
    world.sqs.delete("q", [second["receiptHandle"]])
    world.wait(60)
    assert world.sqs.depth("q") == (0, 0, 0)


def test_a_message_that_two_hold_is_hidden_until_the_later_time_is_over() -> None:
    """The first holder's handle deletes nothing any more; the second's does."""
    world = SimulatedMessaging(QUEUE, rates={Fault.QUEUE_DUPLICATE: 1.0})
    send(world, QUEUE, "a")
    [first] = world.sqs.receive("q", 10)
    world.injector.quieten()
    world.wait(20)
    [second] = world.sqs.receive("q", 10)
    assert world.sqs.depth("q") == (0, 1, 0)
    world.sqs.delete("q", [first["receiptHandle"]])
    world.wait(QUEUE.visibility_seconds - 15)  # the first time-out is over
    assert world.sqs.depth("q") == (0, 1, 0)
    world.sqs.delete("q", [second["receiptHandle"]])
    assert world.sqs.depth("q") == (0, 0, 0)
    assert world.hub.waited_for == 0


def test_an_expiry_under_a_mappings_hands_is_noted_and_no_other() -> None:
    """Noted when a mapping still works on the message; not after it said that it is done, nor
    where the handler shortened the time itself."""
    world = SimulatedMessaging(QUEUE)
    send(world, QUEUE, "a")
    world.sqs.receive("q", 1)
    world.wait(QUEUE.visibility_seconds)
    assert world.injector.occurred[Fault.VISIBILITY_EXPIRED] == 1
    world.sqs.done("q", handles(world.sqs.receive("q", 1)))
    world.wait(QUEUE.visibility_seconds)
    [record] = world.sqs.receive("q", 1)
    world.client(world.sqs).change_message_visibility_batch(
        QueueUrl=QUEUE.url,
        Entries=[{"Id": "1", "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": 2}],
    )
    world.wait(2)
    assert world.sqs.depth("q") == (1, 0, 0)
    assert world.injector.occurred[Fault.VISIBILITY_EXPIRED] == 1


@pytest.mark.parametrize("suffix", ["", ".fifo"])
def test_what_was_received_too_often_dies_and_is_told_of(suffix: str) -> None:
    """After as many receives as allowed the next one gets what is behind it. The dead letter has
    the message's id and its count, and the queue's ARN; the observers are told."""
    dead = a_queue(f"dead{suffix}")
    queue = a_queue(f"q{suffix}", max_receives=2, dead_letters=dead.name)
    world, told = SimulatedMessaging(queue, dead), []
    world.sqs.observers.append(lambda *said: told.append(said))
    send(world, queue, "poison", "behind", group="g" if suffix else "")
    [record] = world.sqs.receive(queue.name, 1)
    world.wait(queue.visibility_seconds)
    for _ in range(2 if not suffix else 1):  # a standard queue gives them turn by turn
        world.sqs.receive(queue.name, 1)
    world.wait(queue.visibility_seconds)
    assert bodies(world.sqs.receive(queue.name, 10)) == ["behind"]
    [letter] = world.sqs.peek(dead.name)
    assert (letter.id, letter.body, letter.receives) == (record["messageId"], "poison", 2)
    assert letter.moved_from == queue.arn
    assert told == [(queue.name, "poison", record["messageId"])]
    assert world.injector.occurred[Fault.MESSAGE_DEAD] == 1
    [found] = world.sqs.receive(dead.name, 1)
    assert found["attributes"]["DeadLetterQueueSourceArn"] == queue.arn
    assert found["attributes"]["ApproximateReceiveCount"] == "3"


def test_what_nobody_handled_in_time_is_gone_and_counted() -> None:
    """After its retention a message is handed out to nobody."""
    queue = a_queue("q", retention_seconds=60)
    world = SimulatedMessaging(queue)
    send(world, queue, "old")
    world.wait(61)
    send(world, queue, "new")
    assert bodies(world.sqs.receive("q", 10)) == ["new"]
    assert world.sqs.expired("q") == 1


def test_a_dead_letter_of_a_standard_queue_is_as_old_as_its_message() -> None:
    """Its retention counts from when the message was sent; in a FIFO queue it counts anew."""
    queues = [
        each
        for suffix in ("", ".fifo")
        for each in (
            a_queue(f"dead{suffix}", retention_seconds=100),
            a_queue(f"q{suffix}", max_receives=1, dead_letters=f"dead{suffix}"),
        )
    ]
    world = SimulatedMessaging(*queues)
    send(world, queues[1], "a")
    send(world, queues[3], "a", group="g")
    for name in ("q", "q.fifo"):
        world.sqs.receive(name, 1)
    world.wait(60)
    for name in ("q", "q.fifo"):
        assert world.sqs.receive(name, 1) == []
    world.wait(60)
    assert world.sqs.receive("dead", 1) == []
    assert bodies(world.sqs.receive("dead.fifo", 1)) == ["a"]


def test_entries_of_a_batch_fail_by_themselves_where_that_fault_strikes() -> None:
    """A failed entry is named, is no fault of the sender's and is not in the queue; the others
    are."""
    world = SimulatedMessaging(QUEUE, rates={Fault.QUEUE_ENTRY_FAILED: 0.5})
    answer = world.client(world.sqs).send_message_batch(
        QueueUrl=QUEUE.url,
        Entries=[{"Id": str(each), "MessageBody": str(each)} for each in range(10)],
    )
    taken = [entry["Id"] for entry in answer["Successful"]]
    failed = [entry["Id"] for entry in answer["Failed"]]
    assert taken
    assert failed
    assert sorted(taken + failed) == [str(each) for each in range(10)]
    assert {(e["Code"], e["SenderFault"]) for e in answer["Failed"]} == {("InternalError", False)}
    assert [each.body for each in world.sqs.peek("q")] == taken
    assert world.injector.occurred[Fault.QUEUE_ENTRY_FAILED] == len(failed)


def test_a_group_keeps_its_order_whatever_comes_back() -> None:
    """Of a group nothing is handed out while any of it is in flight; what comes back stands where
    it stood, and what was deleted is done."""
    world = SimulatedMessaging(FIFO)
    send(world, FIFO, *"abcd", group="g")
    records = world.sqs.receive("q.fifo", 3)
    assert bodies(records) == ["a", "b", "c"]
    world.client(world.sqs).change_message_visibility_batch(
        QueueUrl=FIFO.url,
        Entries=[
            {"Id": str(at), "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": seconds}
            for at, (record, seconds) in enumerate(zip(records, (1, 5, 9), strict=True))
        ],
    )
    world.sqs.delete("q.fifo", [records[1]["receiptHandle"]])
    world.wait(8)
    assert world.sqs.receive("q.fifo", 10) == []
    world.wait(1)
    assert bodies(world.sqs.receive("q.fifo", 10)) == ["a", "c", "d"]


def test_groups_do_not_wait_for_each_other() -> None:
    """What is in flight of one group keeps nothing of another; a batch may hold several."""
    world = SimulatedMessaging(FIFO)
    send(world, FIFO, "a1", "a2", group="a")
    assert bodies(world.sqs.receive("q.fifo", 1)) == ["a1"]
    send(world, FIFO, "b1", "b2", group="b")
    send(world, FIFO, "c1", group="c")
    assert bodies(world.sqs.receive("q.fifo", 10)) == ["b1", "b2", "c1"]
    assert world.sqs.depth("q.fifo") == (1, 4, 0)


def test_a_listener_hears_when_a_group_is_free() -> None:
    """By the deletion of what was in flight of it."""
    world, heard = SimulatedMessaging(FIFO), []
    send(world, FIFO, "a1", "a2", group="a")
    world.sqs.on_available("q.fifo", lambda: heard.append(world.sqs.depth("q.fifo")))
    world.wait(1)
    world.sqs.delete("q.fifo", handles(world.sqs.receive("q.fifo", 1)))
    world.wait(1)
    assert heard == [(2, 0, 0), (1, 0, 0)]


def test_a_deduplication_id_is_forgotten_after_five_minutes() -> None:
    """Within them the second message is answered as the first, though that was deleted long ago;
    afterwards it is one of its own."""
    world = SimulatedMessaging(FIFO)
    sqs = world.client(world.sqs)

    def sent() -> dict[str, Any]:
        answer: dict[str, Any] = sqs.send_message(
            QueueUrl=FIFO.url, MessageBody="a", MessageGroupId="g", MessageDeduplicationId="d"
        )
        return answer

    first = sent()
    world.sqs.delete("q.fifo", handles(world.sqs.receive("q.fifo", 1)))
    world.wait(298)
    assert sent() == first
    assert world.sqs.depth("q.fifo") == (0, 0, 0)
    world.wait(3)
    assert sent() != first
    assert world.sqs.depth("q.fifo") == (1, 0, 0)


def test_a_long_poll_ends_when_there_is_something_and_at_the_latest_when_its_time_is_up() -> None:
    """No earlier, and hardly later."""
    world = SimulatedMessaging(QUEUE)
    sqs, begun = world.client(world.sqs), world.hub.now
    assert sqs.receive_message(QueueUrl=QUEUE.url, WaitTimeSeconds=2) == {}
    assert 2 * SECOND <= world.hub.now - begun < 3 * SECOND
    begun = world.hub.now
    world.hub.after(SECOND, lambda: world.sqs.deliver("q", "text"))
    answer = sqs.receive_message(QueueUrl=QUEUE.url, WaitTimeSeconds=2)
    assert [message["Body"] for message in answer["Messages"]] == ["text"]
    assert SECOND <= world.hub.now - begun < 2 * SECOND


def test_a_delivery_that_does_not_fit_is_refused() -> None:
    """A service cannot put more into a queue than a client, and nothing into a FIFO queue."""
    world = SimulatedMessaging(QUEUE, FIFO)
    with pytest.raises(ServiceError):
        world.sqs.deliver("q", "x" * (1024 * 1024 + 1))
    with pytest.raises(NotImplementedError):
        world.sqs.deliver("q.fifo", "x")


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("send_message", {"MessageBody": "x", "DelaySeconds": 1}),
        ("send_message_batch", {"Entries": [{"Id": "1", "MessageBody": "x", "DelaySeconds": 1}]}),
        ("receive_message", {"AttributeNames": ["All"]}),
        ("receive_message", {"MessageAttributeNames": ["one"]}),
        ("get_queue_attributes", {"AttributeNames": ["Policy"]}),
        ("purge_queue", {}),
    ],
)
def test_what_is_not_simulated_says_so(operation: str, request_: dict[str, Any]) -> None:
    """An operation or a parameter that the ledger does not use is never ignored."""
    world = SimulatedMessaging(QUEUE)
    with pytest.raises(NotImplementedError):
        getattr(world.client(world.sqs), operation)(QueueUrl=QUEUE.url, **request_)


def test_depths_and_policy_are_told_as_attributes() -> None:
    """As texts, the redrive policy as JSON, and without one nothing is said of it."""
    dead = a_queue("dead")
    queue = a_queue("q", max_receives=3, dead_letters="dead")
    world = SimulatedMessaging(queue, dead)
    send(world, queue, *"abc")
    world.sqs.receive("q", 1)
    sqs = world.client(world.sqs)
    names = [
        *("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"),
        *("ApproximateNumberOfMessagesDelayed", "RedrivePolicy"),
    ]
    assert sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"] == {
        "ApproximateNumberOfMessages": "2",
        "ApproximateNumberOfMessagesNotVisible": "1",
        "ApproximateNumberOfMessagesDelayed": "0",
        "RedrivePolicy": f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": 3}}',
    }
    assert sqs.get_queue_attributes(QueueUrl=dead.url, AttributeNames=["RedrivePolicy"]) == {}


def test_the_same_seed_gives_the_same_history() -> None:
    """With every fault of queues, whatever is received and deleted in between."""
    rates = {
        Fault.QUEUE_DUPLICATE: 0.3,
        Fault.QUEUE_REORDERED: 0.5,
        Fault.QUEUE_ENTRY_FAILED: 0.2,
    }

    def history() -> tuple[str, Counter[str]]:
        world, seen = SimulatedMessaging(QUEUE, rates=rates, seed=7), Counter[str]()
        sqs = world.client(world.sqs)
        for round_ in range(20):
            sqs.send_message_batch(
                QueueUrl=QUEUE.url,
                Entries=[{"Id": str(n), "MessageBody": f"{round_}-{n}"} for n in range(5)],
            )
            records = world.sqs.receive("q", 7)
            seen.update(bodies(records))
            world.trace.add("test", "received", *handles(records))
            world.sqs.delete("q", handles(records)[::2])
            world.wait(1)
        return world.trace.digest, seen

    assert history() == history()
