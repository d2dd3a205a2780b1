"""Where the history is kept: the port, and its DynamoDB adapter.

Rows lie under (lane, version), see `lanes` and `generations.keys`: each stripe of a striped account
has a history of its own. Below the rows of a lane, at version 0, lies its marker: the version up to
which no row is missing, as of the last time somebody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from ledger.consuming.batches import NOT_TRIED
from ledger.consuming.writing import Failed, one_by_one, written
from ledger.runtime.backoff import full_jitter_seconds
from ledger.runtime.faults import (
    AWS_ERRORS,
    CONDITION_FAILED,
    VALIDATION,
    BrokenItemError,
    StoreError,
    code_of,
)
from ledger.runtime.host import SideBySide
from ledger.runtime.items import Item, attributes_of, values_of
from projections.generations.keys import FIRST, partition_of, place_of
from projections.generations.table import GenerationsTable
from projections.history.apply import Row, RowKey
from projections.lanes import stripe_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Versions(Struct, frozen=True):
    """Versions that an account has rows for, ascending; `last` if none lies beyond them."""

    versions: tuple[int, ...]
    last: bool


class HistoryStore(Protocol):
    """Keeps one row for each version of each lane: each account, and each further stripe of one.

    Reads see every acknowledged write. Every method but `write` may raise StoreError.
    """

    def write(self, rows: Sequence[Row]) -> Mapping[RowKey, str]:
        """Write rows of distinct keys, again if they are there. Answers those that were not
        written, each with an error code; of those some may have been, unknown to the store."""

    def before(self, lane: str, version: int | None, limit: int) -> tuple[Row, ...]:
        """Up to `limit` rows below `version` (None: from the newest), newest first."""

    def versions_after(self, lane: str, version: int, limit: int) -> Versions:
        """The versions above `version` that have rows: up to `limit`, or fewer and not `last`."""

    def rows_after(self, lane: str, version: int) -> Iterator[Row]:
        """All rows above `version`, oldest first."""

    def marker(self, lane: str) -> int:
        """The version up to which the lane is known to have every row; 0 for none."""

    def raise_marker(self, lane: str, version: int) -> bool:
        """Raise the marker. False: it is there already, or higher."""

    def rows(self) -> Iterator[Row]:
        """All rows of all accounts, in any order; what is written meanwhile may be missed."""


#: Where the marker lies: below version 1, so that no query for rows meets it.
MARKER_VERSION: Final = 0
VERSION_MAX: Final = 2**63 - 1
_PK: Final = "pk"
_SK: Final = "sk"
_COMPLETE_TO: Final = "complete_to"
_CHUNK: Final = 25  # items of one BatchWriteItem
#: How often what is left unwritten is tried again, by one call of `write`. With 4 s for a lost
#: answer (no tries of the SDK's own) and the waits below: 17 s at most of a function's 30.
RETRIES_MAX: Final = 3
_WAIT_SECONDS_BASE: Final = 0.1
_WAIT_SECONDS_CAP: Final = 1.0


class _Page(Struct, frozen=True):
    items: Sequence[Mapping[str, Mapping[str, Any]]]
    last: bool


class DynamoHistoryStore:
    """One generation of the history in a table with the keys `pk` (lane) and `sk` (version).

    `random` draws from [0, 1) and `sleep` takes seconds: both for the retries of batched writes.
    What is written in several requests is written side by side.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        generation: int = FIRST,
        *,
        random: Callable[[], float],
        sleep: Callable[[float], object],
        side_by_side: SideBySide = one_by_one,
    ) -> None:
        self._client = client
        self._table = table
        self._generation = generation
        self._random = random
        self._sleep = sleep
        self._side_by_side = side_by_side

    def write(self, rows: Sequence[Row]) -> Mapping[RowKey, str]:
        failed: dict[RowKey, str] = {}
        unwritten: Mapping[RowKey, str] = {}
        left = {row.key: item_of_row(row, self._generation) for row in rows}
        for attempt in range(RETRIES_MAX + 1):
            if attempt:
                self._sleep(
                    full_jitter_seconds(
                        attempt - 1,
                        base=_WAIT_SECONDS_BASE,
                        cap=_WAIT_SECONDS_CAP,
                        random=self._random,
                    )
                )
            unwritten = self._round(left)
            failed.update((key, code) for key, code in unwritten.items() if code == VALIDATION)
            left = {key: left[key] for key in unwritten if key not in failed}
            if not left or NOT_TRIED in unwritten.values():
                break
        return failed | {key: unwritten[key] for key in left}

    def _round(self, items: Mapping[RowKey, Item]) -> Mapping[RowKey, str]:
        """Try to write all, once; those that were not written, each with why."""
        keys = list(items)
        chunks = [keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK)]
        answers = written(
            self._side_by_side, lambda chunk: self._put([items[key] for key in chunk]), chunks
        )
        unwritten: dict[RowKey, str] = {}
        for chunk, answer in zip(chunks, answers, strict=True):
            unwritten.update(
                dict.fromkeys(chunk, answer.code) if isinstance(answer, Failed) else answer
            )
        return unwritten

    def before(self, lane: str, version: int | None, limit: int) -> tuple[Row, ...]:
        high = VERSION_MAX if version is None else version - 1
        items: list[Mapping[str, Mapping[str, Any]]] = []
        for page in self._pages(lane, 1, high, ScanIndexForward=False, Limit=limit):
            items += page.items
            if len(items) >= limit:
                break
        return tuple(row_of_item(lane, item) for item in items[:limit])

    def versions_after(self, lane: str, version: int, limit: int) -> Versions:
        for page in self._pages(
            lane, version + 1, VERSION_MAX, Limit=limit, ProjectionExpression=_SK
        ):
            return Versions(tuple(int(item[_SK]["N"]) for item in page.items), page.last)
        return Versions((), last=True)

    def rows_after(self, lane: str, version: int) -> Iterator[Row]:
        for page in self._pages(lane, version + 1, VERSION_MAX):
            yield from (row_of_item(lane, item) for item in page.items)

    def marker(self, lane: str) -> int:
        try:
            answer = self._client.get_item(
                TableName=self._table, Key=self._marker_key(lane), ConsistentRead=True
            )
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        return int(answer["Item"][_COMPLETE_TO]["N"]) if "Item" in answer else 0

    def raise_marker(self, lane: str, version: int) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._marker_key(lane),
                UpdateExpression=f"SET {_COMPLETE_TO} = :v",
                ConditionExpression=f"attribute_not_exists({_COMPLETE_TO}) OR {_COMPLETE_TO} < :v",
                ExpressionAttributeValues={":v": {"N": str(version)}},
            )
        except ClientError as error:
            if code_of(error) == CONDITION_FAILED:
                return False
            raise StoreError(code_of(error)) from error
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        return True

    def rows(self) -> Iterator[Row]:
        for item in generations(self._client, self._table).scanned(self._generation):
            if int(item[_SK]["N"]) != MARKER_VERSION:
                yield row_of_item(item[_PK]["S"], item)

    def _put(self, chunk: Sequence[Item]) -> Mapping[RowKey, str]:
        """One request, or several if one of its items can never be taken: that must not fail those
        that share its request. What was not written, with why. Raises StoreError."""
        try:
            answer = self._client.batch_write_item(
                RequestItems={self._table: [{"PutRequest": {"Item": item}} for item in chunk]}
            )
        except AWS_ERRORS as error:
            if code_of(error) != VALIDATION:
                raise StoreError(code_of(error)) from error
            if len(chunk) == 1:
                return {_key_of(chunk[0]): VALIDATION}
            middle = len(chunk) // 2
            return {**self._put(chunk[:middle]), **self._put(chunk[middle:])}
        unprocessed = answer.get("UnprocessedItems", {}).get(self._table, [])
        return {_key_of(request["PutRequest"]["Item"]): "unprocessed" for request in unprocessed}

    def _pages(self, lane: str, low: int, high: int, **how: Any) -> Iterator[_Page]:
        """The pages of a lane's items with versions from `low` to `high`, consistent."""
        if low > high:  # DynamoDB refuses such a range
            return
        start: dict[str, Any] = {}
        while True:  # one page for each MB of the lane's rows, or for each `Limit`
            try:
                answer = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression=f"{_PK} = :lane AND {_SK} BETWEEN :low AND :high",
                    ExpressionAttributeValues={
                        ":lane": {"S": partition_of(lane, self._generation)},
                        ":low": {"N": str(low)},
                        ":high": {"N": str(high)},
                    },
                    ConsistentRead=True,
                    **how,
                    **start,
                )
            except AWS_ERRORS as error:
                raise StoreError(code_of(error)) from error
            last = "LastEvaluatedKey" not in answer
            yield _Page(answer["Items"], last)
            if last:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _marker_key(self, lane: str) -> Item:
        return _key(partition_of(lane, self._generation), MARKER_VERSION)


