"""Shrinks a run that failed: fewer asks, fewer kinds of faults, fewer strikes.

Each smaller run is really run. Leaving something out changes the course of all that follows, so a
run that was nearly enough may miss; smaller ones are therefore tried with other luck, too. What
counts is that the same promise is broken, not that it is broken by the same ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from simulation.faults.kinds import Fault
from simulation.faults.profiles import Profile
from simulation.results import Result
from simulation.settings import Settings
from simulation.shrinking.ddmin import ddmin, shortest_beginning
from simulation.shrinking.nearness import near

#: Courses of a plan that are tried before it counts as one that does not fail, by its length: the
#: shorter, the less a run costs.
_LUCKS: Final = ((40, 6), (120, 3))
#: With more kinds than these nothing would get through if they struck more often, so many times.
_FEW: Final = 5
_OFTEN: Final = (50, 10, 3)
_OPERATIONS: Final = ("deployment", "restore", "replay", "redrive")
#: Rounds over everything; each after the first finds little.
_ROUNDS_MAX: Final = 4


class Shrunk(Struct, frozen=True):
    """The smallest run that was found, and how."""

    result: Result
    runs: int
    """How many were tried."""
    whole: bool
    """Whether nothing more can be left out; else the time was up."""


class Shrinker:
    """Shrinks one run. `run` runs, `spent` says that the time is up; `guesses` are places in the
    plan that may be all that it takes for what a result found, the fewest first."""

    def __init__(
        self,
        run: Callable[[Settings], Result],
        spent: Callable[[], bool],
        guesses: Callable[[Result], Sequence[Sequence[int]]] = near,
    ) -> None:
        self._run = run
        self._spent = spent
        self._guesses = guesses
        self._runs = 0

    def shrink(self, result: Result) -> Shrunk:
        """The smallest run found that breaks the promise that `result` is about."""
        self._property = result.finding.property
        self._best = replace(result, settings=_in_full(result, self._property))
        self._without_faults()
        guesses = self._guesses(result)
        self._nearer(guesses)
        self._without_operations()
        if self._fewer_kinds() and self._more_often():
            self._nearer(guesses)
        self._shorter()
        for _ in range(_ROUNDS_MAX):
            before = _size(self._best)
            self._fewer_asks()
            self._fewer_kinds()
            self._fewer_strikes()
            if _size(self._best) == before:
                break
        return Shrunk(result=self._best, runs=self._runs, whole=not self._spent())

    @property
    def _settings(self) -> Settings:
        return self._best.settings

    @property
    def _places(self) -> Sequence[int]:
        return self._settings.only or ()

    def _without_faults(self) -> None:
        """Without faults and operators, or at least without one of them."""
        alone = replace(self._settings, **dict.fromkeys(_OPERATIONS, False))
        calm = replace(self._settings, faults=Profile.NONE)
        any(self._try(one) for one in (replace(alone, faults=Profile.NONE), calm, alone))

    def _nearer(self, guesses: Sequence[Sequence[int]]) -> None:
        """One of the guesses at what the finding is about may do."""
        for guess in guesses:
            if len(guess) >= len(self._places):
                return
            if self._try(replace(self._settings, only=tuple(guess))):
                return

    def _without_operations(self) -> None:
        for operation in _OPERATIONS:
            if getattr(self._settings, operation):
                self._try(replace(self._settings, **{operation: False}))

    def _shorter(self) -> None:
        """What comes after the finding had no part in it."""
        shortest_beginning(
            self._places, lambda some: self._try(replace(self._settings, only=tuple(some)))
        )

    def _fewer_asks(self) -> None:
        ddmin(self._places, lambda some: self._try(replace(self._settings, only=tuple(some))))

    def _fewer_kinds(self) -> bool:
        """Whether there are faults at all. Those that did not occur are left out at once."""
        if self._settings.faults is Profile.NONE:
            return False
        known = self._settings.kinds
        kinds = [one.name for one in Fault] if known is None else list(known)
        struck = [one for one in kinds if Fault[one] in self._best.occurred]
        if self._try(replace(self._settings, kinds=tuple(struck))):
            kinds = struck
        ddmin(kinds, lambda some: self._try(replace(self._settings, kinds=tuple(some))))
        return True

    def _more_often(self) -> bool:
        """Whether it fails with few kinds that strike more often: then a few asks may do, which
        one of the usual faults would hardly ever meet."""
        kinds = self._settings.kinds
        return (
            kinds is not None
            and len(kinds) <= _FEW
            and any(self._try(replace(self._settings, often=often)) for often in _OFTEN)
        )

    def _fewer_strikes(self) -> None:
        if self._settings.faults is Profile.NONE:
            return
        known = self._settings.strikes
        strikes = list(range(self._best.strikes)) if known is None else list(known)
        ddmin(strikes, lambda some: self._try(replace(self._settings, strikes=tuple(some))))

    def _try(self, settings: Settings) -> bool:
        """Whether these settings fail with some luck; if so they are the best so far."""
        size = len(settings.only or ())
        # Strikes are named by their order, which has no meaning in another course.
        lucks = 1 if settings.strikes is not None else _lucks(size)
        for more in range(lucks):
            if self._spent():
                return False
            tried = self._run(replace(settings, luck=settings.luck + more))
            self._runs += 1
            if any(found.property == self._property for found in tried.findings):
                self._best = tried
                return True
        return False


def _lucks(size: int) -> int:
    """How many courses are tried of a plan of so many elements."""
    return next((lucks for most, lucks in _LUCKS if size <= most), 1)


def _in_full(result: Result, promise: str) -> Settings:
    """The same run, which ends when this promise is broken, its plan written out."""
    only = result.settings.only
    places = tuple(range(result.planned)) if only is None else only
    return replace(result.settings, until=(promise,), only=places)


def _size(result: Result) -> tuple[int, int, int]:
    """How much is left to leave out."""
    settings = result.settings
    kinds = settings.kinds
    return (
        len(settings.only or ()),
        len(Fault) if kinds is None else len(kinds),
        result.strikes if settings.strikes is None else len(settings.strikes),
    )
