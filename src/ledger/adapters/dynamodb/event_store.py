"""The DynamoDB adapter of EventStore: one BatchGetItem to load, one TransactWriteItems to commit.

The SDK's own retries must be off (`runtime.clients`, `attempts=1`): the commit decides again at
every attempt, and counts what it met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from ledger.adapters.dynamodb.codec import (
    due_of_item,
    event_item,
    event_of_item,
    newest_schema,
    state_item,
    state_of_item,
)
from ledger.adapters.dynamodb.errors import (
    CONDITION_FAILED,
    TRANSACTION_CANCELED,
    code_of,
    raise_cancelled,
    raise_translated,
)
from ledger.adapters.dynamodb.keys import DUE_SHARDS, event_key, state_key
from ledger.application.ports import (
    Appended,
    Due,
    Refused,
    StateCheck,
    StateWrite,
    Transaction,
    TransientStoreError,
    refuse_load_size,
)
from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_INDEX, DUE_SHARD
from ledger.domain.states import States

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from ledger.contracts.subjects import Key
    from ledger.domain.chain import StoredEvent
    from ledger.domain.states import Point, State

    Item = dict[str, AttributeValueTypeDef]

_FAILED: Final = "ConditionalCheckFailed"
_ABSENT: Final = "attribute_not_exists(pk)"
#: A word that DynamoDB keeps to itself.
_HASH: Final = {"#hash": "hash"}
_ERRORS = (ClientError, HTTPClientError, BotoConnectionError)
#: Requests of one batched read: 100 items are far below the 16 MB that one answers with, so what
#: is left out of an answer was throttled, and is worth asking for as long as some of it comes.
_READS_MAX: Final = 4
#: Pages of 1 MB, some 5,000 holds each, that are read of a shard. More are due only if the sweeper
#: was out for long; then the oldest are released first, and there is a next time.
_DUE_PAGES_MAX: Final = 4
#: Pages that are read of all shards together for one account: a payment waits for them, and they
#: come one after the other. Each shard has one; the rest goes to the first that have more. So of
#: some 40,000 holds that are due, evenly spread, all are seen; beyond, the longest due are.
DUE_PAGES_OF_ACCOUNT_MAX: Final = 12


@dataclass(slots=True)
class Meter:
    """What a store has asked of DynamoDB since it was last read.

    `write_units` are those that DynamoDB reported for what took effect; it reports none for a
    cancelled transaction, though it bills it: `cancelled` counts those.
    """

    requests: int = 0
    write_units: float = 0
    cancelled: int = 0

    def take(self) -> Meter:
        """The counts so far; counting starts anew."""
        taken = Meter(self.requests, self.write_units, self.cancelled)
        self.requests, self.write_units, self.cancelled = 0, 0, 0
        return taken


class DynamoEventStore:
    """EventStore on the tables `events` and `states`. One instance per worker; not thread-safe
    in its meter, safe in everything else."""

    def __init__(
        self,
        client: DynamoDBClient,
        *,
        events_table: str,
        states_table: str,
        meter: Meter | None = None,
    ) -> None:
        self._client = client
        self._events = events_table
        self._states = states_table
        self.meter = meter or Meter()

    def load(self, keys: Sequence[Key]) -> States:
        """See EventStore. One request, as a rule."""
        refuse_load_size(keys)
        return States.of(map(state_of_item, self._read(self._states, map(state_key, keys))))

    def append(self, transaction: Transaction) -> Appended | Refused:
        """See EventStore. One request."""
        actions = [
            *map(self._put_event, transaction.events),
            *map(self._check_absence, transaction.absent),
            *map(self._put_state, transaction.writes),
            *map(self._check_state, transaction.checks),
        ]
        self.meter.requests += 1
        try:
            answer = self._client.transact_write_items(
                TransactItems=actions, ReturnConsumedCapacity="TOTAL"
            )
        except _ERRORS as error:
            return self._refusal(transaction, error)
        self.meter.write_units += sum(
            consumed.get("CapacityUnits", 0) for consumed in answer.get("ConsumedCapacity", ())
        )
        return Appended()

    def event(self, event_id: str) -> StoredEvent | None:
        """See EventStore. One request."""
        self.meter.requests += 1
        try:
            answer = self._client.get_item(
                TableName=self._events, Key={"pk": {"S": event_key(event_id)}}, ConsistentRead=True
            )
        except _ERRORS as error:
            raise_translated(error)
        item = answer.get("Item")
        return event_of_item(item) if item else None

    def events_of(self, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """See EventStore. One request, as a rule."""
        refuse_load_size(event_ids)
        found = map(event_of_item, self._read(self._events, map(event_key, event_ids)))
        return {event.id: event for event in found}

    def due(self, now: str, *, account: str | None = None, limit: int) -> tuple[Due, ...]:
        """See EventStore. A request for each shard, as a rule; DUE_PAGES_OF_ACCOUNT_MAX at most if
        an account is given."""
        shards_left = len(DUE_SHARDS)
        left = shards_left * _DUE_PAGES_MAX if account is None else DUE_PAGES_OF_ACCOUNT_MAX
        found: list[Due] = []
        for shard in DUE_SHARDS:
            shards_left -= 1  # each of them has a page at least
            pages = self._due_in(shard, now, account, limit)
            for items, reached in islice(pages, min(_DUE_PAGES_MAX, left - shards_left)):
                left -= 1
                found += map(due_of_item, items)
                found = sorted(found, key=lambda due: (due.due_at, due.payment))[:limit]
                if len(found) == limit and reached >= found[-1].due_at:
                    break  # what comes next in this shard is due for less long than all of them
        return tuple(found)

    def events(self) -> Iterator[StoredEvent]:
        """See EventStore. Pages of 1 MB, read consistently."""
        return map(event_of_item, self._scan(self._events))

    def states(self) -> Iterator[State]:
        """See EventStore. Pages of 1 MB, read consistently."""
        return map(state_of_item, self._scan(self._states))

    def restore(self, state: State) -> bool:
        """See EventStore. One request."""
        self.meter.requests += 1
        try:
            self._client.put_item(
                TableName=self._states,
                Item=state_item(state),
                ConditionExpression=f"{_ABSENT} OR (v <= :v AND version < :version)",
                ExpressionAttributeValues={
                    ":v": {"N": str(newest_schema(state.key))},
                    ":version": {"N": str(state.version)},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except _ERRORS as error:
            return _not_older(error)
        return True

    def _put_event(self, event: StoredEvent) -> TransactWriteItemTypeDef:
        return {
            "Put": {
                "TableName": self._events,
                "Item": event_item(event),
                "ConditionExpression": _ABSENT,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _check_absence(self, event_id: str) -> TransactWriteItemTypeDef:
        return {
            "ConditionCheck": {
                "TableName": self._events,
                "Key": {"pk": {"S": event_key(event_id)}},
                "ConditionExpression": _ABSENT,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _put_state(self, write: StateWrite) -> TransactWriteItemTypeDef:
        put: dict[str, Any] = {
            "TableName": self._states,
            "Item": state_item(write.state),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **_still_at(write.expected),
        }
        return cast("TransactWriteItemTypeDef", {"Put": put})

    def _check_state(self, check: StateCheck) -> TransactWriteItemTypeDef:
        condition: dict[str, Any] = {
            "TableName": self._states,
            "Key": {"pk": {"S": state_key(check.key)}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **_still_at(check.expected),
        }
        return cast("TransactWriteItemTypeDef", {"ConditionCheck": condition})

    def _refusal(
        self, transaction: Transaction, error: ClientError | HTTPClientError | BotoConnectionError
    ) -> Refused:
        """What a failed transaction says: reasons are positional, one for each action."""
        if not isinstance(error, ClientError) or code_of(error) != TRANSACTION_CANCELED:
            raise_translated(error)
        self.meter.cancelled += 1
        reasons = cast("list[dict[str, Any]]", error.response.get("CancellationReasons", []))
        failed = [reason if reason.get("Code") == _FAILED else None for reason in reasons]
        if not any(failed):
            raise_cancelled((reason.get("Code", "") for reason in reasons), error)
        on_events = len(transaction.events) + len(transaction.absent)
        events, states = failed[:on_events], failed[on_events:]
        existing = [event_of_item(reason["Item"]) for reason in events if reason]
        return Refused(
            existing={event.id: event for event in existing},
            fresh={
                condition.key: state_of_item(reason["Item"]) if reason.get("Item") else None
                for condition, reason in zip(transaction.conditions, states, strict=True)
                if reason
            },
        )

    def _read(self, table: str, keys: Iterable[str]) -> list[Item]:
        """The items under these keys that there are, read consistently."""
        left: Any = {table: {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}}
        items: list[Item] = []
        for _ in range(_READS_MAX):
            self.meter.requests += 1
            try:
                answer = self._client.batch_get_item(RequestItems=left)
            except _ERRORS as error:
                raise_translated(error)
            came = answer["Responses"].get(table, [])
            items += came
            left = answer.get("UnprocessedKeys")
            if not left:
                return items
            if not came:
                break
        raise TransientStoreError("throttled")

    def _due_in(
        self, shard: str, now: str, account: str | None, limit: int
    ) -> Iterator[tuple[list[Item], str]]:
        """What is due in one shard of the index, the longest due first: pages of it, each with the
        instant up to which it was read."""
        request: dict[str, Any] = {
            "TableName": self._states,
            "IndexName": DUE_INDEX,
            "KeyConditionExpression": f"{DUE_SHARD} = :shard AND {DUE_AT} <= :now",
            "ExpressionAttributeValues": {":shard": {"S": shard}, ":now": {"S": now}},
        }
        if account is None:
            request["Limit"] = limit
        else:  # a limit would count what the filter leaves out
            request["FilterExpression"] = f"contains({DUE_ACCOUNTS}, :account)"
            request["ExpressionAttributeValues"][":account"] = {"S": account}
        last: Item | None = {}
        while last is not None:
            self.meter.requests += 1
            try:
                answer = self._client.query(**request)
            except _ERRORS as error:
                raise_translated(error)
            last = answer.get("LastEvaluatedKey")
            yield answer["Items"], (last or {}).get(DUE_AT, {}).get("S", "")
            request["ExclusiveStartKey"] = last

    def _scan(self, table: str) -> Iterator[Item]:
        """Every item of a table. A transient error in the middle of it fails the whole scan."""
        pages = self._client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        try:
            for page in pages:
                self.meter.requests += 1
                yield from page["Items"]
        except _ERRORS as error:
            raise_translated(error)


def _not_older(error: ClientError | HTTPClientError | BotoConnectionError) -> Literal[False]:
    """Why a state was not restored: the stored one is not older. Raises what it is instead."""
    if not isinstance(error, ClientError) or code_of(error) != CONDITION_FAILED:
        raise_translated(error)
    found = cast("dict[str, Any]", error.response)["Item"]
    state_of_item(found)  # raises if it is no state that this release knows
    return False


def _still_at(point: Point) -> dict[str, Any]:
    """The condition that a state is still at that point of its history."""
    if not point.version:
        return {"ConditionExpression": _ABSENT}
    return {
        "ConditionExpression": "version = :version AND #hash = :hash",
        "ExpressionAttributeNames": _HASH,
        "ExpressionAttributeValues": {
            ":version": {"N": str(point.version)},
            ":hash": {"B": point.hash},
        },
    }
