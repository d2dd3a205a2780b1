"""Instructions gathered into what one request takes, those of an ordering key in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from zlib import crc32

from ledger.cli.feeding.lanes import lane_of
from ledger.client.bulk import Room
from ledger.importers.instructions import Instruction

#: Message groups of a feed on the FIFO queue: each is handled in order, and as many at a time. One
#: for each ordering key would leave nothing to gather.
GROUPS: Final = 16


def gathered(instructions: Iterable[Instruction], lanes: int) -> Iterator[list[Instruction]]:
    """The instructions in lists, each of one lane and no longer than a request may be."""
    waiting: dict[int, list[Instruction]] = {}
    rooms: dict[int, Room] = {}
    for instruction in instructions:
        lane = lane_of(instruction.ordering_key, lanes)
        if lane in waiting and not rooms[lane].has_for(instruction.body):
            yield waiting.pop(lane)
        if lane not in waiting:
            waiting[lane], rooms[lane] = [], Room()
        waiting[lane].append(instruction)
        rooms[lane].take(instruction.body)
    yield from waiting.values()


def group_of(ordering_key: str) -> str:
    """The message group that keeps an ordering key's order, together with others."""
    return f"feed-{crc32(ordering_key.encode()) % GROUPS}"
