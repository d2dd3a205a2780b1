"""DynamoDB as an event store in virtual time: it takes long, conflicts, throttles, and is right.

A transaction is prepared, then committed ("Distributed Transactions at Scale in Amazon DynamoDB",
USENIX ATC 2023). From when it is prepared to its end it holds its items: any other transaction that
is prepared on one of them meanwhile is cancelled with TransactionConflict. One that is cancelled
holds the items that it had prepared to its own end too. Reads go on, and see what was there before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, NamedTuple

from msgspec import Struct

from bench.hot.latency import Latency
from bench.hot.partitions import Placement
from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.adapters.dynamodb.keys import event_key, state_key
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.ports import (
    Appended,
    Due,
    Refused,
    Transaction,
    TransientStoreError,
)
from ledger.contracts.subjects import Key
from ledger.domain.chain import StoredEvent
from ledger.domain.states import State, States
from simulation.aws.dynamodb.items import KIB, taken
from simulation.kernel.hub import MILLISECOND, Hub

EVENTS: Final = "events"
STATES: Final = "states"
#: Of a transaction's time, what has passed when its items are prepared: the request's way to the
#: coordinator, and the coordinator's own note of it. An assumption; docs/performance.md varies it.
PREPARED_AFTER: Final = 0.2
_UNITS_A_KIB: Final = 2  # one to prepare, one to commit
_READ_UNITS: Final = 1  # of an item up to 4 KiB, read consistently

Item = tuple[str, str]
"""A table, and the key of an item in it."""


class Cpu(Struct, frozen=True):
    """What a worker computes, in milliseconds: it does nothing else meanwhile."""

    call: float = 0.0
    read_key: float = 0.0
    action: float = 0.0
    event: float = 0.0


NO_CPU: Final = Cpu()


@dataclass(slots=True)
class Counts:
    """What was asked of the table. `units` are write units, of cancelled transactions too."""

    appends: int = 0
    commits: int = 0
    events: int = 0
    actions: int = 0
    reads: int = 0
    read_keys: int = 0
    units: int = 0
    cancelled: Counter[str] = field(default_factory=Counter)


class _Action(NamedTuple):
    item: Item
    units: int


class ModelledDynamoDB:
    """The tables, what is under way on them, and what their partitions take."""

    def __init__(
        self,
        hub: Hub,
        random: Random,
        latency: Latency,
        placement: Placement,
        *,
        prepared_after: float = PREPARED_AFTER,
    ) -> None:
        self.hub = hub
        self.counts = Counts()
        self.stored = MemoryEventStore()
        self._random = random
        self._latency = latency
        self._placement = placement
        self._prepared_after = prepared_after
        self._held: set[Item] = set()

    def read(self, items: Sequence[Item]) -> None:
        """Lets the time of a consistent batched read pass. Raises TransientStoreError."""
        self.counts.reads += 1
        self.counts.read_keys += len(items)
        self.hub.sleep(self._latency.read(len(items), self._random))
        for one in items:
            reads = self._placement.of(*one).reads
            if not reads.has_room(self.hub.now, _READ_UNITS):
                self.counts.cancelled["read throttled"] += 1
                raise TransientStoreError("throttled")
            reads.take(self.hub.now, _READ_UNITS)

    def transact(self, transaction: Transaction) -> Appended | Refused:
        """Commits it or says why not, after the time that it takes. Raises TransientStoreError."""
        counts = self.counts
        duration = self._latency.transaction(transaction.actions, self._random)
        before = int(duration * self._prepared_after)
        self.hub.sleep(before)
        actions = list(_actions(transaction))
        throttled = self._throttled(actions)
        met = {one.item for one in actions}
        conflicts = met & self._held
        failed = self._failed(transaction, conflicts)
        prepared = met - conflicts - throttled - failed.items
        self._held |= prepared
        self.hub.sleep(duration - before)
        self._held -= prepared
        counts.appends += 1
        counts.actions += transaction.actions
        if failed.refused is not None:
            counts.cancelled["stale"] += 1
            return failed.refused
        if conflicts or throttled:
            cause = "conflict" if conflicts else "throttled"
            counts.cancelled[cause] += 1
            raise TransientStoreError(cause)
        counts.commits += 1
        counts.events += len(transaction.events)
        appended = self.stored.append(transaction)
        assert isinstance(appended, Appended), "what is prepared cannot change before its end"
        return appended

    def _throttled(self, actions: Sequence[_Action]) -> set[Item]:
        """The items whose partitions take no more. The others have taken what is asked of them,
        whatever comes of the transaction."""
        met: set[Item] = set()
        for one in actions:
            writes = self._placement.of(*one.item).writes
            if writes.has_room(self.hub.now, one.units):
                writes.take(self.hub.now, one.units)
                self.counts.units += one.units
            else:
                met.add(one.item)
        return met

    def _failed(self, transaction: Transaction, conflicts: set[Item]) -> _Failed:
        """The conditions that are not met, of the items that no other transaction holds."""
        ids = (*(event.id for event in transaction.events), *transaction.absent)
        existing = {
            one: event
            for one, event in self.stored.events_of(ids).items()
            if (EVENTS, event_key(one)) not in conflicts
        }
        conditions = transaction.conditions
        if conditions:
            there = self.stored.load(tuple(one.key for one in conditions))
            fresh = {
                one.key: there.get(one.key)
                for one in conditions
                if there.point(one.key) != one.expected
                and (STATES, state_key(one.key)) not in conflicts
            }
        else:
            fresh = {}
        if not existing and not fresh:
            return _Failed(None, set())
        items = {(EVENTS, event_key(one)) for one in existing}
        items |= {(STATES, state_key(key)) for key in fresh}
        return _Failed(Refused(existing, fresh), items)


class _Failed(NamedTuple):
    refused: Refused | None
    items: set[Item]


def _actions(transaction: Transaction) -> Iterator[_Action]:
    """What each action is on, and the write units that it takes: of the item that it writes, by
    its size; of a check one KiB's, which no state of ours is larger than."""
    for event in transaction.events:
        yield _Action((EVENTS, event_key(event.id)), _units(event_item(event)))
    for event_id in transaction.absent:
        yield _Action((EVENTS, event_key(event_id)), _UNITS_A_KIB)
    for write in transaction.writes:
        yield _Action((STATES, state_key(write.key)), _units(state_item(write.state)))
    for check in transaction.checks:
        yield _Action((STATES, state_key(check.key)), _UNITS_A_KIB)


