"""A file that `ledger import` takes: judged as a whole before the first command of it is sent.

It is read twice, and not kept: the first time every row is judged and the digest of its command
remembered under its id, the second time the commands are sent, each only if it is still what was
judged. So a file of any length takes the memory of its ids, and nothing is sent of a faulty one.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from ledger.importers.faults import DUPLICATE_ID, FILE_CHANGED, Faults
from ledger.importers.instructions import REPEAT, Fault, Instruction, SourceError

_DIGEST_BYTES: Final = 16


class Found(NamedTuple):
    """What a row is: an instruction, or what is wrong with it. `of_file`: no row, but the whole."""

    instruction: Instruction | None
    faults: tuple[Fault, ...] = ()
    of_file: bool = False


class PaymentFile(Protocol):
    """A file of commands."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    def entries(self) -> Iterator[Found]:
        """Every row in its order, read anew at each call. Raises SourceError."""
        ...


@dataclass(slots=True)
class Judged:
    """What a file holds: of its `rows`, `sendable_rows` have no fault.

    Rows that share an id and differ all have one: which of them is meant, nobody can know.
    """

    file: PaymentFile
    rows: int = 0
    faults: Faults = field(default_factory=Faults)
    _faulty_rows: int = 0
    _digests: dict[str, bytes] = field(default_factory=dict)
    _repeated: Counter[str] = field(default_factory=Counter)
    _contested: set[str] = field(default_factory=set)

    @property
    def sendable_rows(self) -> int:
        """How many rows can be sent."""
        contested_rows = sum(1 + self._repeated[command_id] for command_id in self._contested)
        return self.rows - self._faulty_rows - contested_rows

    def sendable(self) -> Iterator[Instruction]:
        """The instructions of the rows without faults, in their order; one that is there twice is
        a repeat the second time.

        Raises SourceError if the file is not any more what was judged.
        """
        sent: set[str] = set()
        for found in self.file.entries():
            instruction = found.instruction
            if instruction is None or instruction.command_id in self._contested:
                continue
            if self._digests.get(instruction.command_id) != _digest_of(instruction):
                why = f"{instruction.origin} changed while the file was imported"
                raise SourceError(self.file.path, None, why, reason=FILE_CHANGED)
            if instruction.command_id in sent:
                yield dataclasses.replace(instruction, expected=REPEAT)
            else:
                sent.add(instruction.command_id)
                yield instruction

    def add(self, found: Found) -> None:
        """Takes note of one more row."""
        self.rows += not found.of_file
        self.faults.add(*found.faults)
        if found.instruction is None:
            self._faulty_rows += not found.of_file
            return
        command_id, digest = found.instruction.command_id, _digest_of(found.instruction)
        known = self._digests.setdefault(command_id, digest)
        if known is not digest:
            self._repeated[command_id] += 1
        if known != digest:
            why = f"another row has the id {command_id} too, and differs"
            self.faults.add(Fault(found.instruction.origin, "id", DUPLICATE_ID, why))
            self._contested.add(command_id)


def judge(file: PaymentFile) -> Judged:
    """Reads the whole file once. Raises SourceError if it cannot be read as what it should be."""
    judged = Judged(file)
    for found in file.entries():
        judged.add(found)
    return judged


def _digest_of(instruction: Instruction) -> bytes:
    return blake2b(instruction.body, digest_size=_DIGEST_BYTES).digest()
