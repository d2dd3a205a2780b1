"""The Lambda function behind the queue `balances`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ledger.consuming.batches import Consumer, World, make_consumer
from ledger.consuming.deployed import deployed_world
from ledger.consuming.writing import AT_ONCE, one_by_one
from ledger.runtime.host import Host, SideBySide
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from projections.balances.project import project
from projections.balances.store import BalancesStore, DynamoBalancesStore, generations
from projections.generations.views import Generational, Views

if TYPE_CHECKING:
    from typing import Unpack


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    balances_table: str
    queue_url: str


def make_handler(
    *,
    stores: Generational[BalancesStore],
    side_by_side: SideBySide = one_by_one,
    **world: Unpack[World],
) -> Consumer:
    """A handler of batches of queue messages; see `make_consumer`."""
    return make_consumer(stores.projecting(partial(project, side_by_side=side_by_side)), **world)


def build(host: Host) -> Consumer:
    """The function. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    # A write is idempotent: one more try inside the SDK costs less than a message's return.
    client, table = host.dynamodb(attempts=2), settings.balances_table
    return make_handler(
        side_by_side=host.side_by_side(AT_ONCE),
        stores=Generational(
            Views(generations(client, table).pointer, clock=host.clock),
            partial(DynamoBalancesStore, client, table),
        ),
        **deployed_world(host, settings.queue_url),
    )


handler = on_first_call(build)
