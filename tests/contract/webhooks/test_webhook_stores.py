"""The webhooks' stores on a real DynamoDB's expressions: simulated, on the emulator, on the oracle.

What they do in every respect is tested in memory and on moto, which lets wrong expressions pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from consumers.webhooks.directory import Directory, DynamoDirectory
from consumers.webhooks.records import KEPT_SECONDS, DynamoDelivered
from tests.support.emulator import dynamodb_client, dynamodb_endpoint
from tests.support.simulated_dynamodb import SimulatedWorld

NOW_MICROSECONDS = 1_800_000_000_000_000


@pytest.fixture(
    scope="module", params=["simulation", pytest.param("emulator", marks=pytest.mark.emulator)]
)
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DynamoDBClient]:
    """A client of one DynamoDB for all that is here."""
    if request.param == "simulation":
        yield SimulatedWorld().client
        return
    with dynamodb_endpoint(tmp_path_factory.mktemp("emulator")) as url:
        yield dynamodb_client(url)


@pytest.fixture
def table(client: DynamoDBClient) -> str:
    """The name of an empty table with the key `pk`."""
    name = f"webhooks-{uuid4()}"
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_of_two_changes_of_one_version_the_second_fails(client: DynamoDBClient, table: str) -> None:
    """The first ever, and a later one; what is there is what was written."""
    directory = DynamoDirectory(client, table)
    assert directory.read() == Directory(0, {})
    for version in (1, 2):
        assert directory.write(Directory(version, {}))
        assert not directory.write(Directory(version, {}))
        assert directory.read() == Directory(version, {})


def test_a_delivery_is_remembered_once(client: DynamoDBClient, table: str) -> None:
    """With the status and the time of the first; and it expires."""
    delivered = DynamoDelivered(client, table)
    assert not delivered.has("msg_1")
    delivered.add("msg_1", "shop", 204, NOW_MICROSECONDS)
    delivered.add("msg_1", "shop", 200, NOW_MICROSECONDS + 5_000_000)
    assert delivered.has("msg_1")
    item = client.get_item(TableName=table, Key={"pk": {"S": "msg_1"}})["Item"]
    seconds = NOW_MICROSECONDS // 1_000_000
    assert (item["status"], item["expires_at"]) == (
        {"N": "204"},
        {"N": str(seconds + KEPT_SECONDS)},
    )
