"""The generations in a projection's DynamoDB table: the pointer's item, scans and deletions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import ClientError

from ledger.runtime.backoff import full_jitter_seconds
from ledger.runtime.faults import (
    AWS_ERRORS,
    CONDITION_FAILED,
    BrokenItemError,
    StoreError,
    code_of,
)
from ledger.runtime.items import Item, attributes_of, values_of
from projections.generations.keys import POINTER, place_of
from projections.generations.pointer import Pointer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: A generation was asked for that is, or is about to be, deleted: look again which one is live.
RETIRED: Final = "generation_retired"

_PK: Final = "pk"
_SK: Final = "sk"
_CHUNK: Final = 25  # items of one BatchWriteItem
#: Requests in a row that deleted nothing; with the waits between them, some 30 s of throttling.
_RETRIES_MAX: Final = 12
_WAIT_SECONDS_BASE: Final = 0.1
_WAIT_SECONDS_CAP: Final = 5.0


class GenerationsTable:
    """The generations in the table of one projection, whose keys are `pk` and, if `sorted_rows`,
    the number `sk`: which there are, and what is in each."""

    def __init__(self, client: DynamoDBClient, table: str, *, sorted_rows: bool) -> None:
        self._client = client
        self._table = table
        self._sorted = sorted_rows

    def pointer(self) -> Pointer:
        try:
            answer = self._client.get_item(
                TableName=self._table, Key=self._pointer_key(), ConsistentRead=True
            )
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        if "Item" not in answer:
            return Pointer()
        try:
            return msgspec.convert(values_of(answer["Item"]), Pointer)
        except msgspec.ValidationError as error:
            raise BrokenItemError("the item that names the generations is not ours") from error

    def scanned(self, generation: int) -> Iterator[Mapping[str, Mapping[str, Any]]]:
        """The items of a generation in any order, `pk` being the account; what is written
        meanwhile may be missed.

        Raises StoreError; at the end also if the generation was retired meanwhile: then some of its
        items may be missing that were not missing before.
        """
        for item in self._pages():
            place = place_of(item[_PK]["S"])
            if place is not None and place[0] == generation:
                yield {**item, _PK: {"S": place[1]}}
        if generation not in self.pointer().readable:
            raise StoreError(RETIRED)

    def replaceable(
        self, *, random: Callable[[], float], sleep: Callable[[float], object]
    ) -> DynamoGenerations:
        """The same, for a replay; see DynamoGenerations."""
        return DynamoGenerations(
            self._client, self._table, sorted_rows=self._sorted, random=random, sleep=sleep
        )

    def _pages(self, **how: Any) -> Iterator[Mapping[str, Mapping[str, Any]]]:
        start: dict[str, Any] = {}
        while True:  # one page for each MB of the table
            try:
                page = self._client.scan(TableName=self._table, ConsistentRead=True, **how, **start)
            except AWS_ERRORS as error:
                raise StoreError(code_of(error)) from error
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _pointer_key(self) -> Item:
        # Below every version, where the markers of accounts lie.
        sort_key: Item = {_SK: {"N": "0"}} if self._sorted else {}
        return {_PK: {"S": POINTER}} | sort_key


class DynamoGenerations(GenerationsTable):
    """The same, with what a replay does to them.

    `random` draws from [0, 1) and `sleep` takes seconds: both for the retries of deletions.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        sorted_rows: bool,
        random: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        super().__init__(client, table, sorted_rows=sorted_rows)
        self._random = random
        self._sleep = sleep

    def replace(self, known: Pointer, new: Pointer) -> bool:
        values: Item = {":known": {"N": str(known.revision)}}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=self._pointer_key() | attributes_of(msgspec.structs.asdict(new)),
                ConditionExpression="revision = :known"
                if known.revision
                else "attribute_not_exists(pk) OR revision = :known",
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if code_of(error) == CONDITION_FAILED:
                # An earlier try of the SDK's may have written it, and lost its answer.
                return self.pointer() == new
            raise StoreError(code_of(error)) from error
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        return True

    def sweep(self, pointer: Pointer) -> Iterator[int]:
        doomed: list[Item] = []
        names = [_PK, _SK] if self._sorted else [_PK]
        for item in self._pages(ProjectionExpression=", ".join(names)):
            place = place_of(item[_PK]["S"])
            if place is not None and pointer.has_dropped(place[0]):
                doomed.append({name: dict(item[name]) for name in names})
            if len(doomed) == _CHUNK:
                yield self._delete(doomed)
                doomed = []
        if doomed:
            yield self._delete(doomed)

    def _delete(self, keys: list[Item]) -> int:
        """Deletes the items with these keys, in as many requests as it takes."""
        left: Any = [{"DeleteRequest": {"Key": key}} for key in keys]
        code = ""
        for attempt in range(_RETRIES_MAX):
            try:
                answer = self._client.batch_write_item(RequestItems={self._table: left})
            except AWS_ERRORS as error:
                code = code_of(error)
            else:
                left = answer.get("UnprocessedItems", {}).get(self._table, [])
                if not left:
                    return len(keys)
                code = "unprocessed"
            self._sleep(
                full_jitter_seconds(
                    attempt, base=_WAIT_SECONDS_BASE, cap=_WAIT_SECONDS_CAP, random=self._random
                )
            )
        raise StoreError(code)
