"""What stands in for the world around a projection's handler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ledger.runtime.telemetry import Line, Telemetry
from projections.intake import Consumer, Project, make_consumer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

QUEUE_URL = "https://queue"


@dataclass
class World:
    """A queue that remembers which messages were brought forward, a clock that stands still, and
    the lines that were written."""

    now: int = 0
    delayed: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def change_message_visibility_batch(
        self,
        QueueUrl: str,  # noqa: N803 - boto3's name
        Entries: Sequence[dict[str, Any]],  # noqa: N803 - boto3's name
    ) -> dict[str, Any]:
        """As the SQS client does."""
        assert QueueUrl == QUEUE_URL
        self.delayed += [entry["ReceiptHandle"] for entry in Entries]
        return {"Successful": [], "Failed": []}

    @property
    def collaborators(self) -> dict[str, Any]:
        """What every `make_handler` of a projection takes beside its store."""
        return {
            "sqs": cast("SQSClient", self),
            "queue_url": QUEUE_URL,
            "random": lambda: 0.5,
            "clock": lambda: self.now,
            "telemetry": Telemetry(self.lines.append),
        }

    def consumer(self, project: Project) -> Consumer:
        """A handler around `project`."""
        return make_consumer(project, **self.collaborators)


def function_environment(name: str, **settings: str) -> dict[str, str]:
    """The environment variables of a deployed function."""
    return {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "POWERTOOLS_SERVICE_NAME": name,
        "POWERTOOLS_METRICS_NAMESPACE": "Ledger",
    } | settings


def create_tables(client: DynamoDBClient) -> None:
    """The tables `balances` and `history`, empty."""
    client.create_table(
        TableName="balances",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.create_table(
        TableName="history",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
