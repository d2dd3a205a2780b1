"""What Lambda hands to the handlers, and the clients that they call, as far as they use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from ledger.contracts.commands import Command, encode_command
from ledger.domain.chain import StoredEvent
from ledger.entrypoints.commands import QueueSettings
from ledger.runtime.telemetry import Line, Telemetry

QUEUES = QueueSettings(
    commands_queue_url="https://sqs/ledger-dev-commands",
    commands_fifo_queue_url="https://sqs/ledger-dev-commands.fifo",
    system_commands_queue_url="https://sqs/ledger-dev-system-commands",
    commands_dlq_url="https://sqs/commands-dlq",
    commands_fifo_dlq_url="https://sqs/commands-dlq.fifo",
    system_commands_dlq_url="https://sqs/system-commands-dlq",
)
_ARN = "arn:aws:sqs:eu-central-1:123456789012:ledger-dev-commands"
_SYSTEM_ARN = "arn:aws:sqs:eu-central-1:123456789012:ledger-dev-system-commands"


def text_of(command: Command | str) -> str:
    """A command as JSON; text as it is."""
    return command if isinstance(command, str) else encode_command(command).decode()


def fifo_message(
    command: Command | str, *, id: str = "m1", group: str = "g", received: int = 1
) -> dict[str, Any]:
    """A message of the FIFO queue: a bare command."""
    return {
        "messageId": id,
        "receiptHandle": f"receipt-{id}",
        "body": text_of(command),
        "attributes": {
            "ApproximateReceiveCount": str(received),
            "SenderId": "AROAEXAMPLE:sender",
            "MessageGroupId": group,
            "MessageDeduplicationId": f"dedup-{id}",
            "SequenceNumber": "18849496460467696128",
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"{_ARN}.fifo",
        "awsRegion": "eu-central-1",
    }


def standard_message(
    body: str, *, id: str = "m1", received: int = 1, group: str | None = None
) -> dict[str, Any]:
    """A message of the standard queue; `group` is a hint for fair sharing there."""
    fair = {"MessageGroupId": group} if group else {}
    return {
        "messageId": id,
        "receiptHandle": f"receipt-{id}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(received),
            "SenderId": "AIDAEXAMPLE",
            **fair,
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": _ARN,
        "awsRegion": "eu-central-1",
    }


def system_message(command: Command | str, *, id: str = "m1") -> dict[str, Any]:
    """A message of the queue of system commands: a bare command."""
    return standard_message(text_of(command), id=id) | {"eventSourceARN": _SYSTEM_ARN}


def bus_message(
    command: Command | str,
    *,
    id: str = "m1",
    source: str = "core-banking",
    detail_type: str | None = None,
    received: int = 1,
) -> dict[str, Any]:
    """A message of the standard queue: a command in EventBridge's envelope."""
    detail = text_of(command)
    if detail_type is None:
        detail_type = str(msgspec.json.decode(detail)["type"])
    head = {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": "2026-11-21T12:00:00Z",
        "region": "eu-central-1",
        "resources": [],
    }
    body = msgspec.json.encode(head).decode()[:-1] + f',"detail":{detail}}}'
    return standard_message(body, id=id, received=received)


def stream_record(
    event: StoredEvent | None = None,
    *,
    name: str = "INSERT",
    sequence: str = "100",
    image: Mapping[str, Any] | None = None,
    event_type: str = "payment.posted",
) -> dict[str, Any]:
    """A record of the events table's stream; `image` overrides attributes of the new image (None
    removes one)."""
    new: dict[str, Any] = {}
    if event is not None:
        new = {
            "pk": {"S": event.id},
            "type": {"S": event_type},
            "data": {"S": event.data.decode()},
            "hashes": {"B": "AAAA"},
        }
    for attribute, value in (image or {}).items():
        new[attribute] = value
    new = {attribute: value for attribute, value in new.items() if value is not None}
    changed: dict[str, Any] = {"Keys": {"pk": new.get("pk", {"S": "gone"})}, "NewImage": new}
    if name == "REMOVE":
        changed["OldImage"] = changed.pop("NewImage")
    return {
        "eventID": f"id-{sequence}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_262_400,
            **changed,
            "SequenceNumber": sequence,
            "SizeBytes": 900,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/e/stream/x",
    }


def aws_error(operation: str, code: str = "InternalError") -> ClientError:
    """An error as boto3 raises it."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


class FakeSqs:
    """The SQS calls of the command handler. `down`: sends fail; `full`: that many entries do."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.delayed: dict[str, dict[str, int]] = {}
        self.down = False
        self.full = 0

    def send_message_batch(
        self,
        QueueUrl: str,  # noqa: N803 - boto3's name
        Entries: Sequence[dict[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        """Notes each message, with the queue that it went to."""
        assert 1 <= len(Entries) <= 10
        if self.down:
            raise aws_error("SendMessageBatch")
        failed, self.full = Entries[: self.full], max(0, self.full - len(Entries))
        self.sent += [{"QueueUrl": QueueUrl, **entry} for entry in Entries[len(failed) :]]
        return {"Failed": [{"Id": entry["Id"]} for entry in failed]} if failed else {}

    def change_message_visibility_batch(
        self,
        QueueUrl: str,  # noqa: N803 - boto3's name
        Entries: Sequence[dict[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        """Notes the new time-outs, by queue and receipt."""
        delayed = self.delayed.setdefault(QueueUrl, {})
        delayed.update((entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in Entries)
        return {"Successful": list(Entries)}


class Context:
    """Lambda's context: `remaining` gives the milliseconds left at each look, the last for good."""

    aws_request_id = "request-1"

    def __init__(self, *remaining: int) -> None:
        self._remaining = list(remaining or (30_000,))

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is ended."""
        return self._remaining.pop(0) if len(self._remaining) > 1 else self._remaining[0]


class Lines:
    """Telemetry that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.telemetry = Telemetry(self.lines.append)

    @property
    def last(self) -> Line:
        """The line of the last invocation."""
        return self.lines[-1]

    def count(self, name: str) -> int | None:
        """A metric of the last invocation; None if it was not written."""
        metric = self.last.metrics.get(name)
        return metric[1] if metric else None
