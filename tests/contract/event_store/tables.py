"""The tables of an event store in whatever imitates DynamoDB, a pair for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_INDEX, DUE_SHARD

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Calls = list[tuple[str, dict[str, Any]]]
"""Requests by operation, with their parameters."""

TABLE: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
INDEX: dict[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", DUE_SHARD, DUE_AT)
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": DUE_INDEX,
            "KeySchema": [
                {"AttributeName": DUE_SHARD, "KeyType": "HASH"},
                {"AttributeName": DUE_AT, "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": [DUE_ACCOUNTS]},
        }
    ],
}


class DynamoTables:
    """Fixtures. A subclass gives `client`, a DynamoDB client whose SDK does not retry."""

    @pytest.fixture
    def tables(self, client: DynamoDBClient) -> Iterator[tuple[str, str]]:
        """The names of a new table of events and one of states."""
        names = tuple(f"{kind}-{uuid4()}" for kind in ("events", "states"))
        for name in names:
            client.create_table(TableName=name, **TABLE | (INDEX if "states" in name else {}))
        events, states = names
        yield events, states
        for name in names:
            client.delete_table(TableName=name)

    @pytest.fixture
    def connect(
        self, client: DynamoDBClient, tables: tuple[str, str]
    ) -> Callable[[], DynamoEventStore]:
        """A store of one's own on the tables. (A client may be shared by threads.)"""
        events, states = tables
        return lambda: DynamoEventStore(client, events_table=events, states_table=states)

    @pytest.fixture
    def store(self, connect: Callable[[], DynamoEventStore]) -> DynamoEventStore:
        """The store under test."""
        return connect()

    @pytest.fixture
    def calls(self, client: DynamoDBClient) -> Iterator[Calls]:
        """Every request of the client from now on."""
        made: Calls = []

        def note(params: dict[str, Any], model: Any, **_: object) -> None:
            made.append((model.name, params))

        client.meta.events.register("provide-client-params.dynamodb", note)
        yield made
        client.meta.events.unregister("provide-client-params.dynamodb", note)

    def stored_item(self, client: DynamoDBClient, table: str, key: str) -> dict[str, Any]:
        """An item that must be there, as it is stored."""
        found = client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
        return dict(found["Item"])
