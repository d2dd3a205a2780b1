"""From the configuration to everything that a verb talks to."""

from __future__ import annotations

import random
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.adapters.eventbridge.publisher import EventBridgePublisher
from ledger.cli.up.usage import LogsClient
from ledger.client import config as configuration
from ledger.client.aws import client_arguments, session_of
from ledger.client.bus import BusSender
from ledger.client.config import Config
from ledger.client.fifo import FifoSender
from ledger.client.rest import LedgerApi
from projections.balances.store import DynamoBalancesStore
from projections.balances.store import generations as balances_generations
from projections.history.store import DynamoHistoryStore
from projections.history.store import generations as history_generations
from projections.payments.store import DynamoPaymentsStore
from projections.payments.store import generations as payments_generations

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

BUS_SOURCE: Final = "ledger.cli"
_CHANCE: Final = random.SystemRandom().random


class Connection:
    """One configured ledger. Clients are made when first asked for, and safe to share."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def _session(self) -> boto3.Session:
        return session_of(self.config)

    @cached_property
    def _arguments(self) -> dict[str, Any]:
        return client_arguments(self.config)

    def api(self, connections: int = 1) -> LedgerApi:
        """The REST API, for that many threads."""
        return LedgerApi(self.config, connections=connections)

    def bus(self) -> BusSender:
        """A sender onto the ingress bus."""
        client = self._session.client("events", **self._arguments)
        return BusSender(client, self.config.output("IngressBusName"), source=BUS_SOURCE)

    def fifo(self) -> FifoSender:
        """A sender into the FIFO queue."""
        return FifoSender(self.sqs, self.config.output("CommandsFifoQueueUrl"))

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
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB, with the SDK's retries: nothing that the command reads is decided again."""
        return self._session.client("dynamodb", **self._arguments)

    @cached_property
    def logs(self) -> LogsClient:
        """CloudWatch Logs."""
        client: LogsClient = self._session.client("logs", **self._arguments)
        return client

    def events(self) -> DynamoEventStore:
        """The event store."""
        return DynamoEventStore(
            self.dynamodb,
            events_table=self.config.output("EventsTableName"),
            states_table=self.config.output("StatesTableName"),
        )

    def balances(self) -> DynamoBalancesStore:
        """The generation of the balances projection that is live now."""
        table = self.config.output("BalancesTableName")
        live = balances_generations(self.dynamodb, table).pointer().live
        return DynamoBalancesStore(self.dynamodb, table, live)

    def history(self) -> DynamoHistoryStore:
        """The generation of the history projection that is live now."""
        table = self.config.output("HistoryTableName")
        live = history_generations(self.dynamodb, table).pointer().live
        return DynamoHistoryStore(self.dynamodb, table, live, random=_CHANCE, sleep=time.sleep)

    def payments(self) -> DynamoPaymentsStore:
        """The generation of the payments projection that is live now."""
        table = self.config.output("PaymentsTableName")
        live = payments_generations(self.dynamodb, table).pointer().live
        return DynamoPaymentsStore(self.dynamodb, table, live)

    def publisher(self) -> EventBridgePublisher:
        """The publisher onto the ledger's bus."""
        client = self._session.client("events", **self._arguments)
        bus = self.config.output("LedgerBusName")
        return EventBridgePublisher(client, bus, pause=time.sleep, chance=_CHANCE)


def connection(option: Path | None) -> Connection:
    """The ledger that the --config option, the environment or this directory names.

    Raises ConfigError, which says what to run.
    """
    return Connection(configuration.load(configuration.find(option)))
