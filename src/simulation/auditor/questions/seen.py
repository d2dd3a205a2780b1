"""The highest number that there was of something, and since when."""

from __future__ import annotations

from bisect import bisect_left


class Seen:
    """A number that rises: the highest that was noted, by the instant at which it was."""

    def __init__(self) -> None:
        self._at: list[int] = []
        self._number: list[int] = []

    def add(self, at: int, number: int) -> None:
        """It was seen, not before any that was added before."""
        if not self._number or number > self._number[-1]:
            self._at.append(at)
            self._number.append(number)

    def before(self, at: int) -> int:
        """The highest of those seen before that instant; 0 if there is none."""
        place = bisect_left(self._at, at)
        return self._number[place - 1] if place else 0
