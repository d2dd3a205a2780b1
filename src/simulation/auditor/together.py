"""Commands that were sent in one request, or one message, take effect in their order there."""

from __future__ import annotations

from ledger.contracts.commands import AtomicBatch, Command
from simulation.asks import Ask
from simulation.auditor.asked import AskedFor
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.model import Model, as_asked, differing
from simulation.auditor.recorded import Recorded


class Together:
    """Remembers what was sent together, and looks at it in the end."""

    def __init__(self, facts: Facts, asked: AskedFor, model: Model, findings: Findings) -> None:
        self._facts = facts
        self._asked = asked
        self._model = model
        self._findings = findings
        self._asks: list[Ask] = []

    def take(self, ask: Ask) -> None:
        """A request leaves a client."""
        if len(ask.commands) > 1:
            self._asks.append(ask)

    def finish(self) -> None:
        """The world is at rest."""
        for ask in self._asks:
            last: Recorded | None = None
            for command in ask.commands:
                made = self._recorded(command)
                if made is None:
                    continue
                if last is None or made.order > last.order:
                    last = made
                elif made.order < last.order and self._came_behind(made, last):
                    self._findings.report(
                        "groups_keep_order",
                        "A command was decided before one that stands before it in its request.",
                        made.id,
                        last.id,
                        ask.id,
                    )

    def _recorded(self, command: Command | None) -> Recorded | None:
        """What is recorded of a command; None if it was no use, as then nobody waited for it. (An
        atomic batch may be too large at one time, and not at another.)"""
        if command is None or isinstance(command, AtomicBatch):
            return None
        known = self._model.decided.get(command.id)
        if known is None or differing(known[0], as_asked(command)):
            return None
        return self._facts.events.get(command.id)

    def _came_behind(self, made: Recorded, other: Recorded) -> bool:
        """Whether nobody asked for a command but behind the other, until it was decided."""
        return all(
            other.id in _before(made.id, ask)
            for ask in self._asked.requests(made.id)
            if ask.at <= made.at
        )


def _before(id: str, ask: Ask) -> list[str]:
    """The ids of the commands that stand before the first of that id in a request."""
    ids = [command.id if command else "" for command in ask.commands]
    return ids[: ids.index(id)] if id in ids else []
