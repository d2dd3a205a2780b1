"""What Lambda writes to the failure bucket of a batch of stream records that it gave up.

Its developer guide, "Retain discarded records for a DynamoDB event source": an object of metadata
with, in S3 only, the whole event in `payload`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from simulation.kernel.hub import SECOND


class GivenUp(Struct, frozen=True):
    """A batch that was given up. `id` is 32 hexadecimal digits, `at` microseconds since 1970."""

    id: str
    at: int
    condition: str
    attempts: int
    function: str
    shard: str
    stream_arn: str
    records: Sequence[Mapping[str, Any]]


_ENCODE: Final = msgspec.json.Encoder().encode
_MILLISECOND_DIGITS: Final = -3


def key_of(given_up: GivenUp, mapping: str) -> str:
    """The key of its object: Lambda's prefix, the mapping, the shard, the day and the moment."""
    at = _time(given_up.at)
    moment = f"{at:%Y-%m-%dT%H.%M.%S}-{_uuid(given_up.id)}"
    return f"aws/lambda/{mapping}/{given_up.shard}/{at:%Y/%m/%d}/{moment}"


def object_of(given_up: GivenUp) -> bytes:
    """The object."""
    records = given_up.records
    first, last = records[0]["dynamodb"], records[-1]["dynamodb"]
    return _ENCODE(
        {
            "requestContext": {
                "requestId": _uuid(given_up.id),
                "functionArn": f"arn:aws:lambda:::function:{given_up.function}:live",
                "condition": given_up.condition,
                "approximateInvokeCount": given_up.attempts,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "live",
                "functionError": "Unhandled",
            },
            "version": "1.0",
            "timestamp": f"{_time(given_up.at):%Y-%m-%dT%H:%M:%S.%f}"[:_MILLISECOND_DIGITS] + "Z",
            "DDBStreamBatchInfo": {
                "shardId": given_up.shard,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _arrival(first),
                "approximateArrivalOfLastRecord": _arrival(last),
                "batchSize": len(records),
                "streamArn": given_up.stream_arn,
            },
            "payload": _ENCODE({"Records": records}).decode(),
        }
    )


def _arrival(change: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def _time(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / SECOND, UTC)


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
