"""Who writes and reads which generation, so that a swap loses nothing and no answer goes back.

A worker looks at the pointer once in VIEW_SECONDS and goes by what it saw: its view. Whatever it
does is done only once its view *then*, never older than that, agrees with what was done. So
VIEW_SECONDS after the pointer changed, nothing more is finished under an older view, however slow
a worker is. From that it follows, for each subject and at any moment:

1. From VIEW_SECONDS after `building` began, each event that is done is in both generations.
2. What is in the new generation is in the live one, since workers write the live one first (and
   whoever replays sees to it for what he fills in, before `swapping`).
3. While `swapping`, some readers still answer from the live generation, and others go over. These
   look at the live one first, and answer from the new one only if that has reached as much: so
   their answers are behind nobody's, and by 2 nobody's are behind theirs.
4. The swap is done when everything committed up to a moment at which nobody answered from the old
   generation alone is in the new one: whoever answers from that alone is behind nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct

from ledger.consuming.batches import Handle, Handled
from ledger.contracts.events import Event
from ledger.runtime.faults import StoreError
from projections.generations.pointer import Pointer

#: How long a worker goes by one look at the pointer: a warm worker costs a fifth of a small read a
#: second, and each of a replay's three waits is little longer than this.
VIEW_SECONDS: Final = 5.0
_MICROSECONDS: Final = 1_000_000
#: The generations have not stood still for one answer, or the new one has not caught up: ask again.
MOVING: Final = "generations_moving"
_TRIES_MAX: Final = 3

_S = TypeVar("_S")
_T = TypeVar("_T")

Reach = tuple[int, ...]
"""How far an answer goes, in versions. Of two answers, one is behind if any of its numbers is."""


class GenerationGoneError(Exception):
    """The generation that was asked for by its number is not one to answer from."""


class Views:
    """One worker's look at a pointer, renewed when it is VIEW_SECONDS old.

    `clock` is microseconds since 1970. The wall clock, as a monotonic one may stand still while a
    worker is frozen; a clock that was set back makes the view old at once.
    """

    def __init__(self, look: Callable[[], Pointer], *, clock: Callable[[], int]) -> None:
        self._look = look
        self._clock = clock
        self._view = Pointer()
        self._seen_at: int | None = None

    def current(self) -> Pointer:
        """The pointer as it was at most VIEW_SECONDS ago. Raises StoreError."""
        now = self._clock()
        if self._seen_at is None or not 0 <= now - self._seen_at < VIEW_SECONDS * _MICROSECONDS:
            return self.renewed()
        return self._view

    def renewed(self) -> Pointer:
        """The pointer as it is now. Raises StoreError."""
        looked_at = self._clock()  # before the look: its answer may be as old as that
        self._seen_at = None
        self._view = self._look()
        self._seen_at = looked_at
        return self._view


class Read(Struct, Generic[_T], frozen=True):
    """An answer, and the generation that it is of."""

    value: _T
    generation: int


class Generational(Generic[_S]):
    """A projection's stores, one for each generation, used as the pointer says."""

    def __init__(self, views: Views, store_of: Callable[[int], _S]) -> None:
        self._views = views
        self._store_of = store_of

    def projecting(self, project: Callable[[_S, Sequence[Event]], Handled]) -> Handle[Event]:
        """What projects events into every generation that is written."""
        return lambda events: self.project(project, events)

    def project(
        self, project: Callable[[_S, Sequence[Event]], Handled], events: Sequence[Event]
    ) -> Handled:
        """Project `events` into every generation that is written. An event failed if it failed in
        any; into the second go only those that did not fail in the first (2 above)."""
        failed: dict[int, str] = {}
        counts: Counter[str] = Counter()
        done: list[int] = []
        try:
            # Ends: a turn adds a generation, and the pointer names two at most until it changes.
            while generation := next(
                (each for each in self._views.current().written if each not in done), None
            ):
                places = [place for place in range(len(events)) if place not in failed]
                handled = project(self._store_of(generation), [events[place] for place in places])
                failed.update((places[at], code) for at, code in handled.failed.items())
                prefix = "Building" if done else ""
                counts.update({f"{prefix}{name}": n for name, n in handled.counts.items()})
                done.append(generation)
        except StoreError as error:  # which generations to write is not known
            failed = dict.fromkeys(range(len(events)), error.code) | failed
        return Handled(failed, counts)

    def read(
        self,
        read: Callable[[_S], _T],
        reach: Callable[[_T], Reach],
        generation: int | None = None,
    ) -> Read[_T]:
        """What `read` makes of one generation: of `generation` if that is given, and no other.

        `reach` says how far an answer goes. Raises GenerationGoneError, and StoreError, MOVING
        included.
        """
        for _ in range(_TRIES_MAX):
            view = self._views.current()
            if generation is not None and generation not in view.readable:
                view = self._views.renewed()  # whoever names it may have seen a newer one
                if generation not in view.readable:
                    raise GenerationGoneError
            chosen = view.answering if generation is None else generation
            value = self._answer(view, chosen, read, reach)
            if self._views.current() == view:
                return Read(value, chosen)
        raise StoreError(MOVING)

    def _answer(
        self, view: Pointer, chosen: int, read: Callable[[_S], _T], reach: Callable[[_T], Reach]
    ) -> _T:
        live = read(self._store_of(view.live))
        # Whoever asks by its number for what is only built, in this worker's view, has seen others
        # swapping already.
        if chosen == view.live and view.phase != "swapping":
            return live
        for _ in range(_TRIES_MAX):
            built = read(self._store_of(view.built))
            if all(map(int.__ge__, reach(built), reach(live))):
                return live if chosen == view.live else built
        raise StoreError(MOVING)
