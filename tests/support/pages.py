"""The worked examples of the documents, played: what a page shows is what the ledger does.

In a page, under each heading of the second level, a ledger of its own begins. There

- a line that begins "At `2026-11-21T12:00:00Z`" sets the clock; if it goes on with "the sweeper
  runs", the sweeper does;
- a block "json command" has commands, decided in their order ("json command dry run": asked only);
- a block "json result" says what became of the last of them (`event`, `would` for a dry run,
  `refused` for what is not recorded), what it cost (`write_units`), and how things are afterwards.

All that a result says must be so; what it leaves out is not looked at. A command without a result
must be accepted. Every command is sent once more, and must be answered as before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from jsonschema import Draft202012Validator
from msgspec import Struct

from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application import queries
from ledger.application.commit import Commands, Decided, Mismatch, Outcome
from ledger.application.expiry import release_due
from ledger.application.ports import Appended, Refused, StateCheck, Transaction
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import Command, decode_command
from ledger.contracts.events import CommandRejected, encode_event
from ledger.contracts.primitives import (
    canonical_instant,
    instant_of_microseconds,
    microseconds_of_instant,
)
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.schemas import event_schemas
from ledger.contracts.velocity import VelocityLimit
from ledger.domain.accounts import AccountState
from ledger.domain.states import PaymentState, States, TemplateState
from ledger.domain.striped import whole
from ledger.domain.velocity import VelocityCounter, used
from tests.support.items import transactional_write_units

#: The pages on concepts.
CONCEPTS: Final = (
    "accounts.md",
    "batches.md",
    "closing.md",
    "dry-run.md",
    "effective-time.md",
    "fx.md",
    "holds.md",
    "limits.md",
    "metadata.md",
    "reversals.md",
    "striped-accounts.md",
    "templates.md",
)
DOCS: Final = Path(__file__).parents[2] / "docs"
_SWEPT_AT_ONCE: Final = 100
_ABSENT_UNITS: Final = 2  # of a condition on an item that is not there
_STEP: Final = re.compile(
    r"^(?P<heading>\#\#) .*?$"
    r"|^At `(?P<instant>[^`]+)`(?P<sweep>,? the sweeper runs)?"
    r"|^```json command(?P<dry> dry run)?\n(?P<commands>.*?)^```$"
    r"|^```json result\n(?P<result>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Document(Struct, frozen=True):
    """A command of an example as it is written, and whether it is only asked what it would do."""

    body: str
    dry_run: bool


class Step(Struct, frozen=True):
    """Something that happens in an example; one of the fields is there."""

    line: int
    begins: bool = False
    instant: str | None = None
    sweeps: bool = False
    commands: tuple[Document, ...] = ()
    result: Mapping[str, Any] | None = None


def page(name: str) -> str:
    """The text of a document."""
    return (DOCS / name).read_text(encoding="utf-8")


def steps_of(text: str) -> Iterator[Step]:
    """What happens in the examples of a page, in order."""
    for found in _STEP.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found["heading"]:
            yield Step(line, begins=True)
        elif found["instant"]:
            instant = canonical_instant(found["instant"])
            yield Step(line, instant=instant, sweeps=found["sweep"] is not None)
        elif found["commands"] is not None:
            dry = found["dry"] is not None
            bodies = _json_values(found["commands"])
            yield Step(line, commands=tuple(Document(body, dry) for body in bodies))
        else:
            yield Step(line, result=json.loads(found["result"]))


def play(text: str) -> int:
    """Plays the examples of a page; says how many results it has.

    Raises AssertionError, naming the line, if one of them is not so.
    """
    stage, results = Stage(), 0
    steps = list(steps_of(text))
    for place, step in enumerate(steps):
        following = steps[place + 1].result if place + 1 < len(steps) else None
        try:
            if step.begins:
                stage.verify()
                stage = Stage()
            elif step.instant is not None:
                stage.now = microseconds_of_instant(step.instant)
                if step.sweeps:
                    stage.sweep()
            elif step.result is not None:
                results += 1
                stage.compare(step.result)
            for number, document in enumerate(step.commands, start=1):
                shown = number == len(step.commands) and following is not None
                stage.send(document, must_accept=not shown)
        except AssertionError as error:
            raise AssertionError(f"line {step.line}: {error}") from error
    stage.verify()
    return results


class WeighingStore(MemoryEventStore):
    """The store in memory, and what its last transaction would have cost in write units."""

    def __init__(self) -> None:
        super().__init__()
        self.write_units = 0

    def append(self, transaction: Transaction) -> Appended | Refused:
        """See EventStore."""
        units = _ABSENT_UNITS * len(transaction.absent)
        units += sum(transactional_write_units(event_item(one)) for one in transaction.events)
        units += sum(transactional_write_units(state_item(one.state)) for one in transaction.writes)
        units += sum(map(self._checking_units, transaction.checks))
        result = super().append(transaction)
        if isinstance(result, Appended):
            self.write_units = units
        return result

    def _checking_units(self, check: StateCheck) -> int:
        state = self.load([check.key]).get(check.key)
        return transactional_write_units(state_item(state)) if state else _ABSENT_UNITS


class Stage:
    """The ledger of an example, and what became of the last command sent to it."""

    def __init__(self) -> None:
        self.now = 0
        self.store = WeighingStore()
        self.commands = Commands(
            self.store, clock=lambda: self.now, pause=lambda _: None, chance=lambda: 0.5
        )
        self.said: dict[str, Any] = {}

    def send(self, document: Document, *, must_accept: bool) -> None:
        """Has a command decided, or asks what would be; keeps what is said of it."""
        before = self._recorded()
        self.store.write_units = 0
        try:
            command = decode_command(document.body.encode())
            ask = self.commands.preview if document.dry_run else self.commands.handle
            outcome = ask(command, "documents")
        except InvalidCommandError as error:
            first = error.violations[0]
            self.said = {"refused": {"reason": first.reason.code, "field": first.field}}
        else:
            self.said = self._told(outcome, document)
            if not document.dry_run:
                self._repeat(command, outcome)
        if "event" not in self.said or self.said.get("repeat"):
            assert self._recorded() == before, "this records nothing"
        event = self.said.get("event") or self.said.get("would") or {}
        accepted = bool(event) and event["type"] != "command.rejected"
        assert accepted or not must_accept, f"{document.body} is refused: {self.said}"

    def sweep(self) -> None:
        """Has holds that are due released, and says of it what it says of a command."""
        self.store.write_units = 0
        swept = release_due(
            self.store, self.commands, lambda: self.now, _SWEPT_AT_ONCE, lambda: True
        )
        assert swept.failed == 0
        assert swept.expired, "nothing was due"
        self.said = {
            "event": _plain([*self.store.events()][-1].data),
            "write_units": self.store.write_units,
        }

    def compare(self, result: Mapping[str, Any]) -> None:
        """Raises AssertionError unless all that the result of an example says is so."""
        actual = {**self.said, **{name: self._views(name, result) for name in _VIEWS}}
        _compare(result, actual, "")
        for name in ("event", "would", "refused"):
            assert (name in self.said) <= (name in result), f"{name}: {self.said[name]}"
        assert bool(self.said.get("repeat")) == bool(result.get("repeat"))

    def verify(self) -> None:
        """Raises AssertionError if `ledger verify` would find anything, or an event is not of the
        form that is published for it."""
        report = Report()
        verify_store(self.store, report)
        assert report.ok, report.findings
        for stored in self.store.events():
            event = _plain(stored.data)
            for fault in _published()[event["type"], event["v"]].iter_errors(event):
                raise AssertionError(f"event {stored.id}: {fault.json_path}: {fault.message}")

    def _told(self, outcome: Outcome, document: Document) -> dict[str, Any]:
        if isinstance(outcome, Mismatch):
            return {"refused": {"reason": "idempotency_mismatch", "fields": list(outcome.fields)}}
        told: dict[str, Any] = {
            "would" if document.dry_run else "event": _plain(encode_event(outcome.event)),
            "write_units": self.store.write_units,
        }
        if outcome.repeat:
            told["repeat"] = True
        if outcome.members:
            told["members"] = [_plain(encode_event(member)) for member in outcome.members]
        return told

    def _repeat(self, command: Command, first: Outcome) -> None:
        """A command sent again is answered as before, and nothing comes of it."""
        units, before = self.store.write_units, self._recorded()
        again = self.commands.handle(command, "documents")
        if isinstance(first, Decided):
            assert isinstance(again, Decided)
            assert (again.event, again.members, again.repeat) == (first.event, first.members, True)
        else:
            assert again == first
        assert self._recorded() == before, "a repeat records nothing"
        self.store.write_units = units

    def _recorded(self) -> int:
        return sum(1 for _ in self.store.events())

    def _views(self, name: str, result: Mapping[str, Any]) -> dict[str, Any]:
        return {one: _VIEWS[name](self, one) for one in result.get(name, ())}

    def account(self, name: str) -> dict[str, Any] | None:
        """An account as it is now, all stripes of it together, limits with what is used of them."""
        state = whole(States.of(self.store.states()), name)
        if state is None:
            return None
        at = instant_of_microseconds(self.now)
        return {
            **_named(state, _OF_ACCOUNTS),
            "velocity": {
                limit.name: _used(limit, counter, at)
                for limit, counter in zip(state.velocity, state.counters, strict=True)
            },
        }

    def payment(self, name: str) -> dict[str, Any] | None:
        """A payment as it is now; None if it was refused, or never sent."""
        life = queries.payment(self.store, name)
        if life is None or isinstance(life.made, CommandRejected):
            return None
        state = life.state
        if state is None:
            return {"status": "posted", "version": 1}
        return _named(state, _OF_PAYMENTS)

    def metadata(self, name: str) -> dict[str, Any] | None:
        """The metadata of `account/<id>` or `payment/<id>`."""
        kind, _, subject = name.partition("/")
        assert kind in {"account", "payment"}
        found = queries.metadata(self.store, kind, subject)  # type: ignore[arg-type]
        return {"version": found.version, "metadata": dict(found.values)} if found else None

    def book(self, name: str) -> dict[str, Any] | None:
        """A book as it is now."""
        state = queries.book(self.store, name)
        return {"version": state.version, "closed_through": state.closed_through} if state else None

    def template(self, name: str) -> dict[str, Any] | None:
        """The newest version of a template."""
        state = queries.template(self.store, name)
        return {"version": state.version} if isinstance(state, TemplateState) else None


_VIEWS: Final[dict[str, Callable[[Stage, str], dict[str, Any] | None]]] = {
    "accounts": Stage.account,
    "payments": Stage.payment,
    "metadata": Stage.metadata,
    "books": Stage.book,
    "templates": Stage.template,
}
_OF_ACCOUNTS: Final = (
    "version",
    "status",
    "frozen",
    "book",
    "opened_at",
    "balance_minor",
    "available_minor",
    "expected_minor",
    "debits_posted_minor",
    "credits_posted_minor",
    "debits_pending_minor",
    "credits_pending_minor",
    "min_balance_minor",
    "max_balance_minor",
    "min_balance_basis",
    "max_balance_basis",
    "stripes",
)
_OF_PAYMENTS: Final = (
    "version",
    "status",
    "authorized_minor",
    "captured_minor",
    "remaining_minor",
    "reversed_minor",
    "reversible_minor",
    "expires_at",
)


def _named(state: AccountState | PaymentState, names: Sequence[str]) -> dict[str, Any]:
    return {name: msgspec.to_builtins(getattr(state, name)) for name in names}


@cache
def _published() -> Mapping[tuple[str, int], Draft202012Validator]:
    return {key: Draft202012Validator(schema) for key, schema in event_schemas().items()}


def _used(limit: VelocityLimit, counter: VelocityCounter, at: str) -> dict[str, Any]:
    spent = used(limit, counter, at)
    return {
        "used_amount_minor": spent.amount_minor,
        "used_count": spent.count,
        "resets_at": spent.resets_at,
    }


def _json_values(text: str) -> Iterator[str]:
    """The JSON values that follow each other in `text`, each as it is written."""
    decoder, place = json.JSONDecoder(), 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        _, end = decoder.raw_decode(text, place)
        yield text[place:end]
        place = end


def _plain(data: bytes) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(data)
    return plain


def _compare(expected: object, actual: object, path: str) -> None:
    """Raises AssertionError, naming the place, unless all of `expected` is in `actual`."""
    if isinstance(expected, Mapping):
        assert isinstance(actual, Mapping), f"{path}: {actual!r}, not {expected!r}"
        for name, value in expected.items():
            assert name in actual, f"{path}.{name}: not there; there are {actual!r}"
            _compare(value, actual[name], f"{path}.{name}")
    elif isinstance(expected, list):
        assert isinstance(actual, list | tuple), f"{path}: {actual!r}, not {expected!r}"
        assert len(actual) == len(expected), f"{path}: {actual!r}, not {expected!r}"
        for index, pair in enumerate(zip(expected, actual, strict=True)):
            _compare(*pair, f"{path}[{index}]")
    else:
        same = expected == actual and type(expected) is type(actual)
        assert same, f"{path}: {actual!r}, not {expected!r}"
