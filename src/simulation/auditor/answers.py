"""Is every answer to a command what is recorded, and is who did it told so once?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from ledger.contracts.commands import (
    CLIENT_COMMANDS,
    Command,
    decode_command,
    encode_command,
)
from ledger.contracts.events import BatchCommitted, CommandRejected
from ledger.contracts.reasons import BY_CODE, InvalidCommandError, Kind
from simulation.asks import Ask, HttpAnswer
from simulation.auditor.asked import AskedFor
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.model import Model, as_asked, differing
from simulation.auditor.recorded import Recorded, as_json
from simulation.auditor.shown import differences
from simulation.auditor.sizes import fits

#: These promise nothing: what was asked may have been done, or may yet be. (500 is what API Gateway
#: says of a worker that died; a handler that fails by itself logs it.)
NOTHING_PROMISED: Final = frozenset({429, 500, 502, 503, 504})


class Answered(Struct, frozen=True):
    """One answer to one command (None: to what is none on purpose)."""

    ask: Ask
    command: Command | None
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] | None
    """None of an answer that is one of several."""


class Answers:
    """Holds answers to what is recorded."""

    def __init__(
        self, facts: Facts, asked: AskedFor, model: Model, tied: set[str], findings: Findings
    ) -> None:
        self._facts = facts
        self._asked = asked
        self._model = model
        self._tied = tied
        self._findings = findings
        self._firsts: set[str] = set()
        self._shown: dict[str, Mapping[str, Any]] = {}

    def take(self, ask: Ask, answer: HttpAnswer) -> None:
        """An answer to a request that asked for decisions."""
        if answer.status in NOTHING_PROMISED:
            return
        body = _read(answer.body)
        if body is None:
            self._report(ask, "answers_are_recorded", f"The answer {answer.status} is no JSON.")
            return
        if ask.route != "batch":
            self._check(Answered(ask, ask.command, answer.status, body, answer.headers))
            return
        if _kind(body) is not None and None in ask.commands:
            return  # the list itself is none
        each = body.get("answers")
        if answer.status != 200 or not isinstance(each, list) or len(each) != len(ask.commands):
            self._report(
                ask, "answers_are_recorded", f"{len(ask.commands)} commands have no answer each."
            )
            return
        undecided = ""
        for command, one in zip(ask.commands, each, strict=True):
            if one["status"] in NOTHING_PROMISED:
                undecided = undecided or (command.id if command else "")
                continue
            if undecided and command is not None and one["body"].get("repeat") is False:
                self._report(
                    ask,
                    "groups_keep_order",
                    "A command was decided behind one of its request that was not.",
                    command.id,
                    undecided,
                )
            self._check(Answered(ask, command, one["status"], one["body"], None))

    def _check(self, one: Answered) -> None:
        kind = _kind(one.body)
        if one.command is None or kind in (Kind.MALFORMED, Kind.TRANSPORT):
            self._check_malformed(one, kind)
        elif kind is Kind.CONFLICT:
            self._check_mismatch(one, one.command)
        elif kind in (None, Kind.REJECTION):
            self._check_decided(one, one.command)
        else:
            self._report(
                one.ask,
                "answers_are_recorded",
                f"The answer is {one.status}, {one.body.get('reason')}.",
                one.command.id,
            )

    def _check_malformed(self, one: Answered, kind: Kind | None) -> None:
        reason = str(one.body.get("reason"))
        if one.command is None:
            if kind not in (Kind.MALFORMED, Kind.TRANSPORT):
                self._report(
                    one.ask,
                    "malformed_leaves_no_trace",
                    f"What is no command was answered with {one.status}.",
                )
        elif not is_malformed(one.command, reason, self._facts):
            self._report(
                one.ask,
                "malformed_leaves_no_trace",
                f"A command was refused as malformed for {reason}, which it is not.",
                one.command.id,
            )

    def _check_mismatch(self, one: Answered, command: Command) -> None:
        known = self._model.decided.get(command.id)
        fields = {str(name).split("[")[0].split(".")[0] for name in one.body.get("fields", ())}
        real = set() if known is None else differing(known[0], as_asked(command))
        if fields != real:
            self._report(
                one.ask,
                "mismatches_are_real",
                f"The id is said to be another request's, which differs in {sorted(fields)}; it "
                f"differs in {sorted(real)}.",
                command.id,
            )

    def _check_decided(self, one: Answered, command: Command) -> None:
        made = self._facts.events.get(command.id)
        if made is None:
            self._report(
                one.ask,
                "answers_are_recorded",
                f"The answer is {one.status}, and nothing is recorded under the id.",
                command.id,
            )
            return
        known = self._model.decided.get(command.id)
        if known is not None and differing(known[0], as_asked(command)):
            self._report(
                one.ask,
                "mismatches_are_real",
                "The answer is another request's, of the same id.",
                command.id,
            )
            return
        wrong = sorted(set(self._differences(one, made)))
        if wrong:
            self._report(
                one.ask,
                "answers_are_recorded",
                f"The answer {one.status} shows {', '.join(wrong)} otherwise than it is recorded.",
                command.id,
            )
        self._check_sameness(one, command.id)
        self._check_repeat(one, made)

    def _check_sameness(self, one: Answered, id: str) -> None:
        """All answers under an id show the same, but for saying whether they repeat it."""
        shown = _without_repeat(one.body)
        first = self._shown.setdefault(id, shown)
        if shown != first:
            names = [*first, *(name for name in shown if name not in first)]
            other = [name for name in names if first.get(name) != shown.get(name)]
            self._report(
                one.ask,
                "answers_are_recorded",
                f"An answer shows {', '.join(other)} otherwise than the one before.",
                id,
            )

    def _differences(self, one: Answered, made: Recorded) -> list[str]:
        event, body = made.event, one.body
        repeat = body.get("repeat")
        wrong = [] if isinstance(repeat, bool) else ["repeat"]
        if one.headers is not None:
            names = {name.lower() for name in one.headers}
            wrong += [] if ("idempotent-replay" in names) == (repeat is True) else ["headers"]
        if isinstance(event, CommandRejected):
            said = {
                "id": event.id,
                "recorded_at": event.recorded_at,
                "reason": event.reason,
                "retry": event.retry,
                "causes": as_json(event.causes),
                "field": None if event.field is UNSET else event.field,
            }
            wrong += [name for name, value in said.items() if body.get(name) != value]
            return wrong + ([] if one.status == BY_CODE[event.reason].status else ["status"])
        wrong += differences(event, body)
        if one.status != (200 if repeat else 201):
            wrong.append("status")
        if isinstance(event, BatchCommitted):
            shown = {each["id"]: each for each in body.get("answers", ())}
            if tuple(shown) != event.commands:
                wrong.append("answers")
            for id, answer in shown.items():
                member = self._facts.events.get(id)
                wrong += ["answers"] if member is None else differences(member.event, answer)
        return wrong

    def _check_repeat(self, one: Answered, made: Recorded) -> None:
        id = made.id
        if one.body.get("repeat"):
            if self._asked.times(id) < 2:
                self._report(
                    one.ask, "repeats_are_told", "The only request is told it is a repeat.", id
                )
            return
        if id in self._tied:
            return  # two that ask at the same instant cannot be told apart by what they wrote
        if id in self._firsts or made.at < one.ask.at:
            self._report(
                one.ask,
                "repeats_are_told",
                "A repeat is told that it did what was done before it.",
                id,
            )
        self._firsts.add(id)

    def _report(self, ask: Ask, promise: str, message: str, *about: str) -> None:
        self._findings.report(promise, message, *about, ask.id)


def is_malformed(command: Command, reason: str, facts: Facts) -> bool:
    """Whether a command that is one can be refused as if it were none."""
    if reason == "transaction_too_large":
        return not fits(command, facts)
    try:
        decode_command(encode_command(command), CLIENT_COMMANDS)
    except InvalidCommandError:
        return True
    return False


def _kind(body: Mapping[str, Any]) -> Kind | None:
    """What kind of refusal an answer is; None if it is none."""
    reason = body.get("reason")
    known = BY_CODE.get(str(reason)) if "title" in body else None
    return known.kind if known else None


def _without_repeat(body: Mapping[str, Any]) -> dict[str, Any]:
    """An answer, and those of a batch's commands in it, without what says if they are repeats."""
    shown = {name: value for name, value in body.items() if name != "repeat"}
    if "answers" in shown:
        shown["answers"] = [_without_repeat(each) for each in shown["answers"]]
    return shown


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        read = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return read if isinstance(read, dict) else None
