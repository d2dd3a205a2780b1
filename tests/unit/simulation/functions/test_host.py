"""The host of a worker."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.runtime.host import Host
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from tests.unit.simulation.functions.small_world import NOON, Handler, SmallWorld


def hosts(world: SmallWorld, count: int) -> list[Host]:
    """Of so many workers at once."""
    found: list[Host] = []

    def build(host: Host) -> Handler:
        found.append(host)
        return lambda _event, _context: host.pause(1)

    function = world.built(build)
    for _ in range(count):
        function.invoke({})
    world.hub.run()
    assert len(found) == count
    return found


def test_the_clocks_of_workers_differ_by_less_than_five_seconds() -> None:
    """Each by two at the most, and not at all where nothing strikes."""
    world = SmallWorld({Fault.CLOCK_SKEWED: 1.0})
    skews = {host.clock() - world.hub.now for host in hosts(world, 50)}
    assert len(skews) > 40
    assert max(map(abs, skews)) <= 2 * SECOND
    calm = SmallWorld()
    assert {host.clock() for host in hosts(calm, 5)} == {calm.hub.now}


def test_workers_draw_numbers_of_their_own_and_a_seed_repeats_them() -> None:
    """Two workers of one run differ; the same worker of two runs does not."""

    def drawn() -> list[tuple[float, bytes]]:
        return [(host.chance(), host.random_bytes(8)) for host in hosts(SmallWorld(), 3)]

    assert drawn() == drawn()
    assert len(set(drawn())) == 3


def test_time_is_the_worlds() -> None:
    """A pause takes virtual time, by both clocks."""
    world = SmallWorld()
    seen: list[float] = []

    def build(host: Host) -> Handler:
        def handler(_event: dict[str, Any], _context: Any) -> Any:
            begun, at = host.monotonic(), host.clock()
            host.pause(1.5)
            seen.extend((host.monotonic() - begun, host.clock() - at))

        return handler

    world.outcome(world.built(build))
    assert seen == [1.5, 1_500_000]
    assert world.hub.now >= NOON + 1_500_000


def test_side_by_side_answers_in_order() -> None:
    """Whatever the limit, and in whatever order it is done."""
    done: list[int] = []

    def double(number: int) -> int:
        done.append(number)
        return number * 2

    [host] = hosts(SmallWorld(), 1)
    assert list(host.side_by_side(2)(double, range(9))) == list(range(0, 18, 2))
    assert done != sorted(done) == list(range(9))
    assert host.environment == {"COLOUR": "red"}


def test_side_by_side_all_is_done_though_one_fails() -> None:
    """Its error is raised where its result is asked for, behind those before it."""
    done: list[int] = []

    def invert(number: int) -> float:
        done.append(number)
        return 1 / number

    [host] = hosts(SmallWorld(), 1)
    results = host.side_by_side(2)(invert, [1, 0, 2])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert sorted(done) == [0, 1, 2]


def test_a_clock_is_put_forward_or_back_now_and_then() -> None:
    """Within the same bound; not where nothing strikes."""
    world = SmallWorld({Fault.CLOCK_STEPPED: 1.0})
    skews: list[int] = []

    def build(host: Host) -> Handler:
        def handler(_event: dict[str, Any], _context: Any) -> None:
            skews.append(host.clock() - world.hub.now)
            host.pause(1)

        return handler

    function = world.built(build)
    for _ in range(20):
        world.outcome(function)
    assert len(set(skews)) == 20
    assert max(map(abs, skews)) <= 2 * SECOND


def test_lines_are_told_and_a_newer_releases_record_is_noted() -> None:
    """A line has its notes and metrics; the code for what only a newer release knows is a fault."""
    world = SmallWorld()
    lines: list[dict[str, Any]] = []
    world.platform.on_line.append(lambda _function, line: lines.append(dict(line)))

    def build(host: Host) -> Handler:
        telemetry = host.telemetry()

        def handler(event: dict[str, Any], context: Any) -> Any:
            with telemetry.invocation(context) as line:
                line.count("Messages", 2)
                line.note("failures", {"unknown_event": 1})
                if event:
                    line.warn()

        return handler

    function = world.built(build)
    world.outcome(function)
    assert Fault.UNKNOWN_VERSION not in world.injector.occurred
    world.outcome(function, {"some": "event"})
    assert world.injector.occurred[Fault.UNKNOWN_VERSION] == 1
    assert [(line["level"], line["Messages"]) for line in lines] == [("info", 2), ("warning", 2)]
    assert lines[0]["cold_start"]
    assert "cold_start" not in lines[1]


def test_a_dead_worker_logs_nothing() -> None:
    """Its line dies with it."""
    world = SmallWorld({Fault.CRASH_AFTER_CALL: 1.0})
    lines: list[object] = []
    world.platform.on_line.append(lambda _function, line: lines.append(line))

    def build(host: Host) -> Handler:
        telemetry, client = host.telemetry(), host.sqs()

        def handler(_event: dict[str, Any], context: Any) -> Any:
            with telemetry.invocation(context):
                client.echo()  # type: ignore[attr-defined]  # of no real service

        return handler

    world.outcome(world.built(build))
    assert lines == []
