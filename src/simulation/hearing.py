"""Who hears what happens: the auditor everything, and whoever writes the history what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from simulation.asks import Ask, HttpAnswer
from simulation.auditor.auditor import Auditor
from simulation.auditor.delivery.letters import parts_of
from simulation.aws.dynamodb.table import Change
from simulation.functions.platform import Record
from simulation.reports.recorder import Recorder

if TYPE_CHECKING:
    from simulation.world import World

#: The routes whose commands a function decides while the client waits.
_ANSWERED: Final = frozenset({"rest", "batch", "dry_run"})
#: The function that decides those of queues.
_DECIDING: Final = "Commands"
#: What a message in bulk has in it; an atomic batch names its version first.
_BULK: Final = '{"commands":['


class Hearing:
    """Handed to callers and operators: what they tell it, it tells on. `observe` hears the world.

    It also counts: how many commands were asked for, and what came of each ask.
    """

    def __init__(self, auditor: Auditor, recorder: Recorder | None) -> None:
        self._auditor = auditor
        self._recorder = recorder
        self.asks = 0
        self.handled = 0
        self.outcomes: dict[str, int] = {}
        self._asked: dict[str, None] = {}

    @property
    def commands(self) -> int:
        """How many commands were asked for, each counted once."""
        return len(self._asked)

    def observe(self, world: World) -> None:
        """Hears what the services and functions of a world do."""
        self._world = world
        world.dynamodb.observers.append(self._changed)
        world.events.observers.append(self._auditor.published)
        world.sns.observers.append(self._auditor.notified)
        world.sqs.observers.append(self._auditor.buried)
        world.internet.observers.append(self._auditor.webhook)
        world.platform.on_batch.append(self._handed_over)
        world.platform.on_failure.append(self._failed)
        world.platform.on_line.append(self._auditor.logged)
        if self._recorder is not None:
            world.events.observers.append(self._recorder.published)
            world.sns.observers.append(self._recorder.notified)
            world.internet.observers.append(self._recorder.webhook)

    def asked(self, ask: Ask) -> None:
        """A request leaves a client."""
        self.asks += 1
        if ask.route in _ANSWERED:
            self.handled += len(ask.commands)
        self._asked.update((one.id, None) for one in ask.commands if one is not None)
        if self._recorder is not None:
            self._recorder.asked(ask)
        self._auditor.asked(ask)

    def answered(self, ask: Ask, answer: HttpAnswer) -> None:
        """A client is answered about commands."""
        self._count(f"{ask.route}: {answer.status}")
        if self._recorder is not None:
            self._recorder.answered(ask, answer)
        self._auditor.answered(ask, answer)

    def unanswered(self, ask: Ask) -> None:
        """A client hears nothing, or that it may or may not have been taken."""
        self._count(f"{ask.route}: no answer")
        if self._recorder is not None:
            self._recorder.unanswered(ask)
        self._auditor.unanswered(ask)

    def taken(self, ask: Ask) -> None:
        """A bus or a queue has taken what a client sent."""
        self._count(f"{ask.route}: taken")
        if self._recorder is not None:
            self._recorder.taken(ask)
        self._auditor.taken(ask)

    def read(self, ask: Ask, answer: HttpAnswer) -> None:
        """An analyst is answered."""
        self._count(f"{ask.route}: {answer.status}")
        if self._recorder is not None:
            self._recorder.read(ask, answer)
        self._auditor.read(ask, answer)

    def restoring(self) -> None:
        """The states table is about to be lost."""
        self._auditor.restoring()

    def restored(self) -> None:
        """It is whole again."""
        if self._recorder is not None:
            self._recorder.restored()
        self._auditor.restored(self._world)

    def _handed_over(
        self, function: str, records: Sequence[Record], failed: frozenset[int] | None
    ) -> None:
        if function == _DECIDING:
            self.handled += sum(map(_commands_in, records))
        self._auditor.handed_over(function, records, failed)

    def _changed(self, changes: Sequence[Change]) -> None:
        if self._recorder is not None:
            self._recorder.changed(changes)
        self._auditor.changed(changes)

    def _failed(self, function: str, error: str, text: str) -> None:
        if self._recorder is not None:
            self._recorder.failed(function, error)
        self._auditor.failed(function, text)

    def _count(self, outcome: str) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def _commands_in(record: Record) -> int:
    """How many commands a message brings."""
    body = record["body"]
    return len(parts_of(body)) if _BULK in body else 1
