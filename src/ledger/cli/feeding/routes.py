"""Which entry point each instruction of a phase takes, the same at every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from ledger.importers.instructions import Instruction, Phase


class Entry(StrEnum):
    """The ways into the ledger."""

    REST = "rest"
    BUS = "bus"
    QUEUE = "queue"


Routes = dict[Entry, list[Instruction]]

#: How much of a phase each entry gets, as nearly as whole ordering keys allow.
_SHARES: Final = {Entry.REST: 4, Entry.BUS: 3, Entry.QUEUE: 3}


def through_one(phase: Phase, entry: Entry) -> Routes:
    """All of the phase through `entry`; what is no JSON object cannot go over the bus, and goes
    through the queue then."""
    routes: Routes = {entry: [], Entry.QUEUE: []}
    for instruction in phase.instructions:
        routes[_carrier(entry, instruction)].append(instruction)
    return routes


def through_all(phase: Phase) -> Routes:
    """The phase spread over all entries, each ordering key through one of them.

    The bus keeps no order and takes only JSON objects: of an ordered phase it gets the keys that
    occur once, and what is no object goes through the queue instead.
    """
    occurrences = Counter(instruction.ordering_key for instruction in phase.instructions)
    entry_of: dict[str, Entry] = {}
    given: Counter[Entry] = Counter()
    for key, count in occurrences.most_common():  # the heaviest first: the rest evens it out
        possible = [
            entry for entry in Entry if not (entry is Entry.BUS and phase.ordered and count > 1)
        ]
        entry_of[key] = min(possible, key=lambda entry: given[entry] / _SHARES[entry])
        given[entry_of[key]] += count
    routes: Routes = {entry: [] for entry in Entry}
    for instruction in phase.instructions:
        entry = entry_of[instruction.ordering_key]
        routes[_carrier(entry, instruction)].append(instruction)
    return routes


def keeps_order(phases: Sequence[Phase], entry: Entry) -> bool:
    """Whether all that must be decided in order is, if it goes through `entry` alone."""
    return entry is not Entry.BUS or not any(phase.ordered for phase in phases)


def _carrier(entry: Entry, instruction: Instruction) -> Entry:
    """`entry`, if it can carry the instruction: the bus refuses what is no JSON object."""
    return Entry.QUEUE if entry is Entry.BUS and not _is_object(instruction.body) else entry


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except msgspec.DecodeError:
        return False
