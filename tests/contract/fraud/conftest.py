"""The stores of the fraud scorer that the contract suite runs against, wherever they can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.store import REVIEWS_INDEX, DynamoFraudStore, FraudStore
from tests.support.emulator import REGION, dynamodb_client, dynamodb_endpoint
from tests.support.simulated_dynamodb import INDEX_SECONDS, SimulatedWorld

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="session")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One emulator for all that is here: each test has a table of its own."""
    with dynamodb_endpoint(tmp_path_factory.mktemp("emulator")) as url:
        yield url


@pytest.fixture(
    params=["memory", "simulation", "moto", pytest.param("emulator", marks=pytest.mark.emulator)]
)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FraudStore]:
    """An empty store."""
    if request.param == "memory":
        yield MemoryFraudStore()
    elif request.param == "simulation":
        yield _dynamo(SimulatedWorld(between=INDEX_SECONDS).client)
    elif request.param == "moto":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        with mock_aws():
            yield _dynamo(boto3.client("dynamodb", region_name=REGION))
    else:
        yield _dynamo(dynamodb_client(request.getfixturevalue("endpoint_url")))


def _dynamo(client: DynamoDBClient) -> DynamoFraudStore:
    """A store on a new table, keyed and indexed as cdk/stacks/data.py makes it."""
    table = f"contract-{uuid4()}"
    client.create_table(
        TableName=table,
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("pk", "listed", "recorded_at")
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": REVIEWS_INDEX,
                "KeySchema": [
                    {"AttributeName": "listed", "KeyType": "HASH"},
                    {"AttributeName": "recorded_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return DynamoFraudStore(client, table)
