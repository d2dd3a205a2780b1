"""Time to live: items that are past their time go, sooner or later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Final

from simulation.aws.dynamodb.items import Key
from simulation.aws.dynamodb.table import Change, Table
from simulation.kernel.hub import SECOND, Hub

#: AWS promises "within a few days" only, and is mostly quicker.
_EVERY: Final = 3600 * SECOND


class Expiry:
    """Deletes what has expired from a table, once an hour."""

    def __init__(
        self, hub: Hub, table: Table, attribute: str, announce: Callable[[Sequence[Change]], None]
    ) -> None:
        self._hub = hub
        self._table = table
        self._attribute = attribute
        self._announce = announce
        self._waiting: list[tuple[int, Key]] = []
        hub.after(_EVERY, self._sweep, daemon=True)

    def note(self, change: Change) -> None:
        """An item of the table was written."""
        due = self._due(change.key)
        if due is not None:
            heappush(self._waiting, (due, change.key))

    def _due(self, key: Key) -> int | None:
        """When an item expires, in microseconds since 1970."""
        item = self._table.items.get(key, {})
        value = item.get(self._attribute, {}).get("N")
        return int(value) * SECOND if value is not None else None

    def _sweep(self) -> None:
        self._hub.after(_EVERY, self._sweep, daemon=True)
        now = self._hub.now
        while self._waiting and self._waiting[0][0] < now:
            _, key = heappop(self._waiting)
            due = self._due(key)
            if due is not None and due < now and key not in self._table.locked:
                self._announce((self._table.write(key, None, 0),))
