"""What is built when it is first needed is built once, and never two things at a time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock

import pytest

from ledger.contracts.building import built_once

WORKERS = 8


@pytest.fixture(autouse=True)
def impatience() -> Iterator[None]:
    """Threads are interrupted often."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_threads_that_ask_at_once_get_one_and_the_same() -> None:
    """Whatever they ask for, one builds it while all others wait."""
    under_way = Lock()
    begun: list[str] = []

    @built_once
    def build(name: str) -> object:
        assert under_way.acquire(blocking=False), "two at a time"
        begun.append(name)
        time.sleep(0.001)
        under_way.release()
        return object()

    together = Barrier(WORKERS)

    def ask(worker: int) -> list[object]:
        together.wait()
        return [build(name) for name in ("abcd" if worker % 2 else "dcba")]

    with ThreadPoolExecutor(WORKERS) as pool:
        answers = list(pool.map(ask, range(WORKERS)))

    assert sorted(begun) == ["a", "b", "c", "d"]
    assert len({id(one) for answer in answers for one in answer}) == 4
    assert all(answer == answers[worker % 2] for worker, answer in enumerate(answers))


def test_one_thing_may_need_another() -> None:
    """A builder may ask for what another one builds."""

    @built_once
    def inner(name: str) -> str:
        return name * 2

    @built_once
    def outer(name: str) -> str:
        return inner(name) + "!"

    assert outer("a") == "aa!"


def test_what_fails_is_tried_again() -> None:
    """Nothing is kept of it, and nobody is kept waiting."""
    attempts: list[str] = []

    @built_once
    def build(name: str) -> str:
        attempts.append(name)
        if len(attempts) == 1:
            raise ValueError(name)
        return name

    with pytest.raises(ValueError, match="a"):
        build("a")
    assert (build("a"), build("a")) == ("a", "a")
    assert attempts == ["a", "a"]
