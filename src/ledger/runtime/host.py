"""What a function finds around it: its environment, time, chance, logs and the services of AWS.

Every function is made by `build(host)`, of this and of nothing else, so that the whole of it, with
its settings, clients and retries, can be run on another host.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import SystemRandom
from typing import TYPE_CHECKING, Protocol, TypeVar

from ledger.runtime import clients
from ledger.runtime.clock import wall_clock
from ledger.runtime.telemetry import Telemetry, powertools_telemetry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

_A = TypeVar("_A")
_R = TypeVar("_R")


class SideBySide(Protocol):
    """Runs a function for several arguments at once; answers in their order."""

    def __call__(self, do: Callable[[_A], _R], each: Iterable[_A], /) -> Iterator[_R]: ...


class Host(Protocol):
    """Where a function runs. Of every client, `attempts` counts the SDK's tries of one call."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables."""

    def clock(self) -> int:
        """Microseconds since 1970 in UTC, by this machine's clock."""

    def monotonic(self) -> float:
        """Seconds since some moment, never set back."""

    def pause(self, seconds: float) -> None:
        """Waits."""

    def chance(self) -> float:
        """A number drawn uniformly from [0, 1), different in every worker."""

    def random_bytes(self, size: int) -> bytes:
        """So many bytes, from a source fit for keys."""

    def side_by_side(self, at_most: int) -> SideBySide:
        """Runs up to so many calls at a time, in threads of their own if in several: what they
        share is guarded by locks of `threading`."""

    def telemetry(self) -> Telemetry:
        """Where the lines of invocations go."""

    def dynamodb(self, *, attempts: int) -> DynamoDBClient: ...

    def events(self, *, attempts: int) -> EventBridgeClient: ...

    def sqs(self, *, attempts: int = 3) -> SQSClient: ...

    def sns(self, *, attempts: int) -> SNSClient: ...

    def secretsmanager(self, *, attempts: int = 3) -> SecretsManagerClient: ...

    def ssm(self, *, attempts: int) -> SSMClient: ...


class AwsHost:
    """A worker of AWS Lambda, or anything else with credentials and the right environment."""

    def __init__(self) -> None:
        # Not seeded: a restored snapshot must not repeat itself.
        self._random = SystemRandom().random

    @property
    def environment(self) -> Mapping[str, str]:
        return os.environ

    def clock(self) -> int:
        return wall_clock()

    def monotonic(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def chance(self) -> float:
        return self._random()

    def random_bytes(self, size: int) -> bytes:
        return os.urandom(size)

    def side_by_side(self, at_most: int) -> SideBySide:
        return ThreadPoolExecutor(at_most).map

    def telemetry(self) -> Telemetry:
        return powertools_telemetry()

    def dynamodb(self, *, attempts: int) -> DynamoDBClient:
        return clients.dynamodb_client(attempts=attempts)

    def events(self, *, attempts: int) -> EventBridgeClient:
        return clients.eventbridge_client(attempts=attempts)

    def sqs(self, *, attempts: int = 3) -> SQSClient:
        return clients.sqs_client(attempts=attempts)

    def sns(self, *, attempts: int) -> SNSClient:
        return clients.sns_client(attempts=attempts)

    def secretsmanager(self, *, attempts: int = 3) -> SecretsManagerClient:
        return clients.secretsmanager_client(attempts=attempts)

    def ssm(self, *, attempts: int) -> SSMClient:
        return clients.ssm_client(attempts=attempts)
