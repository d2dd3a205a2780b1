"""The modelled DynamoDB of the benchmarks, for tests that know nothing of virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import TypeVar

from bench.hot.latency import Latency
from bench.hot.partitions import Placement
from bench.hot.store import EVENTS, STATES, ModelledDynamoDB, WorkerStore
from ledger.application.ports import Appended, Due, EventStore, Refused, Transaction
from ledger.contracts.subjects import Key
from ledger.domain.chain import StoredEvent
from ledger.domain.states import State, States
from simulation.kernel.hub import SECOND, Hub

_A = TypeVar("_A")
_R = TypeVar("_R")
#: 22 November 2026, noon in UTC.
NOON = 1_795_348_800 * SECOND


class ModelledWorld:
    """A modelled DynamoDB in a world of its own."""

    def __init__(self, placement: Placement | None = None, *, full_ms: float = 20.0) -> None:
        self.hub = Hub(NOON)
        self.dynamodb = ModelledDynamoDB(
            self.hub,
            Random(1),
            Latency(full_ms),
            placement or Placement({EVENTS: 400, STATES: 400}),
        )

    def run(self, body: Callable[[], _R]) -> _R:
        """What comes of `body`, run as a task; directly, if it is asked for in one."""
        if self.hub.current is not None:
            return body()
        task = self.hub.spawn("test", body)
        self.hub.run()
        return task.done.result()

    def at_once(self, do: Callable[[_A], _R], each: Iterable[_A]) -> list[_R]:
        """Runs a function for all arguments side by side; answers in their order."""
        tasks = [self.hub.spawn(f"test {n}", partial(do, one)) for n, one in enumerate(each)]
        if self.hub.current is not None:
            return [self.hub.wait(task.done) for task in tasks]
        self.hub.run()
        return [task.done.result() for task in tasks]

    def pause(self, seconds: float) -> None:
        """Lets virtual time pass."""
        if self.hub.current is not None:
            self.hub.sleep(int(seconds * SECOND))
        else:
            self.hub.run(self.hub.now + int(seconds * SECOND))

    def clock(self) -> int:
        """The virtual time, in microseconds since 1970."""
        return self.hub.now


class ModelledStore:
    """A worker's store, each method run as a task if it is called from outside."""

    def __init__(self, world: ModelledWorld) -> None:
        self._world = world
        self._store: EventStore = WorkerStore(world.dynamodb)

    def load(self, keys: Sequence[Key]) -> States:
        return self._world.run(lambda: self._store.load(keys))

    def append(self, transaction: Transaction) -> Appended | Refused:
        return self._world.run(lambda: self._store.append(transaction))

    def event(self, event_id: str) -> StoredEvent | None:
        return self._world.run(lambda: self._store.event(event_id))

    def events_of(self, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        return self._world.run(lambda: self._store.events_of(event_ids))

    def due(self, now: str, *, account: str | None = None, limit: int) -> tuple[Due, ...]:
        return self._world.run(lambda: self._store.due(now, account=account, limit=limit))

    def events(self) -> Iterator[StoredEvent]:
        return self._store.events()

    def states(self) -> Iterator[State]:
        return self._store.states()

    def restore(self, state: State) -> bool:
        return self._world.run(lambda: self._store.restore(state))
