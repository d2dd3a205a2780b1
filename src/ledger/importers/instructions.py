"""What every importer gives: commands as they will be sent, in phases, with what to expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.contracts.commands import Command, encode_command

OPENED: Final = "opened"
POSTED: Final = "posted"
EXPIRED: Final = "expired"
REPEAT: Final = "repeat"
#: What an accepted command of each type comes to: the `status` that the API answers it with.
_ACCEPTED: Final = {
    "account.open": OPENED,
    "account.set_alerts": "alerts_set",
    "account.freeze": "frozen",
    "account.unfreeze": "unfrozen",
    "account.close": "closed",
    "account.set_limits": "limits_set",
    "metadata.set": "metadata_set",
    "payment.post": POSTED,
    "payment.authorize": "authorized",
    "payment.capture": "captured",
    "payment.increase": "increased",
    "payment.void": "voided",
    "payment.reverse": "reversed",
    "payment.post_template": POSTED,
    "template.define": "template_defined",
    "book.open": "book_opened",
    "book.close": "book_closed",
    "book.reopen": "book_reopened",
    "batch.atomic": "committed",
}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One message to the ledger: a command's JSON, or what only pretends to be one.

    `expected` is the outcome on a ledger that was empty before: `opened`, `posted` or what else an
    accepted command comes to, `repeat`, or the code of the reason for which it is refused. `origin`
    says where it stood in the source.
    """

    body: bytes
    command_type: str
    command_id: str
    ordering_key: str
    expected: str
    origin: str


@dataclass(frozen=True, slots=True)
class Phase:
    """Instructions that may be on their way together; the phase before must have been decided.

    `ordered`: within one ordering key each must be decided before the next. Otherwise no order and
    no entry point changes any outcome.
    """

    name: str
    instructions: tuple[Instruction, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a source that becomes no command: where it is, and for which reason.

    `place` is a row (`row 17`) or an element, `field` the column or what is below that element.
    `reason` is a code: one of `contracts.reasons`, or of those in `importers.faults`.
    """

    place: str
    field: str
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class Source:
    """A source, read as a whole: its phases in the order in which they must be sent.

    `faults` are what of it cannot be sent. `balances_minor` are those that the source itself says
    its accounts must have in the end, if it says so, on a ledger that was empty before. `besides`
    counts what comes of it beside its instructions' own outcomes: payments of a batch, and what
    becomes of a hold by itself.
    """

    name: str
    phases: tuple[Phase, ...]
    faults: tuple[Fault, ...] = ()
    balances_minor: Mapping[str, int] = field(default_factory=dict)
    besides: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(phase.instructions) for phase in self.phases)

    def __iter__(self) -> Iterator[Instruction]:
        for phase in self.phases:
            yield from phase.instructions

    def expected(self) -> Counter[str]:
        """How often each outcome is expected."""
        return Counter(instruction.expected for instruction in self) + Counter(self.besides)


class SourceError(Exception):
    """A source that cannot be read: which file, at which line (None: all of it), and why.

    `reason` is a code for programs.
    """

    def __init__(
        self, path: Path, line: int | None, why: str, *, reason: str = "unreadable_source"
    ) -> None:
        self.path = path
        self.line = line
        self.why = why
        self.reason = reason
        super().__init__(f"{path}:{line}: {why}" if line is not None else f"{path}: {why}")


def instruction_of(
    command: Command, *, ordering_key: str, origin: str, expected: str = ""
) -> Instruction:
    """`command` as an instruction, expected to be accepted unless `expected` says otherwise."""
    command_type = str(command.__struct_config__.tag)
    return Instruction(
        body=encode_command(command),
        command_type=command_type,
        command_id=command.id,
        ordering_key=ordering_key,
        expected=expected or _ACCEPTED[command_type],
        origin=origin,
    )
