"""A message in a queue, and how it looks to whoever receives it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5
from typing import Any, Final

from msgspec import Struct

from simulation.kernel.hub import Timer

Attributes = Mapping[str, Mapping[str, Any]]
"""A message's own attributes, as sending takes them: `DataType`, and a value."""
Record = dict[str, Any]
"""A message as Lambda hands it to a function."""

_MICROSECONDS_PER_MILLISECOND: Final = 1_000
_SEQUENCE_DIGITS: Final = 20


class Content:
    """What was sent. One content may lie in several queues: it is judged and digested once.

    `fits`: it was found to be what a queue takes.
    """

    __slots__ = ("_md5", "attributes", "body", "fits")

    def __init__(self, body: str, attributes: Attributes | None = None) -> None:
        self.body = body
        self.attributes: Attributes = attributes or {}
        self.fits = False
        self._md5 = ""

    @property
    def md5(self) -> str:
        """The digest of the body, in hexadecimal."""
        if not self._md5:
            self._md5 = md5(self.body.encode(), usedforsecurity=False).hexdigest()
        return self._md5


class Lease:
    """Messages that were handed out together and stay hidden until the same instant.

    `worked_on`: a Lambda mapping holds them, and has not said that it is done with them.
    """

    __slots__ = ("left", "timer", "worked_on")

    def __init__(self, left: int, *, worked_on: bool) -> None:
        self.left = left
        self.worked_on = worked_on
        self.timer: Timer | None = None


class Message:
    """One message. `sent_at` and all other instants are microseconds since 1970.

    `lease` is set while it is in flight, `receipt` is the handle of its latest receive.
    """

    __slots__ = (
        *("content", "dedup_id", "first_received_at", "group", "id", "is_ready", "lease"),
        *("moved_from", "receipt", "received_at", "receives", "sender", "sent_at", "sequence"),
    )

    def __init__(
        self, id: str, content: Content, sender: str, sent_at: int, *, group: str, dedup_id: str
    ) -> None:
        self.id = id
        self.content = content
        self.sender = sender
        self.sent_at = sent_at
        self.group = group
        self.dedup_id = dedup_id
        self.sequence = 0
        self.receives = 0
        self.first_received_at = 0
        self.received_at = 0
        self.receipt = ""
        self.lease: Lease | None = None
        self.is_ready = False
        self.moved_from = ""

    def system_attributes(self) -> dict[str, str]:
        """What SQS itself says of it."""
        said = {
            "ApproximateReceiveCount": str(self.receives),
            "SentTimestamp": str(self.sent_at // _MICROSECONDS_PER_MILLISECOND),
            "SenderId": self.sender,
            "ApproximateFirstReceiveTimestamp": str(
                self.first_received_at // _MICROSECONDS_PER_MILLISECOND
            ),
        }
        if self.group:
            said["MessageGroupId"] = self.group
        if self.dedup_id:
            said["MessageDeduplicationId"] = self.dedup_id
        if self.sequence:
            said["SequenceNumber"] = sequence_number(self.sequence)
        if self.moved_from:
            said["DeadLetterQueueSourceArn"] = self.moved_from
        return said

    def as_record(self, arn: str, region: str) -> Record:
        """As Lambda hands it to a function (its guide, "Using Lambda with Amazon SQS")."""
        content = self.content
        return {
            "messageId": self.id,
            "receiptHandle": self.receipt,
            "body": content.body,
            "attributes": self.system_attributes(),
            "messageAttributes": {
                name: {
                    "stringValue": value["StringValue"],
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in content.attributes.items()
            }
            if content.attributes
            else {},
            "md5OfBody": content.md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": region,
        }

    def as_received(self, *, system: bool, own: bool) -> dict[str, Any]:
        """As ReceiveMessage answers it, with the attributes that were asked for."""
        content = self.content
        answer: dict[str, Any] = {
            "MessageId": self.id,
            "ReceiptHandle": self.receipt,
            "MD5OfBody": content.md5,
            "Body": content.body,
        }
        if system:
            answer["Attributes"] = self.system_attributes()
        if own and content.attributes:
            answer["MessageAttributes"] = {
                name: dict(value) for name, value in content.attributes.items()
            }
        return answer


class Lying(Struct, frozen=True):
    """A message as it lies in a queue, for whoever may look into AWS. `at` is when it was sent."""

    id: str
    body: str
    attributes: Attributes
    group: str
    receives: int
    at: int
    moved_from: str
    """The ARN of the queue that it died in, if SQS itself moved it here."""
    in_flight: bool


def sequence_number(number: int) -> str:
    """A number of a FIFO queue's message, as text."""
    return str(number).zfill(_SEQUENCE_DIGITS)
