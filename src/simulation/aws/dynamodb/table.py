"""A table: its items, their keys, what reads them in order, and which of them are in hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from msgspec import Struct

from simulation.aws.dynamodb.indexes import GlobalIndex, partition_of
from simulation.aws.dynamodb.items import (
    ITEM_BYTES_MAX,
    Item,
    Key,
    Sortable,
    invalid,
    sortable,
    taken,
    taken_value,
)
from simulation.aws.dynamodb.ordering import Partitions, Scattered
from simulation.aws.dynamodb.past import Past
from simulation.faults.injector import Injector
from simulation.kernel.hub import Hub
from simulation.wiring.model import Table as Spec


class Change(Struct, frozen=True):
    """An item that a write changed; what it was and what it is. Nobody may change either."""

    table: str
    key: Key
    old: Item | None
    new: Item | None


class Table:
    """The items of one table, and its indexes. `locked` has the keys that transactions have in
    hand."""

    def __init__(self, hub: Hub, random: Random, injector: Injector, spec: Spec) -> None:
        self.spec = spec
        self.name = spec.name
        self._hub = hub
        self._hash_key = spec.hash_key
        self.key_names = (spec.hash_key, *([spec.range_key] if spec.range_key else []))
        self.items: dict[Key, Item] = {}
        self.sizes: dict[Key, int] = {}
        self.locked: set[Key] = set()
        self.partitions = Partitions()
        self.scattered = Scattered()
        self.past = Past(hub, injector)
        self.indexes = {
            index.name: GlobalIndex(hub, random, injector, index, spec) for index in spec.indexes
        }
        self._followers = tuple(self.indexes.values())
        # What the keys' types are is not in the wiring: the first item tells.
        self._kinds: dict[str, str] = {}
        self._by_text = False

    def taken(self, item: Mapping[str, Mapping[str, Any]]) -> tuple[Key, Item, int]:
        """An item as it would be kept: key, copy, size. Raises ServiceError."""
        kept, size = taken(item)
        if size > ITEM_BYTES_MAX:
            raise invalid("Item size has exceeded the maximum allowed size")
        for index in self._followers:
            index.refuse_keys(kept)
        return self.key_in(kept), kept, size

    def key_in(self, item: Item) -> Key:
        """The key of an item. Raises ServiceError if it has none."""
        if self._by_text:
            value = item.get(self._hash_key)
            text = value.get("S") if value is not None else None
            if text:
                return (text,)
        return tuple([self._key_value(name, item.get(name)) for name in self.key_names])

    def key_of(self, key: Mapping[str, Mapping[str, Any]]) -> Key:
        """The key that a request names. Raises ServiceError."""
        if len(key) != len(self.key_names):
            raise invalid("The provided key element does not match the schema")
        if self._by_text:
            value = key.get(self._hash_key)
            if value is not None and len(value) == 1 and value.get("S"):
                return (value["S"],)
        return self.key_in({name: taken_value(value)[0] for name, value in key.items()})

    def key_item(self, key: Key) -> Item:
        """A key as attributes."""
        return {
            name: {self._kinds[name]: bytes.fromhex(text) if self._kinds[name] == "B" else text}
            for name, text in zip(self.key_names, key, strict=True)
        }

    def write(self, key: Key, item: Item | None, size: int) -> Change:
        """The item becomes that, or nothing."""
        old = self.items.get(key)
        self.past.note(key, old, self._hub.now)
        if item is None:
            if old is not None:
                del self.items[key], self.sizes[key]
                if self.spec.range_key is not None:
                    self.partitions.remove(*self.place_of(key, old))
        else:
            if old is None:
                self._add(key, item)
            self.items[key], self.sizes[key] = item, size
        for index in self._followers:
            index.follow(key, old, item)
        return Change(self.name, key, old, item)

    def place_of(self, key: Key, item: Item) -> tuple[str, Sortable, Key]:
        """Where an item lies: partition, sort value, key."""
        if self.spec.range_key is None:
            return key[0], "", key
        return key[0], sortable(item[self.spec.range_key]), key

    def load(self, items: Iterable[Mapping[str, Mapping[str, Any]]]) -> None:
        """Puts items there under keys that are free, at once and in all indexes."""
        for item in items:
            key, kept, size = self.taken(item)
            if key in self.items:
                raise ValueError(f"{self.name}: {key} is taken")
            self._add(key, kept)
            self.items[key], self.sizes[key] = kept, size
            for index in self._followers:
                index.load(key, kept)

    def clear(self) -> None:
        """Nothing is there any more."""
        self.items.clear()
        self.sizes.clear()
        self.partitions.clear()
        self.scattered.clear()
        self.past.clear()
        for index in self._followers:
            index.clear()

    def _add(self, key: Key, item: Item) -> None:
        if self.spec.range_key is not None:
            self.partitions.add(*self.place_of(key, item))
        self.scattered.add(key)

    def _key_value(self, name: str, value: Mapping[str, Any] | None) -> str:
        if value is None:
            raise invalid(f"One of the required keys was not given a value: {name}")
        for kind in value:  # it has one
            if self._kinds.setdefault(name, kind) != kind or kind not in {"S", "N", "B"}:
                raise invalid(f"The provided key element does not match the schema: {name}")
            self._by_text = kind == "S" and self.spec.range_key is None
        text = partition_of(dict(value))
        if not text:
            raise invalid(
                f"The AttributeValue for a key attribute cannot be an empty value: {name}"
            )
        return text
