"""`ledger repair`: finds the events that a projection has not seen, and publishes them again.

Versions are dense, so a gap is visible; the row behind it names the event before it (`prev`), and
from there the missing ones can be walked back without an index. A lost tail shows as a
state newer than the projection; its walk starts at the state's last event. What is found goes over
the bus again, to every consumer: all of them are harmless under duplicates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from ledger.application.ports import EventStore
from ledger.contracts.events import CorruptEventError, decode_event, entries_of
from ledger.contracts.subjects import Key, Kind, stripe_key
from ledger.domain.accounts import AccountState
from ledger.domain.chain import StoredEvent


class Gap(Struct, frozen=True):
    """Versions `first` to `last` of an account, or of a further stripe of one, are missing; `event`
    made version `last`."""

    account: str
    first: int
    last: int
    event: str
    stripe: int = 0

    @property
    def key(self) -> Key:
        """What they are versions of."""
        return stripe_key(self.account, self.stripe)


class Lost(Struct, frozen=True):
    """A subject's newest version, made by `event`, that a projection has not seen. Each event has
    all of a subject, so that those before it need not be told."""

    key: Key
    version: int
    event: str


class BrokenWalkError(Exception):
    """`prev` led to an event that is not there, or is not of the account: run `ledger verify`."""


def tails(store: EventStore, newest: Mapping[Key, int]) -> Iterator[Gap]:
    """A gap for each account, and each stripe, whose state is newer than its newest projected
    version."""
    for state in store.states():
        if not isinstance(state, AccountState):
            continue
        seen = newest.get(state.key, 0)
        if state.version > seen:
            yield Gap(state.id, seen + 1, state.version, state.last_event, state.stripe)


def outdated(store: EventStore, kind: Kind, projected: Mapping[Key, int]) -> Iterator[Lost]:
    """Every subject of a kind whose state is newer than its version in `projected`."""
    for state in store.states():
        if state.key.kind == kind and state.version > projected.get(state.key, 0):
            yield Lost(state.key, state.version, state.last_event)


def lost_events(store: EventStore, lost: Iterable[Lost]) -> Iterator[StoredEvent]:
    """The events that made what was lost. Raises BrokenWalkError."""
    for one in lost:
        stored = store.event(one.event)
        if stored is None:
            what = f"{one.key.kind} {one.key.id}"
            raise BrokenWalkError(f"event {one.event} of {what} is not in the store")
        yield stored


def missing_events(store: EventStore, gaps: Iterable[Gap]) -> Iterator[StoredEvent]:
    """The events in `gaps`, each once, newest first within an account. One read an event.

    Raises BrokenWalkError.
    """
    given: set[str] = set()
    for gap in gaps:
        for event in _walk(store, gap):
            if event.id not in given:
                given.add(event.id)
                yield event


def _walk(store: EventStore, gap: Gap) -> Iterator[StoredEvent]:
    event_id, name = gap.event, f"{gap.key.kind} {gap.key.id}"
    for version in range(gap.last, gap.first - 1, -1):
        stored = store.event(event_id)
        if stored is None:
            raise BrokenWalkError(f"event {event_id} of {name} is not in the store")
        try:
            event = decode_event(stored.data)
        except CorruptEventError as error:
            raise BrokenWalkError(f"event {event_id} of {name}: {error}") from error
        entry = next((one for one in entries_of(event) if one.key == gap.key), None)
        if entry is None or entry.version != version:
            raise BrokenWalkError(f"event {event_id} did not make version {version} of {name}")
        yield stored
        if version > gap.first:
            if not isinstance(entry.prev, str):
                raise BrokenWalkError(f"event {event_id} has no event before it")
            event_id = entry.prev
