"""The steps of a replay, one after the other; whoever runs them waits and reports between them.

A run is a generator of Steps, so that time, progress and interruption are the caller's: a replay
that is dropped between any two steps leaves a pointer from which another run resumes or aborts it,
and payments flow all the while.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

from ledger.contracts.events import Event
from ledger.runtime.faults import StoreError
from projections.generations import pointer as phases
from projections.generations.pointer import Generations, Pointer
from projections.generations.views import VIEW_SECONDS, Reach
from projections.replay.differences import Difference
from projections.replay.reaching import Reached, Reaches, furthest, is_behind
from projections.replay.replayable import Replayable, Source

_S = TypeVar("_S")
_A = TypeVar("_A")
_B = TypeVar("_B")

#: After this long, nothing is finished any more under an older view of the pointer (see `views`);
#: the second more is for clocks that do not run at one speed.
SETTLED_SECONDS: Final = VIEW_SECONDS + 1.0
LOOK_SECONDS: Final = 1.0
#: Tries to project events that got no further, one behind the other, before the store is taken to
#: be out of reach, and the waits.
_TRIES_MAX: Final = 6
_RETRY_SECONDS: Final = 2.0
#: A table of which everything is wrong is told as well by its first ten thousand differences.
DIFFERENCES_KEPT: Final = 10_000
#: Events that are read, and only noted, between two steps.
_NOTED_A_STEP: Final = 10_000


class Step(Struct, frozen=True):
    """What a replay is at: `done` of something that `what` names. To be resumed not before
    `wait_seconds` have passed."""

    what: str
    done: int | None = None
    wait_seconds: float = 0.0


class ReplayRefusedError(Exception):
    """The pointer does not allow what was asked for, or moved meanwhile; the message says why."""


class IncompleteError(Exception):
    """The events do not make what the states say: `subjects` lack versions."""

    def __init__(self, subjects: set[str]) -> None:
        self.subjects = subjects
        some = ", ".join(sorted(subjects)[:5])
        super().__init__(f"the events lack versions of {len(subjects)}: {some}")


class Compared(Struct):
    """What differed, the first DIFFERENCES_KEPT of `count` in full."""

    events: int = 0
    subjects: int = 0
    count: int = 0
    kept: list[Difference] = []


class _Known(Struct, frozen=True):
    """What a run knows of its own: the new generation has everything up to `reaches`. `lacking`
    are the subjects in which the live one may be behind the new one, and how far that may be."""

    reaches: Reaches
    lacking: Reaches


class Outcome(Struct):
    """What a run came to: where the pointer is, what was compared (if this run did), and how many
    items were deleted."""

    pointer: Pointer
    compared: Compared | None = None
    swapped: bool = False
    deleted: int = 0


Steps = Generator[Step, None, _A]
#: `map`, or one that calls from several threads, as many as `lanes`.
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


class Replay(Generic[_S]):
    """A replay of one projection.

    `patience_seconds` is how long an event on its way may take to arrive; `now` gives the time for
    the pointer's `since`; `spread` maps a function over up to `lanes` parts at once.
    """

    def __init__(
        self,
        projection: Replayable[_S],
        *,
        generations: Generations,
        store_of: Callable[[int], _S],
        source: Source,
        patience_seconds: float,
        now: Callable[[], str],
        spread: Spread = map,
        lanes: int = 1,
    ) -> None:
        self._projection = projection
        self._generations = generations
        self._store_of = store_of
        self._source = source
        self._patience_seconds = patience_seconds
        self._now = now
        self._spread = spread
        self._lanes = lanes

    def run(
        self, *, resume: bool = False, swap: bool = True, keep_old: bool = False
    ) -> Steps[Outcome]:
        """A whole replay, or with `resume` what is left of one; without `swap` it drops what it
        built and compared; with `keep_old` it deletes nothing.

        Raises ReplayRefusedError (another one is under way, or none is, or somebody else moves the
        pointer), IncompleteError, and whatever source and stores raise.
        """
        known = _Known({}, {})
        outcome = Outcome(self._taken_over() if resume else self._begun())
        if outcome.pointer.phase == "building":
            outcome.compared, known = yield from self._build(outcome.pointer)
            if swap:
                outcome.pointer = yield from self._offer(outcome.pointer, known)
            else:
                outcome.pointer = yield from self._abandon(outcome.pointer)
        elif outcome.pointer.phase == "swapping" and not swap:
            outcome.pointer = yield from self._abandon(outcome.pointer)
        if outcome.pointer.phase == "swapping":
            outcome.pointer = yield from self._swap(outcome.pointer, known)
            outcome.swapped = True
        if not keep_old:
            yield from self._clear(outcome)
        return outcome

    def abort(self) -> Steps[Outcome]:
        """Back to the generation that is live. Raises as `run`."""
        outcome = Outcome(self._taken_over())
        if outcome.pointer.phase != "retired":
            outcome.pointer = yield from self._abandon(outcome.pointer)
        yield from self._clear(outcome)
        return outcome

    def _begun(self) -> Pointer:
        known = self._generations.pointer()
        if known.phase != "steady":
            raise ReplayRefusedError(
                f"generation {known.other} of {self._projection.name} is there beside "
                f"{known.live}, {known.phase} since {known.since}: --resume goes on with it, "
                "--abort drops what is not live"
            )
        return self._changed(known, phases.begun)

    def _taken_over(self) -> Pointer:
        known = self._generations.pointer()
        if known.phase == "steady":
            raise ReplayRefusedError(f"no replay of {self._projection.name} is under way")
        return known

    def _build(self, pointer: Pointer) -> Steps[tuple[Compared, _Known]]:
        """Fills the new generation, and compares the live one with it."""
        built, live = self._store_of(pointer.built), self._store_of(pointer.live)
        compared = Compared()
        yield self._settling("every worker writes both generations")
        required = self._required()  # before the events: these make all of it, if they are whole
        reaches = Reached(self._projection.reach_of)
        compared.events = yield from self._fill(
            pointer, pointer.built, "events projected", reaches.through(self._source.events())
        )
        unmade = {one for one, reach in required.items() if is_behind(reaches.get(one), reach)}
        if unmade:
            raise IncompleteError(unmade)
        compared.subjects = len(reaches)
        # Read back; from here on the workers alone fill the new one. If it had to be given events
        # again, later ones came along, and the live one is held to these as well.
        refilled = yield from self._complete(pointer, pointer.built, reaches)
        reached = (yield from self._reached()) if refilled else reaches
        self._projection.settle(built, reaches)
        behind = yield from self._arrived(live, reached, "waiting for the live generation")
        for difference in self._projection.differences(live, built, reaches, self._possible):
            if compared.count < DIFFERENCES_KEPT:
                compared.kept.append(difference)
            compared.count += 1
            yield Step("differences found", compared.count)
        return compared, _Known(reaches, _of(reached, behind))

    def _offer(self, pointer: Pointer, known: _Known) -> Steps[Pointer]:
        """Lets readers go over to the new generation. What the live one lacks it is given first,
        so that it is not behind the new one (see `views`)."""
        yield from self._complete(pointer, pointer.live, known.lacking, patience_seconds=0.0)
        return self._changed(pointer, phases.swapping)

    def _swap(self, pointer: Pointer, known: _Known) -> Steps[Pointer]:
        """Makes the new generation the live one, once nobody answers from the old one alone."""
        yield self._settling("every reader looks at both generations")
        moved = yield from self._reached(known.reaches)
        yield from self._complete(pointer, pointer.built, moved)
        return self._changed(pointer, phases.swapped)

    def _abandon(self, pointer: Pointer) -> Steps[Pointer]:
        """Drops the new generation, and the live one stays."""
        if pointer.phase == "swapping":
            # Readers may have answered from the new one: nothing that it has may be lacking.
            reached = yield from self._reached()
            yield from self._complete(pointer, pointer.live, reached)
        return self._changed(pointer, phases.abandoned)

    def _clear(self, outcome: Outcome) -> Steps[None]:
        """Deletes what is retired."""
        yield self._settling("nobody uses the other generation")
        for count in self._generations.sweep(outcome.pointer):
            outcome.deleted += count
            yield Step("items deleted", outcome.deleted)
        outcome.pointer = self._changed(outcome.pointer, phases.swept)

    def _complete(
        self,
        pointer: Pointer,
        generation: int,
        reaches: Reaches,
        *,
        patience_seconds: float | None = None,
    ) -> Steps[bool]:
        """Until a generation has everything up to these reaches. What does not arrive by itself
        in time was lost on its way, and is taken from the events; whether anything was: then the
        generation may have later events as well."""
        store = self._store_of(generation)
        what = f"waiting for generation {generation}"
        behind = yield from self._arrived(store, reaches, what, patience_seconds)
        if not behind:
            return False
        wanted = (
            event
            for event in self._source.events()
            if any(subject in behind for subject, _ in self._projection.reach_of(event))
        )
        yield from self._fill(pointer, generation, "events projected again", wanted)
        left = self._projection.lagging(store, _of(reaches, behind))
        if left:
            raise IncompleteError(left)
        return True

    def _arrived(
        self,
        store: _S,
        reaches: Reaches,
        what: str,
        patience_seconds: float | None = None,
    ) -> Steps[set[str]]:
        """Waits for what is on its way to a store; the subjects that are behind after all."""
        patience = self._patience_seconds if patience_seconds is None else patience_seconds
        waited = 0.0
        behind = self._projection.lagging(store, reaches)
        while behind and waited < patience:
            yield Step(what, len(behind), wait_seconds=LOOK_SECONDS)
            waited += LOOK_SECONDS
            behind = self._projection.lagging(store, _of(reaches, behind))
        return behind

    def _required(self) -> dict[str, Reach]:
        """How far the events must bring each subject for the states to be as they are now."""
        required: dict[str, Reach] = {}
        for key, version in self._source.versions():
            least = self._projection.required(key, version)
            if least is not None:
                subject, reach = least
                required[subject] = furthest(required.get(subject), reach)
        return required

    def _reached(self, known: Reaches | None = None) -> Steps[Reached]:
        """How far the events bring each subject by now; of these, what goes beyond `known`."""
        reached = Reached(self._projection.reach_of, known)
        for count, _ in enumerate(reached.through(self._source.events()), start=1):
            if count % _NOTED_A_STEP == 0:
                yield Step("events noted", count)
        return reached

    def _possible(self, subject: str) -> Reach:
        return self._projection.possible(self._source.version, subject)

    def _fill(
        self, pointer: Pointer, generation: int, what: str, events: Iterable[Event]
    ) -> Steps[int]:
        """Projects events into a generation; how many there were."""
        store, done = self._store_of(generation), 0
        remaining = iter(events)
        while parts := list(islice(_parts(remaining, self._projection.part), self._lanes)):
            self._refuse_if_moved(pointer)
            yield from self._project(store, parts)
            done += sum(map(len, parts))
            yield Step(what, done)
        return done

    def _project(self, store: _S, parts: list[list[Event]]) -> Steps[None]:
        code = ""

        def failed(part: list[Event]) -> list[Event]:
            nonlocal code
            handled = self._projection.project(store, part)
            code = next(iter(handled.failed.values()), code)
            return [part[place] for place in handled.failed]

        in_vain = 0
        while in_vain < _TRIES_MAX:
            before = sum(map(len, parts))
            parts = [left for left in self._spread(failed, parts) if left]
            if not parts:
                return
            # A table that is being filled is throttled for as long as it is filled: what counts
            # are only the tries that got no further.
            in_vain = in_vain + 1 if sum(map(len, parts)) == before else 0
            yield Step("projecting again what failed", wait_seconds=_RETRY_SECONDS * in_vain)
        raise StoreError(code)

    def _settling(self, what: str) -> Step:
        return Step(f"until {what}", wait_seconds=SETTLED_SECONDS)

    def _refuse_if_moved(self, pointer: Pointer) -> None:
        if self._generations.pointer() != pointer:
            raise self._moved()

    def _moved(self) -> ReplayRefusedError:
        return ReplayRefusedError(
            f"somebody else moved the generations of {self._projection.name}; this run ends"
        )

    def _changed(self, known: Pointer, change: Callable[[Pointer, str], Pointer]) -> Pointer:
        new = change(known, self._now())
        if not self._generations.replace(known, new):
            raise self._moved()
        return new


def _of(reaches: Reaches, subjects: set[str]) -> Reaches:
    # In an order that is the same in every process: they are read in it.
    return {subject: reaches[subject] for subject in sorted(subjects)}


def _parts(events: Iterator[Event], size: int) -> Iterator[list[Event]]:
    while part := list(islice(events, size)):
        yield part
