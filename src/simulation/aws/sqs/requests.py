"""What SQS refuses before it does anything, as its API reference and its answers say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulation.aws.errors import ServiceError
from simulation.aws.sqs.queue import VISIBILITY_SECONDS_MAX

_ENTRIES_MAX: Final = 10
BYTES_MAX: Final = 1024 * 1024  # of a message, and of a batch of them
_ATTRIBUTES_MAX: Final = 10
_CODES: Final = "AWS.SimpleQueueService."  # what botocore shows of errors that the old API named so
_ENTRY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_GROUP: Final = re.compile(r"[!-~]{1,128}")  # and so a deduplication id
_CONTROLS: Final = bytes(code for code in range(32) if chr(code) not in "\t\n\r")
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_MESSAGE: Final = frozenset(
    {"MessageBody", "MessageAttributes", "MessageGroupId", "MessageDeduplicationId"}
)
SEND: Final = frozenset({"QueueUrl", *_MESSAGE})
SEND_ENTRY: Final = frozenset({"Id", *_MESSAGE})
BATCH: Final = frozenset({"QueueUrl", "Entries"})
DELETE_ENTRY: Final = frozenset({"Id", "ReceiptHandle"})
VISIBILITY_ENTRY: Final = frozenset({"Id", "ReceiptHandle", "VisibilityTimeout"})
RECEIVE: Final = frozenset(
    {
        *("QueueUrl", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds"),
        *("MessageSystemAttributeNames", "MessageAttributeNames"),
    }
)
ATTRIBUTES: Final = frozenset({"QueueUrl", "AttributeNames"})

Json = Mapping[str, Any]


def known(request: Json, parameters: frozenset[str], operation: str) -> None:
    """Raises NotImplementedError for a parameter that the ledger does not use."""
    if not request.keys() <= parameters:
        names = sorted(request.keys() - parameters)
        raise NotImplementedError(f"sqs.{operation}: {', '.join(names)} is not simulated")


def entries_of(request: Json, parameters: frozenset[str], operation: str) -> Sequence[Json]:
    """The entries of a batch request. Raises ServiceError if it is refused as a whole."""
    known(request, BATCH, operation)
    entries: Sequence[Json] = request["Entries"]
    if not entries:
        raise ServiceError(
            f"{_CODES}EmptyBatchRequest",
            "There should be at least one entry in the request.",
        )
    if len(entries) > _ENTRIES_MAX:
        raise ServiceError(
            f"{_CODES}TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {_ENTRIES_MAX}. You have sent "
            f"{len(entries)}.",
        )
    ids = [entry["Id"] for entry in entries]
    if len(set(ids)) < len(ids):
        raise ServiceError(f"{_CODES}BatchEntryIdsNotDistinct", "Two entries have one id.")
    for entry in entries:
        known(entry, parameters, operation)
        if not _ENTRY_ID.fullmatch(entry["Id"]):
            raise ServiceError(
                f"{_CODES}InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and "
                "underscores. It can be at most 80 letters long.",
            )
    return entries


def too_long_together(entries: Sequence[Json]) -> None:
    """Raises ServiceError if the messages of a batch are more than a request may hold."""
    total = sum(bytes_of(entry) for entry in entries)
    if total > BYTES_MAX:
        raise ServiceError(
            f"{_CODES}BatchRequestTooLong",
            f"Batch requests cannot be longer than {BYTES_MAX} bytes. You have sent {total} bytes.",
        )


def bytes_of(message: Json) -> int:
    """The size of a message as SQS counts it: body, and names, types and values of attributes."""
    body: str = message["MessageBody"]
    size = len(body) if body.isascii() else len(body.encode())
    attributes: Mapping[str, Json] = message.get("MessageAttributes") or {}
    for name, value in attributes.items():
        size += len(name.encode()) + len(value["DataType"]) + len(value["StringValue"].encode())
    return size


def fit(message: Json, *, fifo: bool) -> None:
    """Raises ServiceError if a queue does not take this message."""
    body: str = message["MessageBody"]
    if not body:
        raise _missing("MessageBody")
    if _has_forbidden(body):
        raise ServiceError(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to "
            "#xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.",
        )
    if attributes := message.get("MessageAttributes"):
        _fit_attributes(attributes)
    if bytes_of(message) > BYTES_MAX:
        raise _unfit(
            "One or more parameters are invalid. Reason: Message must be shorter than "
            f"{BYTES_MAX} bytes."
        )
    group, dedup_id = message.get("MessageGroupId"), message.get("MessageDeduplicationId")
    if fifo and group is None:
        raise _missing("MessageGroupId")
    if fifo and dedup_id is None:
        raise _unfit(
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    if not fifo and dedup_id is not None:
        raise _unfit(
            f"Value {dedup_id} for parameter MessageDeduplicationId is invalid. Reason: The "
            "request include parameter that is not valid for this queue type."
        )
    for name, value in (("MessageGroupId", group), ("MessageDeduplicationId", dedup_id)):
        if value is not None and not _GROUP.fullmatch(value):
            raise _unfit(
                f"Value {value} for parameter {name} is invalid. Reason: {name} can only include "
                "alphanumeric and punctuation characters. 1 to 128 in length."
            )


def _has_forbidden(body: str) -> bool:
    """Whether a body has characters that XML has not. Of ASCII, which nearly every body is, that
    can be seen ten times as fast."""
    if body.isascii():
        return len(body.encode().translate(None, _CONTROLS)) < len(body)
    return _FORBIDDEN.search(body) is not None


def fit_visibility(seconds: int) -> None:
    """Raises ServiceError if no message can be hidden for so long."""
    if not 0 <= seconds <= VISIBILITY_SECONDS_MAX:
        raise _unfit(
            f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between "
            f"0 and {VISIBILITY_SECONDS_MAX}."
        )


def fit_receive(request: Json) -> None:
    """Raises ServiceError, or NotImplementedError, if a receive is not as it may be."""
    known(request, RECEIVE, "receive_message")
    limit = request.get("MaxNumberOfMessages", 1)
    if not 1 <= limit <= _ENTRIES_MAX:
        raise _unfit(
            f"Value {limit} for parameter MaxNumberOfMessages is invalid. Reason: Must be between "
            f"1 and {_ENTRIES_MAX}, if provided."
        )
    for name in ("MessageSystemAttributeNames", "MessageAttributeNames"):
        if request.get(name, ["All"]) != ["All"]:
            raise NotImplementedError(f"sqs.receive_message: only All of {name} is simulated")
    if "VisibilityTimeout" in request:
        fit_visibility(request["VisibilityTimeout"])


def _fit_attributes(attributes: Mapping[str, Json]) -> None:
    if len(attributes) > _ATTRIBUTES_MAX:
        raise _unfit(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum "
            f"[{_ATTRIBUTES_MAX}]."
        )
    for name, value in attributes.items():
        if value.keys() != {"DataType", "StringValue"} or not value["DataType"].startswith(
            "String"
        ):
            raise NotImplementedError(f"sqs: attribute {name!r} that is no text is not simulated")
        if not value["StringValue"]:
            raise _unfit(
                f"Message (user) attribute '{name}' must contain a non-empty value of type "
                f"'{value['DataType']}'."
            )


def _missing(parameter: str) -> ServiceError:
    return ServiceError("MissingParameter", f"The request must contain the parameter {parameter}.")


def _unfit(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)
