"""One batch of events into the balances; used by the handler, by repair and by replay alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from ledger.consuming.batches import NOT_TRIED, Handled
from ledger.contracts.events import Event, entries_of
from ledger.runtime.faults import StoreError
from projections.balances.apply import Writes, coalesce
from projections.balances.store import BalancesStore

#: After this many writes that failed one behind the other the table is taken to be out of reach:
#: at 2 tries of 3 s each that is 18 s of a function's 30, and its answer still goes out.
FAILURES_IN_A_ROW_MAX: Final = 3


def project(store: BalancesStore, events: Sequence[Event]) -> Handled:
    """Write what is newer. An event failed if a write to any account that it touches failed;
    to project it again is harmless."""
    writes = coalesce(events)
    code_by_account: dict[str, str] = {}
    written = outdated = in_a_row = 0
    for account, write in _calls(store, writes):
        if in_a_row >= FAILURES_IN_A_ROW_MAX:
            code_by_account.setdefault(account, NOT_TRIED)
            continue
        try:
            newer = write()
        except StoreError as error:
            code_by_account[account] = error.code
            in_a_row += 1
        else:
            in_a_row = 0
            written += newer
            outdated += not newer
    return Handled(
        failed={
            place: code_by_account[entry.id]
            for place, event in enumerate(events)
            for entry in entries_of(event)
            if entry.id in code_by_account
        },
        counts={"Writes": written, "WritesOutdated": outdated},
    )


def _calls(store: BalancesStore, writes: Writes) -> Iterator[tuple[str, Callable[[], bool]]]:
    for account, totals in writes.totals.items():
        yield account, partial(store.write_totals, totals)
    for account, profile in writes.profiles.items():
        yield account, partial(store.write_profile, profile)
