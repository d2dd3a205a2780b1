"""The DynamoDB adapter of EventStore: one BatchGetItem to load, one TransactWriteItems to commit.

The SDK's own retries must be off (`runtime.clients`, `attempts=1`): the commit decides again at
every attempt, and counts what it met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from ledger.adapters.dynamodb.codec import (
    STATE_V_MAX,
    event_item,
    event_of_item,
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
from ledger.adapters.dynamodb.keys import account_key, event_key
from ledger.application.ports import (
    Appended,
    Refused,
    StateCheck,
    StateWrite,
    Transaction,
    TransientStoreError,
    refuse_load_size,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from ledger.domain.accounts import AccountState
    from ledger.domain.chain import StoredEvent

    Item = dict[str, AttributeValueTypeDef]

_FAILED: Final = "ConditionalCheckFailed"
_ABSENT: Final = "attribute_not_exists(pk)"
_ERRORS = (ClientError, HTTPClientError, BotoConnectionError)


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

    def load(self, accounts: Sequence[str]) -> dict[str, AccountState]:
        """See EventStore. One request; unprocessed keys are a throttle, to be asked for again."""
        refuse_load_size(accounts)
        keys: list[dict[str, Any]] = [{"pk": {"S": account_key(account)}} for account in accounts]
        self.meter.requests += 1
        try:
            answer = self._client.batch_get_item(
                RequestItems={self._states: {"Keys": keys, "ConsistentRead": True}}
            )
        except _ERRORS as error:
            raise_translated(error)
        if answer.get("UnprocessedKeys"):
            raise TransientStoreError("throttled")
        states = map(state_of_item, answer["Responses"].get(self._states, ()))
        return {state.id: state for state in states}

    def append(self, transaction: Transaction) -> Appended | Refused:
        """See EventStore. One request."""
        actions = [
            *map(self._put_event, transaction.events),
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

    def events(self) -> Iterator[StoredEvent]:
        """See EventStore. Pages of 1 MB, read consistently."""
        return map(event_of_item, self._scan(self._events))

    def states(self) -> Iterator[AccountState]:
        """See EventStore. Pages of 1 MB, read consistently."""
        return map(state_of_item, self._scan(self._states))

    def restore(self, state: AccountState) -> bool:
        """See EventStore. One request."""
        self.meter.requests += 1
        try:
            self._client.put_item(
                TableName=self._states,
                Item=state_item(state),
                ConditionExpression=f"{_ABSENT} OR (v <= :v AND version < :version)",
                ExpressionAttributeValues={
                    ":v": {"N": str(STATE_V_MAX)},
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

    def _put_state(self, write: StateWrite) -> TransactWriteItemTypeDef:
        put: dict[str, Any] = {
            "TableName": self._states,
            "Item": state_item(write.state),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **_at_version(write.expected_version),
        }
        return cast("TransactWriteItemTypeDef", {"Put": put})

    def _check_state(self, check: StateCheck) -> TransactWriteItemTypeDef:
        condition: dict[str, Any] = {
            "TableName": self._states,
            "Key": {"pk": {"S": account_key(check.account)}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **_at_version(check.expected_version),
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
        events, states = failed[: len(transaction.events)], failed[len(transaction.events) :]
        existing = [event_of_item(reason["Item"]) for reason in events if reason]
        return Refused(
            existing={event.id: event for event in existing},
            fresh={
                condition.account: state_of_item(reason["Item"]) if reason.get("Item") else None
                for condition, reason in zip(transaction.conditions, states, strict=True)
                if reason
            },
        )

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


def _at_version(version: int) -> dict[str, Any]:
    """The condition that a state is still at `version`; 0 is one that does not exist."""
    if version == 0:
        return {"ConditionExpression": _ABSENT}
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }
