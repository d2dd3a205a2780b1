"""Checks of EventBridge, SQS and SNS: what is taken, what is delivered, how often."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from tests.contract.services.bench import QUIET_SECONDS, Services, check, new_name

MIB = 1024 * 1024


@check(
    aws="refused as MalformedDetail",
    matters="what we publish is JSON by construction; a command that is none becomes a dead letter",
)
def a_detail_is_json(services: Services) -> str:
    """An event whose detail is no JSON."""
    return _put_events(services, "no JSON")


@check(
    aws="refused",
    matters="a published event is under 40 KiB, held by a test",
)
def an_entry_has_a_mebibyte_at_most(services: Services) -> str:
    """An event of more than 1 MiB."""
    answer = _put_events(services, json.dumps({"data": "x" * MIB}))
    return "accepted" if answer == "accepted" else "refused"


@check(aws="refused", matters="the relay packs ten at most, held by a test")
def ten_entries_are_put_at_once(services: Services) -> str:
    """Eleven events in one request."""
    answer = _put_events(services, "{}", times=11)
    return "accepted" if answer == "accepted" else "refused"


@check(aws="refused", matters="commands and events are far smaller")
def a_message_has_a_mebibyte_at_most(services: Services) -> str:
    """A message of more than 1 MiB."""
    url = services.queue()
    try:
        services.client("sqs").send_message(QueueUrl=url, MessageBody="x" * (MIB + 1))
    except ClientError:
        return "refused"
    return "accepted"


@check(
    aws="once, in order, none of a group while one is handled",
    matters="order per account rests on it (`commands.fifo`)",
)
def a_fifo_queue_keeps_order(services: Services) -> str:
    """How a FIFO queue delivers a message that was sent twice, and those behind it."""
    url = services.queue(".fifo", FifoQueue="true")
    for body in ("1", "1", "2", "3"):
        services.client("sqs").send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId="a", MessageDeduplicationId=body
        )
    first = services.received(url, most=1)
    while_handled = services.received(url, seconds=QUIET_SECONDS)
    if (first, while_handled) == (["1"], []):
        return "once, in order, none of a group while one is handled"
    return f"first {first}, then {while_handled}"


@check(
    aws="to the dead letters",
    matters="what cannot be handled must not be lost",
)
def what_fails_again_and_again_is_set_aside(services: Services) -> str:
    """Where a message goes after it was received as often as it may be."""
    dead = services.queue()
    redrive = {"deadLetterTargetArn": services.queue_arn(dead), "maxReceiveCount": 1}
    url = services.queue(VisibilityTimeout="0", RedrivePolicy=json.dumps(redrive))
    services.client("sqs").send_message(QueueUrl=url, MessageBody="poison")
    services.received(url)
    services.received(url, seconds=QUIET_SECONDS)
    return "to the dead letters" if services.received(dead) == ["poison"] else "nowhere"


@check(
    aws="those with any of the accounts",
    matters="subscribers choose by account, of which a payment has several",
)
def a_subscriber_filters_by_lists(services: Services) -> str:
    """The messages that a subscription gets whose filter names one value of a list attribute."""
    sns, url = services.client("sns"), services.queue()
    topic = sns.create_topic(Name=new_name())["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=services.queue_arn(url),
        Attributes={"FilterPolicy": '{"account": ["a"]}', "RawMessageDelivery": "true"},
    )
    for accounts in (["b", "c"], ["a", "b"]):
        sns.publish(
            TopicArn=topic,
            Message=accounts[0],
            MessageAttributes={
                "account": {"DataType": "String.Array", "StringValue": json.dumps(accounts)}
            },
        )
    found = services.received(url)
    return "those with any of the accounts" if found == ["a"] else str(found)


def _put_events(services: Services, detail: str, *, times: int = 1) -> str:
    entry = {"Source": "check", "DetailType": "t", "Detail": detail}
    try:
        answer = services.client("events").put_events(Entries=[entry] * times)
    except ClientError:
        return "refused"
    [result, *_] = answer["Entries"]
    return f"refused as {result['ErrorCode']}" if "ErrorCode" in result else "accepted"
