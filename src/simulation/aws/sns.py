"""Amazon SNS: topics with queues that get every message as it was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Final

from simulation.aws.calls import Answer, Operation, Request
from simulation.aws.errors import ServiceError
from simulation.aws.sqs import Sqs
from simulation.aws.sqs.message import Attributes, Content
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, Hub
from simulation.wiring.model import Subscription

#: Who sent what a topic delivered, as SQS names it.
SENDER_ID: Final = "AIDASIMULATEDTOPICS"
BYTES_MAX: Final = 256 * 1024  # of a message, and of a batch of them
_ENTRIES_MAX: Final = 10
#: With more, a message that a queue asked for as it is is discarded.
_RAW_ATTRIBUTES_MAX: Final = 10
_PUBLISH: Final = frozenset({"TopicArn", "Message", "MessageAttributes"})
_BATCH: Final = frozenset({"TopicArn", "PublishBatchRequestEntries"})
_ENTRY: Final = frozenset({"Id", "Message", "MessageAttributes"})
_USUAL_DELIVERY: Final = 30 * MILLISECOND  # on average

Observer = Callable[[str, str, Attributes], None]
"""Told of each message that a topic accepted: the topic's ARN, the body, the attributes."""


class Sns:
    """All topics. Subscriptions have raw delivery and no filter. What has no parameter here raises
    NotImplementedError."""

    name: Final = "sns"

    def __init__(
        self,
        hub: Hub,
        random: Random,
        injector: Injector,
        sqs: Sqs,
        *,
        topics: Sequence[str],
        subscriptions: Sequence[Subscription],
    ) -> None:
        self._hub = hub
        self._random = random
        self._strikes = injector.strikes
        self._sqs = sqs
        self._subscriptions: dict[str, list[Subscription]] = {}
        self._accepted = 0
        self.observers: list[Observer] = []
        for topic in topics:
            self.add(topic)
        for subscription in subscriptions:
            self.subscribe(subscription)
        self.operations: Mapping[str, Operation] = {
            "publish": self._publish,
            "publish_batch": self._publish_batch,
        }

    def prepared(self, operation: str, request: Request) -> Request:
        """See Service."""
        del operation
        return request

    def add(self, topic_arn: str) -> None:
        """One more topic, without subscribers."""
        self._subscriptions[topic_arn] = []

    def subscribe(self, subscription: Subscription) -> None:
        """From now on a queue gets a topic's messages."""
        self._subscriptions[subscription.topic_arn].append(subscription)

    def _publish(self, request: Request) -> Answer:
        _known(request, _PUBLISH, "publish")
        subscriptions = self._subscriptions_of(request)
        _fit(request)
        if _bytes_of(request) > BYTES_MAX:
            raise ServiceError("InvalidParameter", "Invalid parameter: Message too long")
        return {"MessageId": self._accept(request["TopicArn"], subscriptions, request)}

    def _publish_batch(self, request: Request) -> Answer:
        _known(request, _BATCH, "publish_batch")
        subscriptions = self._subscriptions_of(request)
        entries: Sequence[Mapping[str, Any]] = request["PublishBatchRequestEntries"]
        _fit_batch(entries)
        successful, failed = [], []
        for entry in entries:
            try:
                _fit(entry)
                self._strike(request["TopicArn"], entry["Id"])
            except ServiceError as error:
                failed.append(
                    {
                        "Id": entry["Id"],
                        "Code": error.code,
                        "Message": error.message,
                        "SenderFault": error.status < 500,
                    }
                )
            else:
                id_ = self._accept(request["TopicArn"], subscriptions, entry)
                successful.append({"Id": entry["Id"], "MessageId": id_})
        return {"Successful": successful, "Failed": failed}

    def _strike(self, topic_arn: str, entry_id: str) -> None:
        if self._strikes(Fault.TOPIC_ENTRY_FAILED, _name(topic_arn), entry_id):
            raise ServiceError("InternalError", status=500)

    def _subscriptions_of(self, request: Request) -> Sequence[Subscription]:
        subscriptions = self._subscriptions.get(request["TopicArn"])
        if subscriptions is None:
            raise ServiceError("NotFound", "Topic does not exist", status=404)
        return subscriptions

    def _accept(
        self,
        topic_arn: str,
        subscriptions: Sequence[Subscription],
        message: Mapping[str, Any],
    ) -> str:
        """The message is the topic's: it goes to all subscribers, sooner or later. Its id."""
        self._accepted += 1
        content = Content(message["Message"], message.get("MessageAttributes"))
        for observer in self.observers:
            observer(topic_arn, content.body, content.attributes)
        if len(content.attributes) <= _RAW_ATTRIBUTES_MAX:
            for subscription in subscriptions:
                self._deliver(subscription, content)
        return f"51510000-0000-4000-8001-{self._accepted:012x}"

    def _deliver(self, subscription: Subscription, content: Content) -> None:
        """Once, and never given up: nothing of the ledger's own hears of a topic, so that faults
        of deliveries would have nobody to strike."""
        deliver = partial(self._sqs.deliver, subscription.queue, content, sender_id=SENDER_ID)
        self._hub.after(int(self._random.expovariate(1 / _USUAL_DELIVERY)), deliver)


def _name(topic_arn: str) -> str:
    return topic_arn.rpartition(":")[2]


def _known(request: Mapping[str, Any], parameters: frozenset[str], operation: str) -> None:
    if not request.keys() <= parameters:
        names = sorted(request.keys() - parameters)
        raise NotImplementedError(f"sns.{operation}: {', '.join(names)} is not simulated")


def _fit_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    """Raises ServiceError if a batch is refused as a whole."""
    if not entries:
        raise ServiceError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > _ENTRIES_MAX:
        raise ServiceError(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
        )
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise ServiceError("BatchEntryIdsNotDistinct", "Two or more batch entries have one id.")
    for entry in entries:
        _known(entry, _ENTRY, "publish_batch")
    if sum(map(_bytes_of, entries)) > BYTES_MAX:
        raise ServiceError(
            "BatchRequestTooLong", "The length of all the batch messages is more than the limit."
        )


def _fit(message: Mapping[str, Any]) -> None:
    """Raises ServiceError if a topic does not take this message, of whatever size."""
    if not message["Message"]:
        raise ServiceError("InvalidParameter", "Invalid parameter: Empty message")
    for name, value in (message.get("MessageAttributes") or {}).items():
        if value.keys() != {"DataType", "StringValue"}:
            raise NotImplementedError(f"sns: attribute {name!r} that is no text is not simulated")
        if not value["StringValue"]:
            raise ServiceError(
                "ParameterValueInvalid",
                f"The message attribute '{name}' must contain non-empty message attribute value "
                f"for message attribute type '{value['DataType']}'.",
            )


def _bytes_of(message: Mapping[str, Any]) -> int:
    """The size of a message as SNS counts it: body, and names, types and values of attributes."""
    size = len(message["Message"].encode())
    attributes: Attributes = message.get("MessageAttributes") or {}
    for name, value in attributes.items():
        size += len(name.encode()) + len(value["DataType"]) + len(value["StringValue"].encode())
    return size
