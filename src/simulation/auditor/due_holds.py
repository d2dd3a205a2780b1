"""No command is refused for lack of funds while a hold keeps them that is over.

Whoever decides it releases such holds first, unless releasing fails: then the command is decided
all the same, and the line that is logged of it says that something failed. So a refusal is judged
when its line is there. The queues' lines do not name commands: what they bring is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.contracts.events import CommandRejected
from ledger.contracts.primitives import shifted_instant
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.model import Model, release
from simulation.auditor.recorded import Recorded

#: The clock is looked at more than once on the way to a refusal.
_MARGIN: Final = -500_000
#: The index of what is due may be so far behind a hold that was just made or prolonged.
_INDEXED_AFTER: Final = 240_000_000
#: So many are released before a refusal at most.
_RELEASES_MAX: Final = 25


class DueHolds:
    """Notes refusals that released holds might have prevented."""

    def __init__(self, facts: Facts, model: Model, tied: set[str], findings: Findings) -> None:
        self._facts = facts
        self._model = model
        self._tied = tied
        self._findings = findings
        self._suspects: dict[str, list[str]] = {}

    def take(self, made: Recorded) -> None:
        """An event that was just committed, and that the model has taken."""
        event = made.event
        if not isinstance(event, CommandRejected) or event.reason != "insufficient_funds":
            return
        account = event.causes[0].id
        if event.id in self._tied or account not in self._model.accounts:
            return
        due = self._model.due(shifted_instant(event.recorded_at, _MARGIN), account)
        helping = [one for one in due if self._helps(one, account, made)]
        if 0 < len(due) <= _RELEASES_MAX and helping:
            self._suspects[event.id] = helping

    def _helps(self, payment: str, account: str, made: Recorded) -> bool:
        """Whether a hold had long been in the index, and keeps something of the account's."""
        fact = self._facts.payments.now(payment)
        if fact is None or fact.made.at > made.at - _INDEXED_AFTER:
            return False
        after = self._model.copy()
        release(after, payment, made.event.recorded_at)
        return after.accounts[account].least > self._model.accounts[account].least

    def logged(self, line: Mapping[str, object]) -> None:
        """A handler has written a line."""
        outcomes = line.get("outcomes")
        if not isinstance(outcomes, dict) or not outcomes.get("rejected"):
            return
        holds = self._suspects.pop(str(line.get("command_id")), None)
        if holds is not None and not line.get("causes"):
            self._findings.report(
                "due_holds_are_released",
                "A command was refused for lack of funds while a hold that was over kept them.",
                str(line["command_id"]),
                *holds,
            )
