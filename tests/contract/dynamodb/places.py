"""Where DynamoDB is imitated, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws

from tests.contract.dynamodb.bench import CATALOGUE, Bench
from tests.support.emulator import ENDPOINT, REGION, dynamodb_client, emulator
from tests.support.simulated_dynamodb import SimulatedStreams, SimulatedWorld

# Each adds its checks to the catalogue, in this order.
for _area in ("transactions", "conflicts", "items", "updates", "reading", "paging", "guarding"):
    import_module(f"tests.contract.dynamodb.{_area}")

SIMULATION, MOTO, EMULATOR, ORACLE = "simulation", "moto", "emulator", "oracle"
Place = Callable[[], Bench]
"""Gives a bench with a table of its own."""


@contextmanager
def place(name: str, directory: Path) -> Iterator[Place]:
    """One of the four, until the block is left. The oracle must be running."""
    if name == SIMULATION:
        world = SimulatedWorld()
        # What a thread is elsewhere is a task here, and what waits lets virtual time pass.
        yield lambda: Bench(
            world.client, SimulatedStreams(world), at_once=world.at_once, pause=world.pause
        )
    elif name == MOTO:
        with mock_aws():
            yield _benches(boto3.client("dynamodb", **_arguments(None)), None)
    elif name == EMULATOR:
        with emulator(directory) as endpoint:
            yield _benches(dynamodb_client(endpoint.endpoint_url), endpoint.endpoint_url)
    else:
        if ENDPOINT is None:
            raise ValueError("no oracle runs: `make test-oracle` starts it")
        yield _benches(dynamodb_client(ENDPOINT), ENDPOINT)


def answers(name: str, directory: Path) -> Mapping[str, str]:
    """Every answer of a place, by check."""
    with place(name, directory) as bench:
        return {each: check.answer(name, bench) for each, check in CATALOGUE.checks.items()}


def _benches(client: Any, url: str | None) -> Place:
    streams = boto3.client("dynamodbstreams", **_arguments(url))
    return lambda: Bench(client, streams)


def _arguments(url: str | None) -> dict[str, Any]:
    return {
        "endpoint_url": url,
        "region_name": REGION,
        "aws_access_key_id": "000000000000",
        "aws_secret_access_key": "test",
        "config": Config(proxies={}, retries={"total_max_attempts": 1}),
    }
