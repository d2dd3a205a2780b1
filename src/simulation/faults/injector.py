"""Decides where a fault strikes, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random

from simulation.faults.kinds import Fault
from simulation.kernel.trace import Trace


class Injector:
    """Faults at their rates. `rates` are probabilities by kind; a kind left out never strikes.

    `spares` names, by their order in the run (from 0), strikes that do not take place: so a run
    can be repeated with fewer faults.
    """

    def __init__(
        self,
        random: Random,
        rates: Mapping[Fault, float],
        trace: Trace,
        *,
        spares: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self._draw = random.random
        self._rates = rates
        self._trace = trace
        self._spares = spares
        self._totals: dict[tuple[Fault, ...], float] = {}
        self.strikes_tried = 0
        self.occurred: Counter[Fault] = Counter()

    def strikes(self, fault: Fault, who: str, *about: str) -> bool:
        """Whether it strikes here and now. The caller then sees to it that it does."""
        rate = self._rates.get(fault)
        if not rate or self._draw() >= rate:
            return False
        return self._takes_place(fault, who, about)

    def one_of(self, faults: tuple[Fault, ...], who: str, *about: str) -> Fault | None:
        """The one of several kinds that strikes here and now, if any: one draw for all of them."""
        total = self._totals.get(faults)
        if total is None:
            total = self._totals[faults] = sum(self._rates.get(fault, 0.0) for fault in faults)
        if not total:
            return None
        drawn = self._draw()
        if drawn >= total:
            return None
        for fault in faults:
            drawn -= self._rates.get(fault, 0.0)
            if drawn < 0:
                return fault if self._takes_place(fault, who, about) else None
        return None

    def note(self, fault: Fault, who: str, *about: str) -> None:
        """It has come about, by itself or on purpose."""
        self.occurred[fault] += 1
        self._trace.add(who, f"! {fault}", *about)

    def rate(self, fault: Fault) -> float:
        """Its probability now."""
        return self._rates.get(fault, 0.0)

    def quieten(self) -> None:
        """From now on nothing strikes: what is left over must come right by itself."""
        self.change({})

    def change(self, rates: Mapping[Fault, float]) -> None:
        """From now on faults strike at these rates."""
        self._rates = rates
        self._totals.clear()

    def _takes_place(self, fault: Fault, who: str, about: tuple[str, ...]) -> bool:
        place = self.strikes_tried
        self.strikes_tried += 1
        if self._spares(place):
            return False
        self.note(fault, who, *about)
        return True
