"""The Lambda function behind the queue `webhook-deliveries`: see `delivery` for what it does."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Final

from consumers.webhooks.attempts import Attempts
from consumers.webhooks.delivery import AWS_ATTEMPTS, Handler, Queues, make_handler
from consumers.webhooks.directory import CachedDirectory, DynamoDirectory
from consumers.webhooks.posting import HttpEndpoints
from consumers.webhooks.records import DynamoDelivered
from consumers.webhooks.secrets import CachedSecrets, SecretsManager
from consumers.webhooks.settings import TrustedNetworks
from ledger.runtime.clients import (
    dynamodb_client,
    secretsmanager_client,
    sqs_client,
    ssm_client,
)
from ledger.runtime.clock import wall_clock
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from ledger.runtime.telemetry import powertools_telemetry

_THREADS: Final = 10  # as many subscribers as a batch has messages


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    webhooks_table: str
    webhook_deliveries_table: str
    webhook_secrets_prefix: str
    webhook_networks_parameter: str
    queue_url: str
    dlq_url: str


def _build() -> Handler:
    settings = read_settings(Settings)
    dynamodb = dynamodb_client(attempts=AWS_ATTEMPTS)
    trusted = TrustedNetworks(
        partial(ssm_client, attempts=AWS_ATTEMPTS),
        settings.webhook_networks_parameter,
        time.monotonic,
    )
    store = DynamoDirectory(dynamodb, settings.webhooks_table)
    secrets = SecretsManager(
        secretsmanager_client(attempts=AWS_ATTEMPTS), settings.webhook_secrets_prefix
    )
    return make_handler(
        attempts=Attempts(
            store=store,
            cached=CachedDirectory(store, time.monotonic),
            secrets=CachedSecrets(secrets, time.monotonic),
            delivered=DynamoDelivered(dynamodb, settings.webhook_deliveries_table),
            endpoints=HttpEndpoints(trusted=trusted),
            clock=wall_clock,
        ),
        sqs=sqs_client(attempts=AWS_ATTEMPTS),
        queues=Queues(settings.queue_url, settings.dlq_url),
        random=SystemRandom().random,
        clock=wall_clock,
        telemetry=powertools_telemetry(),
        side_by_side=ThreadPoolExecutor(_THREADS).map,
    )


handler: Handler = on_first_call(_build)
