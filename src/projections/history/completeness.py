"""Up to which version a lane of the history (an account's, or a stripe's) has every row, and which
rows it lacks.

Versions are dense: version n exists only after n - 1. So a missing row shows as a gap, and a row's
`prev` names the event that fills the place below it. Rows are never deleted; what was once
complete stays complete, and a marker that only rises can remember it.

The marker is raised only when a version that is a multiple of CHECKPOINT_EVERY is written: three
small requests per 64 rows. A reader walks from it over the rows behind, some 64 at most when
events come roughly in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import UNSET, Struct

from projections.history.apply import Row
from projections.history.store import HistoryStore, Versions

CHECKPOINT_EVERY: Final = 64
#: Rows that one walk looks at: one page, 100 KiB of keys in an answer. A checkpoint gains up to
#: 1,024 versions every 64 written, so a marker that was held up by a gap soon catches up.
WALK_MAX: Final = 1_024


class Completeness(Struct, frozen=True):
    """No version from 1 to `complete_to` is missing. If `exact`, the next one is missing or not
    made yet; else there may be no gap further up either."""

    complete_to: int
    exact: bool


class Gap(Struct, frozen=True):
    """Versions `first` to `last` of a lane are missing; `event` made version `last`.

    That event's own entry for the lane names, as `prev`, the event of the version below.
    """

    lane: str
    first: int
    last: int
    event: str


def walk(store: HistoryStore, lane: str, *, walk_max: int = WALK_MAX) -> Completeness:
    """How far the lane is complete, by one walk from its marker. Raises StoreError."""
    marker = store.marker(lane)
    return end_of_walk(marker, store.versions_after(lane, marker, walk_max))


def checkpoint(store: HistoryStore, lane: str, *, walk_max: int = WALK_MAX) -> Completeness:
    """Walk, and raise the marker to where it ended. Raises StoreError."""
    marker = store.marker(lane)
    found = end_of_walk(marker, store.versions_after(lane, marker, walk_max))
    if found.complete_to > marker:
        store.raise_marker(lane, found.complete_to)
    return found


def settle(store: HistoryStore, lane: str, *, walk_max: int = WALK_MAX) -> int:
    """Raise the marker as far as the lane is complete, and answer that version.

    For after a repair; walks the whole lane if need be. Raises StoreError.
    """
    before = -1
    found = checkpoint(store, lane, walk_max=walk_max)
    while not found.exact and found.complete_to > before:  # each turn gains a page of versions
        before = found.complete_to
        found = checkpoint(store, lane, walk_max=walk_max)
    return found.complete_to


def gaps(lane: str, rows: Iterable[Row], *, after: int = 0) -> Iterator[Gap]:
    """The gaps between version `after`, known to be complete, and the newest of `rows`, which are
    the account's rows above it, oldest first."""
    expected = after + 1
    for row in rows:
        if row.version > expected and row.prev is not UNSET:
            yield Gap(lane, expected, row.version - 1, row.prev)
        expected = row.version + 1


def missing(store: HistoryStore, lane: str) -> Iterator[Gap]:
    """The gaps of an account below its newest row, oldest first. Raises StoreError.

    Believes the marker: `gaps` over all rows does not. A lost tail shows in no row; compare the
    newest version with the account's state.
    """
    marker = store.marker(lane)
    return gaps(lane, store.rows_after(lane, marker), after=marker)


def end_of_walk(marker: int, found: Versions) -> Completeness:
    """How far an account is complete that is so up to `marker` and has these versions above."""
    end = marker
    for version in found.versions:
        if version != end + 1:
            return Completeness(end, exact=True)
        end = version
    return Completeness(end, exact=found.last)
