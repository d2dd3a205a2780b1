"""From the configuration to everything that a verb talks to."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ledger.cli.up.usage import LogsClient
from ledger.client import config as configuration
from ledger.client.aws import client_arguments, session_of
from ledger.client.bus import BusSender
from ledger.client.config import Config
from ledger.client.fifo import FifoSender
from ledger.client.rest import LedgerApi
from ledger.upkeep.deployed import Deployed

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

BUS_SOURCE: Final = "ledger.cli"
_CHANCE: Final = random.SystemRandom().random


class Connection(Deployed):
    """One configured ledger. Clients are made when first asked for, and safe to share."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def _session(self) -> boto3.Session:
        return session_of(self.config)

    @cached_property
    def _arguments(self) -> dict[str, Any]:
        return client_arguments(self.config)

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the stack, by their keys."""
        return self.config.outputs

    def output(self, key: str) -> str:
        """An output of the stack. Raises ConfigError."""
        return self.config.output(key)

    def chance(self) -> float:
        """A number drawn uniformly from [0, 1)."""
        return _CHANCE()

    def pause(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)

    def api(self, connections: int = 1) -> LedgerApi:
        """The REST API, for that many threads."""
        return LedgerApi(self.config, connections=connections)

    def bus(self) -> BusSender:
        """A sender onto the ingress bus."""
        return BusSender(self.eventbridge, self.output("IngressBusName"), source=BUS_SOURCE)

    def fifo(self) -> FifoSender:
        """A sender into the FIFO queue."""
        return FifoSender(self.sqs, self.output("CommandsFifoQueueUrl"))

    @cached_property
    def sns(self) -> SNSClient:
        """Amazon SNS."""
        return self._session.client("sns", **self._arguments)

    @cached_property
    def sqs(self) -> SQSClient:
        """Amazon SQS."""
        return self._session.client("sqs", **self._arguments)

    @cached_property
    def s3(self) -> S3Client:
        """Amazon S3."""
        return self._session.client("s3", **self._arguments)

    @cached_property
    def eventbridge(self) -> EventBridgeClient:
        """EventBridge."""
        return self._session.client("events", **self._arguments)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB, with the SDK's retries: nothing that the command reads is decided again."""
        return self._session.client("dynamodb", **self._arguments)

    @cached_property
    def logs(self) -> LogsClient:
        """CloudWatch Logs."""
        client: LogsClient = self._session.client("logs", **self._arguments)
        return client


def connection(option: Path | None) -> Connection:
    """The ledger that the --config option, the environment or this directory names.

    Raises ConfigError, which says what to run.
    """
    return Connection(configuration.load(configuration.find(option)))
