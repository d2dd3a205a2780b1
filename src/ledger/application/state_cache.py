"""The states that a warm worker remembers: guesses, each of which a transaction's condition tests.

A transaction on a guess that was stale changes nothing, and answers with the state as it is. So a
guess can cost an attempt, never a wrong decision; a refusal does not rest on one (see `commit`).

What it costs decides when to guess. A transaction of two accounts that fails costs as much as 30
reads of a state, and time; the read of what it needs costs one request. So guessing pays while
fewer than some 5 in 100 transactions fail for it: DOUBT_MAX. How likely a state is to have changed
since it was last seen is learnt, state by state, from every guess and every read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.contracts.subjects import Key, Kind
from ledger.domain.accounts import AccountState
from ledger.domain.states import State, point_of

#: The chance that one of the states of a transaction is stale, up to which it is tried on guesses.
DOUBT_MAX: Final = 0.05
#: What one more look at a state counts against all that were before: one that had changed makes it
#: be read the next 7 times, one that always changes the next 23.
LESSON: Final = 1 / 8
#: The same for what is thought of states that were never looked at again: some 32 of them count.
FIRST_LESSON: Final = 1 / 32
#: A payment that names no version of its template is made of the newest, and no condition tests
#: which that is: so it is always read.
_NEVER_GUESSED: Final[frozenset[Kind]] = frozenset({"template"})


@dataclass(slots=True)
class CacheUse:
    """What came of a cache since it was last asked: `hits`, states that need not be read, and how
    many of them proved stale."""

    hits: int = 0
    stale: int = 0


@dataclass(slots=True)
class _Kept:
    """A state as it was last seen, the chance that it has changed since, whether that rests on
    anything that was seen of it, and whether a transaction of this worker ever tested it."""

    state: State
    doubt: float
    tried: bool = False
    tested: bool = False

    def differs(self, found: State) -> bool:
        """Whether it would have been wrong to guess.

        Of the first stripe of an account that the worker pays from another stripe, what all stripes
        say alike is all that counts: its totals change with every payment of others.
        """
        had = self.state
        if (
            not self.tested
            and isinstance(had, AccountState)
            and isinstance(found, AccountState)
            and had.is_striped
        ):
            return had.profile != found.profile
        return point_of(had) != point_of(found)


class StateCache:
    """At most `states_max` states, those used last; 0 keeps none. One per worker, not shared by
    threads. Never knows that a subject is not there: what is made meanwhile has no version that
    could be tested.
    """

    def __init__(self, states_max: int) -> None:
        self._states_max = states_max
        self._kept: dict[Key, _Kept] = {}
        self._doubt = 0.0  # of a state that was never looked at again
        self._use = CacheUse()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self) -> CacheUse:
        """What came of it so far; counting starts anew."""
        taken, self._use = self._use, CacheUse()
        return taken

    def guess(self, keys: Sequence[Key]) -> list[State] | None:
        """The states of `keys`, probably; None if one is not known, or too likely to be stale.

        All or none: what is read for one of them is read for all at the same price.
        """
        doubt = 0.0
        found: list[_Kept] = []
        for key in keys:
            kept = self._kept.get(key)
            if kept is None:
                return None
            doubt += kept.doubt
            if doubt > DOUBT_MAX:
                return None
            found.append(kept)
        self._use.hits += len(found)
        return [kept.state for kept in found]

    def found(self, states: Iterable[State]) -> None:
        """Takes note of what was read, and of what would have come of guessing it."""
        if not self._states_max:
            return
        for state in states:
            kept = self._kept.get(state.key)
            self._keep(state, None if kept is None else kept.differs(state))

    def proved_right(self, keys: Iterable[Key]) -> None:
        """Takes note of guesses that a transaction tested."""
        for key in keys:
            kept = self._kept.get(key)
            if kept is not None:
                kept.tested = True
                self._learn(kept, changed=False)

    def proved_stale(self, fresh: Mapping[Key, State | None], guessed: Iterable[Key]) -> None:
        """Takes note of what a refused transaction came back with. What had only just been read and
        is stale all the same is contended as much as what was `guessed`."""
        self._use.stale += sum(key in fresh for key in guessed)
        for key, state in fresh.items():
            if state is None:
                self._kept.pop(key, None)
            else:
                self._keep(state, changed=True).tested = True

    def wrote(self, states: Iterable[State]) -> None:
        """Takes note of what the worker itself has made."""
        if not self._states_max:
            return
        for state in states:
            self._keep(state, None).tested = True

    def _keep(self, state: State, changed: bool | None) -> _Kept:
        """Keeps a state as the one used last; `changed` is what was learnt of it, if anything."""
        key = state.key
        kept = self._kept.pop(key, None) or _Kept(state, self._doubt)
        kept.state = state
        if changed is not None:
            self._learn(kept, changed)
        if self._states_max and key.kind not in _NEVER_GUESSED:
            if len(self._kept) >= self._states_max:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = kept
        return kept

    def _learn(self, kept: _Kept, changed: bool) -> None:
        if not kept.tried:
            # States are counted, not looks at them: one that is contended says little of others.
            self._doubt += (changed - self._doubt) * FIRST_LESSON
            kept.tried = True
        kept.doubt += (changed - kept.doubt) * LESSON
