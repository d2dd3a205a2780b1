"""The pointer of a projection in memory, for tests and simulations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from projections.generations.pointer import Pointer
from projections.generations.views import Generational, Views

_S = TypeVar("_S")


class MemoryGenerations(Generic[_S]):
    """Like the item in the table, without its errors. `reads` counts the requests for it.

    The stores are made by `make`, when first asked for.
    """

    def __init__(self, make: Callable[[], _S]) -> None:
        self._pointer = Pointer()
        self._make = make
        self.stores: dict[int, _S] = {}
        self.reads = 0

    def store_of(self, generation: int) -> _S:
        """The store of a generation."""
        return self.stores.setdefault(generation, self._make())

    def pointer(self) -> Pointer:
        self.reads += 1
        return self._pointer

    def replace(self, known: Pointer, new: Pointer) -> bool:
        if known.revision == self._pointer.revision:
            self._pointer = new
        return self._pointer == new

    def sweep(self, pointer: Pointer) -> Iterator[int]:
        for generation in filter(pointer.has_dropped, list(self.stores)):
            self.stores.pop(generation, None)  # another run may sweep as well
            yield 1


def single(store: _S) -> Generational[_S]:
    """A projection that has one generation and always will: `store`."""
    return Generational(Views(Pointer, clock=lambda: 0), lambda _: store)
