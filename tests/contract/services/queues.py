"""Checks of standard queues: what is taken, hidden, deleted and counted."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.contract.services.bench import (
    QUIET_SECONDS,
    Services,
    check,
    plain,
    refusal,
    results,
)

MIB = 1024 * 1024


@check(aws="refused", matters="commands and events are far smaller")
def a_message_has_a_mebibyte_at_most(services: Services) -> str:
    """A message of more than 1 MiB."""
    url = services.queue()
    try:
        services.client("sqs").send_message(QueueUrl=url, MessageBody="x" * (MIB + 1))
    except ClientError:
        return "refused"
    return "accepted"


@check(aws="BatchRequestTooLong", matters="batches are packed by bytes")
def a_batch_has_a_mebibyte_at_most(services: Services) -> str:
    """Two messages of 512 KiB and a byte in one request."""
    return _batch_refusal(services, *["x" * (MIB // 2 + 1)] * 2)


@check(aws="TooManyEntriesInBatchRequest", matters="batches are packed by number")
def a_batch_has_ten_messages_at_most(services: Services) -> str:
    """Eleven messages in one request."""
    return _batch_refusal(services, *"abcdefghijk")


@check(aws="EmptyBatchRequest", matters="nothing is sent where there is nothing to send")
def a_batch_has_one_message_at_least(services: Services) -> str:
    """No message in one request."""
    return _batch_refusal(services)


@check(aws="BatchEntryIdsNotDistinct", matters="entries are numbered")
def entries_of_a_batch_have_ids_of_their_own(services: Services) -> str:
    """Two entries of one id in one request."""
    url, entries = services.queue(), [{"Id": "1", "MessageBody": "x"}] * 2
    return refusal(lambda: services.client("sqs").send_message_batch(QueueUrl=url, Entries=entries))


@check(aws="InvalidMessageContents", matters="JSON escapes such characters")
def a_body_has_no_control_characters(services: Services) -> str:
    """A message with the character U+0001."""
    return _send_refusal(services, MessageBody="\x01")


@check(aws="InvalidParameterValue", matters="what is unknown is left out of a burial's attributes")
def an_attribute_is_not_empty(services: Services) -> str:
    """A message with an empty attribute."""
    attributes = {"name": {"DataType": "String", "StringValue": ""}}
    return _send_refusal(services, MessageBody="x", MessageAttributes=attributes)


@check(aws="InvalidParameterValue", matters="a burial has seven")
def a_message_has_ten_attributes_at_most(services: Services) -> str:
    """A message with eleven attributes."""
    attributes = {f"n{each}": {"DataType": "String", "StringValue": "x"} for each in range(11)}
    return _send_refusal(services, MessageBody="x", MessageAttributes=attributes)


@check(aws="InvalidParameterValue", matters="only FIFO queues are given one")
def a_standard_queue_takes_no_deduplication_id(services: Services) -> str:
    """A message for a standard queue with a deduplication id."""
    return _send_refusal(services, MessageBody="x", MessageDeduplicationId="1")


@check(aws="NonExistentQueue", matters="the stack makes the queues")
def a_queue_that_is_missing_is_noticed(services: Services) -> str:
    """A message for a queue that does not exist."""
    url = services.queue() + "-not"
    return refusal(lambda: services.client("sqs").send_message(QueueUrl=url, MessageBody="x"))


@check(
    aws="x, its attribute, group g; sent, received first and how often, by whom",
    matters="a redrive sends it again as it was, and dead letters tell their age",
)
def a_message_comes_as_it_was_sent(services: Services) -> str:
    """What a receive shows of a message for a standard queue with an attribute and a group."""
    url = services.queue()
    attribute = {"reason": {"DataType": "String", "StringValue": "why"}}
    services.client("sqs").send_message(
        QueueUrl=url, MessageBody="x", MessageAttributes=attribute, MessageGroupId="g"
    )
    [message] = services.messages(url)
    system = message["Attributes"]
    own = "its attribute" if message.get("MessageAttributes") == attribute else "no attribute"
    told = {
        "sent": "SentTimestamp" in system,
        "received first": "ApproximateFirstReceiveTimestamp" in system,
        "how often": system.get("ApproximateReceiveCount") == "1",
        "by whom": bool(system.get("SenderId")),
    }
    missing = [name for name, is_told in told.items() if not is_told]
    rest = f"not {missing}" if missing else "sent, received first and how often, by whom"
    return f"{message['Body']}, {own}, group {system.get('MessageGroupId')}; {rest}"


@check(
    aws="hidden, then received the 2nd time",
    matters="what a worker lost comes back",
)
def a_message_comes_back(services: Services) -> str:
    """A message that was received, before and after its visibility time-out."""
    url = _queue_with(services, "x", VisibilityTimeout="2")
    services.messages(url)
    hidden = "hidden" if not services.received(url, seconds=0) else "there"
    services.wait(2.5)
    again = [_count(message) for message in services.messages(url, seconds=QUIET_SECONDS)]
    return f"{hidden}, then received the {again[0]}nd time" if again else hidden


@check(
    aws="done 0; failed none: back at once, received the 2nd time",
    matters="handlers shorten it to their back-off",
)
def visibility_can_be_shortened(services: Services) -> str:
    """A message whose visibility time-out is changed to 0 after it was received."""
    url = _queue_with(services, "x")
    [message] = services.messages(url)
    answer = _changed(services, url, message["ReceiptHandle"], 0)
    again = [_count(message) for message in services.messages(url, seconds=QUIET_SECONDS)]
    return f"{answer}: back at once, received the {'nd, '.join(again)}nd time"


@check(
    aws="hidden for longer",
    matters="handlers put a message off for up to minutes",
)
def visibility_can_be_prolonged(services: Services) -> str:
    """A message whose visibility time-out is changed from 1 to 30 seconds, 2 seconds later."""
    url = _queue_with(services, "x", VisibilityTimeout="1")
    [message] = services.messages(url)
    _changed(services, url, message["ReceiptHandle"], 30)
    services.wait(2)
    return "back" if services.received(url, seconds=0) else "hidden for longer"


@check(
    aws="done none; failed 0 InvalidParameterValue by the sender",
    matters="no back-off of ours is as long",
)
def visibility_has_twelve_hours_at_most(services: Services) -> str:
    """A change of a message's visibility time-out to twelve hours and a second."""
    url = _queue_with(services, "x")
    [message] = services.messages(url)
    return _changed(services, url, message["ReceiptHandle"], 43_201)


