"""The Lambda function behind the queue `history`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ledger.consuming.batches import Consumer, World, make_consumer
from ledger.consuming.deployed import deployed_world
from ledger.consuming.writing import AT_ONCE
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from projections.generations.views import Generational, Views
from projections.history.project import project
from projections.history.store import DynamoHistoryStore, HistoryStore, generations

if TYPE_CHECKING:
    from typing import Unpack


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    history_table: str
    queue_url: str


def make_handler(*, stores: Generational[HistoryStore], **world: Unpack[World]) -> Consumer:
    """A handler of batches of queue messages; see `make_consumer`."""
    return make_consumer(stores.projecting(project), **world)


def build(host: Host) -> Consumer:
    """The function. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    # One try a call: the store retries by itself, and only what was left unwritten.
    client, table = host.dynamodb(attempts=1), settings.history_table
    store_of = partial(
        DynamoHistoryStore,
        client,
        table,
        random=host.chance,
        sleep=host.pause,
        side_by_side=host.side_by_side(AT_ONCE),
    )
    return make_handler(
        stores=Generational(Views(generations(client, table).pointer, clock=host.clock), store_of),
        **deployed_world(host, settings.queue_url),
    )


handler = on_first_call(build)
