"""Which generations of a projection there are, and what may be done to them: pure.

A replay goes through four phases, each entered by one conditional write:

    steady      one generation, read and written
    building    another is filled; workers write both, the live one first; only the live one is read
    swapping    as before, but readers look at both and answer from the other one
    retired     the other one has become the live one; what was live is nobody's any more, and is
                deleted (after an abort: the other way round)

`views` says why no answer goes backwards on the way. A number is never used again: what a late
worker may yet write into a deleted generation is never seen, and the next deletion takes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from projections.generations.keys import FIRST

Phase = Literal["steady", "building", "swapping", "retired"]


class Pointer(Struct, frozen=True, kw_only=True):
    """Which generation is live, and which one is beside it. Field names are stored.

    `revision` rises with every change; `newest` is the highest generation there ever was; `since`
    is when the phase was entered, by the clock of whoever did it.
    """

    revision: int = 0
    phase: Phase = "steady"
    live: int = FIRST
    other: int | None = None
    newest: int = FIRST
    since: str = ""

    @property
    def written(self) -> tuple[int, ...]:
        """The generations that every event is written to, in this order."""
        return self.readable

    @property
    def readable(self) -> tuple[int, ...]:
        """The generations that events go on being written to, so that they can be read."""
        if self.other is None or self.phase not in ("building", "swapping"):
            return (self.live,)
        return (self.live, self.other)

    @property
    def answering(self) -> int:
        """The generation that readers answer from."""
        return self.other if self.phase == "swapping" and self.other is not None else self.live

    def has_dropped(self, generation: int) -> bool:
        """Whether a generation is known of and no longer to be used."""
        return generation != self.live and generation <= self.newest

    @property
    def built(self) -> int:
        """The generation that is filled. Raises ValueError if there is none."""
        if self.phase not in ("building", "swapping") or self.other is None:
            raise ValueError(f"no generation is built while {self.phase}")
        return self.other


class Generations(Protocol):
    """Keeps the pointer of one projection. Every method may raise StoreError."""

    def pointer(self) -> Pointer:
        """The pointer as it is now, read consistently; the default if it was never written."""

    def replace(self, known: Pointer, new: Pointer) -> bool:
        """Write `new` if the pointer is still `known`; whether it is `new` now."""

    def sweep(self, pointer: Pointer) -> Iterator[int]:
        """Delete the items of every generation that `pointer` knows of but the live one; how many,
        from time to time.

        What was begun later than `pointer` is not touched, however late this runs. Interrupted, it
        may be begun again.
        """


def begun(pointer: Pointer, since: str) -> Pointer:
    """A new generation is to be filled."""
    _expect(pointer, "steady")
    number = pointer.newest + 1
    return _next(pointer, since, phase="building", other=number, newest=number)


def swapping(pointer: Pointer, since: str) -> Pointer:
    """The new generation has everything: readers may go over to it."""
    _expect(pointer, "building")
    return _next(pointer, since, phase="swapping")


def swapped(pointer: Pointer, since: str) -> Pointer:
    """All readers have gone over: the new generation is the live one."""
    _expect(pointer, "swapping")
    return _next(pointer, since, phase="retired", live=pointer.other, other=pointer.live)


def abandoned(pointer: Pointer, since: str) -> Pointer:
    """The live generation stays, the new one is to be deleted."""
    _expect(pointer, "building", "swapping")
    return _next(pointer, since, phase="retired")


def swept(pointer: Pointer, since: str) -> Pointer:
    """What was retired is deleted."""
    _expect(pointer, "retired")
    return _next(pointer, since, phase="steady", other=None)


def _expect(pointer: Pointer, *phases: Phase) -> None:
    if pointer.phase not in phases:
        raise ValueError(f"not while {pointer.phase}")


def _next(pointer: Pointer, since: str, **changes: object) -> Pointer:
    return msgspec.structs.replace(pointer, revision=pointer.revision + 1, since=since, **changes)