@check(
    aws="done none; failed 0 MessageNotInflight by the sender",
    matters="what could not be put off comes back anyhow",
)
def visibility_of_what_nobody_holds_cannot_be_changed(services: Services) -> str:
    """A change of a message's visibility time-out after it has ended."""
    url = _queue_with(services, "x", VisibilityTimeout="1")
    [message] = services.messages(url)
    services.wait(1.5)
    return _changed(services, url, message["ReceiptHandle"], 10)


@check(
    aws="done 0; failed 1 ReceiptHandleIsInvalid by the sender",
    matters="a deletion is looked at entry by entry",
)
def a_handle_is_one_of_the_queue(services: Services) -> str:
    """The deletion of a message by its handle, and of one by a text that is none."""
    url = _queue_with(services, "x")
    [message] = services.messages(url)
    return results(_deleted(services, url, message["ReceiptHandle"], "none"))


@check(
    aws="done 0; failed none, twice",
    matters="a deletion whose answer was lost is asked again",
)
def a_message_can_be_deleted_twice(services: Services) -> str:
    """The deletion of a message that is deleted."""
    url = _queue_with(services, "x")
    [message] = services.messages(url)
    handle = message["ReceiptHandle"]
    first, second = (results(_deleted(services, url, handle)) for _ in range(2))
    return f"{first}, twice" if first == second else f"{first}, then {second}"


