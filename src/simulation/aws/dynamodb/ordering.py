"""Keys in the orders in which DynamoDB hands items out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from simulation.aws.dynamodb.items import Key, Sortable

Place = tuple[Any, Key]
"""What is sorted by, then the table's key."""


class Partitions:
    """Keys by partition, each in the order of their sort values."""

    __slots__ = ("_partitions",)

    def __init__(self) -> None:
        self._partitions: dict[str, list[Place]] = {}

    def add(self, partition: str, sort: Sortable, key: Key) -> None:
        """It must not be there yet."""
        insort(self._partitions.setdefault(partition, []), (sort, key))

    def remove(self, partition: str, sort: Sortable, key: Key) -> None:
        """It must be there."""
        places = self._partitions[partition]
        del places[bisect_left(places, (sort, key))]

    def of(self, partition: str) -> Sequence[Place]:
        """The places of a partition, ascending."""
        return self._partitions.get(partition, ())

    def clear(self) -> None:
        """Forgets them all."""
        self._partitions.clear()


class Scattered:
    """Keys in the order of a scan: by a hash of theirs, in no order that anyone means."""

    __slots__ = ("_added", "_known", "_places")

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._added: list[Key] = []
        self._known: set[Key] = set()

    def add(self, key: Key) -> None:
        """Harmless if it is there. A key stays, even if its item goes."""
        if key not in self._known:
            self._known.add(key)
            self._added.append(key)

    def places(self) -> Sequence[Place]:
        """All keys that ever were, in their order."""
        if self._added:
            self._places += map(self.place_of, self._added)
            self._added.clear()
            self._places.sort()
        return self._places

    def place_of(self, key: Key) -> Place:
        """Where a key lies, whether or not it is there."""
        return crc32(key[0].encode()), key

    def clear(self) -> None:
        """Forgets them all."""
        self._places.clear()
        self._added.clear()
        self._known.clear()


def bounds(
    places: Sequence[Place], low: Sortable | None, high: Sortable | None, *, open_: bool = False
) -> tuple[int, int]:
    """Where the places from `low` to `high` begin and end; None is without a bound. `open_`: the
    bounds are not among them."""
    of_low, of_high = (bisect_right, bisect_left) if open_ else (bisect_left, bisect_right)
    start = 0 if low is None else of_low(places, low, key=_sort)
    end = len(places) if high is None else of_high(places, high, key=_sort)
    return start, max(start, end)


def _sort(place: Place) -> Any:
    return place[0]
