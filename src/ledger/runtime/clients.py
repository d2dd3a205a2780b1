"""The clients of AWS services that functions use, with the limits that keep a worker alive.

Importing this module imports boto3 (a function does it while it starts); clients are created by
the factories only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

# A healthy call takes 5-20 ms; one that took seconds is lost, and the function's own time-out of
# 30 s must leave room for the retries.
_CONNECT_SECONDS: Final = 1.0
_READ_SECONDS: Final = 3.0
_BACKOFF_SECONDS: Final = 20.0


def dynamodb_client(*, attempts: int) -> DynamoDBClient:
    """A DynamoDB client; `attempts` counts the SDK's tries of one call, the first included."""
    return boto3.client("dynamodb", config=_config(attempts))


def sqs_client(*, attempts: int = 3) -> SQSClient:
    """An SQS client."""
    return boto3.client("sqs", config=_config(attempts))


def sns_client(*, attempts: int) -> SNSClient:
    """An SNS client; `attempts` counts the SDK's tries of one call, the first included."""
    return boto3.client("sns", config=_config(attempts))


def secretsmanager_client(*, attempts: int = 3) -> SecretsManagerClient:
    """A Secrets Manager client."""
    return boto3.client("secretsmanager", config=_config(attempts))


def ssm_client(*, attempts: int) -> SSMClient:
    """A client of Systems Manager; `attempts` counts the SDK's tries of one call."""
    return boto3.client("ssm", config=_config(attempts))


def eventbridge_client(*, attempts: int = 3) -> EventBridgeClient:
    """An EventBridge client."""
    return boto3.client("events", config=_config(attempts))


def seconds_at_most(attempts: int) -> float:
    """How long one call of a client with so many tries takes where each of them hangs."""
    # The SDK waits up to 2**retry seconds in between ("standard" mode, botocore.retries.standard).
    waits = sum(min(2.0**retry, _BACKOFF_SECONDS) for retry in range(attempts - 1))
    return attempts * (_CONNECT_SECONDS + _READ_SECONDS) + waits


def _config(attempts: int) -> Config:
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,  # a worker frozen between invocations finds its connection alive
    )
