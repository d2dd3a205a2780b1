"""The benchmarks' model of DynamoDB keeps the contract: it is slow and full, and still right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.application.ports import EventStore
from tests.contract.event_store.crews import Crew
from tests.contract.event_store.racing import RacingContract
from tests.contract.event_store.racing_life import RacingLifeContract
from tests.contract.event_store.suite import EventStoreContract
from tests.support.modelled import ModelledStore, ModelledWorld


class TestModelled(EventStoreContract, RacingContract, RacingLifeContract):
    """The suite, and the race: of tasks, in virtual time, with conflicts and throttling."""

    @pytest.fixture
    def world(self) -> ModelledWorld:
        """One for each test."""
        return ModelledWorld()

    @pytest.fixture
    def crew(self, world: ModelledWorld) -> Crew:
        return world

    @pytest.fixture
    def store(self, world: ModelledWorld) -> ModelledStore:
        """An empty store."""
        return ModelledStore(world)

    @pytest.fixture
    def connect(self, world: ModelledWorld) -> Callable[[], EventStore]:
        """Each worker has one of its own, on the same tables."""
        return lambda: ModelledStore(world)
