"""`ledger rebuild-states`: recomputes every account's state from the events alone.

Only what is newer than the stored state is written, and only with the command handlers stopped: a
state rebuilt from a scan that ran while payments were committed would fork the versions.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.application.ports import EventStore
from ledger.contracts.events import CommandRejected, decode_event
from ledger.domain.accounts import AccountState, BrokenStateError, evolve
from ledger.domain.chain import StoredEvent


class Rebuilt(Struct, frozen=True):
    """How many accounts the events have, and how many states were older and are written anew."""

    accounts: int
    restored: int


def rebuild_states(store: EventStore) -> Rebuilt:
    """Restores every state that is missing or older than its events.

    Raises BrokenStateError at the first account whose events do not follow one another (nothing is
    written for it; `ledger verify` names them all).
    """
    restored = [store.restore(state) for state in folded(list(store.events()))]
    return Rebuilt(accounts=len(restored), restored=sum(restored))


def folded(events: list[StoredEvent]) -> Iterator[AccountState]:
    """The state of every account after all its events, in whatever order `events` is."""
    steps: dict[str, list[tuple[int, int]]] = {}
    decoded = [decode_event(stored.data) for stored in events]
    for place, event in enumerate(decoded):
        if isinstance(event, CommandRejected):
            continue
        for entry in event.accounts:
            steps.setdefault(entry.id, []).append((entry.version, place))
    for account, versions in steps.items():
        state: AccountState | None = None
        for _, place in sorted(versions):
            event, stored = decoded[place], events[place]
            assert not isinstance(event, CommandRejected)  # noqa: S101 - it has no entries
            position = next(i for i, one in enumerate(event.accounts) if one.id == account)
            state = evolve(state, event, event.accounts[position], stored.hashes[position])
        if state is None:
            raise BrokenStateError(f"account {account} has no events")
        yield state
