"""The verb `batch`: a file of commands, decided together or one by one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple
from uuid import uuid4

import msgspec
import typer

from ledger.cli.connection import connection
from ledger.cli.explaining import causes_in_words, currencies_in
from ledger.cli.failures import CheckFailedError, FaultySourceError, UsageError, reporting
from ledger.cli.importing.report import faults_shown
from ledger.cli.options import ConfigOption, DryRunOption, IdOption, JsonOption
from ledger.cli.output import Output, fields, table
from ledger.cli.requests import submitted
from ledger.cli.showing import outcome
from ledger.client.answers import Accepted, Reply
from ledger.client.rest import LedgerApi
from ledger.contracts.commands import Command, decode_command, encode_command
from ledger.contracts.primitives import COMMAND_BYTES_MAX
from ledger.contracts.reasons import InvalidCommandError
from ledger.importers.instructions import Fault, SourceError

LINES_MAX: Final = 100_000  # all are held in memory
_STANDARD_INPUT: Final = Path("-")


class Line(NamedTuple):
    """A command, and in which line it stands."""

    number: int
    command: Command


def batch(
    file: Annotated[
        Path, typer.Argument(help="JSON lines: a command in each. `-` is standard input.")
    ],
    *,
    atomic: Annotated[
        bool,
        typer.Option("--atomic", help="All or none, in one transaction, under an id of its own."),
    ] = False,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send the commands of a file in their order: each by itself, or with --atomic all or none.

    `ledger batch payroll.jsonl --atomic --id payroll-2026-11`

    A file in which a command is malformed is not sent at all. Fails if a command is refused. A dry
    run of commands that are not --atomic asks for each as if it came alone.
    """
    with reporting(as_json) as output:
        if id_ and not atomic:
            raise UsageError("--id is the id of the batch: give --atomic too")
        lines = _judged(_lines_in(file), output)
        ledger = connection(config)
        if not atomic:
            _show_each(output, lines, _replies(ledger.api(), lines, dry_run=dry_run))
            return
        command = {
            "type": "batch.atomic",
            "v": 1,
            "id": id_ or str(uuid4()),
            "commands": [msgspec.json.decode(encode_command(line.command)) for line in lines],
        }
        accepted = submitted(ledger, command, output, dry_run=dry_run)
        _show_batch(output, lines, accepted)


def _lines_in(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, each with its number. Raises SourceError."""
    try:
        with nullcontext(sys.stdin.buffer) if path == _STANDARD_INPUT else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if number > LINES_MAX:
                    raise SourceError(path, number, f"more than {LINES_MAX:,} lines")
                if len(line) > COMMAND_BYTES_MAX + 1:
                    raise SourceError(path, number, f"more than {COMMAND_BYTES_MAX:,} bytes")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise SourceError(path, None, error.strerror or "cannot be read") from error


def _judged(lines: Iterator[tuple[int, bytes]], output: Output) -> list[Line]:
    """The commands. Raises FaultySourceError, with everything told, if one is malformed."""
    commands: list[Line] = []
    faults: list[Fault] = []
    for number, text in lines:
        try:
            commands.append(Line(number, decode_command(text)))
        except InvalidCommandError as error:
            faults += [
                Fault(f"line {number}", one.field, one.reason.code, one.reason.meaning)
                for one in error.violations
            ]
    if faults:
        value = {"sent": False, "faults": [asdict(fault) for fault in faults]}
        output.result(value, *faults_shown(faults))
        raise FaultySourceError
    if not commands:
        raise UsageError("the file has no commands")
    return commands


def _replies(api: LedgerApi, lines: Sequence[Line], *, dry_run: bool) -> list[Reply]:
    if dry_run:
        return [api.submit(line.command, dry_run=True) for line in lines]
    return api.submit_each([line.command for line in lines])


def _show_each(output: Output, lines: Sequence[Line], replies: Sequence[Reply]) -> None:
    refused = sum(not isinstance(reply, Accepted) for reply in replies)
    value: dict[str, Any] = {
        "atomic": False,
        "refused": refused,
        "answers": [
            {"line": line.number, **reply.body} for line, reply in zip(lines, replies, strict=True)
        ],
    }
    rows = (
        (str(line.number), _type(line), line.command.id, *_told(line, reply))
        for line, reply in zip(lines, replies, strict=True)
    )
    columns = ("line", "command", "id", "outcome", "because")
    output.result(value, table(columns, rows, right="line"))
    if refused:
        raise CheckFailedError


def _told(line: Line, reply: Reply) -> tuple[str, str]:
    if isinstance(reply, Accepted):
        return outcome(reply, _status(reply.body)), ""
    postings = msgspec.to_builtins(getattr(line.command, "postings", ()))
    because = "; ".join(causes_in_words(reply.body, currencies_in(postings))) or reply.title
    return reply.reason + (" before" if reply.repeat else ""), because


def _show_batch(output: Output, lines: Sequence[Line], accepted: Accepted) -> None:
    body = accepted.body
    facts = (
        ("batch", body["id"]),
        ("status", outcome(accepted, "committed")),
        ("recorded", body["recorded_at"]),
    )
    rows = (
        (str(line.number), _type(line), line.command.id, _status(answer))
        for line, answer in zip(lines, body["answers"], strict=True)
    )
    columns = ("line", "command", "id", "outcome")
    output.result(body, fields(facts), "", table(columns, rows, right="line"))


def _type(line: Line) -> str:
    return str(line.command.__struct_config__.tag)


def _status(body: dict[str, Any]) -> str:
    return str(body["status"]).replace("_", " ")
