"""The history, replayed: what is complete, and what differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from ledger.contracts.events import Event, entries_of
from ledger.contracts.subjects import Key
from projections.generations.views import Reach
from projections.history.apply import Row
from projections.history.completeness import CHECKPOINT_EVERY, WALK_MAX
from projections.history.project import project
from projections.history.store import HistoryStore
from projections.lanes import key_of_lane, lane_of_entry, lane_of_key
from projections.replay.differences import Difference, differing_fields
from projections.replay.reaching import Reaches
from projections.replay.replayable import Replayable, VersionOf

#: Twice as many rows are 40 requests.
PART_EVENTS: Final = 500
#: Up to so many accounts are read one by one; for more, the table is read as a whole.
POINT_READS_MAX: Final = 100
_PRINT_BYTES: Final = 16
_PRINTS: Final = 2 ** (8 * _PRINT_BYTES)


def reach_of(event: Event) -> Iterator[tuple[str, Reach]]:
    """The lanes that the event touched, and the version of each."""
    return ((lane_of_entry(entry), (entry.version,)) for entry in entries_of(event))


def required(key: Key, version: int) -> tuple[str, Reach] | None:
    """A lane must be at the version of its state."""
    lane = lane_of_key(key)
    return None if lane is None else (lane, (version,))


def possible(version_of: VersionOf, lane: str) -> Reach:
    """A lane cannot be beyond its state."""
    return (version_of(key_of_lane(lane)),)


def lagging(store: HistoryStore, reaches: Reaches) -> set[str]:
    """The lanes that lack a row up to there. Markers are not believed."""
    versions = _versions(reaches)
    if len(versions) > POINT_READS_MAX:
        found = Counter(
            row.lane for row in store.rows() if row.version <= versions.get(row.lane, 0)
        )
        # What was written during the scan may have been missed.
        versions = {name: n for name, n in versions.items() if found[name] < n}
        if len(versions) > POINT_READS_MAX:
            return set(versions)
    return {
        name for name, version in versions.items() if _rows_up_to(store, name, version) < version
    }


def settle(store: HistoryStore, reaches: Reaches) -> None:
    """Raise the markers: events that came in any order left them low, and readers walk from them.

    Of a shorter lane, a reader walks all there is.
    """
    for lane, version in _versions(reaches).items():
        if version >= CHECKPOINT_EVERY:
            store.raise_marker(lane, version)


def differences(
    live: HistoryStore,
    rebuilt: HistoryStore,
    reaches: Reaches,
    furthest: Callable[[str], Reach],
) -> Iterator[Difference]:
    """Row by row, of the lanes in which anything differs at all: the tables are read once, and of
    each lane only a number is kept."""
    versions = _versions(reaches)
    there, made = _Prints(live, versions), _Prints(rebuilt, versions)
    for lane in sorted(there.tops.keys() | made.tops.keys() | versions.keys()):
        top = there.tops[lane]
        beyond = top > max(versions.get(lane, 0), made.tops[lane])
        if (beyond and top > furthest(lane)[0]) or there.prints[lane] != made.prints[lane]:
            yield from _of_lane(lane, live, rebuilt, versions.get(lane, 0), furthest)


class _Prints:
    """Of each lane, the sum of its rows' digests up to its version, and its highest row.

    A sum, since rows come in any order. Against mistakes, not forgers: these meet `ledger verify`.
    """

    def __init__(self, store: HistoryStore, versions: Mapping[str, int]) -> None:
        self.prints: defaultdict[str, int] = defaultdict(int)
        self.tops: defaultdict[str, int] = defaultdict(int)
        encode = msgspec.msgpack.Encoder().encode
        for row in store.rows():
            self.tops[row.lane] = max(self.tops[row.lane], row.version)
            if row.version <= versions.get(row.lane, 0):
                digest = blake2b(encode(row), digest_size=_PRINT_BYTES).digest()
                known = self.prints[row.lane]
                self.prints[row.lane] = (known + int.from_bytes(digest, "big")) % _PRINTS


def _of_lane(
    lane: str,
    live: HistoryStore,
    rebuilt: HistoryStore,
    known: int,
    furthest: Callable[[str], Reach],
) -> Iterator[Difference]:
    there = {row.version: row for row in live.rows_after(lane, 0)}
    made = {row.version: row for row in rebuilt.rows_after(lane, 0)}
    now = furthest(lane)[0]
    for version in sorted(there.keys() | made.keys()):
        was, is_ = there.get(version), made.get(version)
        if was is None:
            if version <= known:  # else it is on its way
                yield Difference(subject=lane, version=version, kind="missing")
        elif is_ is None:
            if version > now:
                yield Difference(subject=lane, version=version, kind="extra")
        elif was != is_:
            yield from differing_fields(lane, version, _fields(was), _fields(is_))


def _rows_up_to(store: HistoryStore, lane: str, version: int) -> int:
    count, above, last = 0, 0, False
    while not last and above < version:  # ends: each turn starts above the versions before
        found = store.versions_after(lane, above, WALK_MAX)
        count += sum(1 for each in found.versions if each <= version)
        above, last = max(found.versions, default=version), found.last
    return count


def _versions(reaches: Reaches) -> dict[str, int]:
    return {lane: version for lane, (version,) in reaches.items()}


def _fields(row: Row) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(row)
    return fields


REPLAYABLE: Final = Replayable(
    name="history",
    part=PART_EVENTS,
    project=project,
    reach_of=reach_of,
    required=required,
    possible=possible,
    lagging=lagging,
    settle=settle,
    differences=differences,
)
