"""Files of payments, as banks send them: tens or hundreds of commands in one request or message.

Most are payments of everyday life. Stories run through some of them from beginning to end; now and
then an id stands in one twice, or something that is no command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random
from typing import Final

from ledger.contracts.commands import Command, encode_command
from simulation.kernel.hub import MILLISECOND
from simulation.load.desk import Desk, Story, Style
from simulation.load.elements import Planned
from simulation.load.malformed import not_a_command
from simulation.load.repeats import altered
from simulation.load.sending import Sending
from simulation.load.stories import BRIEF, STORIES, Telling
from simulation.load.stories.everyday import everyday
from simulation.load.stories.others import refused

#: Commands in a file, and how many of ten files have so many at most.
_SIZES: Final = ((10, 25), (25, 60), (60, 120), (120, 200))
_SIZE_WEIGHTS: Final = (4, 7, 9, 10)
#: No file is more than such a part of a plan: else a small one would be a file and nothing else.
_PART_OF_PLAN: Final = 16
_SMALLEST: Final = 3
#: Of what is in a file.
_STORIES: Final = 0.35
_REFUSED: Final = 0.09
_TWICE: Final = 0.25
_SPOILT: Final = 0.3
_SPOILT_MAX: Final = 3
#: A lane of the FIFO queue takes a file in several messages.
_MESSAGES_MAX: Final = 4
_LANES: Final = 5
_KINDS: Final = tuple(kind for kind in STORIES if kind in BRIEF)
_WEIGHTS: Final = tuple(accumulate(STORIES[kind] for kind in _KINDS))
_TOLD_TOGETHER: Final[tuple[Style | None, ...]] = (None, "fifo", "together", "alone")


class Files:
    """Makes files, of a size for a plan of so many commands. Of the stories that are `waiting` to
    be told once they tell some, and take them from there."""

    def __init__(
        self, random: Random, sending: Sending, commands: int, waiting: list[Telling]
    ) -> None:
        self._random = random
        self._waiting = waiting
        self._sending = sending
        self._largest = max(_SMALLEST, commands // _PART_OF_PLAN)
        self._made = 0

    def file(self, desk: Desk) -> Iterator[Planned]:
        """A file that is sent when the desk's time has come."""
        random = self._random
        low, high = random.choices(_SIZES, cum_weights=_SIZE_WEIGHTS)[0]
        size = min(random.randint(low, high), self._largest)
        commands: list[Command | None] = list(self._written(desk, size))
        bodies = [encode_command(one) for one in commands if one is not None]
        self._made += 1
        if random.random() < _SPOILT:
            self._spoil(commands, bodies)
        way = self._sending.way()
        if way != "fifo":
            yield self._sending.several(commands, desk.at, way, bodies=tuple(bodies))
            return
        yield from self._in_lane(commands, bodies, desk.at)

    def _written(self, desk: Desk, size: int) -> Iterator[Command]:
        """So many commands, or those of one story more."""
        random, count = self._random, 0
        twice = size - 1 if random.random() < _TWICE else size
        written: list[Command] = []
        while count < twice:
            drawn = random.random()
            story = self._story(desk) if drawn < _STORIES else None
            if drawn > 1 - _REFUSED:
                story = refused(desk)
            some = [everyday(desk)] if story is None else [step.command for step in story.steps]
            written += some
            count += len(some)
        yield from written
        if twice < size:
            again = random.choice(written)
            yield again if random.random() < 0.6 else altered(random, again)

    def _story(self, desk: Desk) -> Story | None:
        """One that can be told in one breath, if such a one is drawn."""
        kind = next((one for one in self._waiting if one in BRIEF), None)
        if kind is None:
            kind = self._random.choices(_KINDS, cum_weights=_WEIGHTS)[0]
        story = kind(desk)
        if story.style not in _TOLD_TOGETHER:
            return None
        if kind in self._waiting:
            self._waiting.remove(kind)
        return story

    def _spoil(self, commands: list[Command | None], bodies: list[bytes]) -> None:
        """Puts something among them that is no command."""
        random = self._random
        for number in range(random.randint(1, _SPOILT_MAX)):
            place = random.randrange(len(commands) + 1)
            like = random.choice([one for one in commands if one is not None])
            commands.insert(place, None)
            bodies.insert(place, not_a_command(random, like, f"malformed-{self._made}-{number}"))

    def _in_lane(
        self, commands: Sequence[Command | None], bodies: Sequence[bytes], at: int
    ) -> Iterator[Planned]:
        """In messages of one group, one behind the other."""
        random = self._random
        group = f"lane:{random.randrange(_LANES)}"
        messages = min(random.randint(1, _MESSAGES_MAX), len(commands))
        cuts = sorted(random.sample(range(1, len(commands)), messages - 1))
        for start, end in zip((0, *cuts), (*cuts, len(commands)), strict=True):
            yield self._sending.several(
                commands[start:end],
                at,
                "fifo",
                bodies=tuple(bodies[start:end]),
                group=group,
            )
            at += random.randrange(20 * MILLISECOND)
