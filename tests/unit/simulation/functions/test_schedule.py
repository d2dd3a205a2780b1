"""Schedules."""

from __future__ import annotations

from itertools import pairwise

from simulation.faults.kinds import Fault
from simulation.functions.schedule import Scheduler
from simulation.kernel.hub import SECOND
from simulation.wiring.model import Schedule
from tests.unit.simulation.functions.small_world import SmallWorld

MINUTELY = Schedule("F", every_seconds=60, retries=1)


def called(world: SmallWorld, minutes: int, *, limit: int | None = None) -> list[int]:
    """When the function was, in that time."""
    times: list[int] = []
    function = world.function(lambda _event, _context: times.append(world.hub.now))
    function.limit(limit)
    Scheduler(world.platform, [MINUTELY], {"F": function}).start()
    world.hub.run(until=world.hub.now + minutes * 60 * SECOND + 30 * SECOND)
    return times


def test_a_schedule_calls_once_a_period() -> None:
    """At the same moment of it, but for the start of a worker."""
    times = called(SmallWorld(), 10)
    assert len(times) == 10
    assert all(59 * SECOND < later - earlier < 61 * SECOND for earlier, later in pairwise(times))


def test_a_call_may_be_late_or_come_twice() -> None:
    """By less than a minute; none is left out."""
    world = SmallWorld({Fault.SCHEDULE_LATE: 0.3, Fault.SCHEDULE_REPEATED: 0.3})
    times = called(world, 100)
    occurred = world.injector.occurred
    assert occurred[Fault.SCHEDULE_LATE] > 10
    assert abs(len(times) - 100 - occurred[Fault.SCHEDULE_REPEATED]) <= 2
    assert occurred[Fault.SCHEDULE_REPEATED] > 10


def test_a_throttled_call_is_tried_again_as_the_policy_says() -> None:
    """Once here, and then the next period's call makes up for it."""
    world = SmallWorld()
    assert called(world, 10, limit=0) == []
    assert 18 <= world.injector.occurred[Fault.FUNCTION_THROTTLED] <= 20


def test_a_schedule_keeps_no_world_from_coming_to_rest() -> None:
    """Nobody waits for what goes on for ever."""
    world = SmallWorld()
    Scheduler(world.platform, [MINUTELY], {"F": world.function(lambda *_: None)}).start()
    world.hub.run()
    assert world.hub.waited_for == 0
