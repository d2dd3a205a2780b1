"""A small funded ledger, and another worker on it: what tests of the commit begin with."""

from __future__ import annotations

from collections.abc import Callable

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.contracts.commands import Command
from tests.support.builders import NOON_MICROSECONDS, opening, paying
from tests.support.stores import OpenStore
from tests.support.worlds import World, accepted_by, commands_on

OPENINGS = (
    opening("bank", min_balance_minor=None),
    opening("a"),
    opening("b"),
    opening("capped", max_balance_minor=50),
)
FUNDING = paying("fund", ("bank", "a", 100))
SECOND = 1_000_000
WEEK = 7 * 86_400 * SECOND


def funded_store(*more: Command) -> OpenStore:
    """The bank, a with 100, b and capped with nothing; then `more`, which must be accepted."""
    store = OpenStore()
    commands = commands_on(store)
    for command in (*OPENINGS, FUNDING, *more):
        accepted_by(commands, command)
    return store


class Elsewhere:
    """Another worker on the same store, whose commands run between a decision and its commit."""

    def __init__(self, store: MemoryEventStore, now: int = NOON_MICROSECONDS + 500_000) -> None:
        self._commands = commands_on(store, World(now=now))

    def does(self, *commands: Command) -> Callable[[], object]:
        """Decides these commands when called."""
        return lambda: [self._commands.handle(command, "elsewhere") for command in commands]
