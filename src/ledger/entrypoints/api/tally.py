"""What became of the commands of a request, for the line that is logged of it."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from ledger.application.commit import Mismatch, Outcome
from ledger.application.outages import OutageError
from ledger.contracts.events import CommandRejected
from ledger.runtime.telemetry import Line, named

#: Commands of one request that a line names, of those that failed and of those that were malformed.
IDS_MAX: Final = 20
_PLACES_MAX: Final = 5


@dataclass(slots=True)
class Tally:
    """Commands by what became of them, in the words of the queue's handler: `ledger up` sums both.

    What a dry run would have done is counted as `previewed` and as no decision.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    attempts: int = 0

    @property
    def decided(self) -> int:
        """How many commands were decided; a repeat is not decided again."""
        return self.outcomes["accepted"] + self.outcomes["rejected"]

    def take(self, outcome: Outcome, *, dry_run: bool) -> None:
        """A command that was decided, now or before."""
        if isinstance(outcome, Mismatch):
            self.outcomes["mismatch"] += 1
            return
        self.attempts += outcome.attempts
        self.causes.update(outcome.causes or {})
        if dry_run:
            self.outcomes["previewed"] += 1
        elif outcome.repeat:
            self.outcomes["repeat"] += 1
        elif isinstance(outcome.event, CommandRejected):
            self.outcomes["rejected"] += 1
            self.rejections[outcome.event.reason] += 1
        else:
            self.outcomes["accepted"] += 1

    def take_malformed(self) -> None:
        """A command that is none."""
        self.outcomes["malformed"] += 1

    def take_deferred(self) -> None:
        """A command that was not begun."""
        self.outcomes["deferred"] += 1

    def name_undecided(self, command_id: str, *, malformed: bool) -> None:
        """The id of one of several commands that failed or, as a command, was none."""
        ids = self.malformed if malformed else self.failed
        if len(ids) < IDS_MAX:
            ids.append(command_id)

    def take_outage(self, error: OutageError) -> None:
        """A command that could not be decided now."""
        self.outcomes[error.reason.code] += 1
        self.causes.update(error.causes)

    def report(self, line: Line) -> None:
        """Writes what was counted onto the line, if anything was."""
        if self.attempts > 1:
            line.note("attempts", self.attempts)
        for name, counts in (
            ("outcomes", self.outcomes),
            ("rejections", self.rejections),
            ("causes", self.causes),
        ):
            if counts:
                line.note(name, dict(counts))
        for name, ids in (("failed", self.failed), ("malformed", self.malformed)):
            if ids:
                line.note(f"{name}_ids", ids)
        for name, count in (
            ("CommandsDecided", self.decided),
            ("CommandsRejected", self.outcomes["rejected"]),
            ("CommandsMismatched", self.outcomes["mismatch"]),
            ("CommandsMalformed", self.outcomes["malformed"]),
            ("CommitConflicts", self.causes["stale"] + self.causes["conflict"]),
            ("ClockSkewRefused", self.causes["skewed"]),
        ):
            if count:
                line.count(name, count)


def note_failure(error: Exception, line: Line) -> None:
    """An exception that was not foreseen: what and where, innermost last. Code only, no values."""
    line.level = "error"
    line.count("UnforeseenErrors", 1)
    line.note("exception", named(error))
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES_MAX:]
    line.note(
        "raised_at",
        [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    )
