"""Global secondary indexes: they have the items with their keys, and follow the table late."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from random import Random
from typing import Final

from simulation.aws.dynamodb.items import (
    Item,
    Key,
    Sortable,
    Value,
    invalid,
    sortable,
    taken,
)
from simulation.aws.dynamodb.ordering import Partitions, Scattered
from simulation.aws.dynamodb.past import Past
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, SECOND, Hub
from simulation.wiring.model import Index, Table

_USUAL_LAG: Final = 10 * MILLISECOND
_LATE_MAX: Final = 5 * SECOND
#: AWS bounds the lag by nothing. Of the late changes few come very late.
_VERY_LATE: Final = 0.03
_VERY_LATE_MAX: Final = 200 * SECOND
#: Changes that may wait until somebody reads.
_WAITING_MAX: Final = 1000


class GlobalIndex:
    """An index of one table. What is in it is as of when it was last `settle`d."""

    def __init__(
        self, hub: Hub, random: Random, injector: Injector, spec: Index, table: Table
    ) -> None:
        self.spec = spec
        self._hash_key = spec.hash_key
        self._range_key = spec.range_key
        self.key_names = [spec.hash_key, *([spec.range_key] if spec.range_key else [])]
        self.items: dict[Key, Item] = {}
        self.sizes: dict[Key, int] = {}
        self.partitions = Partitions()
        self.scattered = Scattered()
        self.past = Past(hub, injector)
        self._hub = hub
        self._random = random
        self._injector = injector
        self._owner = f"{table.name}/{spec.name}"
        self._attributes: tuple[str, ...] | None = None
        if spec.projected is not None:
            keys = [table.hash_key, *([table.range_key] if table.range_key else [])]
            self._attributes = tuple(dict.fromkeys([*keys, *self.key_names, *spec.projected]))
        self._waiting: list[tuple[int, int, Key, Item | None]] = []
        self._counted = 0
        self._due: dict[Key, int] = {}

    def has(self, item: Mapping[str, Value] | None) -> bool:
        """Whether such an item is in it: it has all of its keys."""
        return (
            item is not None
            and self._hash_key in item
            and (self._range_key is None or self._range_key in item)
        )

    def refuse_keys(self, item: Item) -> None:
        """A key of an index must be no empty text, and no map or list. Raises ServiceError."""
        for name in self.key_names:
            value = item.get(name)
            if value is None or value.get("S"):
                continue
            if value.keys().isdisjoint(("S", "N", "B")):
                raise invalid(f"Type mismatch for Index Key {name} of index {self.spec.name}")
            if value in ({"S": ""}, {"B": b""}):
                raise invalid(f"The AttributeValue for a key attribute cannot be empty: {name}")

    def follow(self, key: Key, old: Item | None, new: Item | None) -> None:
        """An item of the table has changed: the index will, in a while, in the item's order."""
        had, has = self.has(old), self.has(new)
        if not (had or has) or (had and has and self._looks_alike(old or {}, new or {})):
            return
        lag = 1 + int(self._random.random() * _USUAL_LAG)
        if self._injector.strikes(Fault.INDEX_LATE, self._owner, *key):
            late_max = _VERY_LATE_MAX if self._random.random() < _VERY_LATE else _LATE_MAX
            lag += int(self._random.random() * late_max)
        due = max(self._hub.now + lag, self._due.get(key, 0))
        self._due[key] = due
        self._counted += 1
        heappush(self._waiting, (due, self._counted, key, new if has else None))
        if len(self._waiting) > _WAITING_MAX:
            self.settle()

    def settle(self) -> None:
        """Applies what is due by now."""
        waiting, now = self._waiting, self._hub.now
        while waiting and waiting[0][0] <= now:
            due, _, key, item = heappop(waiting)
            if self._due.get(key) == due:
                del self._due[key]
            self._become(key, item, due)

    def load(self, key: Key, item: Item) -> None:
        """The item is in it at once, if it is one for it."""
        if self.has(item):
            self._become(key, item, self._hub.now)

    def clear(self) -> None:
        """Nothing is in it any more."""
        self.items.clear()
        self.sizes.clear()
        self.partitions.clear()
        self.scattered.clear()
        self.past.clear()
        self._waiting.clear()
        self._due.clear()

    def place_of(self, key: Key, item: Item) -> tuple[str, Sortable, Key]:
        """Where an item lies: partition, sort value, the table's key."""
        spec = self.spec
        return (
            partition_of(item[spec.hash_key]),
            sortable(item[spec.range_key]) if spec.range_key else "",
            key,
        )

    def _become(self, key: Key, item: Item | None, at: int) -> None:
        old = self.items.get(key)
        new = self._projected(item) if item is not None else None
        if old == new:
            return
        self.past.note(key, old, at)
        if old is not None:
            self.partitions.remove(*self.place_of(key, old))
            del self.items[key]
        if new is not None:
            self.items[key], self.sizes[key] = new, taken(new)[1]
            self.partitions.add(*self.place_of(key, new))
            self.scattered.add(key)

    def _looks_alike(self, one: Item, other: Item) -> bool:
        names = self._attributes
        if names is None:
            return one == other
        return all(one.get(name) == other.get(name) for name in names)

    def _projected(self, item: Item) -> Item:
        if self._attributes is None:
            return item
        return {name: item[name] for name in self._attributes if name in item}


def partition_of(value: Value) -> str:
    """A partition key's value as text; of one type in all of a table."""
    for content in value.values():
        return content if isinstance(content, str) else content.hex()
    raise AssertionError("a value has a type")
