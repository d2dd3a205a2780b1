"""`ledger rebuild-states`: recomputes the state of everything from the events alone.

Only what is newer than the stored state is written, and only with the command handlers stopped: a
state rebuilt from a scan that ran while payments were committed would fork the versions.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.application.history_of_events import EventHistory, Link, SubjectLink, arranged
from ledger.application.ports import EventStore
from ledger.contracts.subjects import Key
from ledger.domain.accounts import GENESIS_HASH, AccountState, BrokenStateError, evolve
from ledger.domain.chain import link
from ledger.domain.evolution import evolve_subject
from ledger.domain.states import State, States


class Rebuilt(Struct, frozen=True):
    """How many subjects the events have (`accounts` of them accounts; further stripes are others),
    and how many states were older and are written anew."""

    accounts: int
    restored: int
    others: int = 0


def rebuild_states(store: EventStore) -> Rebuilt:
    """Restores every state that is missing or older than its events.

    Raises BrokenStateError if an event cannot be read, or any subject's events do not follow one
    another; then nothing is written (`ledger verify` names all that is wrong).
    """
    states = list(folded(arranged(store.events())))
    restored = sum(store.restore(state) for state in states)
    accounts = sum(state.key.kind == "account" for state in states)
    return Rebuilt(accounts=accounts, restored=restored, others=len(states) - accounts)


def folded(history: EventHistory) -> Iterator[State]:
    """The state of every subject after all its events. Raises BrokenStateError."""
    for event_id, problem in history.unreadable:
        raise BrokenStateError(f"event {event_id}: {problem}")
    for versions in history.links.values():
        account: AccountState | None = None
        for version in sorted(versions):
            for here in versions[version]:
                account = _next(account, here)
        if account is not None:
            yield account
    world = States(events=dict(history.posted))
    for key, by_version in history.subjects.items():
        for version in sorted(by_version):
            for there in by_version[version]:
                world.put(next_subject(world, key, there))
        subject = world.get(key)
        if subject is not None:
            yield subject


def next_subject(world: States, key: Key, here: SubjectLink) -> State:
    """The state of a subject in `world` after one more event. Raises BrokenStateError."""
    before = world.get(key)
    _refuse_other_chain(key, before, here)
    return evolve_subject(world, here.fact, here.chain_hash)


def _next(state: AccountState | None, here: Link) -> AccountState:
    _refuse_other_chain(here.entry.key, state, here)
    return evolve(state, here.fact, here.entry, here.chain_hash)


def _refuse_other_chain(key: Key, before: State | None, here: Link | SubjectLink) -> None:
    if here.chain_hash != link(before.hash if before else GENESIS_HASH, here.data):
        raise BrokenStateError(
            f"event {here.event} does not extend the hash chain of {key.kind} {key.id}"
        )
