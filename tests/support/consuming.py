"""What stands in for the world around the handler of a consumer's queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ledger.consuming.batches import Consumer, Handle, make_consumer
from ledger.contracts.commands import OpenAccount
from ledger.contracts.events import CommandRejected
from ledger.runtime.telemetry import Line, Telemetry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from ledger.contracts.events import Event

QUEUE_URL = "https://queue"
REJECTION = CommandRejected(
    v=1,
    id="c",
    recorded_at="2025-11-24T16:00:02.000000Z",
    actor="tests",
    reason="account_exists",
    retry="never",
    request=OpenAccount(v=1, id="c", account="a", currency="EUR", account_type="asset"),
    causes=(),
)


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
        """What every `make_handler` of a consumer takes beside its own collaborators."""
        return {
            "sqs": cast("SQSClient", self),
            "queue_url": QUEUE_URL,
            "random": lambda: 0.5,
            "clock": lambda: self.now,
            "telemetry": Telemetry(self.lines.append),
        }

    def consumer(self, handle: Handle[Event]) -> Consumer:
        """A handler around `handle`."""
        return make_consumer(handle, **self.collaborators)


def function_environment(name: str, **settings: str) -> dict[str, str]:
    """The environment variables of a deployed function."""
    return {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "POWERTOOLS_SERVICE_NAME": name,
        "POWERTOOLS_METRICS_NAMESPACE": "Ledger",
    } | settings
