"""What one transaction records: the events of one command, or of several decided together."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.contracts.events import BatchCommitted
from simulation.auditor.findings import Findings
from simulation.auditor.recorded import Recorded


def by_command(made: Sequence[Recorded], findings: Findings) -> list[list[Recorded]]:
    """The events of a transaction, as they were written, by the command that they are of.

    Each stands by itself, but those of an atomic batch: that of the batch, then those of its
    commands in its order, wherever they were written. So what is of no command in the transaction
    shows as an event that nobody asked for.
    """
    inside: dict[str, Recorded | None] = {
        name: None
        for one in made
        if isinstance(one.event, BatchCommitted)
        for name in one.event.commands
    }
    inside |= {one.id: one for one in made if one.id in inside}
    commands = []
    for one in made:
        if one.id in inside:
            continue
        names = one.event.commands if isinstance(one.event, BatchCommitted) else ()
        members = [found for name in names if (found := inside[name]) is not None]
        if len(members) < len(names):
            missing = [name for name in names if inside[name] is None]
            findings.report(
                "batches_are_whole",
                f"An atomic batch was recorded without {', '.join(missing)}.",
                one.id,
                *missing,
            )
        commands.append([one, *members])
    return commands
