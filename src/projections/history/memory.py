"""The history in memory, for tests and simulations."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence

from projections.history.apply import Row, RowKey
from projections.history.store import Versions


class MemoryHistoryStore:
    """Like the table, without its errors."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, Row]] = {}
        self._versions: dict[str, list[int]] = {}  # ascending
        self._markers: dict[str, int] = {}

    def write(self, rows: Sequence[Row]) -> Mapping[RowKey, str]:
        for row in rows:
            of_lane = self._rows.setdefault(row.lane, {})
            if row.version not in of_lane:
                insort(self._versions.setdefault(row.lane, []), row.version)
            of_lane[row.version] = row
        return {}

    def before(self, lane: str, version: int | None, limit: int) -> tuple[Row, ...]:
        versions = self._versions.get(lane, [])
        end = len(versions) if version is None else bisect_left(versions, version)
        chosen = reversed(versions[max(0, end - limit) : end])
        return tuple(self._rows[lane][each] for each in chosen)

    def versions_after(self, lane: str, version: int, limit: int) -> Versions:
        versions = self._versions.get(lane, [])
        start = bisect_right(versions, version)
        chosen = versions[start : start + limit]
        return Versions(tuple(chosen), last=start + limit >= len(versions))

    def rows_after(self, lane: str, version: int) -> Iterator[Row]:
        versions = self._versions.get(lane, [])
        for each in versions[bisect_right(versions, version) :]:
            yield self._rows[lane][each]

    def marker(self, lane: str) -> int:
        return self._markers.get(lane, 0)

    def raise_marker(self, lane: str, version: int) -> bool:
        if self._markers.get(lane, 0) >= version:
            return False
        self._markers[lane] = version
        return True

    def rows(self) -> Iterator[Row]:
        for of_lane in list(self._rows.values()):
            yield from list(of_lane.values())
