"""A page of a lane's history, and how complete the whole is, in as few requests as it takes."""

from __future__ import annotations

from msgspec import Struct

from projections.history.apply import Row
from projections.history.completeness import WALK_MAX, Completeness, end_of_walk
from projections.history.store import HistoryStore


class Page(Struct, frozen=True):
    """Rows, newest first; `more` if older ones lie behind. `newest` is the lane's newest
    version, which may lie above `completeness.complete_to` while events are on their way."""

    rows: tuple[Row, ...]
    more: bool
    newest: int
    completeness: Completeness


def read_page(
    store: HistoryStore,
    lane: str,
    *,
    below: int | None = None,
    limit: int,
    walk_max: int = WALK_MAX,
) -> Page | None:
    """Up to `limit` rows below version `below` (None: from the newest), or None if the lane has no
    row at all. Raises StoreError.

    One request for a short history, three for a long one; a fourth after a long outage.
    """
    found = store.before(lane, below, limit + 1)
    rows, more = found[:limit], len(found) > limit
    if below is None:
        if not found:
            return None
        newest = found[0].version
        complete = _completeness(store, lane, found, walk_max)
        return Page(rows, more, newest, _as_read(complete, found, newest + 1))
    marker = store.marker(lane)
    ahead = store.versions_after(lane, marker, walk_max)
    known = ahead.versions[-1] if ahead.versions else marker
    if not ahead.last:
        known = store.before(lane, None, 1)[0].version
    if known == 0:
        return None
    return Page(rows, more, known, _as_read(end_of_walk(marker, ahead), found, below))


def _completeness(
    store: HistoryStore, lane: str, newest_rows: tuple[Row, ...], walk_max: int
) -> Completeness:
    """How far a lane is complete whose newest rows are these."""
    newest = newest_rows[0].version
    lowest = newest
    for row in newest_rows[1:]:
        if row.version != lowest - 1:
            break
        lowest = row.version
    if lowest == 1:
        return Completeness(newest, exact=True)
    marker = store.marker(lane)
    if marker >= lowest - 1:
        return Completeness(newest, exact=True)
    walked = end_of_walk(marker, store.versions_after(lane, marker, walk_max))
    # Rows that arrived since the page was read do not belong to this answer.
    return walked if walked.complete_to < newest else Completeness(newest, exact=True)


def _as_read(complete: Completeness, found: tuple[Row, ...], below: int) -> Completeness:
    """How far `complete` is true of a page of these rows below a version: a row that arrived
    between the reading of the page and that of the marker is not on the page."""
    reached = found[-1].version if found else 0
    for row in reversed(found[:-1]):
        if row.version != reached + 1:
            break
        reached = row.version
    if reached + 1 == below or complete.complete_to <= reached:
        return complete
    return Completeness(reached, exact=True)
