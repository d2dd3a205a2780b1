"""The Lambda function behind the queue `history`."""

from __future__ import annotations

import time
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
from projections.history.project import project
from projections.history.store import DynamoHistoryStore, HistoryStore
from projections.intake import Consumer, make_consumer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    history_table: str
    queue_url: str


def make_handler(
    *,
    store: HistoryStore,
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
    random = SystemRandom().random
    return make_handler(
        # One try a call: the store retries by itself, and only what was left unwritten.
        store=DynamoHistoryStore(
            dynamodb_client(attempts=1), settings.history_table, random=random, sleep=time.sleep
        ),
        sqs=sqs_client(),
        queue_url=settings.queue_url,
        random=random,
        clock=wall_clock,
        telemetry=powertools_telemetry(),
    )


handler = on_first_call(_build)
