"""How far subjects have come: by the events, and in a projection.

A subject is what a projection keeps under one id: an account, or a payment. Its reach has a number
for each part of it that has versions of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ledger.contracts.events import Event
from projections.generations.views import Reach

Reaches = Mapping[str, Reach]
"""How far each subject has come."""

ReachOf = Callable[[Event], Iterable[tuple[str, Reach]]]
"""The subjects that an event is about, and how far each has come by it."""


def is_behind(reach: Reach | None, other: Reach) -> bool:
    """Whether any number of `reach` (None: nothing is there) is below that of `other`."""
    return any(map(int.__lt__, reach or (0,) * len(other), other))


def furthest(reach: Reach | None, other: Reach) -> Reach:
    """Of each number the higher one."""
    return tuple(map(max, reach, other)) if reach else other


class Reached(dict[str, Reach]):
    """How far the events that passed bring each subject; of these, what goes beyond `known`."""

    def __init__(self, reach_of: ReachOf, known: Reaches | None = None) -> None:
        super().__init__()
        self._reach_of = reach_of
        self._known = known or {}

    def through(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events, each noted when it passes."""
        for event in events:
            self.note(event)
            yield event

    def note(self, event: Event) -> None:
        """An event has passed."""
        for subject, reach in self._reach_of(event):
            before = self.get(subject) or self._known.get(subject)
            if is_behind(before, reach):
                self[subject] = furthest(before, reach)
