"""The clients of AWS services that functions use, with the limits that keep a worker alive.

Made by botocore itself: boto3 adds to it what only S3 and resources need, and takes a sixth of a
cold start for that. Importing this module imports botocore (a function does it while it starts);
clients are created by the factories only.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import botocore
from botocore.config import Config
from botocore.session import Session

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
#: Given whole, or the SDK puts it together of a dozen parts, twice for every request: a tenth of
#: what a small request costs. It begins as the SDK's own does.
_USER_AGENT: Final = f"Botocore/{botocore.__version__} ua/2.1"


def dynamodb_client(*, attempts: int) -> DynamoDBClient:
    """A DynamoDB client; `attempts` counts the SDK's tries of one call, the first included.

    It does not compare what it sends with the SDK's model of the service, which would take half of
    a large transaction's time: DynamoDB does that itself. The stores' contract tests use a client
    that does.
    """
    client: DynamoDBClient = _client("dynamodb", attempts, validated=False)
    return client


def sqs_client(*, attempts: int = 3) -> SQSClient:
    """An SQS client."""
    client: SQSClient = _client("sqs", attempts)
    return client


def sns_client(*, attempts: int) -> SNSClient:
    """An SNS client; `attempts` counts the SDK's tries of one call, the first included."""
    client: SNSClient = _client("sns", attempts)
    return client


def secretsmanager_client(*, attempts: int = 3) -> SecretsManagerClient:
    """A Secrets Manager client."""
    client: SecretsManagerClient = _client("secretsmanager", attempts)
    return client


def ssm_client(*, attempts: int) -> SSMClient:
    """A client of Systems Manager; `attempts` counts the SDK's tries of one call."""
    client: SSMClient = _client("ssm", attempts)
    return client


def eventbridge_client(*, attempts: int = 3) -> EventBridgeClient:
    """An EventBridge client."""
    client: EventBridgeClient = _client("events", attempts)
    return client


def seconds_at_most(attempts: int) -> float:
    """How long one call of a client with so many tries takes where each of them hangs."""
    # The SDK waits up to 2**retry seconds in between ("standard" mode, botocore.retries.standard).
    waits = sum(min(2.0**retry, _BACKOFF_SECONDS) for retry in range(attempts - 1))
    return attempts * (_CONNECT_SECONDS + _READ_SECONDS) + waits


@cache
def _session() -> Session:
    """The session of this worker: what it has read of the SDK's models serves all clients."""
    return Session()


def _client(service: str, attempts: int, *, validated: bool = True) -> Any:
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,  # a worker frozen between invocations finds its connection alive
        parameter_validation=validated,
        user_agent=_USER_AGENT,
    )
    return _session().create_client(service, config=config)
