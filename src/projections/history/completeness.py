"""Up to which version an account's history has every row, and which rows it lacks.

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
    """Versions `first` to `last` of an account are missing; `event` made version `last`.

    That event's own entry for the account names, as `prev`, the event of the version below.
    """

    account: str
    first: int
    last: int
    event: str


def walk(store: HistoryStore, account: str, *, walk_max: int = WALK_MAX) -> Completeness:
    """How far the account is complete, by one walk from its marker. Raises StoreError."""
    marker = store.marker(account)
    return end_of_walk(marker, store.versions_after(account, marker, walk_max))


def checkpoint(store: HistoryStore, account: str, *, walk_max: int = WALK_MAX) -> Completeness:
    """Walk, and raise the marker to where it ended. Raises StoreError."""
    marker = store.marker(account)
    found = end_of_walk(marker, store.versions_after(account, marker, walk_max))
    if found.complete_to > marker:
        store.raise_marker(account, found.complete_to)
    return found


def settle(store: HistoryStore, account: str, *, walk_max: int = WALK_MAX) -> int:
    """Raise the marker as far as the account is complete, and answer that version.

    For after a repair; walks the whole account if need be. Raises StoreError.
    """
    before = -1
    found = checkpoint(store, account, walk_max=walk_max)
    while not found.exact and found.complete_to > before:  # each turn gains a page of versions
        before = found.complete_to
        found = checkpoint(store, account, walk_max=walk_max)
    return found.complete_to


def gaps(account: str, rows: Iterable[Row], *, after: int = 0) -> Iterator[Gap]:
    """The gaps between version `after`, known to be complete, and the newest of `rows`, which are
    the account's rows above it, oldest first."""
    expected = after + 1
    for row in rows:
        if row.version > expected and row.prev is not UNSET:
            yield Gap(account, expected, row.version - 1, row.prev)
        expected = row.version + 1


def missing(store: HistoryStore, account: str) -> Iterator[Gap]:
    """The gaps of an account below its newest row, oldest first. Raises StoreError.

    Believes the marker: `gaps` over all rows does not. A lost tail shows in no row; compare the
    newest version with the account's state.
    """
    marker = store.marker(account)
    return gaps(account, store.rows_after(account, marker), after=marker)


def end_of_walk(marker: int, found: Versions) -> Completeness:
    """How far an account is complete that is so up to `marker` and has these versions above."""
    end = marker
    for version in found.versions:
        if version != end + 1:
            return Completeness(end, exact=True)
        end = version
    return Completeness(end, exact=found.last)
