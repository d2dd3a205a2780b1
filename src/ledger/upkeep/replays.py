"""The projections that can be replayed, and what of a deployed ledger each is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from msgspec import Struct

from ledger.application.ports import EventStore
from ledger.consuming.events import check_event
from ledger.contracts.events import CorruptEventError, Event, decode_event
from ledger.contracts.subjects import Key
from ledger.upkeep.deployed import Deployed
from projections.balances import store as balances
from projections.balances.replay import REPLAYABLE as BALANCES
from projections.generations.pointer import Generations
from projections.history import store as history
from projections.history.replay import REPLAYABLE as HISTORY
from projections.payments import store as payments
from projections.payments.apply import FIRST_VERSION, payment_in
from projections.payments.replay import REPLAYABLE as PAYMENTS
from projections.replay.replayable import Replayable


class Projection(Struct, frozen=True):
    """A projection where it is: its generations, and the store of each."""

    replayable: Replayable[Any]
    generations: Generations
    store_of: Callable[[int], Any]


def _balances(ledger: Deployed, table: str) -> Projection:
    client, chance, pause = ledger.dynamodb, ledger.chance, ledger.pause
    return Projection(
        BALANCES,
        balances.generations(client, table).replaceable(random=chance, sleep=pause),
        partial(balances.DynamoBalancesStore, client, table),
    )


def _history(ledger: Deployed, table: str) -> Projection:
    client, chance, pause = ledger.dynamodb, ledger.chance, ledger.pause
    return Projection(
        HISTORY,
        history.generations(client, table).replaceable(random=chance, sleep=pause),
        partial(history.DynamoHistoryStore, client, table, random=chance, sleep=pause),
    )


def _payments(ledger: Deployed, table: str) -> Projection:
    client, chance, pause = ledger.dynamodb, ledger.chance, ledger.pause
    return Projection(
        PAYMENTS,
        payments.generations(client, table).replaceable(random=chance, sleep=pause),
        partial(payments.DynamoPaymentsStore, client, table),
    )


#: By name: the stack's output that names the table, and what lies there. A projection that is to be
#: replayed keeps its items by generation, describes itself as a Replayable, and is entered here.
PROJECTIONS: Final[Mapping[str, tuple[str, Callable[[Deployed, str], Projection]]]] = {
    "balances": ("BalancesTableName", _balances),
    "history": ("HistoryTableName", _history),
    "payments": ("PaymentsTableName", _payments),
}


def projection_of(ledger: Deployed, name: str) -> Projection:
    """A projection of a deployed ledger, by its name in PROJECTIONS."""
    output, made = PROJECTIONS[name]
    return made(ledger, ledger.output(output))


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
            yield event

    def versions(self) -> Iterator[tuple[Key, int]]:
        for state in self._store.states():
            yield state.key, state.version

    def version(self, key: Key) -> int:
        state = self._store.load([key]).get(key)
        if state is not None:
            return state.version
        return FIRST_VERSION if key.kind == "payment" and self._is_made(key.id) else 0

    def _is_made(self, payment: str) -> bool:
        """Whether there is a payment that has no state: posted and left alone since, or refused."""
        stored = self._store.event(payment)
        return stored is not None and payment_in(decode_event(stored.data)) is not None
