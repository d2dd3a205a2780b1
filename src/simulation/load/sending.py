"""From commands to requests: by which way each is sent, by whom, in what words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, Literal
from zlib import crc32

from ledger.contracts.commands import (
    BULK_DETAIL_TYPE,
    Command,
    bulk_of,
    default_ordering_key,
    encode_command,
)
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from simulation.load.clients import Clients
from simulation.load.desk import MINUTE, Step, Story, Style
from simulation.load.elements import Planned

Way = Literal["rest", "bus", "fifo"]
_WAYS: Final[tuple[Way, ...]] = ("rest", "bus", "fifo")
_WAY_WEIGHTS: Final = (60, 80, 100)
_STYLES: Final[tuple[Style, ...]] = ("alone", "scattered", "fifo", "together")
_STYLE_WEIGHTS: Final = (45, 70, 88, 100)
#: What is this far apart is not sent in one request, even by those who collect.
_TOGETHER_MAX: Final = 2 * MINUTE
_COMMANDS_MAX: Final = 10
#: Places are given when all is in order of time.
UNPLACED: Final = -1


def type_of(command: Command) -> str:
    """The stored type of a command."""
    return str(command.__struct_config__.tag)


def message_id(id_: str, body: bytes) -> str:
    """What SQS shall know a message by: by its command, and by what that says."""
    return f"{id_}:{crc32(body):08x}"


class Sending:
    """Makes requests of commands, for these clients."""

    def __init__(self, random: Random, clients: Clients) -> None:
        self._random = random
        self._clients = clients

    def way(self) -> Way:
        """Some way in, REST mostly."""
        return self._random.choices(_WAYS, cum_weights=_WAY_WEIGHTS)[0]

    def one(self, command: Command, at: int, way: Way = "rest", **more: Any) -> Planned:
        """A command by itself. `more` are fields of the element that are not as usual."""
        given: dict[str, Any] = {
            "place": UNPLACED,
            "at": at,
            "commands": (command,),
            "body": encode_command(command),
        }
        if way == "rest":
            given |= {"route": "rest", "path": COMMAND_PATHS[type_of(command)]}
            given["client"] = self._random.choice(self._clients.rest)
        elif way == "bus":
            given |= {"route": "bus", "detail_type": type_of(command)}
            given["client"] = self._random.choice(self._clients.bus)
        else:
            group = more.get("group") or default_ordering_key(command)
            given |= {"route": "fifo", "group": group}
            given["deduplication"] = message_id(command.id, more.get("body", given["body"]))
            given["client"] = self._clients.of_group(group)
        return Planned(**given | more)

    def several(
        self, commands: Sequence[Command | None], at: int, way: Way = "rest", **more: Any
    ) -> Planned:
        """Commands in one request, or one message, each decided by itself. With None among them
        their `bodies` are given; so is, for the FIFO queue, their `group`."""
        given: dict[str, Any] = {
            "place": UNPLACED,
            "at": at,
            "commands": tuple(commands),
            "bodies": tuple(encode_command(one) for one in commands if one is not None),
        } | more
        if way == "rest":
            given |= {"route": "batch", "path": INDEPENDENT_PATH}
            given.setdefault("client", self._random.choice(self._clients.rest))
        elif way == "bus":
            given |= {"route": "bus", "detail_type": BULK_DETAIL_TYPE}
            given["client"] = self._random.choice(self._clients.bus)
        else:
            given |= {"route": "fifo", "client": self._clients.of_group(given["group"])}
            given.setdefault("deduplication", message_id("bulk", bulk_of(given["bodies"])))
        return Planned(**given)

    def story(self, story: Story, at: int) -> Iterator[Planned]:
        """A story that begins at `at`, told in its style or in any."""
        style = story.style or self._random.choices(_STYLES, cum_weights=_STYLE_WEIGHTS)[0]
        if style == "together":
            yield from self._together(story.steps, at)
        elif style == "fifo":
            yield from self._in_order(story.steps, at)
        elif style == "alone":
            yield from self._alone(story.steps, at)
        else:
            for step in story.steps:
                at += step.after
                yield self.one(step.command, at, self.way())

    def _alone(self, steps: list[Step], at: int) -> Iterator[Planned]:
        client = self._random.choice(self._clients.rest)
        for step in steps:
            at += step.after
            who = self._clients.another(self._random, client) if step.race else client
            yield self.one(step.command, at, client=who)

    def _in_order(self, steps: list[Step], at: int) -> Iterator[Planned]:
        group = f"story:{steps[0].command.id}"
        sent: set[str] = set()
        for step in steps:
            at += step.after
            if step.race and self._random.random() < 0.5:
                yield self.one(step.command, at)
                continue
            id_ = step.command.id
            more = {"deduplication": f"{id_}:again-{at}"} if id_ in sent else {}
            sent.add(id_)
            yield self.one(step.command, at, "fifo", group=group, **more)

    def _together(self, steps: list[Step], at: int) -> Iterator[Planned]:
        collected: list[Command] = []
        for step in steps:
            apart = step.after >= _TOGETHER_MAX or len(collected) == _COMMANDS_MAX
            if collected and apart:
                yield self.several(collected, at)
                collected = []
            at += step.after
            collected.append(step.command)
        yield self.several(collected, at)
