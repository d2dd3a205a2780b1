"""Where items live, and what a place takes in a second.

Source: DynamoDB developer guide, "Best practices for designing and using partition keys": a
partition takes 1,000 write and 3,000 read units a second, and an item that is asked for often
enough is moved to a partition of its own, where the same limits hold ("Burst and adaptive
capacity"). Unused capacity of earlier minutes may be lent on a best-effort basis; the model lends
none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple
from zlib import crc32

from simulation.kernel.hub import SECOND

WRITES_A_SECOND_MAX: Final = 1_000
READS_A_SECOND_MAX: Final = 3_000


class Capacity:
    """What was taken within the last second: never more than `units_max`."""

    def __init__(self, units_max: int) -> None:
        self._units_max = units_max
        self._taken: deque[tuple[int, int]] = deque()
        self._sum = 0

    def has_room(self, now: int, units: int) -> bool:
        """Whether it would take so many units now (microseconds)."""
        while self._taken and self._taken[0][0] <= now - SECOND:
            self._sum -= self._taken.popleft()[1]
        return self._sum + units <= self._units_max

    def take(self, now: int, units: int) -> None:
        """Takes them. Raises ValueError if it has no room for them."""
        if not self.has_room(now, units):
            raise ValueError(f"no more than {self._units_max} units a second")
        self._taken.append((now, units))
        self._sum += units


class Partition(NamedTuple):
    """What a partition takes."""

    writes: Capacity
    reads: Capacity


class Placement:
    """Which partition an item of a table is in.

    `alone` are items that have one each, `together` items that share one; all others of a table
    are spread evenly over as many as `spread` says.
    """

    def __init__(
        self,
        spread: Mapping[str, int],
        alone: Collection[str] = (),
        together: Collection[str] = (),
    ) -> None:
        self._spread = spread
        self._alone = frozenset(alone)
        self._together = frozenset(together)
        self._partitions: dict[str, Partition] = {}

    def of(self, table: str, item: str) -> Partition:
        """The partition of an item."""
        if item in self._alone:
            name = f"{table}/{item}"
        elif item in self._together:
            name = f"{table}/together"
        else:
            name = f"{table}/{crc32(item.encode()) % self._spread[table]}"
        found = self._partitions.get(name)
        if found is None:
            found = self._partitions[name] = Partition(
                Capacity(WRITES_A_SECOND_MAX), Capacity(READS_A_SECOND_MAX)
            )
        return found

    @property
    def used(self) -> int:
        """How many partitions were asked for."""
        return len(self._partitions)
