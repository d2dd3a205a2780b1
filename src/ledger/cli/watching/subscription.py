"""A queue subscribed to a topic, for as long as somebody listens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef

#: What nobody fetched for an hour is gone: so little stays if the queue itself should stay.
_RETENTION_SECONDS: Final = 3_600
_MESSAGES_MAX: Final = 10  # of ReceiveMessage


class Delivered(NamedTuple):
    """A message as it came: the notification's text, and its attributes as SQS gives them."""

    body: str
    attributes: dict[str, Any]


class Subscription:
    """A queue of one's own that a topic delivers into."""

    def __init__(self, sqs: SQSClient, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def receive(self, wait_seconds: int) -> list[Delivered]:
        """What came, once it came or `wait_seconds` (to 20) have passed; it comes no more."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=_MESSAGES_MAX,
            WaitTimeSeconds=wait_seconds,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        done: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
            for place, message in enumerate(messages)
        ]
        if done:  # whether it was taken is all the same: what comes again is known by its id
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=done)
        return [
            Delivered(message["Body"], dict(message.get("MessageAttributes", {})))
            for message in messages
        ]


@contextmanager
def subscribed(
    sns: SNSClient,
    sqs: SQSClient,
    *,
    topic_arn: str,
    queue_name: str,
    policy: str | None,
    note: Callable[[str], None],
) -> Iterator[Subscription]:
    """A new queue `queue_name` that gets what the topic's messages `policy` lets through, as they
    are. Subscription and queue are removed at the end, whatever becomes of the block; what cannot
    be is told to `note`."""
    with ExitStack() as undo:
        queue_url = sqs.create_queue(
            QueueName=queue_name,
            Attributes={"MessageRetentionPeriod": str(_RETENTION_SECONDS)},
        )["QueueUrl"]
        undo.callback(_removed, note, f"queue {queue_name}", sqs.delete_queue, QueueUrl=queue_url)
        queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
        sqs.set_queue_attributes(
            QueueUrl=queue_url, Attributes={"Policy": _policy(queue_arn, topic_arn)}
        )
        attributes = {"RawMessageDelivery": "true"}
        if policy is not None:
            attributes["FilterPolicy"] = policy
        subscription = sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        undo.callback(
            _removed,
            note,
            f"subscription {subscription}",
            sns.unsubscribe,
            SubscriptionArn=subscription,
        )
        yield Subscription(sqs, queue_url)


def _removed(
    note: Callable[[str], None], what: str, remove: Callable[..., object], **which: str
) -> None:
    try:
        remove(**which)
    except (ClientError, BotoCoreError) as error:
        note(f"could not remove the {what}: {error}")


def _policy(queue_arn: str, topic_arn: str) -> str:
    """Nobody but the topic may send."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
                }
            ],
        }
    )
