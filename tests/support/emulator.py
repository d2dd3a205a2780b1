"""An emulator without a stack in it, for tests that need real AWS answers and nothing deployed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import boto3
from botocore.config import Config
from mypy_boto3_dynamodb import DynamoDBClient

from sandbox.endpoint import Endpoint
from sandbox.engine import EngineOptions, running_engine
from sandbox.workspace import claimed

REGION = "eu-central-1"
ENVIRONMENT = Path(__file__).resolve().parents[2] / ".venv-emulator"
#: Another DynamoDB to run against instead, for instance Amazon's DynamoDB Local.
ENDPOINT = os.environ.get("LEDGER_DYNAMODB_ENDPOINT")


@contextmanager
def dynamodb_endpoint(directory: Path) -> Iterator[str]:
    """The URL of an empty DynamoDB, which ends with the block."""
    if ENDPOINT:
        yield ENDPOINT
        return
    with emulator(directory) as endpoint:
        yield endpoint.endpoint_url


@contextmanager
def emulator(directory: Path) -> Iterator[Endpoint]:
    """An empty emulator, which ends with the block."""
    with (
        claimed(directory) as workspace,
        running_engine(workspace, ENVIRONMENT, EngineOptions(region=REGION)) as endpoint,
    ):
        yield endpoint


def dynamodb_client(endpoint_url: str) -> DynamoDBClient:
    """A client of that endpoint, for as many threads as any test has; the SDK does not retry."""
    config = Config(
        proxies={}, retries={"total_max_attempts": 1}, max_pool_connections=16, read_timeout=20
    )
    return _session().client("dynamodb", endpoint_url=endpoint_url, config=config)


@cache
def _session() -> boto3.Session:
    """One for all clients: each session reads the description of DynamoDB anew."""
    return boto3.Session(
        aws_access_key_id="000000000000", aws_secret_access_key="test", region_name=REGION
    )