def generations(client: DynamoDBClient, table: str) -> GenerationsTable:
    """The generations of the history in a table."""
    return GenerationsTable(client, table, sorted_rows=True)


def item_of_row(row: Row, generation: int = FIRST) -> Item:
    """The item of a row; what has its default is left out."""
    values = msgspec.to_builtins(row)
    del values["account"]
    return _key(partition_of(row.lane, generation), values.pop("version")) | attributes_of(values)


def row_of_item(lane: str, item: Mapping[str, Mapping[str, Any]]) -> Row:
    """The row of an item of a lane. Raises BrokenItemError."""
    values = values_of(item)
    try:
        account = stripe_of(lane)[0]
        return msgspec.convert(values | {"account": account, "version": values[_SK]}, Row)
    except (KeyError, ValueError) as error:
        raise BrokenItemError("an item of the history table is not a row") from error


def _key(partition: str, version: int) -> Item:
    return {_PK: {"S": partition}, _SK: {"N": str(version)}}


def _key_of(item: Mapping[str, Mapping[str, Any]]) -> RowKey:
    """The key of a row, whatever its generation."""
    place = place_of(item[_PK]["S"])
    if place is None:
        raise BrokenItemError("an item of the history table is not of an account")
    return place[1], int(item[_SK]["N"])
