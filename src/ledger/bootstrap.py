"""The composition root: what the functions that decide commands are made of, on their host.

Nothing here runs at import: a function is made at its first invocation.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.application.commit import Commands
from ledger.application.group_commit import GroupCommit
from ledger.application.state_cache import StateCache
from ledger.runtime.host import Host
from ledger.runtime.settings import read_number, read_settings


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The tables of the event store."""

    events_table: str
    states_table: str


@dataclass(frozen=True, slots=True)
class CommandParts:
    """What decides commands: the store, the commit on it, one by one and of groups, and the states
    that both remember."""

    store: DynamoEventStore
    commands: Commands
    group: GroupCommit
    cache: StateCache


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
    cache = StateCache(read_number("LEDGER_STATE_CACHE", source=host.environment))
    commands = Commands(store, clock=host.clock, pause=host.pause, chance=host.chance, cache=cache)
    group = GroupCommit(
        commands,
        store,
        clock=host.clock,
        pause=host.pause,
        chance=host.chance,
        cache=cache,
    )
    return CommandParts(store, commands, group, cache)
