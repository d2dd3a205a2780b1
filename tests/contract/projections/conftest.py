"""The stores of the projections that the contract suites run against: memory, moto, emulator."""

from __future__ import annotations

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
from tests.support.emulator import REGION, dynamodb_client, dynamodb_endpoint

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="session")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One emulator for all that is here: each test has tables of its own."""
    with dynamodb_endpoint(tmp_path_factory.mktemp("emulator")) as url:
        yield url


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DynamoDBClient | None]:
    """A DynamoDB client of the place where the store under test keeps its items; None in memory."""
    if request.param == "memory":
        yield None
    elif request.param == "moto":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        with mock_aws():
            yield boto3.client("dynamodb", region_name=REGION)
    else:
        yield dynamodb_client(request.getfixturevalue("endpoint_url"))


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
