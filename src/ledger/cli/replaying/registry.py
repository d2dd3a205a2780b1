"""The projections that can be replayed, and what of a connection each is made of."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from ledger.application.ports import EventStore
from ledger.cli.connection import Connection
from ledger.consuming.events import check_event
from ledger.contracts.events import CorruptEventError, Event, decode_event, entries_of
from projections.balances import store as balances
from projections.balances.replay import REPLAYABLE as BALANCES
from projections.generations.pointer import Generations
from projections.history import store as history
from projections.history.replay import REPLAYABLE as HISTORY
from projections.replay.replayable import Replayable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CHANCE: Final = random.SystemRandom().random


class Projection(Struct, frozen=True):
    """A projection where it is: its generations, and the store of each."""

    replayable: Replayable[Any]
    generations: Generations
    store_of: Callable[[int], Any]


def _balances(client: DynamoDBClient, table: str) -> Projection:
    return Projection(
        BALANCES,
        balances.generations(client, table),
        partial(balances.DynamoBalancesStore, client, table),
    )


def _history(client: DynamoDBClient, table: str) -> Projection:
    return Projection(
        HISTORY,
        history.generations(client, table),
        partial(history.DynamoHistoryStore, client, table, random=_CHANCE, sleep=time.sleep),
    )


#: By name: the stack's output that names the table, and what lies there. A projection that is to be
#: replayed keeps its items by generation, describes itself as a Replayable, and is entered here.
PROJECTIONS: Final[Mapping[str, tuple[str, Callable[[DynamoDBClient, str], Projection]]]] = {
    "balances": ("BalancesTableName", _balances),
    "history": ("HistoryTableName", _history),
}


def projection_of(ledger: Connection, name: str) -> Projection:
    """A projection of a connected ledger, by its name in PROJECTIONS."""
    output, made = PROJECTIONS[name]
    return made(ledger.dynamodb, ledger.config.output(output))


class StoredEvents:
    """The events and states of an event store, as a replay reads them."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def events(self) -> Iterator[Event]:
        for stored in self._store.events():
            event = decode_event(stored.data)
            if event.id != stored.id:
                raise CorruptEventError(f"the event stored as {stored.id} is of another id")
            check_event(event)
            if entries_of(event):
                yield event

    def versions(self) -> dict[str, int]:
        return {state.id: state.version for state in self._store.states()}

    def version(self, account: str) -> int:
        state = self._store.load([account]).get(account)
        return state.version if state else 0