@check(
    aws="done 0; failed none, and it stays",
    matters="a mapping that was too slow deletes nothing from under another's hands",
)
def an_old_handle_deletes_nothing(services: Services) -> str:
    """The deletion of a message by the handle of a receive before the last."""
    url = _queue_with(services, "x")
    [old] = services.messages(url)
    _changed(services, url, old["ReceiptHandle"], 0)
    [new] = services.messages(url)
    answer = results(_deleted(services, url, old["ReceiptHandle"]))
    _changed(services, url, new["ReceiptHandle"], 0)
    stays = services.received(url, seconds=QUIET_SECONDS) == ["x"]
    return f"{answer}, and it {'stays' if stays else 'is gone'}"


@check(
    aws="2 visible, 1 in flight, 0 delayed",
    matters="whether all is done is seen by them",
)
def depths_are_counted(services: Services) -> str:
    """The depths of a queue of three messages of which one was received."""
    url = _queue_with(services, "a", "b", "c")
    services.messages(url, most=1)
    names = ("", "NotVisible", "Delayed")
    found = services.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=[f"ApproximateNumberOfMessages{each}" for each in names]
    )["Attributes"]
    visible, hidden, delayed = (found[f"ApproximateNumberOfMessages{each}"] for each in names)
    return f"{visible} visible, {hidden} in flight, {delayed} delayed"


@check(
    aws="to the dead letters",
    matters="what cannot be handled must not be lost",
)
def what_fails_again_and_again_is_set_aside(services: Services) -> str:
    """Where a message goes after it was received as often as it may be."""
    _, dead = _dead(services)
    return "to the dead letters" if [each["Body"] for each in dead] == ["poison"] else "nowhere"


@check(
    aws="its own id, its count going on, the queue that it died in",
    matters="dead letters are told from burials by it, and a redrive by their ids",
)
def a_dead_letter_is_the_message_itself(services: Services) -> str:
    """What a dead letter that SQS moved has of the message."""
    [message], [letter] = _dead(services)
    system = letter["Attributes"]
    id_ = "its own id" if letter["MessageId"] == message["MessageId"] else "another id"
    count = "going on" if system["ApproximateReceiveCount"] == "2" else "from the beginning"
    source = "the queue that it died in" if "DeadLetterQueueSourceArn" in system else "no queue"
    return f"{id_}, its count {count}, {source}"


def _dead(services: Services) -> tuple[list[Any], list[Any]]:
    """A message received as often as it may be, and then what the dead letters have."""
    dead = services.queue()
    redrive = {"deadLetterTargetArn": services.queue_arn(dead), "maxReceiveCount": 1}
    url = services.queue(VisibilityTimeout="0", RedrivePolicy=json.dumps(redrive))
    services.client("sqs").send_message(QueueUrl=url, MessageBody="poison")
    received = services.messages(url)
    services.received(url, seconds=QUIET_SECONDS)
    return received, services.messages(dead)


def _queue_with(services: Services, *bodies: str, **attributes: str) -> str:
    url = services.queue(**attributes)
    for body in bodies:
        services.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    return url


def _send_refusal(services: Services, **message: Any) -> str:
    url = services.queue()
    return refusal(lambda: services.client("sqs").send_message(QueueUrl=url, **message))


def _batch_refusal(services: Services, *bodies: str) -> str:
    url = services.queue()
    entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]
    return refusal(lambda: services.client("sqs").send_message_batch(QueueUrl=url, Entries=entries))


def _count(message: Any) -> str:
    return str(message["Attributes"]["ApproximateReceiveCount"])


def _changed(services: Services, url: str, handle: str, seconds: int) -> str:
    try:
        return results(
            services.client("sqs").change_message_visibility_batch(
                QueueUrl=url,
                Entries=[{"Id": "0", "ReceiptHandle": handle, "VisibilityTimeout": seconds}],
            )
        )
    except ClientError as error:
        return f"refused as {plain(error.response['Error']['Code'])}"


def _deleted(services: Services, url: str, *handles: str) -> Any:
    entries = [{"Id": str(place), "ReceiptHandle": each} for place, each in enumerate(handles)]
    return services.client("sqs").delete_message_batch(QueueUrl=url, Entries=entries)
