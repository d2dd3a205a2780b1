"""The stores of the projections that the contract suites run against, wherever they can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from projections.balances.memory import MemoryBalancesStore
from projections.balances.store import PATHS_INDEX, BalancesStore, DynamoBalancesStore
from projections.balances.store import generations as balances_generations
from projections.generations.keys import FIRST
from projections.generations.memory import MemoryGenerations
from projections.history.memory import MemoryHistoryStore
from projections.history.store import DynamoHistoryStore, HistoryStore
from projections.history.store import generations as history_generations
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.store import STATUS_INDEX, DynamoPaymentsStore, PaymentsStore
from projections.payments.store import generations as payments_generations
from tests.contract.projections.places import Place, live_store
from tests.support.emulator import REGION, dynamodb_client, dynamodb_endpoint
from tests.support.simulated_dynamodb import INDEX_SECONDS, SimulatedWorld
from tests.unit.projections.fakes import create_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="session")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One emulator for all that is here: each test has tables of its own."""
    with dynamodb_endpoint(tmp_path_factory.mktemp("emulator")) as url:
        yield url


@pytest.fixture(
    params=["memory", "simulation", "moto", pytest.param("emulator", marks=pytest.mark.emulator)]
)
def place(request: pytest.FixtureRequest) -> str:
    """Where the store under test keeps its items."""
    name: str = request.param
    return name


@pytest.fixture
def generation(place: str) -> int:
    """The generation that the store under test is: keys of the first one have another form."""
    return 120 if place == "emulator" else FIRST


@pytest.fixture
def client(
    place: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DynamoDBClient | None]:
    """A DynamoDB client of that place; None in memory."""
    if place == "memory":
        yield None
    elif place == "simulation":
        yield SimulatedWorld(between=INDEX_SECONDS).client
    elif place == "moto":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        with mock_aws():
            yield boto3.client("dynamodb", region_name=REGION)
    else:
        yield dynamodb_client(request.getfixturevalue("endpoint_url"))


@pytest.fixture
def balances_place(client: DynamoDBClient | None) -> Place[BalancesStore]:
    """Where balances lie, without a generation so far."""
    if client is None:
        memory: MemoryGenerations[BalancesStore] = MemoryGenerations(MemoryBalancesStore)
        return Place(memory, memory.store_of)
    table = _table(client, [("pk", "S")], {PATHS_INDEX: ("root", "account")})
    return Place(
        balances_generations(client, table).replaceable(random=lambda: 0.5, sleep=lambda _: None),
        lambda generation: DynamoBalancesStore(client, table, generation),
    )


@pytest.fixture
def history_place(client: DynamoDBClient | None) -> Place[HistoryStore]:
    """Where histories lie, without a generation so far."""
    if client is None:
        memory: MemoryGenerations[HistoryStore] = MemoryGenerations(MemoryHistoryStore)
        return Place(memory, memory.store_of)
    table = _table(client, [("pk", "S"), ("sk", "N")])
    return Place(
        history_generations(client, table).replaceable(random=lambda: 0.5, sleep=lambda _: None),
        lambda generation: DynamoHistoryStore(
            client, table, generation, random=lambda: 0.5, sleep=lambda _: None
        ),
    )


@pytest.fixture
def payments_place(client: DynamoDBClient | None) -> Place[PaymentsStore]:
    """Where payments lie, without a generation so far."""
    if client is None:
        memory: MemoryGenerations[PaymentsStore] = MemoryGenerations(MemoryPaymentsStore)
        return Place(memory, memory.store_of)
    table = _table(client, [("pk", "S")], {STATUS_INDEX: ("listed", "created")})
    return Place(
        payments_generations(client, table).replaceable(random=lambda: 0.5, sleep=lambda _: None),
        lambda generation: DynamoPaymentsStore(client, table, generation),
    )


@pytest.fixture
def balances(balances_place: Place[BalancesStore], generation: int) -> BalancesStore:
    """An empty store of balances."""
    return live_store(balances_place, generation)


@pytest.fixture
def history(history_place: Place[HistoryStore], generation: int) -> HistoryStore:
    """An empty store of histories."""
    return live_store(history_place, generation)


@pytest.fixture
def payments(payments_place: Place[PaymentsStore], generation: int) -> PaymentsStore:
    """An empty store of payments."""
    return live_store(payments_place, generation)


def _table(
    client: DynamoDBClient,
    key: list[tuple[str, Any]],
    indexes: dict[str, tuple[str, str]] | None = None,
) -> str:
    """A new table with this key and these indexes; its name."""
    name = f"contract-{uuid4()}"
    create_table(client, name, key, indexes)
    return name
