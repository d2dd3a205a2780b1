"""Stores between workers that do not wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ledger.application.ports import Appended, EventStore, Refused, Transaction
from ledger.contracts.subjects import Key
from ledger.domain.chain import StoredEvent
from ledger.domain.states import State, States
from tests.support.stores import Fault, FaultyStore


class CachingStore(FaultyStore):
    """A store whose loads answer from the past where something is known of it: once, as whoever
    meets a contradiction reads anew."""

    def __init__(self, store: EventStore, past: Mapping[Key, State]) -> None:
        super().__init__(store)
        self._past = dict(past)

    def load(self, keys: Sequence[Key]) -> States:
        unknown = [key for key in keys if key not in self._past]
        known = [self._past.pop(key) for key in keys if key in self._past]
        states = super().load(unknown) if unknown else States()
        return States.of([*known, *states])


class InterruptedStore(FaultyStore):
    """A store on which another worker acts once: before the read of that number (0: the first), or
    before the first append if there are not so many."""

    def __init__(
        self,
        store: EventStore,
        script: Sequence[Fault | None],
        reads: int,
        other_worker: Callable[[], None],
    ) -> None:
        super().__init__(store, appending=script)
        self._reads = reads
        self._other_worker: Callable[[], None] | None = other_worker

    def load(self, keys: Sequence[Key]) -> States:
        self._read()
        return super().load(keys)

    def event(self, event_id: str) -> StoredEvent | None:
        self._read()
        return super().event(event_id)

    def events_of(self, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        self._read()
        return super().events_of(event_ids)

    def append(self, transaction: Transaction) -> Appended | Refused:
        self._interrupt()
        return super().append(transaction)

    def _read(self) -> None:
        if self._reads == 0:
            self._interrupt()
        self._reads -= 1

    def _interrupt(self) -> None:
        other_worker, self._other_worker = self._other_worker, None
        if other_worker is not None:
            other_worker()
