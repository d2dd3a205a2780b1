"""Virtual time, and the tasks that take turns in it.

Everything happens in one thread, and one thing at a time: what is due first, and of things due at
the same instant what was planned first. A task has a stack of its own (a greenlet), so that code
that knows nothing of this world can be stopped in the middle of any call it makes, and killed
there. No time passes but by waiting for it.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final, Generic, TypeVar

from greenlet import GreenletExit, greenlet

SECOND: Final = 1_000_000
MILLISECOND: Final = 1_000

_T = TypeVar("_T")


class StuckError(Exception):
    """Something waits for what nothing will ever bring: a mistake in the simulation."""


#: Something planned: when, as what number, what to do (None: nothing any more), and whether it is a
#: daemon, which goes on for ever, and nobody waits for its end. A list, as the agenda compares and
#: makes hundreds of thousands of them.
Timer = list[Any]
_DO: Final = 2
_DAEMON: Final = 3


class Future(Generic[_T]):
    """What will be known later: a value or an error, once."""

    __slots__ = ("_error", "_listeners", "_value", "done")

    def __init__(self) -> None:
        self.done = False
        self._value: _T | None = None
        self._error: BaseException | None = None
        self._listeners: list[Callable[[], object]] = []

    def resolve(self, value: _T) -> None:
        """It is this. What comes after the first is not heard."""
        if not self.done:
            self.done, self._value = True, value
            self._tell()

    def fail(self, error: BaseException) -> None:
        """It will never be known, and this is why."""
        if not self.done:
            self.done, self._error = True, error
            self._tell()

    def then(self, do: Callable[[], object]) -> None:
        """Call `do` when it is known: now, if it is."""
        if self.done:
            do()
        else:
            self._listeners.append(do)

    def result(self) -> _T:
        """What became known. Raises the error instead."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # it is known, or asked for too early

    def _tell(self) -> None:
        listeners, self._listeners = self._listeners, []
        for do in listeners:
            do()


class Task(Generic[_T]):
    """A piece of work with a stack of its own; `done` has what came of it.

    A task that is killed is raised the error in the call in which it waits, and at every later
    wait, so that what it does while it unwinds has no effect any more.
    """

    __slots__ = ("_body", "_greenlet", "_hub", "done", "killed_by", "name")

    def __init__(self, name: str, body: Callable[[], _T], hub: Hub) -> None:
        self.name = name
        self.done: Future[_T] = Future()
        self.killed_by: BaseException | None = None
        self._hub = hub
        self._body = body
        self._greenlet: greenlet | None = None

    def run(self) -> None:
        """All of it, in the greenlet that it has got."""
        try:
            self._live_on()
            value = self._body()
            self._live_on()  # it may have swallowed its own death
        except GreenletExit:
            raise  # its world is gone, and the greenlet with it
        except BaseException as error:  # noqa: BLE001 - whoever waits for the task is told
            self.done.fail(self.killed_by or error)
        else:
            self.done.resolve(value)

    def _live_on(self) -> None:
        if self.killed_by is not None:
            raise self.killed_by

    def go_on(self) -> None:
        """Runs it until it waits or ends, if it has not ended. From the hub only."""
        done, hub = self.done, self._hub
        if done.done:
            return
        before, hub.current = hub.current, self  # type: ignore[assignment]  # of whatever it makes
        mine = self._greenlet
        try:
            if mine is None:
                mine = self._greenlet = hub.idle.pop() if hub.idle else _made(hub.main)
                mine.switch(self)
            else:
                mine.switch()
        finally:
            hub.current = before
        if self.done.done:
            hub.idle.append(mine)
            self._greenlet = None


def _made(main: greenlet) -> greenlet:
    new = greenlet(_run_all, main)
    new.switch()
    return new


def _run_all() -> None:
    """The life of a greenlet: one task after the other, as to make one takes as long as a short
    task. While it waits it holds on to nothing: a search for garbage does not see what it holds."""
    main = greenlet.getcurrent().parent
    assert main is not None, "it was made by the hub"
    while True:
        task: Task[Any] = main.switch()
        task.run()
        del task


class Hub:
    """The clock of a world, and its agenda. `now` is microseconds since 1970."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.current: Task[object] | None = None
        self.steps = 0
        self.idle: list[greenlet] = []
        """Greenlets whose tasks have ended, each waiting for another."""
        self._agenda: list[Timer] = []
        self._planned = 0
        self._waited_for = 0
        self.main = greenlet.getcurrent()

    def at(self, when: int, do: Callable[[], object], *, daemon: bool = False) -> Timer:
        """Plans `do` for an instant (now, if that is past)."""
        self._planned = number = self._planned + 1
        if not daemon:
            self._waited_for += 1
        timer = [when, number, do, daemon]
        if when < self.now:
            timer[0] = self.now
        heappush(self._agenda, timer)
        return timer

    def after(self, delay: int, do: Callable[[], object], *, daemon: bool = False) -> Timer:
        """Plans `do` for so many microseconds from now."""
        return self.at(self.now + delay, do, daemon=daemon)

    def cancel(self, timer: Timer) -> None:
        """What was planned does not happen. Harmless if it has."""
        if timer[_DO] is not None:
            timer[_DO] = None
            self._waited_for -= not timer[_DAEMON]

    def spawn(self, name: str, body: Callable[[], _T], *, delay: int = 0) -> Task[_T]:
        """A task that begins after `delay`."""
        task: Task[_T] = Task(name, body, self)
        self.at(self.now + delay, task.go_on)
        return task

    def kill(self, task: Task[_T], error: BaseException) -> None:
        """Ends a task where it waits. Harmless if it has ended. Not from inside the task."""
        if task.done.done or task.killed_by is not None:
            return
        task.killed_by = error
        self.at(self.now, task.go_on)

    def sleep(self, delay: int) -> None:
        """Lets time pass in the current task."""
        task = self._here()
        self.at(self.now + delay, task.go_on)
        self._yield(task)

    def park(self) -> None:
        """Waits in the current task until somebody has planned its `go_on`: once, not twice."""
        self._yield(self._here())

    def wait(self, future: Future[_T]) -> _T:
        """Waits in the current task until `future` is known; answers it, or raises its error."""
        task = self._here()
        if not future.done:
            future.then(lambda: self.at(self.now, task.go_on))
            self._yield(task)
        return future.result()

    def run(self, until: int | None = None) -> None:
        """Lets happen what is planned: up to `until`, or until nothing is left but daemons."""
        agenda = self._agenda
        while agenda and (self._waited_for or until is not None):
            if until is not None and agenda[0][0] > until:
                break
            timer = heappop(agenda)
            when, _, do, daemon = timer
            if do is None:
                continue
            timer[_DO] = None
            if not daemon:
                self._waited_for -= 1
            self.now = when
            self.steps += 1
            do()
        if until is not None:
            self.now = max(self.now, until)

    @property
    def waited_for(self) -> int:
        """How many things are planned that are no daemons."""
        return self._waited_for

    def _here(self) -> Task[object]:
        if self.current is None:
            raise StuckError("only a task can wait")
        if self.current.killed_by is not None:
            raise self.current.killed_by
        return self.current

    def _yield(self, task: Task[object]) -> None:
        self.main.switch()
        if task.killed_by is not None:
            raise task.killed_by
