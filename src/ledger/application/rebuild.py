"""`ledger rebuild-states`: recomputes every account's state from the events alone.

Only what is newer than the stored state is written, and only with the command handlers stopped: a
state rebuilt from a scan that ran while payments were committed would fork the versions.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.application.history_of_events import EventHistory, Link, arranged
from ledger.application.ports import EventStore
from ledger.domain.accounts import GENESIS_HASH, AccountState, BrokenStateError, evolve
from ledger.domain.chain import link


class Rebuilt(Struct, frozen=True):
    """How many accounts the events have, and how many states were older and are written anew."""

    accounts: int
    restored: int


def rebuild_states(store: EventStore) -> Rebuilt:
    """Restores every state that is missing or older than its events.

    Raises BrokenStateError if an event cannot be read, or any account's events do not follow one
    another; then nothing is written (`ledger verify` names all that is wrong).
    """
    restored = [store.restore(state) for state in list(folded(arranged(store.events())))]
    return Rebuilt(accounts=len(restored), restored=sum(restored))


def folded(history: EventHistory) -> Iterator[AccountState]:
    """The state of every account after all its events. Raises BrokenStateError."""
    for event_id, problem in history.unreadable:
        raise BrokenStateError(f"event {event_id}: {problem}")
    for versions in history.links.values():
        state: AccountState | None = None
        for version in sorted(versions):
            for here in versions[version]:
                state = _next(state, here)
        if state is not None:
            yield state


def _next(state: AccountState | None, here: Link) -> AccountState:
    if here.chain_hash != link(state.hash if state else GENESIS_HASH, here.data):
        raise BrokenStateError(
            f"event {here.event} does not extend the hash chain of account {here.entry.id}"
        )
    return evolve(state, here.fact, here.entry, here.chain_hash)
