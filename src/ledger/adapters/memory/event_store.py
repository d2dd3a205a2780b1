"""The event store in memory: the contract in its plainest form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock

from ledger.application.ports import Appended, Refused, Transaction, refuse_load_size
from ledger.domain.accounts import AccountState, check_state
from ledger.domain.chain import StoredEvent


class MemoryEventStore:
    """Events and states in dictionaries, a transaction under one lock. Thread-safe."""

    def __init__(self) -> None:
        self._events: dict[str, StoredEvent] = {}
        self._states: dict[str, AccountState] = {}
        self._lock = Lock()

    def load(self, accounts: Sequence[str]) -> dict[str, AccountState]:
        """See EventStore."""
        refuse_load_size(accounts)
        with self._lock:
            return {id_: self._states[id_] for id_ in accounts if id_ in self._states}

    def append(self, transaction: Transaction) -> Appended | Refused:
        """See EventStore."""
        for write in transaction.writes:
            check_state(write.state)
        with self._lock:
            existing = {
                event.id: self._events[event.id]
                for event in transaction.events
                if event.id in self._events
            }
            fresh = {
                condition.account: self._states.get(condition.account)
                for condition in transaction.conditions
                if self._version(condition.account) != condition.expected_version
            }
            if existing or fresh:
                return Refused(existing, fresh)
            self._events.update((event.id, event) for event in transaction.events)
            self._states.update((write.state.id, write.state) for write in transaction.writes)
            return Appended()

    def event(self, event_id: str) -> StoredEvent | None:
        """See EventStore."""
        with self._lock:
            return self._events.get(event_id)

    def events(self) -> Iterator[StoredEvent]:
        """See EventStore. In the order of their commits."""
        with self._lock:
            return iter(list(self._events.values()))

    def states(self) -> Iterator[AccountState]:
        """See EventStore."""
        with self._lock:
            return iter(list(self._states.values()))

    def restore(self, state: AccountState) -> bool:
        """See EventStore."""
        check_state(state)
        with self._lock:
            if self._version(state.id) >= state.version:
                return False
            self._states[state.id] = state
            return True

    def _version(self, account: str) -> int:
        state = self._states.get(account)
        return state.version if state else 0
