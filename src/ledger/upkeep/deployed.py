"""A deployed ledger as those reach it who look after it: past its API, by what it keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.adapters.eventbridge.publisher import EventBridgePublisher
from projections.balances.store import DynamoBalancesStore
from projections.balances.store import generations as balances_generations
from projections.history.store import DynamoHistoryStore
from projections.history.store import generations as history_generations
from projections.payments.store import DynamoPaymentsStore
from projections.payments.store import generations as payments_generations

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class Deployed(ABC):
    """The tables, queues, buckets and buses of a ledger, by the outputs of its stack.

    Whoever has the clients makes it. They retry by themselves: nothing that is read is decided
    again.
    """

    @property
    @abstractmethod
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the stack, by their keys."""

    @property
    @abstractmethod
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""

    @property
    @abstractmethod
    def eventbridge(self) -> EventBridgeClient:
        """EventBridge."""

    @property
    @abstractmethod
    def s3(self) -> S3Client:
        """Amazon S3."""

    @property
    @abstractmethod
    def sqs(self) -> SQSClient:
        """Amazon SQS."""

    @abstractmethod
    def output(self, key: str) -> str:
        """An output of the stack. Raises if there is none of that key."""

    @abstractmethod
    def chance(self) -> float:
        """A number drawn uniformly from [0, 1)."""

    @abstractmethod
    def pause(self, seconds: float) -> None:
        """Waits."""

    def events(self) -> DynamoEventStore:
        """The event store."""
        return DynamoEventStore(
            self.dynamodb,
            events_table=self.output("EventsTableName"),
            states_table=self.output("StatesTableName"),
        )

    def balances(self) -> DynamoBalancesStore:
        """The generation of the balances projection that is live now."""
        table = self.output("BalancesTableName")
        live = balances_generations(self.dynamodb, table).pointer().live
        return DynamoBalancesStore(self.dynamodb, table, live)

    def history(self) -> DynamoHistoryStore:
        """The generation of the history projection that is live now."""
        table = self.output("HistoryTableName")
        live = history_generations(self.dynamodb, table).pointer().live
        return DynamoHistoryStore(self.dynamodb, table, live, random=self.chance, sleep=self.pause)

    def payments(self) -> DynamoPaymentsStore:
        """The generation of the payments projection that is live now."""
        table = self.output("PaymentsTableName")
        live = payments_generations(self.dynamodb, table).pointer().live
        return DynamoPaymentsStore(self.dynamodb, table, live)

    def publisher(self) -> EventBridgePublisher:
        """The publisher onto the ledger's bus."""
        return EventBridgePublisher(
            self.eventbridge, self.output("LedgerBusName"), pause=self.pause, chance=self.chance
        )
