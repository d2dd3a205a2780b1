"""Work in parallel that keeps order where it matters: one lane, one thread, one order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Final, Generic, TypeVar
from zlib import crc32

_T = TypeVar("_T")

WAITING_MAX: Final = 8  # of each lane: enough to keep it busy, few to wait for after Ctrl-C
_LOOK_SECONDS: Final = 0.2


def lane_of(key: str, lanes: int) -> int:
    """The lane, of so many, in which items with that key are."""
    return crc32(key.encode()) % lanes


class Lanes(Generic[_T]):
    """Runs `work` on items in `count` threads; items with one key run one after the other.

    The first exception in any lane stops all of them, and is raised to whoever feeds them.
    """

    def __init__(self, count: int, work: Callable[[_T], None]) -> None:
        self._work = work
        self._queues: list[Queue[_T | None]] = [Queue(WAITING_MAX) for _ in range(count)]
        self._stop = Event()
        self._lock = Lock()
        self._error: BaseException | None = None

    def run(self, items: Iterable[_T], key: Callable[[_T], str]) -> None:
        """Returns when every item is done; raises what the first failed one raised."""
        threads = [Thread(target=self._lane, args=(queue,)) for queue in self._queues]
        for thread in threads:
            thread.start()
        try:
            for item in items:
                self._put(self._queues[lane_of(key(item), len(self._queues))], item)
            for queue in self._queues:
                self._put(queue, None)
        except BaseException:
            self._stop.set()
            raise
        finally:
            for thread in threads:
                thread.join()
        if self._error is not None:
            raise self._error

    def _put(self, queue: Queue[_T | None], item: _T | None) -> None:
        while not self._stop.is_set():
            try:
                queue.put(item, timeout=_LOOK_SECONDS)
            except Full:
                continue
            return

    def _lane(self, queue: Queue[_T | None]) -> None:
        while (item := self._next(queue)) is not None:
            try:
                self._work(item)
            except BaseException as error:  # noqa: BLE001 - raised again where the lanes are fed
                with self._lock:
                    self._error = self._error or error
                self._stop.set()

    def _next(self, queue: Queue[_T | None]) -> _T | None:
        """The lane's next item; None when there is none or all shall stop."""
        while not self._stop.is_set():
            try:
                return queue.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
        return None
