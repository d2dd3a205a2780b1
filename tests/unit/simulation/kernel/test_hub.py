"""Virtual time and tasks that take turns."""

from __future__ import annotations

import gc
import weakref
from functools import partial

import pytest

from simulation.kernel.hub import SECOND, Future, Hub, StuckError


class Died(BaseException):
    """What kills a task here."""


def test_things_happen_when_they_are_due_and_in_the_order_of_planning() -> None:
    """What is due first happens first; of things due at once, what was planned first."""
    hub, seen = Hub(0), []
    for name, when in (("b", 2), ("a", 1), ("b2", 2), ("now", 0)):
        hub.at(when, partial(lambda name: seen.append((hub.now, name)), name))
    hub.run()
    assert seen == [(0, "now"), (1, "a"), (2, "b"), (2, "b2")]


def test_time_passes_only_in_waiting() -> None:
    """A task finds the clock where it left it but for what it slept, and others run meanwhile."""
    hub, seen = Hub(100), []

    def body(name: str, delay: int) -> None:
        seen.append((name, hub.now))
        hub.sleep(delay)
        seen.append((name, hub.now))

    hub.spawn("slow", lambda: body("slow", 10))
    hub.spawn("fast", lambda: body("fast", 3))
    hub.run()
    assert seen == [("slow", 100), ("fast", 100), ("fast", 103), ("slow", 110)]


def test_a_future_wakes_who_waits_and_keeps_its_first_value() -> None:
    """Whoever waits is woken with the value; a second value is not heard."""
    hub, future = Hub(0), Future[str]()
    task = hub.spawn("waits", lambda: (hub.wait(future), hub.now))
    hub.after(7, lambda: future.resolve("first"))
    hub.after(9, lambda: future.resolve("second"))
    hub.run()
    assert task.done.result() == ("first", 7)
    assert future.result() == "first"


def test_a_future_that_failed_raises_where_it_is_waited_for() -> None:
    """The error of a future is raised in the task that waits for it, which may handle it."""
    hub, future = Hub(0), Future[str]()

    def body() -> str:
        try:
            return hub.wait(future)
        except ValueError:
            return "handled"

    task = hub.spawn("waits", body)
    hub.after(1, lambda: future.fail(ValueError("no")))
    hub.run()
    assert task.done.result() == "handled"


def test_a_killed_task_does_nothing_any_more() -> None:
    """A task is killed where it waits, even if it will not die: its later waits raise at once,
    and what it has come to is its death."""
    hub, seen = Hub(0), []

    def body() -> str:
        for _ in range(3):
            try:
                hub.sleep(10)
                seen.append("slept")
            except Died:
                seen.append("refused to die")
        return "done"

    task = hub.spawn("victim", body)
    hub.after(15, lambda: hub.kill(task, Died()))
    hub.run()
    assert seen == ["slept", "refused to die", "refused to die"]
    assert hub.now == 20  # its old alarm still rings, and nobody is there
    with pytest.raises(Died):
        task.done.result()


def test_a_task_killed_before_it_began_never_begins() -> None:
    """Its body is not called."""
    hub, seen = Hub(0), []
    task = hub.spawn("victim", lambda: seen.append("began"), delay=5)
    hub.kill(task, Died())
    hub.run()
    assert seen == []
    assert task.done.done


def test_an_error_of_a_task_is_kept_for_who_asks() -> None:
    """An error ends its task and nothing else."""
    hub = Hub(0)
    task = hub.spawn("breaks", lambda: 1 // 0)
    other = hub.spawn("works", lambda: "well")
    hub.run()
    assert other.done.result() == "well"
    with pytest.raises(ZeroDivisionError):
        task.done.result()


def test_a_run_ends_though_daemons_go_on() -> None:
    """A run waits for what is planned, not for what repeats itself for ever."""
    hub, ticks = Hub(0), []

    def tick() -> None:
        ticks.append(hub.now)
        hub.after(SECOND, tick, daemon=True)

    tick()
    hub.after(3 * SECOND + 1, lambda: None)
    hub.run()
    assert ticks == [0, SECOND, 2 * SECOND, 3 * SECOND]
    hub.run(until=5 * SECOND)
    assert ticks[-1] == hub.now == 5 * SECOND


def test_what_is_cancelled_does_not_happen() -> None:
    """And nobody waits for it."""
    hub, seen = Hub(0), []
    timer = hub.after(5, lambda: seen.append("rang"))
    hub.cancel(timer)
    hub.cancel(timer)
    hub.run()
    assert seen == []
    assert hub.waited_for == 0


def test_only_a_task_can_wait() -> None:
    """Whoever waits outside of any task has made a mistake, and is told."""
    with pytest.raises(StuckError):
        Hub(0).sleep(1)


def test_a_world_that_is_over_is_not_kept() -> None:
    """What its tasks ran on may wait for other tasks, but holds on to nothing of it."""

    class Held:
        """Something of a world."""

    def world() -> weakref.ref[Held]:
        hub, held = Hub(0), Held()

        def body(_: Held) -> None:
            hub.sleep(10)

        for name in "abc":
            hub.spawn(name, partial(body, held))
        hub.run()
        hub.spawn("d", partial(body, held))
        hub.run()
        assert len(hub.idle) == 3, "the fourth ran on what another had left"
        return weakref.ref(held)

    of_it = world()
    gc.collect()
    assert of_it() is None
