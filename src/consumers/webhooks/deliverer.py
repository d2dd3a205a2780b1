"""The Lambda function behind the queue `webhook-deliveries`: see `delivery` for what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from consumers.webhooks.attempts import Attempts
from consumers.webhooks.delivery import AWS_ATTEMPTS, Handler, Queues, make_handler
from consumers.webhooks.directory import CachedDirectory, DynamoDirectory
from consumers.webhooks.posting import Endpoints, HttpEndpoints
from consumers.webhooks.records import DynamoDelivered
from consumers.webhooks.secrets import CachedSecrets, SecretsManager
from consumers.webhooks.settings import Trusted, TrustedNetworks
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings

_AT_A_TIME: Final = 10  # as many subscribers as a batch has messages


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    webhooks_table: str
    webhook_deliveries_table: str
    webhook_secrets_prefix: str
    webhook_networks_parameter: str
    queue_url: str
    dlq_url: str


def on_the_internet(trusted: Trusted) -> Endpoints:
    """Endpoints at the addresses that their names have, if these may be sent to."""
    return HttpEndpoints(trusted=trusted)


def build(host: Host, endpoints: Callable[[Trusted], Endpoints] = on_the_internet) -> Handler:
    """The function, which posts to `endpoints`. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    dynamodb = host.dynamodb(attempts=AWS_ATTEMPTS)
    trusted = TrustedNetworks(
        partial(host.ssm, attempts=AWS_ATTEMPTS),
        settings.webhook_networks_parameter,
        host.monotonic,
    )
    store = DynamoDirectory(dynamodb, settings.webhooks_table)
    secrets = SecretsManager(
        host.secretsmanager(attempts=AWS_ATTEMPTS), settings.webhook_secrets_prefix
    )
    return make_handler(
        attempts=Attempts(
            store=store,
            cached=CachedDirectory(store, host.monotonic),
            secrets=CachedSecrets(secrets, host.monotonic),
            delivered=DynamoDelivered(dynamodb, settings.webhook_deliveries_table),
            endpoints=endpoints(trusted),
            clock=host.clock,
        ),
        sqs=host.sqs(attempts=AWS_ATTEMPTS),
        queues=Queues(settings.queue_url, settings.dlq_url),
        random=host.chance,
        clock=host.clock,
        telemetry=host.telemetry(),
        side_by_side=host.side_by_side(_AT_A_TIME),
    )


handler: Handler = on_first_call(build)
