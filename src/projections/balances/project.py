"""One batch of events into the balances; used by the handler, by repair and by replay alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from msgspec import Struct

from ledger.consuming.batches import Handled
from ledger.consuming.writing import Failed, one_by_one, written
from ledger.contracts.events import Event
from ledger.runtime.host import SideBySide
from projections.balances.apply import Writes, accounts_of, coalesce
from projections.balances.store import BalancesStore


class _Call(Struct, frozen=True):
    """One write, of how many parts of an account. A profile comes with totals."""

    account: str
    parts: int
    write: Callable[[], int]


def project(
    store: BalancesStore, events: Sequence[Event], *, side_by_side: SideBySide = one_by_one
) -> Handled:
    """Write what is newer. An event failed if a write to any account that it is about failed;
    to project it again is harmless."""
    calls = list(_calls(store, coalesce(events)))
    answers = written(side_by_side, lambda call: call.write(), calls)
    code_by_account: dict[str, str] = {}
    newer = outdated = 0
    for call, answer in zip(calls, answers, strict=True):
        if isinstance(answer, Failed):
            code_by_account.setdefault(call.account, answer.code)
        else:
            newer += answer
            outdated += call.parts - answer
    return Handled(
        failed={
            place: code_by_account[account]
            for place, event in enumerate(events)
            for account in accounts_of(event)
            if account in code_by_account
        },
        counts={"Writes": newer, "WritesOutdated": outdated},
    )


def _calls(store: BalancesStore, writes: Writes) -> Iterator[_Call]:
    for totals in writes.totals.values():
        profile = None if totals.stripe else writes.profiles.get(totals.account)
        parts = 1 if profile is None else 2
        yield _Call(totals.account, parts, partial(store.write, totals, profile))
    for account, metadata in writes.metadata.items():
        yield _Call(account, 1, partial(store.write_metadata, metadata))
