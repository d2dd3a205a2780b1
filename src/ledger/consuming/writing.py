"""How consumers write: each subject by itself, several at a time, and an end if nothing answers.

Subjects have nothing to do with each other, so that their writes may overtake one another. A write
that fails fails the events of its subject; only if many fail one behind the other, the table is
taken to be out of reach, and the rest of the batch is left for another time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Lock
from typing import Final, TypeVar

from msgspec import Struct

from ledger.consuming.batches import NOT_TRIED
from ledger.runtime.faults import StoreError
from ledger.runtime.host import SideBySide

#: As many as the connections that a client of boto3 keeps open: one more would open its own each
#: time. At 5 ms a write that is 2,000 a second and worker.
AT_ONCE: Final = 10
#: After this many writes that failed one behind the other the table is taken to be out of reach. Of
#: those that run at once each takes 8 s at the most (2 tries of 4 s), so that all is over after 16
#: of a function's 30 seconds, and its answer still goes out.
FAILURES_IN_A_ROW_MAX: Final = 5

_T = TypeVar("_T")
_R = TypeVar("_R")


def one_by_one(do: Callable[[_T], _R], each: Iterable[_T], /) -> Iterator[_R]:
    """A SideBySide that runs nothing at once."""
    return map(do, each)


class Failed(Struct, frozen=True):
    """A write that did not happen, or of which that is not known."""

    code: str


def written(
    side_by_side: SideBySide, write: Callable[[_T], _R], each: Sequence[_T]
) -> list[_R | Failed]:
    """What `write` answers for each, in their order, or why it could not: the code of its
    StoreError, or NOT_TRIED. Every other exception goes on."""
    reach = _Reach()

    def attempt(one: _T) -> _R | Failed:
        if reach.is_lost:
            return Failed(NOT_TRIED)
        try:
            answer = write(one)
        except StoreError as error:
            reach.failed()
            return Failed(error.code)
        reach.succeeded()
        return answer

    return list(side_by_side(attempt, each))


class _Reach:
    """Whether a table answers, as far as the latest writes tell; shared by threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._in_a_row = 0

    @property
    def is_lost(self) -> bool:
        return self._in_a_row >= FAILURES_IN_A_ROW_MAX

    def failed(self) -> None:
        with self._lock:
            self._in_a_row += 1

    def succeeded(self) -> None:
        with self._lock:
            if not self.is_lost:  # else some would be tried that are behind others that were not
                self._in_a_row = 0
