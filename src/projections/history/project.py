"""One batch of events into the history; used by the handler, by repair and by replay alike."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.consuming.batches import Handled
from ledger.contracts.events import Event
from ledger.runtime.faults import StoreError
from projections.history.apply import rows_of, rows_of_batch
from projections.history.completeness import CHECKPOINT_EVERY, WALK_MAX, checkpoint
from projections.history.store import HistoryStore


def project(
    store: HistoryStore,
    events: Sequence[Event],
    *,
    checkpoint_every: int = CHECKPOINT_EVERY,
    walk_max: int = WALK_MAX,
) -> Handled:
    """Write the events' rows. An event failed if any of its rows may not have been written; to
    project it again is harmless."""
    rows = rows_of_batch(events)
    unwritten = store.write(rows)
    due = dict.fromkeys(
        row.lane for row in rows if row.version % checkpoint_every == 0 and row.key not in unwritten
    )
    missed = 0
    for lane in due:
        try:
            checkpoint(store, lane, walk_max=walk_max)
        except StoreError:
            # The rows are written; the next checkpoint of the lane makes up for this one, and
            # until then readers walk further.
            missed += 1
    return Handled(
        failed={
            place: unwritten[row.key]
            for place, event in enumerate(events)
            for row in rows_of(event)
            if row.key in unwritten
        },
        counts={
            "Rows": len(rows) - len(unwritten),
            "Checkpoints": len(due) - missed,
            "CheckpointsMissed": missed,
        },
    )
