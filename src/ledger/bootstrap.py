"""The composition root: what each function is made of, from its environment, read once.

Nothing here runs at import; each `…_parts` is called at a function's first invocation.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.adapters.eventbridge.publisher import EventBridgePublisher
from ledger.application.commit import Commands
from ledger.runtime.clients import dynamodb_client, eventbridge_client
from ledger.runtime.clock import wall_clock
from ledger.runtime.settings import read_settings

_CHANCE = random.SystemRandom().random  # not seeded: a restored snapshot must not repeat itself


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


def chance() -> float:
    """A number drawn uniformly from [0, 1), different in every worker."""
    return _CHANCE()


def command_parts(settings: StoreSettings | None = None) -> CommandParts:
    """The event store and the commit. The SDK does not retry: the commit decides again instead."""
    settings = settings or read_settings(StoreSettings)
    store = DynamoEventStore(
        dynamodb_client(attempts=1),
        events_table=settings.events_table,
        states_table=settings.states_table,
    )
    commands = Commands(store, clock=wall_clock, pause=time.sleep, chance=chance)
    return CommandParts(store, commands)


def publisher(settings: BusSettings | None = None) -> EventBridgePublisher:
    """The publisher onto the ledger's bus. It retries entry by entry, so the SDK does not."""
    settings = settings or read_settings(BusSettings)
    return EventBridgePublisher(
        eventbridge_client(attempts=1), settings.ledger_bus, pause=time.sleep, chance=chance
    )
