"""Checks of FIFO queues: order, groups, and what was sent twice."""

from __future__ import annotations

import json

from tests.contract.services.bench import QUIET_SECONDS, Services, check, refusal, results

#: As the stack has them.
BY_GROUP = {
    "FifoQueue": "true",
    "DeduplicationScope": "messageGroup",
    "FifoThroughputLimit": "perMessageGroupId",
}


@check(
    aws="once, in order, none of a group while one is handled",
    matters="order per account rests on it (`commands.fifo`)",
)
def a_fifo_queue_keeps_order(services: Services) -> str:
    """How a FIFO queue delivers a message that was sent twice, and those behind it."""
    url = services.queue(".fifo", FifoQueue="true")
    _send(services, url, "1", "1", "2", "3")
    first = services.received(url, most=1)
    while_handled = services.received(url, seconds=QUIET_SECONDS)
    if (first, while_handled) == (["1"], []):
        return "once, in order, none of a group while one is handled"
    return f"first {first}, then {while_handled}"


@check(aws="MissingParameter", matters="every sender gives one")
def a_fifo_queue_wants_a_group(services: Services) -> str:
    """A message for a FIFO queue without a group."""
    url = services.queue(".fifo", **BY_GROUP)
    return refusal(
        lambda: services.client("sqs").send_message(
            QueueUrl=url, MessageBody="x", MessageDeduplicationId="1"
        )
    )


@check(aws="InvalidParameterValue", matters="every sender gives one")
def a_fifo_queue_wants_a_deduplication_id(services: Services) -> str:
    """A message for a FIFO queue without a deduplication id."""
    url = services.queue(".fifo", **BY_GROUP)
    return refusal(
        lambda: services.client("sqs").send_message(
            QueueUrl=url, MessageBody="x", MessageGroupId="g"
        )
    )


@check(
    aws="done 0, 2; failed 1 MissingParameter by the sender",
    matters="clients send again what was not taken, and nothing else",
)
def an_entry_of_a_batch_fails_by_itself(services: Services) -> str:
    """What is answered to a message for a FIFO queue without a group between two others."""
    url = services.queue(".fifo", **BY_GROUP)
    entries = [
        {"Id": str(place), "MessageBody": "x", "MessageDeduplicationId": str(place), **group}
        for place, group in enumerate(({"MessageGroupId": "a"}, {}, {"MessageGroupId": "b"}))
    ]
    return results(services.client("sqs").send_message_batch(QueueUrl=url, Entries=entries))


@check(
    aws="both",
    matters="a client's ids are its own, and groups may be of different clients",
)
def deduplication_ids_are_of_a_group(services: Services) -> str:
    """What comes of one deduplication id in two groups, where the queue tells groups apart."""
    url = services.queue(".fifo", **BY_GROUP)
    for group in "ab":
        _send(services, url, "x", group=group)
    return "both" if services.received(url) == ["x", "x"] else "one"


@check(
    aws="nothing",
    matters="a sender that was not answered sends again, and the first may be done by then",
)
def a_deduplication_id_outlives_its_message(services: Services) -> str:
    """What comes of a message whose deduplication id one had that is deleted."""
    url = services.queue(".fifo", **BY_GROUP)
    _send(services, url, "x")
    [message] = services.messages(url)
    entry = {"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}
    services.client("sqs").delete_message_batch(QueueUrl=url, Entries=[entry])
    _send(services, url, "x")
    return "it" if services.received(url, seconds=QUIET_SECONDS) else "nothing"


@check(
    aws="a1, a2, then b1",
    matters="an account's backlog holds up no other account",
)
def groups_do_not_wait_for_each_other(services: Services) -> str:
    """What two receives get of two messages of one group, and then of one of another."""
    url = services.queue(".fifo", **BY_GROUP)
    _send(services, url, "a1", "a2", group="a")
    first = services.received(url)
    _send(services, url, "b1", group="b")
    second = services.received(url, seconds=QUIET_SECONDS)
    return f"{', '.join(first)}, then {', '.join(second)}"


@check(
    aws="a1, a2, a3",
    matters="what comes back must not be overtaken",
)
def what_comes_back_stands_where_it_stood(services: Services) -> str:
    """What a receive gets after one of two messages of a group came back, and one was behind."""
    url = services.queue(".fifo", **BY_GROUP)
    _send(services, url, "a1", "a2", "a3")
    messages = services.messages(url, most=2)
    services.client("sqs").change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(at), "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": 0}
            for at, each in enumerate(messages)
        ],
    )
    return ", ".join(services.received(url))


@check(
    aws="nothing, until the other is back too",
    matters="a batch of which some came back keeps its order",
)
def a_group_waits_for_all_that_is_in_flight(services: Services) -> str:
    """What a receive gets of a group of which one message came back and another has not."""
    url = services.queue(".fifo", **BY_GROUP)
    _send(services, url, "a1", "a2")
    first, _ = services.messages(url, most=2)
    services.client("sqs").change_message_visibility_batch(
        QueueUrl=url,
        Entries=[{"Id": "0", "ReceiptHandle": first["ReceiptHandle"], "VisibilityTimeout": 0}],
    )
    found = services.received(url, seconds=QUIET_SECONDS)
    return ", ".join(found) if found else "nothing, until the other is back too"


@check(
    aws="refused",
    matters="a mapping that was too slow is told",
)
def an_expired_handle_deletes_nothing(services: Services) -> str:
    """The deletion of a FIFO queue's message after its visibility time-out."""
    url = services.queue(".fifo", **BY_GROUP, VisibilityTimeout="1")
    _send(services, url, "x")
    [message] = services.messages(url)
    services.wait(1.5)
    answer = services.client("sqs").delete_message_batch(
        QueueUrl=url, Entries=[{"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}]
    )
    return "refused" if answer.get("Failed") else "deleted"


@check(
    aws="behind; group g, and the queue that it died in",
    matters="one hopeless command does not stop its group for ever",
)
def a_dead_message_frees_its_group(services: Services) -> str:
    """What a receive gets after a message died in front of it, and what the dead letter says."""
    dead = services.queue(".fifo", FifoQueue="true")
    redrive = {"deadLetterTargetArn": services.queue_arn(dead), "maxReceiveCount": 1}
    url = services.queue(
        ".fifo", **BY_GROUP, VisibilityTimeout="0", RedrivePolicy=json.dumps(redrive)
    )
    _send(services, url, "poison", "behind", group="g")
    services.received(url, most=1)
    behind = services.received(url, most=1)
    [letter] = services.messages(dead)
    system = letter["Attributes"]
    source = "the queue that it died in" if "DeadLetterQueueSourceArn" in system else "no queue"
    return f"{', '.join(behind)}; group {system.get('MessageGroupId')}, and {source}"


def _send(services: Services, url: str, *bodies: str, group: str = "a") -> None:
    """Messages with their texts as deduplication ids."""
    for body in bodies:
        services.client("sqs").send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=body
        )
