"""When things happen: in bursts far apart, some around midnight, and a few at any time."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from simulation.kernel.hub import SECOND
from simulation.load.desk import DAY, HOUR, MINUTE

_COMMANDS_PER_HOUR: Final = 400
#: At least so many that the first midnight comes, which is three hours after a world begins.
_HOURS: Final = (5, 72)
_STARTS_PER_BURST: Final = 25
#: Of things that happen in a burst, how many in a second.
_RATES: Final = (4, 10, 20, 40)
_IDLE: Final = 0.15
#: Before the end, so that most stories end before it.
_LAST: Final = 0.9


class _Burst(NamedTuple):
    begins: int
    lasts: int


class Pace:
    """The moments at which things begin, between `begins` and `ends`."""

    def __init__(self, random: Random, commands: int, begins: int) -> None:
        self._random = random
        low, high = _HOURS
        hours = min(max(low, commands / _COMMANDS_PER_HOUR), high)
        self.begins = begins
        self.ends = begins + int(hours * random.uniform(0.8, 1.2) * HOUR)
        self._bursts = self._some(max(3, commands // (2 * _STARTS_PER_BURST)))

    def moment(self) -> int:
        """When the next thing begins; in no order."""
        if self._random.random() < _IDLE:
            return self._random.randint(self.begins, self._last)
        burst = self._random.choice(self._bursts)
        return burst.begins + self._random.randrange(burst.lasts)

    @property
    def _last(self) -> int:
        return self.begins + int((self.ends - self.begins) * _LAST)

    def _some(self, count: int) -> list[_Burst]:
        random = self._random
        bursts = []
        for _ in range(count):
            lasts = _STARTS_PER_BURST * SECOND // random.choice(_RATES)
            bursts.append(_Burst(random.randint(self.begins, self._last), lasts))
        midnight = (self.begins // DAY + 1) * DAY
        while midnight < self._last:
            before = random.randint(SECOND, MINUTE)
            bursts.append(_Burst(max(self.begins, midnight - before), 2 * before))
            midnight += DAY
        return bursts
