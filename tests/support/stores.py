"""Event stores that misbehave on demand, for what a store in good health never shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.ports import (
    Appended,
    EventStore,
    Refused,
    Transaction,
    TransientStoreError,
)
from ledger.domain.accounts import AccountState
from ledger.domain.chain import StoredEvent

Fault = Literal["conflict", "throttled", "unavailable", "lost_before", "lost_after"]
"""What becomes of one call. The lost ones answer nothing: before it took effect, or after."""

FAULTS: tuple[Fault, ...] = ("conflict", "throttled", "unavailable", "lost_before", "lost_after")


def cause_of(fault: Fault) -> str:
    """How the store reports a fault."""
    return "lost_answer" if fault.startswith("lost") else fault


class FaultyStore:
    """A store in which calls meet faults, in the order given, and others may step in between.

    `appending` and `loading` give the fault of each such call in turn (None: all is well; so it is
    when they are used up). `meanwhile` are run one by one, each just before an append: what other
    workers do between a decision and its commit. `calls` counts the calls by method.
    """

    def __init__(
        self,
        store: EventStore,
        *,
        appending: Iterable[Fault | None] = (),
        loading: Iterable[Fault | None] = (),
        meanwhile: Iterable[Callable[[], object]] = (),
    ) -> None:
        self._store = store
        self._appending = iter(appending)
        self._loading = iter(loading)
        self._meanwhile = iter(meanwhile)
        self.calls: Counter[str] = Counter()
        self.transactions: list[Transaction] = []

    def load(self, accounts: Sequence[str]) -> dict[str, AccountState]:
        """See EventStore."""
        self.calls["load"] += 1
        fault = next(self._loading, None)
        if fault is not None:
            raise TransientStoreError(cause_of(fault))
        return self._store.load(accounts)

    def append(self, transaction: Transaction) -> Appended | Refused:
        """See EventStore."""
        self.calls["append"] += 1
        self.transactions.append(transaction)
        step_in = next(self._meanwhile, None)
        if step_in is not None:
            step_in()
        fault = next(self._appending, None)
        if fault is None:
            return self._store.append(transaction)
        if fault == "lost_after":
            self._store.append(transaction)
        raise TransientStoreError(cause_of(fault))

    def event(self, event_id: str) -> StoredEvent | None:
        """See EventStore."""
        self.calls["event"] += 1
        return self._store.event(event_id)

    def events(self) -> Iterator[StoredEvent]:
        """See EventStore."""
        self.calls["events"] += 1
        return self._store.events()

    def states(self) -> Iterator[AccountState]:
        """See EventStore."""
        self.calls["states"] += 1
        return self._store.states()

    def restore(self, state: AccountState) -> bool:
        """See EventStore."""
        self.calls["restore"] += 1
        return self._store.restore(state)


class StaleStore(FaultyStore):
    """A store whose loads answer from the past: what a cache that was not told would say."""

    def __init__(self, store: EventStore, past: Mapping[str, AccountState]) -> None:
        super().__init__(store)
        self._past = dict(past)

    def load(self, accounts: Sequence[str]) -> dict[str, AccountState]:
        self.calls["load"] += 1
        return {account: self._past[account] for account in accounts if account in self._past}


class BusyStore(FaultyStore):
    """A ledger in use: `step` is called again and again while its tables are scanned."""

    def __init__(self, store: EventStore, step: Callable[[], object]) -> None:
        super().__init__(store)
        self._step = step

    def load(self, accounts: Sequence[str]) -> dict[str, AccountState]:
        self._step()
        return super().load(accounts)

    def events(self) -> Iterator[StoredEvent]:
        return self._interrupted(super().events())

    def states(self) -> Iterator[AccountState]:
        """Each state as it is when the scan comes to it."""
        for account in [state.id for state in super().states()]:
            self._step()
            yield self._store.load([account])[account]
        self._step()

    def _interrupted(self, events: Iterator[StoredEvent]) -> Iterator[StoredEvent]:
        self._step()
        for event in events:
            self._step()
            yield event


class OpenStore(MemoryEventStore):
    """A memory store whose contents a test may tamper with, past every check."""

    def put_event(self, event: StoredEvent) -> None:
        """Writes or overwrites an event."""
        self._events[event.id] = event

    def drop_event(self, event_id: str) -> None:
        """Deletes an event."""
        del self._events[event_id]

    def put_state(self, state: AccountState) -> None:
        """Writes or overwrites a state."""
        self._states[state.id] = state

    def drop_state(self, account: str) -> None:
        """Deletes a state."""
        del self._states[account]

    def stored(self, event_id: str) -> StoredEvent:
        """An event that must be there."""
        return self._events[event_id]

    def state(self, account: str) -> AccountState:
        """A state that must be there."""
        return self._states[account]

    def snapshot(self) -> Snapshot:
        """All that is stored now."""
        return Snapshot(dict(self._events), dict(self._states))


class Snapshot(Struct, frozen=True):
    """Everything in a store, to compare with."""

    events: dict[str, StoredEvent]
    states: dict[str, AccountState]
