"""One batch of events into the balances; used by the handler, by repair and by replay alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from ledger.consuming.batches import NOT_TRIED, Handled
from ledger.contracts.events import Event
from ledger.runtime.faults import StoreError
from projections.balances.apply import Writes, accounts_of, coalesce
from projections.balances.store import BalancesStore

#: After this many writes that failed one behind the other the table is taken to be out of reach:
#: at 2 tries of 3 s each that is 18 s of a function's 30, and its answer still goes out.
FAILURES_IN_A_ROW_MAX: Final = 3


def project(store: BalancesStore, events: Sequence[Event]) -> Handled:
    """Write what is newer. An event failed if a write to any account that it is about failed;
    to project it again is harmless."""
    writes = coalesce(events)
    code_by_account: dict[str, str] = {}
    written = outdated = in_a_row = 0
    for account, parts, write in _calls(store, writes):
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
            outdated += parts - newer
    return Handled(
        failed={
            place: code_by_account[account]
            for place, event in enumerate(events)
            for account in accounts_of(event)
            if account in code_by_account
        },
        counts={"Writes": written, "WritesOutdated": outdated},
    )


def _calls(store: BalancesStore, writes: Writes) -> Iterator[tuple[str, int, Callable[[], int]]]:
    """Each write with its account and the number of its parts. A profile comes with totals."""
    for account, totals in writes.totals.items():
        profile = writes.profiles.get(account)
        parts = 1 if profile is None else 2
        yield account, parts, partial(store.write, totals, profile)
    for account, metadata in writes.metadata.items():
        yield account, 1, partial(store.write_metadata, metadata)
