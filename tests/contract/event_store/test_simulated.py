"""The DynamoDB adapter keeps the contract on the simulated DynamoDB, also in races of many."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.contract.event_store.crews import Crew
from tests.contract.event_store.dynamo import DynamoContract
from tests.contract.event_store.grouped import GroupedRequests
from tests.contract.event_store.racing import RacingContract
from tests.contract.event_store.racing_life import RacingLifeContract
from tests.support.simulated_dynamodb import INDEX_SECONDS, SimulatedWorld


@pytest.fixture(scope="module")
def world() -> SimulatedWorld:
    """One world for all that is here: each test has tables of its own."""
    return SimulatedWorld(between=INDEX_SECONDS)


@pytest.fixture(scope="module")
def client(world: SimulatedWorld) -> DynamoDBClient:
    """A client in it."""
    return world.client


class TestSimulated(DynamoContract, GroupedRequests, RacingContract, RacingLifeContract):
    """The suite, what is DynamoDB's own, and the race: of tasks, in virtual time."""

    @pytest.fixture
    def crew(self, world: SimulatedWorld) -> Crew:
        return world
