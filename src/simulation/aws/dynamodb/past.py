"""What was there a moment ago, for reads that are not consistent."""

from __future__ import annotations

from collections import deque
from typing import Final

from simulation.aws.dynamodb.items import Item, Key
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND, Hub

#: How old an eventually consistent read may be. AWS says "usually within one second".
STALE_MAX: Final = 2 * SECOND


class Past:
    """The last changes of some items; none, if reads are never stale."""

    __slots__ = ("_changes", "_hub", "_kept")

    def __init__(self, hub: Hub, injector: Injector) -> None:
        self._hub = hub
        self._kept = injector.rate(Fault.STALE_READ) > 0
        self._changes: deque[tuple[int, Key, Item | None]] = deque()

    def note(self, key: Key, old: Item | None, at: int) -> None:
        """An item changed at an instant, not before those that are known; `old` is what it was."""
        if not self._kept:
            return
        changes, oldest = self._changes, self._hub.now - STALE_MAX
        changes.append((at, key, old))
        while changes and changes[0][0] < oldest:
            changes.popleft()

    @property
    def is_recent(self) -> bool:
        """Whether anything has changed so lately that a read can miss it."""
        changes = self._changes
        return bool(changes) and changes[-1][0] >= self._hub.now - STALE_MAX

    def since(self, moment: int) -> dict[Key, Item | None]:
        """What has changed since: what it was at that moment."""
        found: dict[Key, Item | None] = {}
        for at, key, old in reversed(self._changes):
            if at <= moment:
                break
            found[key] = old
        return found

    def clear(self) -> None:
        """Forgets them all."""
        self._changes.clear()
