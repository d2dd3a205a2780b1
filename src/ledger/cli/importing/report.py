"""What is said of rows that were not sent, and of those that the ledger refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any, Final, NamedTuple

from ledger.cli.output import table
from ledger.client.answers import Accepted, Reply
from ledger.importers.instructions import REPEAT, Fault, Instruction
from ledger.importers.payment_file import Judged

REFUSED: Final = "refused"
_KEPT: Final = 1_000  # all are counted


class Refusal(NamedTuple):
    """A row whose command the ledger refused."""

    place: str
    id: str
    field: str
    reason: str
    retry: str
    why: str


@dataclass(slots=True)
class Answers:
    """What the ledger answered to one file. Safe to add to from several threads."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, instruction: Instruction, reply: Reply) -> None:
        """Takes note of one answer. Also a refusal may be a repeat: it was refused before."""
        with self._lock:
            if isinstance(reply, Accepted):
                outcome = REPEAT if reply.repeat else str(reply.body.get("status"))
                self.outcomes[outcome] += 1
                return
            self.outcomes[REFUSED] += 1
            if len(self.refusals) < _KEPT:
                self.refusals.append(
                    Refusal(
                        instruction.origin,
                        instruction.command_id,
                        reply.field,
                        reply.reason,
                        reply.retry,
                        reply.title,
                    )
                )

    @property
    def refused(self) -> int:
        """How many were refused."""
        return self.outcomes[REFUSED]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the files of an import: what it is, what it holds, and what was answered to it."""

    name: str
    judged: Judged
    answers: Answers = field(default_factory=Answers)

    def as_value(self) -> dict[str, Any]:
        """For programs."""
        return {
            "file": str(self.judged.file.path),
            "rows": self.judged.rows,
            "sendable_rows": self.judged.sendable_rows,
            "answered": dict(self.answers.outcomes),
            "faults_count": self.judged.faults.count,
            "faults": [asdict(fault) for fault in self.judged.faults.kept],
            "refused": [refusal._asdict() for refusal in self.answers.refusals],
        }

    def as_shown(self) -> list[Any]:
        """For people: the figures of the part are in `shown`, this is what is wrong."""
        shown = faults_shown(self.judged.faults.kept, self.judged.faults.count)
        refusals = self.answers.refusals
        if refusals:
            rows = ((r.place, r.id, r.field, r.reason, r.why) for r in refusals)
            columns = (f"{self.name}: refused", "id", "field", "reason", "why")
            shown += ["", table(columns, rows), *_more(self.answers.refused, len(refusals))]
        return shown


def shown(parts: Sequence[Part], *, sent: bool) -> list[Any]:
    """All parts, for people."""
    outcomes = sorted({name for part in parts for name in part.answers.outcomes})
    columns = ("", "rows", "faulty", *(outcomes if sent else ["sent"]))
    rows = (
        (
            part.name,
            f"{part.judged.rows:,}",
            f"{part.judged.rows - part.judged.sendable_rows:,}",
            *([f"{part.answers.outcomes[name]:,}" for name in outcomes] if sent else ["0"]),
        )
        for part in parts
    )
    figures = table(columns, rows, right=" ".join(columns[1:]))
    return [figures, *(line for part in parts for line in part.as_shown())]


def faults_shown(faults: Sequence[Fault], count: int | None = None) -> list[Any]:
    """The rows that become no command, each with field, reason and why; nothing if there are
    none. `count` is how many there are, if not all are given."""
    if not faults:
        return []
    rows = ((fault.place, fault.field, fault.reason, fault.why) for fault in faults)
    columns = ("not sent", "field", "reason", "why")
    return ["", table(columns, rows), *_more(count or len(faults), len(faults))]


def _more(count: int, told: int) -> list[str]:
    return [f"… and {count - told:,} more"] if count > told else []
