"""Is every command that the ingress bus or the FIFO queue took decided, or among the dead letters
with a reason? And in a message group, in order?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from ledger.contracts.commands import AtomicBatch, Command
from ledger.contracts.reasons import IDEMPOTENCY_MISMATCH
from simulation.asks import Ask
from simulation.auditor.answers import is_malformed
from simulation.auditor.asked import AskedFor
from simulation.auditor.delivery.letters import Letters, detail_of, named_in, parts_of, same_json
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.model import Model, as_asked, differing
from simulation.auditor.world import View
from simulation.wiring.model import Wiring

_QUEUES: Final = {"bus": "COMMANDS_DLQ_URL", "fifo": "COMMANDS_FIFO_DLQ_URL"}


class _Sent(Struct):
    """A command of a message group: when it was first asked for in any way, and when it was surely
    in the queue."""

    command: Command
    asked_at: int
    taken_at: int


class Messages:
    """Notes what was taken, and what died on its way."""

    def __init__(
        self, wiring: Wiring, facts: Facts, asked: AskedFor, model: Model, findings: Findings
    ) -> None:
        self._facts = facts
        self._asked = asked
        self._model = model
        self._findings = findings
        self._dead_letters = {
            route: wiring.variable(name).rpartition("/")[2] for route, name in _QUEUES.items()
        }
        self._taken: list[Ask] = []
        self._groups: dict[str, dict[str, _Sent]] = {}
        self._buried: dict[str, int] = {}
        """When what died was first moved to the dead letters."""

    def taken(self, ask: Ask) -> None:
        """The bus or the queue has it for certain."""
        self._taken.append(ask)
        for command in ask.commands if ask.route == "fifo" else ():
            if command is not None:
                first_at = min(one.at for one in self._asked.requests(command.id))
                self._groups.setdefault(ask.group, {}).setdefault(
                    command.id, _Sent(command, first_at, self._findings.now())
                )

    def buried(self, body: str) -> None:
        """SQS itself moved a message to the dead letters: what was behind it goes on."""
        for part in parts_of(body):
            self._buried.setdefault(named_in(part).id, self._findings.now())

    def finish(self, letters: Letters, world: View) -> None:
        """The world is at rest."""
        for ask in self._taken:
            bodies = (ask.body,) if len(ask.commands) == 1 else parts_of(ask.body.decode())
            for command, body in zip(ask.commands, bodies, strict=True):
                self._check_taken(ask, command, body, letters, world)
        for group, sent in self._groups.items():
            self._check_group(group, list(sent.values()))

    def _check_taken(
        self, ask: Ask, command: Command | None, body: bytes, letters: Letters, world: View
    ) -> None:
        """One command of a message; None of what is none."""
        if command is not None and self._is_decided(command):
            return
        queue = self._dead_letters[ask.route]
        if world.sqs.expired(queue):
            return  # it may have lain there until it was thrown away
        for letter in letters.of(queue):
            if any(
                same_json(part, body) for part in (detail_of(letter.body), *parts_of(letter.body))
            ):
                if not letter.moved_from and not letter.attributes:
                    self._findings.report(
                        "messages_are_decided",
                        "A command lies among the dead letters, which do not say why.",
                        *_ids(command, ask),
                    )
                reason = str(letter.attributes.get("reason", {}).get("StringValue", ""))
                if command is not None and reason and not self._is_right(command, reason):
                    self._findings.report(
                        "messages_are_decided",
                        f"A command lies among the dead letters for {reason}, which does not hold.",
                        *_ids(command, ask),
                    )
                return
        self._findings.report(
            "messages_are_decided",
            "A command was taken, it is not decided, and it lies nowhere.",
            *_ids(command, ask),
        )

    def _is_right(self, command: Command, reason: str) -> bool:
        """Whether a command that is not decided can never be, for that reason."""
        if reason == IDEMPOTENCY_MISMATCH.code:
            return command.id in self._model.decided
        return is_malformed(command, reason, self._facts)

    def _is_decided(self, command: Command) -> bool:
        """Whether it is this command that was decided under its id."""
        known = self._model.decided.get(command.id)
        return known is not None and not differing(known[0], as_asked(command))

    def _check_group(self, group: str, sent: Sequence[_Sent]) -> None:
        """Whoever was in the queue before another was sent is out of it before that is decided. If
        it was asked for in another way, too, then that can only have decided it earlier; but the
        other must have had no other way."""
        leaving = [(one.taken_at, self._left_at(one), one.command.id) for one in sent]
        by_taking = sorted((taken, left, id) for taken, left, id in leaving if left is not None)
        last = (0, 0), ""
        at = 0
        for one in sorted(sent, key=lambda one: one.asked_at):
            while at < len(by_taking) and by_taking[at][0] < one.asked_at:
                last = max(last, by_taking[at][1:])
                at += 1
            id = one.command.id
            made = self._facts.events.get(id)
            if made and made.order < last[0] and self._has_no_other_way(id, group, made.at):
                self._findings.report(
                    "groups_keep_order",
                    f"In the group {group} a command was decided before one that was sent earlier.",
                    id,
                    last[1],
                )

    def _left_at(self, sent: _Sent) -> tuple[int, int] | None:
        """When a command was surely out of its queue's way; None if that is not known."""
        id = sent.command.id
        if not self._is_decided(sent.command):
            return None  # it was no use, and a handler may have put it away at any time
        if isinstance(sent.command, AtomicBatch):
            # It may have been too large in its turn, and put away; what it met by another way, when
            # less of it was left to do, is another matter.
            return None
        decided = self._facts.events[id].order
        return min(decided, (self._buried[id], 0)) if id in self._buried else decided

    def _has_no_other_way(self, id: str, group: str, decided_at: int) -> bool:
        """Whether nobody asked for a command but in this group, until it was decided."""
        return all(
            ask.route == "fifo" and ask.group == group
            for ask in self._asked.requests(id)
            if ask.at <= decided_at
        )


def _ids(command: Command | None, ask: Ask) -> tuple[str, ...]:
    return (ask.id,) if command is None else (command.id, ask.id)
