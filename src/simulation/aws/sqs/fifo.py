"""The FIFO queue: order and one batch at a time within a group, once within five minutes."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from simulation.aws.sqs.message import Message
from simulation.aws.sqs.queue import Queue, expired_handle
from simulation.kernel.hub import SECOND

_DEDUPLICATION: Final = 300 * SECOND


class _Group:
    """The messages of a group in their order, and how many of them are in flight."""

    __slots__ = ("held", "messages")

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.held = 0


class FifoQueue(Queue):
    """In order within a group, of which nothing is handed out while any of it is in flight.

    Deduplication ids count within a group (`DeduplicationScope: messageGroup`).
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._groups: dict[str, _Group] = {}
        # In the order in which they became available.
        self._available: dict[str, _Group] = {}
        self._known: dict[tuple[str, str], Message] = {}
        self._known_until: deque[tuple[int, tuple[str, str]]] = deque()

    @property
    def visible(self) -> int:
        return len(self._messages) - self._held

    def known(self, message: Message) -> Message | None:
        """The message of this deduplication id that was sent in the last five minutes; if there is
        none, this one is it from now on."""
        now = self._hub.now
        while self._known_until and self._known_until[0][0] <= now:
            del self._known[self._known_until.popleft()[1]]
        key = (message.group, message.dedup_id)
        if key in self._known:
            return self._known[key]
        self._known[key] = message
        self._known_until.append((now + _DEDUPLICATION, key))
        return None

    def _arrived(self, message: Message) -> None:
        group = self._groups.get(message.group)
        if group is None:
            group = self._groups[message.group] = _Group()
        group.messages.append(message)
        self._look_at(message.group, group)

    def _picked(self, limit: int) -> list[Message]:
        picked: list[Message] = []
        while self._available and len(picked) < limit:
            name = next(iter(self._available))
            group = self._available.pop(name)
            # As many of one group as there is room for (developer guide, "FIFO queue logic").
            for message in tuple(group.messages):
                if len(picked) == limit:
                    break
                if not self._is_over(message):
                    picked.append(message)
                    group.held += 1
            self._available.pop(name, None)  # where a dead message made it look available
        return picked

    def _shown(self, message: Message) -> None:
        group = self._groups[message.group]
        group.held -= 1
        self._look_at(message.group, group)

    def _handed(self, message: Message) -> None:
        """Nothing comes of it: a FIFO queue hands out once."""

    def _may_delete(self, message: Message, receipt: str) -> bool:
        if message.receipt != receipt or message.lease is None:
            raise expired_handle(receipt)
        self._groups[message.group].held -= 1
        return True

    def _forget(self, message: Message) -> None:
        super()._forget(message)
        group = self._groups[message.group]
        group.messages.remove(message)
        self._look_at(message.group, group)

    def _look_at(self, name: str, group: _Group) -> None:
        """Something has become of a group: is it available now, or gone?"""
        if not group.messages:
            del self._groups[name]
            self._available.pop(name, None)
        elif not group.held and name not in self._available:
            self._available[name] = group
            self._tell()
