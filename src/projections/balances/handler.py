"""The Lambda function behind the queue `balances`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ledger.runtime.clients import dynamodb_client
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from projections.balances.project import project
from projections.balances.store import BalancesStore, DynamoBalancesStore
from projections.deployed import deployed_world
from projections.intake import Consumer, World, make_consumer

if TYPE_CHECKING:
    from typing import Unpack


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    balances_table: str
    queue_url: str


def make_handler(*, store: BalancesStore, **world: Unpack[World]) -> Consumer:
    """A handler of batches of queue messages; see `make_consumer`."""
    return make_consumer(partial(project, store), **world)


def _build() -> Consumer:
    settings = read_settings(Settings)
    return make_handler(
        # A write is idempotent: one more try inside the SDK costs less than a message's return.
        store=DynamoBalancesStore(dynamodb_client(attempts=2), settings.balances_table),
        **deployed_world(settings.queue_url),
    )


handler = on_first_call(_build)
