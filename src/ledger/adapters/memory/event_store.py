"""The event store in memory: the contract in its plainest form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock

from ledger.application.ports import Appended, Due, Refused, Transaction, refuse_load_size
from ledger.contracts.commands import accounts_in
from ledger.contracts.subjects import Key
from ledger.domain.chain import StoredEvent
from ledger.domain.states import PaymentState, State, States, check_state, point_of


class MemoryEventStore:
    """Events and states in dictionaries, a transaction under one lock. Thread-safe."""

    def __init__(self) -> None:
        self._events: dict[str, StoredEvent] = {}
        self._states: dict[Key, State] = {}
        self._lock = Lock()

    def load(self, keys: Sequence[Key]) -> States:
        """See EventStore."""
        refuse_load_size(keys)
        with self._lock:
            return States.of(self._states[key] for key in keys if key in self._states)

    def append(self, transaction: Transaction) -> Appended | Refused:
        """See EventStore."""
        for write in transaction.writes:
            check_state(write.state)
        with self._lock:
            ids = (*(event.id for event in transaction.events), *transaction.absent)
            existing = {id_: self._events[id_] for id_ in ids if id_ in self._events}
            fresh = {
                condition.key: self._states.get(condition.key)
                for condition in transaction.conditions
                if point_of(self._states.get(condition.key)) != condition.expected
            }
            if existing or fresh:
                return Refused(existing, fresh)
            self._events.update((event.id, event) for event in transaction.events)
            self._states.update((write.key, write.state) for write in transaction.writes)
            return Appended()

    def event(self, event_id: str) -> StoredEvent | None:
        """See EventStore."""
        with self._lock:
            return self._events.get(event_id)

    def events_of(self, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """See EventStore."""
        refuse_load_size(event_ids)
        with self._lock:
            return {id_: self._events[id_] for id_ in event_ids if id_ in self._events}

    def due(self, now: str, *, account: str | None = None, limit: int) -> tuple[Due, ...]:
        """See EventStore. Never behind."""
        with self._lock:
            states = list(self._states.values())
        found = [
            Due(state.id, state.expires_at)
            for state in states
            if isinstance(state, PaymentState) and state.open
            if state.expires_at is not None and state.expires_at <= now
            if account is None or account in accounts_in(state.postings)
        ]
        return tuple(sorted(found, key=lambda due: (due.due_at, due.payment))[:limit])

    def events(self) -> Iterator[StoredEvent]:
        """See EventStore. In the order of their commits."""
        with self._lock:
            return iter(list(self._events.values()))

    def states(self) -> Iterator[State]:
        """See EventStore."""
        with self._lock:
            return iter(list(self._states.values()))

    def restore(self, state: State) -> bool:
        """See EventStore."""
        check_state(state)
        with self._lock:
            there = self._states.get(state.key)
            if there is not None and there.version >= state.version:
                return False
            self._states[state.key] = state
            return True
