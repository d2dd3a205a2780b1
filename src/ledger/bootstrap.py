"""The composition root: what the functions around the event store are made of, on their host.

Nothing here runs at import: a function is made at its first invocation.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.adapters.eventbridge.publisher import EventBridgePublisher
from ledger.application.commit import Commands
from ledger.runtime.host import Host
from ledger.runtime.settings import read_settings


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The tables of the event store."""

    events_table: str
    states_table: str


@dataclass(frozen=True, slots=True)
class BusSettings:
    """The bus that events are published on."""

    ledger_bus: str


@dataclass(frozen=True, slots=True)
class CommandParts:
    """What decides commands: the store, and the commit on it."""

    store: DynamoEventStore
    commands: Commands


def command_parts(host: Host) -> CommandParts:
    """The event store and the commit. The SDK does not retry: the commit decides again instead.

    Raises SettingsError.
    """
    settings = read_settings(StoreSettings, host.environment)
    store = DynamoEventStore(
        host.dynamodb(attempts=1),
        events_table=settings.events_table,
        states_table=settings.states_table,
    )
    commands = Commands(store, clock=host.clock, pause=host.pause, chance=host.chance)
    return CommandParts(store, commands)


def publisher(host: Host) -> EventBridgePublisher:
    """The publisher onto the ledger's bus. It retries entry by entry, so the SDK does not.

    Raises SettingsError.
    """
    settings = read_settings(BusSettings, host.environment)
    return EventBridgePublisher(
        host.events(attempts=1), settings.ledger_bus, pause=host.pause, chance=host.chance
    )
