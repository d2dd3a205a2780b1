"""Event stores that misbehave on demand, for what a store in good health never shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.ports import (
    Appended,
    Due,
    EventStore,
    Refused,
    Transaction,
    TransientStoreError,
)
from ledger.contracts.subjects import Key, account_key
from ledger.domain.accounts import AccountState
from ledger.domain.chain import StoredEvent
from ledger.domain.states import State, States

Fault = Literal["conflict", "throttled", "unavailable", "lost_before", "lost_after"]
"""What becomes of one call. The lost ones answer nothing: before it took effect, or after."""

FAULTS: tuple[Fault, ...] = ("conflict", "throttled", "unavailable", "lost_before", "lost_after")


def cause_of(fault: Fault) -> str:
    """How the store reports a fault."""
    return "lost_answer" if fault.startswith("lost") else fault


class FaultyStore:
    """A store in which calls meet faults, in the order given, and others may step in between.

    `appending` and `loading` (of states or events) give the fault of each such call in turn (None:
    all is well; so it is when they are used up). `meanwhile` are run one by one, each just before
    an append: what other workers do between a decision and its commit. `calls` counts the calls by
    method.
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

    def load(self, keys: Sequence[Key]) -> States:
        """See EventStore."""
        self._may_read("load")
        return self._store.load(keys)

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

    def events_of(self, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """See EventStore."""
        self._may_read("events_of")
        return self._store.events_of(event_ids)

    def due(self, now: str, *, account: str | None = None, limit: int) -> tuple[Due, ...]:
        """See EventStore."""
        self.calls["due"] += 1
        return self._store.due(now, account=account, limit=limit)

    def events(self) -> Iterator[StoredEvent]:
        """See EventStore."""
        self.calls["events"] += 1
        return self._store.events()

    def states(self) -> Iterator[State]:
        """See EventStore."""
        self.calls["states"] += 1
        return self._store.states()

    def restore(self, state: State) -> bool:
        """See EventStore."""
        self.calls["restore"] += 1
        return self._store.restore(state)

    def _may_read(self, method: str) -> None:
        self.calls[method] += 1
        fault = next(self._loading, None)
        if fault is not None:
            raise TransientStoreError(cause_of(fault))


class StaleStore(FaultyStore):
    """A store whose loads answer from the past: what a cache that was not told would say."""

    def __init__(self, store: EventStore, past: Mapping[Key, State]) -> None:
        super().__init__(store)
        self._past = dict(past)

    def load(self, keys: Sequence[Key]) -> States:
        self.calls["load"] += 1
        return States.of(self._past[key] for key in keys if key in self._past)


class BusyStore(FaultyStore):
    """A ledger in use: `step` is called again and again while its tables are scanned."""

    def __init__(self, store: EventStore, step: Callable[[], object]) -> None:
        super().__init__(store)
        self._step = step

    def load(self, keys: Sequence[Key]) -> States:
        self._step()
        return super().load(keys)

    def events(self) -> Iterator[StoredEvent]:
        return self._interrupted(super().events())

    def states(self) -> Iterator[State]:
        """Each state as it is when the scan comes to it."""
        for key in [state.key for state in super().states()]:
            self._step()
            yield from self._store.load([key])
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

    def put_state(self, state: State) -> None:
        """Writes or overwrites a state."""
        self._states[state.key] = state

    def drop_state(self, subject: str | Key) -> None:
        """Deletes the state of an account, or of another subject."""
        del self._states[account_key(subject) if isinstance(subject, str) else subject]

    def stored(self, event_id: str) -> StoredEvent:
        """An event that must be there."""
        return self._events[event_id]

    def state(self, account: str) -> AccountState:
        """The state of an account that must be there."""
        state = self._states[account_key(account)]
        assert isinstance(state, AccountState)
        return state

    def snapshot(self) -> Snapshot:
        """All that is stored now."""
        return Snapshot(dict(self._events), dict(self._states))

    def put_back(self, past: Snapshot) -> None:
        """Makes everything what it was, as a restore of both tables does."""
        self._events, self._states = dict(past.events), dict(past.states)


class Snapshot(Struct, frozen=True):
    """Everything in a store, to compare with."""

    events: dict[str, StoredEvent]
    states: dict[Key, State]
