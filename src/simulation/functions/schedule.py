"""EventBridge Scheduler: calls functions every so often, now and then late or twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from simulation.faults.kinds import Fault
from simulation.functions.function import LambdaFunction, Outcome
from simulation.functions.platform import Platform
from simulation.kernel.hub import SECOND, Future
from simulation.wiring.model import Schedule

#: Its own promise is a minute's precision.
_LATE_MAX: Final = 60 * SECOND
_REPEATED_WITHIN: Final = 5 * SECOND
_RETRY_PAUSE: Final = 10 * SECOND


class Scheduler:
    """The schedules. They go on for ever and keep no world from coming to rest.

    A call that was throttled is tried again as the schedule's policy says; how it ends otherwise, a
    schedule is not told.
    """

    def __init__(
        self,
        platform: Platform,
        schedules: Sequence[Schedule],
        functions: Mapping[str, LambdaFunction],
    ) -> None:
        self._platform = platform
        self._hub = platform.hub
        self._random = platform.stream("scheduler")
        self._schedules = schedules
        self._functions = functions

    def start(self) -> None:
        """The first calls come a period from now."""
        for schedule in self._schedules:
            period = schedule.every_seconds * SECOND
            self._hub.after(period, partial(self._due, schedule, period), daemon=True)

    def _due(self, schedule: Schedule, period: int) -> None:
        hub, strikes = self._hub, self._platform.injector.strikes
        hub.after(period, partial(self._due, schedule, period), daemon=True)
        call = partial(self._call, schedule, schedule.retries)
        if strikes(Fault.SCHEDULE_REPEATED, schedule.function):
            hub.after(self._random.randrange(_REPEATED_WITHIN), call, daemon=True)
        if strikes(Fault.SCHEDULE_LATE, schedule.function):
            hub.after(self._random.randrange(_LATE_MAX), call, daemon=True)
        else:
            call()

    def _call(self, schedule: Schedule, retries: int) -> None:
        called = self._functions[schedule.function].invoke({})
        called.then(partial(self._called, schedule, retries, called))

    def _called(self, schedule: Schedule, retries: int, called: Future[Outcome]) -> None:
        if called.result().throttled and retries:
            again = partial(self._call, schedule, retries - 1)
            self._hub.after(_RETRY_PAUSE, again, daemon=True)
