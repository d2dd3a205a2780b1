"""Writes the history of a run: it hears what the auditor hears, and says it in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from simulation.asks import Ask, HttpAnswer, ids_of
from simulation.history import Line, Mark
from simulation.kernel.trace import Entry, Trace
from simulation.reports.sentences import (
    answer_in_words,
    command_in_words,
    event_in_words,
    listed,
)

_FAULT = "! "
#: The tables in which commands are decided; all others follow.
_DECIDED = ("events", "states")
_ROUTES: Mapping[str, str] = {
    "rest": "by REST",
    "dry_run": "by REST, as a dry run",
    "batch": "by REST, each for itself",
    "bus": "by the ingress bus",
    "fifo": "by the FIFO queue",
}


class Changed(Protocol):
    """An item of a table before and after."""

    @property
    def table(self) -> str: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def old(self) -> Mapping[str, Any] | None: ...
    @property
    def new(self) -> Mapping[str, Any] | None: ...


class Recorder:
    """The history of one run. Names of tables and queues are told without the `stage` that they
    all begin with; `now` is the true time in microseconds since 1970."""

    def __init__(self, trace: Trace, now: Callable[[], int], stage: str) -> None:
        self._trace = trace
        self._now = now
        self._stage = stage
        self._heard = 0
        self._lines: list[Line] = []
        self._about: dict[str, tuple[str, ...]] = {}
        self._known: dict[str, None] = {}

    @property
    def lines(self) -> tuple[Line, ...]:
        """All so far, in their order."""
        self._hear()
        return tuple(self._lines)

    def asked(self, ask: Ask) -> None:
        """An attempt of a client's."""
        again = f", attempt {ask.attempt}" if ask.attempt > 1 else self._again(ask)
        about = tuple(
            dict.fromkeys(name for one in ask.commands if one is not None for name in ids_of(one))
        ) or tuple(part for part in ask.path.split("/") if part)
        self._about[ask.id] = about
        self._say("ask", _caller(ask), f"asks {_wish(ask)}{again}", about)

    def answered(self, ask: Ask, answer: HttpAnswer) -> None:
        """A client is answered."""
        words = answer_in_words(answer.status, answer.body)
        self._say("answer", "the API", f"answers {_named(ask)}: {words}", self._ids(ask))

    def unanswered(self, ask: Ask) -> None:
        """A client hears nothing."""
        self._say("answer", _caller(ask), f"never hears about {_named(ask)}", self._ids(ask))

    def read(self, ask: Ask, answer: HttpAnswer) -> None:
        """An analyst is answered."""
        fine = answer.status < 300
        words = str(answer.status) if fine else answer_in_words(answer.status, answer.body)
        self._say("answer", "the API", f"answers {_named(ask)}: {words}", self._ids(ask))

    def changed(self, changes: Sequence[Changed]) -> None:
        """A write took effect: a line for each item."""
        for change in changes:
            name = change.table.removeprefix(self._stage)
            says, about = _change_in_words(name, change)
            self._say("does", "DynamoDB", says, about, follows=name not in _DECIDED)

    def taken(self, ask: Ask) -> None:
        """A bus or a queue has taken what a client sent."""
        where = "the ingress bus" if ask.route == "bus" else "the FIFO queue"
        self._say("answer", where, f"has taken {_named(ask)}", self._ids(ask))

    def published(self, _bus: str, envelope: str) -> None:
        """A bus took an event, or a pack of them."""
        detail = msgspec.json.decode(envelope).get("detail")
        for one in detail.get("events") or [detail]:
            words, about = event_in_words(msgspec.json.encode(one).decode())
            self._say("does", "EventBridge", f"takes {words}", about, follows=True)

    def notified(self, _topic: str, body: str, _attributes: Mapping[str, Any]) -> None:
        """SNS took a message."""
        words, about = event_in_words(body)
        self._say("does", "SNS", f"takes a notification: {words}", about, follows=True)

    def webhook(self, _url: str, body: bytes, _headers: Mapping[str, str]) -> None:
        """An endpoint took a message."""
        words, about = event_in_words(body.decode(errors="replace"))
        self._say("does", "a webhook", f"takes {words}", about, follows=True)

    def failed(self, function: str, error: str) -> None:
        """A function raised what it may not."""
        last = error.strip().splitlines()[-1:] or ["an error"]
        self._say("does", function, f"fails: {last[0]}", ())

    def restored(self) -> None:
        """The states were lost and are there again."""
        self._say("does", "an operator", "has rebuilt the states table", ())

    def _say(
        self, mark: Mark, who: str, says: str, about: tuple[str, ...], *, follows: bool = False
    ) -> None:
        self._hear()
        self._lines.append(Line(self._now(), mark, who, says, about, follows))

    def _hear(self) -> None:
        """What was traced since: faults, and what operators do."""
        entries = self._trace.entries
        for entry in entries[self._heard :]:
            line = self._line_of(entry)
            if line is not None:
                self._lines.append(line)
        self._heard = len(entries)

    def _line_of(self, entry: Entry) -> Line | None:
        at, who = entry.at, entry.who.removeprefix(self._stage)
        if entry.what.startswith(_FAULT):
            where = f" ({listed(entry.about)})" if entry.about else ""
            about = tuple(one.rpartition("#")[2] for one in entry.about)
            return Line(at, "fault", who, entry.what.removeprefix(_FAULT) + where, about)
        if who == "auditor":
            return Line(at, "finding", "the auditor", entry.what, entry.about)
        if who == "operator":
            return Line(at, "does", "an operator", entry.what, entry.about)
        return None

    def _again(self, ask: Ask) -> str:
        """Whether all of it was asked before, by whomever."""
        ids = [one.id for one in ask.commands if one is not None]
        known = bool(ids) and all(one in self._known for one in ids)
        self._known.update(dict.fromkeys(ids))
        return ", again" if known and ask.route != "dry_run" else ""

    def _ids(self, ask: Ask) -> tuple[str, ...]:
        return self._about.get(ask.id, ())


def _caller(ask: Ask) -> str:
    return ask.actor.rpartition("/")[2].rpartition(":")[2] or "a caller"


def _named(ask: Ask) -> str:
    if not ask.commands:
        return f"GET {ask.path}"
    return listed(one.id if one is not None else "what is malformed" for one in ask.commands)


def _wish(ask: Ask) -> str:
    if not ask.commands:
        return f"GET {ask.path}"
    wishes = (
        f"to {command_in_words(one)}, as {one.id}" if one is not None else "something malformed"
        for one in ask.commands
    )
    return f"{_ROUTES.get(ask.route, ask.route)} {'; '.join(wishes)}"


def _change_in_words(table: str, change: Changed) -> tuple[str, tuple[str, ...]]:
    """An event by what it records, anything else by its key and version."""
    key = "/".join(change.key)
    about = tuple(part.rpartition("#")[2] for part in change.key)
    if change.new is None:
        return f"has {table} {key} deleted", about
    data = change.new.get("data", {})
    if table == "events" and "S" in data:
        words, about = event_in_words(data["S"])
        return f"records {words}", about
    version = _number(change.new, "version") or _number(change.new, "revision")
    before = change.old and (_number(change.old, "version") or _number(change.old, "revision"))
    shown = f" at version {version}" if version else ""
    return f"has {table} {key}{shown}" + (f", before {before}" if before else ""), about


def _number(item: Mapping[str, Any], name: str) -> str:
    return str(item.get(name, {}).get("N", ""))
