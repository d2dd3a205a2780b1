"""PublishBatch: packed by count and bytes, every entry's own result looked at.

PublishBatch answers 200 though entries failed: only an entry among the successful ones is with its
subscribers. A message's size is that of its body and of its attributes' names, types and values
(Amazon SNS API reference, PublishBatch; developer guide, "Message attributes").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ledger.consuming.batches import NOT_TRIED
from ledger.consuming.notifications import Notification
from ledger.runtime.clients import seconds_at_most
from ledger.runtime.faults import AWS_ERRORS, code_of
from ledger.runtime.packing import packed

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import (
        MessageAttributeValueTypeDef,
        PublishBatchRequestEntryTypeDef,
    )

ENTRIES_MAX: Final = 10  # a request
REQUEST_BYTES_MAX: Final = 256 * 1024  # a request, and so a message: bodies and attributes
#: With more, SNS drops a message that a queue asked for as it is (raw delivery).
ATTRIBUTES_MAX: Final = 10
#: After this many requests that failed one behind the other the topic is taken to be out of reach:
#: see OUT_OF_REACH_SECONDS.
FAILURES_IN_A_ROW_MAX: Final = 3
#: Of one call, inside the SDK: what was not published comes back, and is tried again then.
AWS_ATTEMPTS: Final = 1
#: For how long a topic that does not answer is tried.
OUT_OF_REACH_SECONDS: Final = FAILURES_IN_A_ROW_MAX * seconds_at_most(AWS_ATTEMPTS)
#: The code of a message that SNS said nothing about.
NO_RESULT: Final = "no_result"

Publish = Callable[[Sequence[Notification]], dict[int, str]]


class Topic:
    """One SNS topic."""

    def __init__(self, client: SNSClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, messages: Sequence[Notification]) -> dict[int, str]:
        """Publish `messages`; answers AWS's error codes by the places of those that may not be
        with their subscribers. To publish one again is harmless: delivery is at least once."""
        failed: dict[int, str] = {}
        in_a_row = 0
        for request in packed(
            range(len(messages)),
            lambda place: message_bytes(messages[place]),
            entries_max=ENTRIES_MAX,
            bytes_max=REQUEST_BYTES_MAX,
        ):
            if in_a_row >= FAILURES_IN_A_ROW_MAX:
                failed.update(dict.fromkeys(request, NOT_TRIED))
                continue
            refused = dict(self._put(request, messages))
            in_a_row = in_a_row + 1 if len(refused) == len(request) else 0
            failed.update(refused)
        return failed

    def _put(
        self, places: Sequence[int], messages: Sequence[Notification]
    ) -> Iterator[tuple[int, str]]:
        """One request; the places that failed, with their codes."""
        entries = [_entry(place, messages[place]) for place in places]
        try:
            answer = self._client.publish_batch(
                TopicArn=self._arn, PublishBatchRequestEntries=entries
            )
        except AWS_ERRORS as error:
            yield from ((place, code_of(error)) for place in places)
            return
        taken = {entry.get("Id") for entry in answer.get("Successful", ())}
        codes = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", ())}
        for place in places:
            if str(place) not in taken:
                yield place, codes.get(str(place), NO_RESULT)


def message_bytes(message: Notification) -> int:
    """The size of a message as SNS counts it."""
    return len(message.body.encode()) + sum(
        len(name.encode()) + len(value["DataType"]) + len(value["StringValue"].encode())
        for name, value in _attributes(message).items()
    )


def _entry(place: int, message: Notification) -> PublishBatchRequestEntryTypeDef:
    return {
        "Id": str(place),
        "Message": message.body,
        "MessageAttributes": _attributes(message),
    }


def _attributes(message: Notification) -> dict[str, MessageAttributeValueTypeDef]:
    return {
        name: {"DataType": "String", "StringValue": value}
        if isinstance(value, str)
        else {"DataType": "String.Array", "StringValue": json.dumps(value)}
        for name, value in message.attributes.items()
    }
