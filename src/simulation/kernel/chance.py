"""Chance that can be repeated: named streams of random numbers, all made from one seed.

Each part of the world draws from a stream of its own, so that one more draw in one part does not
change what happens in all the others.
"""

from __future__ import annotations

from random import Random


class Chance:
    """The streams of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> Random:
        """A new stream; two of the same name draw the same numbers."""
        return Random(f"{self.seed}/{name}")  # noqa: S311 - must be repeatable, guards nothing
