"""Every item of a projection's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from projections.faults import AWS_ERRORS, StoreError, code_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def scanned(client: DynamoDBClient, table: str) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """The items of `table` in any order, read consistently; what is written meanwhile may be
    missed. Raises StoreError."""
    start: dict[str, Any] = {}
    while True:  # one page for each MB of the table
        try:
            page = client.scan(TableName=table, ConsistentRead=True, **start)
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
