"""The DynamoDB adapter keeps the contract on the emulator, also when many workers race.

By `make test-oracle`, on the oracle in its place.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.contract.event_store.dynamo import DynamoContract
from tests.contract.event_store.grouped import GroupedRequests
from tests.contract.event_store.racing import RacingContract
from tests.contract.event_store.racing_life import RacingLifeContract
from tests.support.emulator import ENDPOINT, dynamodb_client, dynamodb_endpoint

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamoDBClient]:
    """A client of one emulator for all that is here: each test has tables of its own."""
    with dynamodb_endpoint(tmp_path_factory.mktemp("emulator")) as url:
        yield dynamodb_client(url)


class TestEmulator(DynamoContract, GroupedRequests, RacingContract, RacingLifeContract):
    """The suite, what is DynamoDB's own, and the race."""

    payments = 10
    reported_units = 4 if ENDPOINT else 6  # the oracle reports a table's last action only
