"""The stores of the projections that the contract suites run against.

Memory and moto always; any DynamoDB at `LEDGER_DYNAMODB_ENDPOINT` as well, where that is set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from projections.balances.memory import MemoryBalancesStore
from projections.balances.store import BalancesStore, DynamoBalancesStore
from projections.history.memory import MemoryHistoryStore
from projections.history.store import DynamoHistoryStore, HistoryStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "eu-central-1"
ENDPOINT = os.environ.get("LEDGER_DYNAMODB_ENDPOINT")
PLACES = ["memory", "moto", *(["endpoint"] if ENDPOINT else [])]


@pytest.fixture(scope="session")
def endpoint_url() -> str | None:
    """A DynamoDB beside moto to run against; None for none."""
    return ENDPOINT


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    """Where the store under test keeps its items."""
    return str(request.param)


@pytest.fixture
def client(
    place: str, endpoint_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DynamoDBClient | None]:
    """A DynamoDB client of that place; None in memory."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    if place == "memory":
        yield None
    elif place == "moto":
        with mock_aws():
            yield boto3.client("dynamodb", region_name=REGION)
    else:
        yield boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint_url)


@pytest.fixture
def balances(client: DynamoDBClient | None) -> BalancesStore:
    """An empty store of balances."""
    if client is None:
        return MemoryBalancesStore()
    table = _table(client, [("pk", "S")])
    return DynamoBalancesStore(client, table)


@pytest.fixture
def history(client: DynamoDBClient | None) -> HistoryStore:
    """An empty store of histories."""
    if client is None:
        return MemoryHistoryStore()
    table = _table(client, [("pk", "S"), ("sk", "N")])
    return DynamoHistoryStore(client, table, random=lambda: 0.5, sleep=lambda _: None)


def _table(client: DynamoDBClient, key: list[tuple[str, Any]]) -> str:
    """A new table with this key; its name."""
    name = f"contract-{uuid4()}"
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in key],
        KeySchema=[
            {"AttributeName": n, "KeyType": "RANGE" if at else "HASH"}
            for at, (n, _) in enumerate(key)
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name
