"""Who asks, how many of them there are, and who of them asks the next thing."""

from __future__ import annotations

from random import Random
from typing import Final
from zlib import crc32

from simulation.load.elements import Client, ClientKind

_REST_MIN: Final = 8
_REST_MAX: Final = 24
_COMMANDS_PER_REST: Final = 50
_BUS: Final = 3
_FIFO: Final = 4
_READERS: Final = 4


class Clients:
    """The clients for so many commands."""

    def __init__(self, commands: int) -> None:
        rest = min(max(_REST_MIN, commands // _COMMANDS_PER_REST), _REST_MAX)
        self.rest = _named("branch", rest)
        self.bus = _named("feed", _BUS)
        self.fifo = _named("queue", _FIFO)
        self.readers = _named("analyst", _READERS)
        self.manager = "manager"

    def every(self) -> tuple[Client, ...]:
        """All of them."""
        kinds: tuple[tuple[ClientKind, tuple[str, ...]], ...] = (
            ("rest", self.rest),
            ("bus", self.bus),
            ("fifo", self.fifo),
            ("reader", self.readers),
            ("manager", (self.manager,)),
        )
        return tuple(Client(name, kind) for kind, names in kinds for name in names)

    def of_group(self, group: str) -> str:
        """Who sends a message group: one client alone, since two would overtake each other."""
        return self.fifo[crc32(group.encode()) % len(self.fifo)]

    def another(self, random: Random, than: str) -> str:
        """A caller of the REST API that is not `than`."""
        others = [name for name in self.rest if name != than]
        return random.choice(others)


def _named(kind: str, count: int) -> tuple[str, ...]:
    return tuple(f"{kind}-{number}" for number in range(1, count + 1))
