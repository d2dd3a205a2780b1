"""Where a projection lies: its pointer, and the stores of its generations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from projections.generations.pointer import Generations, Pointer

_S = TypeVar("_S")


class Place(NamedTuple, Generic[_S]):
    """A projection's place, in memory or in a table."""

    generations: Generations
    store_of: Callable[[int], _S]


def live_store(place: Place[_S], generation: int) -> _S:
    """The store of a generation that the pointer says is live."""
    known = place.generations.pointer()
    if known.live != generation:
        new = Pointer(revision=known.revision + 1, live=generation, newest=generation)
        assert place.generations.replace(known, new)
    return place.store_of(generation)
