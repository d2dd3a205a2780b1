"""Who asked for what: every command, by its id, with the requests that carried it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from ledger.contracts.commands import AtomicBatch, Command
from simulation.asks import Ask


class Carried(Struct, frozen=True):
    """A command, and the request that it came in."""

    command: Command
    ask: Ask


class AskedFor:
    """Every command that clients asked to be decided; what they asked in a dry run is not."""

    def __init__(self) -> None:
        self._by_id: defaultdict[str, list[Carried]] = defaultdict(list)
        self._inside: defaultdict[str, list[Ask]] = defaultdict(list)

    def take(self, ask: Ask) -> None:
        """One more request."""
        if ask.route in ("dry_run", "query"):
            return
        for command in ask.commands:
            if command is None:
                continue
            self._by_id[command.id].append(Carried(command, ask))
            if isinstance(command, AtomicBatch):
                for member in command.commands:
                    self._inside[member.id].append(ask)

    def under(self, id: str) -> Sequence[Carried]:
        """The requests with a command of that id, the first first."""
        return self._by_id.get(id, ())

    def times(self, id: str) -> int:
        """How often a command of that id was sent, alone or in an atomic batch."""
        return len(self._by_id.get(id, ())) + len(self._inside.get(id, ()))

    def requests(self, id: str) -> Sequence[Ask]:
        """All requests with a command of that id, alone or in an atomic batch."""
        return [*(one.ask for one in self._by_id.get(id, ())), *self._inside.get(id, ())]

    def every(self) -> Sequence[tuple[str, Sequence[Carried]]]:
        """Every id with the requests for it, in the order of the first."""
        return list(self._by_id.items())
