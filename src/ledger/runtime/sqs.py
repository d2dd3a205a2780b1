"""Batches of SQS messages: which failed, and when those come back.

A mapping with `ReportBatchItemFailures` deletes the messages that a handler does not name. A named
one comes back when its visibility time-out ends (six times the function's time-out: minutes), so
the handler shortens that to a jittered back-off by the number of times it was received.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from ledger.runtime.backoff import full_jitter_seconds

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Record = Mapping[str, Any]

_RETRY_SECONDS_MIN: Final = 1
_RETRY_SECONDS_MAX: Final = 300
_ENTRIES_MAX: Final = 10  # of ChangeMessageVisibilityBatch


class ItemIdentifier(TypedDict):
    """One failed message, as Lambda wants it named."""

    itemIdentifier: str


class BatchAnswer(TypedDict):
    """What a handler of a mapping with `ReportBatchItemFailures` answers."""

    batchItemFailures: list[ItemIdentifier]


def batch_answer(failed: Iterable[Record]) -> BatchAnswer:
    """The answer that fails these records of a batch and no other."""
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def receive_count(record: Record) -> int:
    """How often a message was received, this time included; 1 if its record does not say."""
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def remaining_milliseconds(context: object) -> float:
    """The time until Lambda ends the invocation; without end where the context does not say."""
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    return math.inf if remaining is None else remaining()


def has_time(context: object, milliseconds: float) -> bool:
    """Whether Lambda lets the invocation go on for that long, as far as its context says."""
    return remaining_milliseconds(context) >= milliseconds


def retry_seconds(received: int, random: Callable[[], float]) -> int:
    """Full jitter of 2**received seconds, in whole seconds from 1 to 300.

    In whole seconds because SQS takes no others.
    """
    drawn = full_jitter_seconds(received, base=1, cap=_RETRY_SECONDS_MAX, random=random)
    return max(_RETRY_SECONDS_MIN, round(drawn))


def delay_retry(
    client: SQSClient, queue_url: str, record: Record, random: Callable[[], float]
) -> bool:
    """Bring one failed message back after `retry_seconds`; whether SQS took it."""
    return delay_retries(client, queue_url, [record], random) == 0


def delay_retries(
    client: SQSClient, queue_url: str, records: Sequence[Record], random: Callable[[], float]
) -> int:
    """Bring failed messages back after `retry_seconds` each; answers how many SQS did not take.

    Never raises for an error of SQS: a message whose visibility could not be changed comes back
    anyhow, only later. Ten messages cost one request.
    """
    waits = [(record, retry_seconds(receive_count(record), random)) for record in records]
    return delay_each(client, queue_url, waits)


def delay_each(client: SQSClient, queue_url: str, waits: Sequence[tuple[Record, int]]) -> int:
    """Bring failed messages back, each after so many seconds (43,200 at most, less the time since
    it was received); answers, and raises, as `delay_retries`."""
    refused = 0
    for start in range(0, len(waits), _ENTRIES_MAX):
        chunk = waits[start : start + _ENTRIES_MAX]
        try:
            answer = client.change_message_visibility_batch(
                QueueUrl=queue_url,
                Entries=[
                    {
                        "Id": str(index),
                        "ReceiptHandle": record["receiptHandle"],
                        "VisibilityTimeout": seconds,
                    }
                    for index, (record, seconds) in enumerate(chunk)
                ],
            )
        except (BotoCoreError, ClientError):
            refused += len(chunk)
        else:
            refused += len(answer.get("Failed", ()))
    return refused
