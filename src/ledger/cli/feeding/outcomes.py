"""What became of the instructions that got an answer, and of those that got none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NamedTuple

from ledger.cli.feeding.routes import Entry
from ledger.client.answers import Accepted, Reply
from ledger.importers.instructions import REPEAT, Instruction

SURPRISES_KEPT: Final = 20


class Surprise(NamedTuple):
    """An instruction that came to another outcome than its source expected."""

    origin: str
    command_id: str
    expected: str
    outcome: str


@dataclass(slots=True)
class Outcomes:
    """Counts, safe to add to from several threads.

    `answered` counts what came back over REST, by outcome; `sent` everything, by entry point.
    """

    sent: Counter[Entry] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    surprises: list[Surprise] = field(default_factory=list)
    surprised: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add_sent(self, entry: Entry, count: int) -> None:
        """Counts instructions that were sent without an answer."""
        with self._lock:
            self.sent[entry] += count

    def add_reply(self, instruction: Instruction, reply: Reply) -> None:
        """Counts an answer over REST.

        That it is a repeat surprises nobody, the source may have been loaded before; what was
        answered then may.
        """
        outcome = outcome_of(instruction, reply)
        surprising = instruction.expected not in {outcome, REPEAT}
        with self._lock:
            self.sent[Entry.REST] += 1
            self.answered[REPEAT if reply.repeat else outcome] += 1
            if surprising:
                self.surprised += 1
                if len(self.surprises) < SURPRISES_KEPT:
                    self.surprises.append(
                        Surprise(
                            instruction.origin,
                            instruction.command_id,
                            instruction.expected,
                            outcome,
                        )
                    )


def outcome_of(instruction: Instruction, reply: Reply) -> str:
    """What was decided, now or before: `opened`, `posted`, or the reason of the refusal."""
    if isinstance(reply, Accepted):
        return str(reply.body.get("status", instruction.expected))
    return reply.reason