def _units(item: Mapping[str, Any]) -> int:
    return _UNITS_A_KIB * max(1, -(-taken(item)[1] // KIB))


class WorkerStore:
    """EventStore of one worker, which computes before each call. Only what commits is there."""

    def __init__(self, dynamodb: ModelledDynamoDB, cpu: Cpu = NO_CPU) -> None:
        self._dynamodb = dynamodb
        self._cpu = cpu

    def load(self, keys: Sequence[Key]) -> States:
        """See EventStore."""
        self._compute(self._cpu.call + self._cpu.read_key * len(keys))
        self._dynamodb.read([(STATES, state_key(key)) for key in keys])
        return self._dynamodb.stored.load(keys)

    def append(self, transaction: Transaction) -> Appended | Refused:
        """See EventStore."""
        cpu = self._cpu
        self._compute(
            cpu.call + cpu.action * transaction.actions + cpu.event * len(transaction.events)
        )
        return self._dynamodb.transact(transaction)

    def event(self, event_id: str) -> StoredEvent | None:
        """See EventStore."""
        return self.events_of((event_id,)).get(event_id)

    def events_of(self, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """See EventStore."""
        self._compute(self._cpu.call + self._cpu.read_key * len(event_ids))
        self._dynamodb.read([(EVENTS, event_key(one)) for one in event_ids])
        return self._dynamodb.stored.events_of(event_ids)

    def due(self, now: str, *, account: str | None = None, limit: int) -> tuple[Due, ...]:
        """See EventStore. There are no holds in these worlds, and so no index to ask."""
        return self._dynamodb.stored.due(now, account=account, limit=limit)

    def events(self) -> Iterator[StoredEvent]:
        """See EventStore."""
        return self._dynamodb.stored.events()

    def states(self) -> Iterator[State]:
        """See EventStore."""
        return self._dynamodb.stored.states()

    def restore(self, state: State) -> bool:
        """See EventStore."""
        return self._dynamodb.stored.restore(state)

    def _compute(self, milliseconds: float) -> None:
        if milliseconds:
            self._dynamodb.hub.sleep(round(milliseconds * MILLISECOND))
