"""Workers side by side: threads in real time, or the tasks of a simulated world."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import pytest

from ledger.runtime.clock import wall_clock

_A = TypeVar("_A")
_R = TypeVar("_R")


class Crew(Protocol):
    """What workers have in common where they run."""

    def at_once(self, do: Callable[[_A], _R], each: Iterable[_A], /) -> list[_R]:
        """Runs a function for all arguments side by side; answers in their order."""

    def pause(self, seconds: float, /) -> None:
        """Waits."""

    def clock(self) -> int:
        """Microseconds since 1970."""


class Threads:
    """A thread for each."""

    def at_once(self, do: Callable[[_A], _R], each: Iterable[_A], /) -> list[_R]:
        arguments = list(each)
        with ThreadPoolExecutor(len(arguments)) as pool:
            return list(pool.map(do, arguments))

    def pause(self, seconds: float, /) -> None:
        time.sleep(seconds)

    def clock(self) -> int:
        return wall_clock()


class HasCrew:
    """A suite whose workers run side by side: in threads, unless a subclass has others."""

    @pytest.fixture
    def crew(self) -> Crew:
        """Where the workers run."""
        return Threads()
