"""What the decisions on a group are made on: read for many commands at a time, and kept as the
group's transactions change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from ledger.application.ports import (
    KEYS_A_LOAD_MAX,
    EventStore,
    Transaction,
    UnknownStoredStateError,
)
from ledger.application.proposals import Known
from ledger.application.spread import Spread
from ledger.application.state_cache import StateCache
from ledger.contracts.events import Event, UnknownEventError, decode_event
from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.subjects import Key
from ledger.domain.accounts import BrokenStateError
from ledger.domain.chain import StoredEvent
from ledger.domain.needs import Needs
from ledger.domain.stamp import SKEW_MICROSECONDS_MAX, Stamp
from ledger.domain.states import State

_T = TypeVar("_T", Key, str)


class GroupView:
    """What is known to a group, and what of it is guessed.

    What cannot be read (a newer release wrote it, it is broken, or too far ahead of the clock) is
    `unreadable`, and not known: who needs it is to be decided alone.
    """

    def __init__(self, store: EventStore, cache: StateCache, spread: Spread) -> None:
        self._store = store
        self._cache = cache
        self._spread = spread
        self._unreadable: set[Key | str] = set()
        self._stamps: dict[str, Stamp] = {}
        self._recorded_at = ""
        self._recorded_at_max = ""
        self.known = Known.nothing()
        self.guessed: dict[Key, None] = {}
        self.may_guess = True

    def forget(self) -> None:
        """Takes note that everything may have been changed but what is recorded."""
        recorded = {one: event for one, event in self.known.states.events.items() if event}
        self.known = Known.nothing()
        self.known.states.events.update(recorded)
        self.known.events.update(recorded)
        self.guessed.clear()

    def begin(self, now: int) -> None:
        """Stamps what is decided from now on, by this clock and everything known."""
        self._stamps.clear()
        self._recorded_at_max = instant_of_microseconds(now + SKEW_MICROSECONDS_MAX)
        self._stamp_from(instant_of_microseconds(now))

    def stamp(self, actor: str) -> Stamp:
        """The stamp of what that principal asked for."""
        made = self._stamps.get(actor)
        if made is None:
            made = self._stamps[actor] = Stamp(self._recorded_at, actor, self._spread.value)
        return made

    def event(self, event_id: str) -> Event | None:
        """The event of that id, if it is known."""
        return self.known.states.events.get(event_id)

    def cannot_read(self, needs: Needs) -> bool:
        """Whether any of this is unreadable."""
        unreadable = self._unreadable
        return bool(unreadable) and not (
            unreadable.isdisjoint(needs.keys) and unreadable.isdisjoint(needs.events)
        )

    def read(self, needs: Needs) -> None:
        """Reads all of this: as many requests as it takes, or none if it can be guessed."""
        guesses = self._cache.guess(needs.keys) if needs.keys and self.may_guess else None
        if guesses is not None:
            self._take(needs.keys, guesses)
            self.guessed.update(dict.fromkeys(needs.keys))
        else:
            self._each(self._load, needs.keys)
        self._each(self._look_up, needs.events)

    def met_others(self, transaction: Transaction) -> None:
        """Takes note that another worker was at the same subjects at the same time."""
        self._spread.met_others(write.state for write in transaction.writes)

    def stop_guessing(self) -> None:
        """Forgets what is guessed, and guesses no more for now."""
        self.may_guess = False
        self.known.forget(self.guessed)
        self.guessed.clear()

    def committed(self, transaction: Transaction) -> None:
        """Takes note that what is known is so."""
        if self.guessed:
            tested = self._guessed_of(transaction)
            self._cache.proved_right(tested)
            for key in tested:
                del self.guessed[key]
        self._cache.wrote(write.state for write in transaction.writes)

    def refused(
        self,
        transaction: Transaction,
        fresh: Mapping[Key, State | None],
        existing: Iterable[StoredEvent],
    ) -> bool:
        """Takes in what a refused transaction came back with, once that is undone; whether it is
        best tried again at once (see `Spread`)."""
        self._cache.proved_stale(fresh, self._guessed_of(transaction))
        self._take(fresh, (state for state in fresh.values() if state is not None))
        for key, state in fresh.items():
            # Nothing is known of what else was guessed: a conflict keeps a condition from being
            # looked at.
            self.guessed.pop(key, None)
            if state is None:
                self.known.states.drop(key)
        for stored in existing:
            self._take_event(stored.id, stored)
        return self._spread.met_others(fresh.values())

    def _guessed_of(self, transaction: Transaction) -> list[Key]:
        """What of a transaction was guessed."""
        return [one.key for one in transaction.conditions if one.key in self.guessed]

    def _each(self, read: Callable[[Sequence[_T]], None], wanted: Sequence[_T]) -> None:
        for start in range(0, len(wanted), KEYS_A_LOAD_MAX):
            self._one_by_one_if_broken(read, wanted[start : start + KEYS_A_LOAD_MAX])

    def _one_by_one_if_broken(
        self, read: Callable[[Sequence[_T]], None], wanted: Sequence[_T]
    ) -> None:
        """Reads these, in halves of halves if need be, until what cannot be read is by itself."""
        try:
            read(wanted)
        except (UnknownStoredStateError, BrokenStateError):
            if len(wanted) == 1:
                self._unreadable.add(wanted[0])
                return
            half = len(wanted) // 2
            self._one_by_one_if_broken(read, wanted[:half])
            self._one_by_one_if_broken(read, wanted[half:])

    def _load(self, keys: Sequence[Key]) -> None:
        found = tuple(self._store.load(keys))
        self._cache.found(found)
        self._take(keys, found)

    def _look_up(self, ids: Sequence[str]) -> None:
        found = self._store.events_of(ids)
        for event_id in ids:
            self._take_event(event_id, found.get(event_id))

    def _take_event(self, event_id: str, stored: StoredEvent | None) -> None:
        try:
            event = decode_event(stored.data) if stored else None
        except UnknownEventError:
            self._unreadable.add(event_id)
            return
        self.known.states.events[event_id] = event
        self.known.events.add(event_id)

    def _take(self, keys: Iterable[Key], states: Iterable[State]) -> None:
        known, newest = self.known, self._recorded_at
        known.keys.update(keys)
        for state in states:
            known.states.put(state)
            if state.recorded_at > newest:
                if state.recorded_at > self._recorded_at_max:
                    self._unreadable.add(state.key)
                    known.forget((state.key,))
                else:
                    newest = state.recorded_at
        self._stamp_from(newest)

    def _stamp_from(self, recorded_at: str) -> None:
        if recorded_at > self._recorded_at:
            self._recorded_at = recorded_at
            self._stamps.clear()
