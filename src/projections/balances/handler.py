"""The Lambda function behind the queue `balances`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING

from ledger.runtime.clients import dynamodb_client, sqs_client
from ledger.runtime.clock import wall_clock
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from ledger.runtime.telemetry import Telemetry, powertools_telemetry
from projections.balances.project import project
from projections.balances.store import BalancesStore, DynamoBalancesStore
from projections.intake import Consumer, make_consumer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    balances_table: str
    queue_url: str


def make_handler(
    *,
    store: BalancesStore,
    sqs: SQSClient,
    queue_url: str,
    random: Callable[[], float],
    clock: Callable[[], int],
    telemetry: Telemetry,
) -> Consumer:
    """A handler of batches of queue messages; see `make_consumer` for clock and randomness."""
    return make_consumer(
        partial(project, store),
        sqs=sqs,
        queue_url=queue_url,
        random=random,
        clock=clock,
        telemetry=telemetry,
    )


def _build() -> Consumer:
    settings = read_settings(Settings)
    return make_handler(
        # A write is idempotent: one more try inside the SDK costs less than a message's return.
        store=DynamoBalancesStore(dynamodb_client(attempts=2), settings.balances_table),
        sqs=sqs_client(),
        queue_url=settings.queue_url,
        random=SystemRandom().random,
        clock=wall_clock,
        telemetry=powertools_telemetry(),
    )


handler = on_first_call(_build)
