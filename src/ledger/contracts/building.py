"""What is built when it is first needed, and kept: never two at a time.

msgspec notes on a Struct's class what it has found out of it, step by step. A thread that meets
another's half-finished notes, by building a decoder of the same Struct or of one that has it,
crashes the interpreter. So decoders are built at import, or under the one lock here.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")

_BUILDING = RLock()


def built_once(build: Callable[[_K], _V]) -> Callable[[_K], _V]:
    """`build`, called once for each argument, whatever threads ask for it."""
    built: dict[_K, _V] = {}

    def get(name: _K) -> _V:
        if name not in built:
            with _BUILDING:
                if name not in built:
                    built[name] = build(name)
        return built[name]

    return get
