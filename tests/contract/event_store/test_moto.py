"""The DynamoDB adapter keeps the contract on moto: tiny tables, one thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from tests.contract.event_store.dynamo import DynamoContract

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    """A client of moto; each test has tables of its own."""
    with mock_aws():
        yield boto3.client(
            "dynamodb",
            region_name="eu-central-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}),
        )


class TestMoto(DynamoContract):
    """moto is not safe to race on, and slow in more than a few items: races are run elsewhere."""

    reported_units = 0
