"""Commands as the command line gives them, and the replies to them."""

from __future__ import annotations

import json
from typing import Any

from ledger.cli.connection import Connection
from ledger.cli.explaining import currencies_in
from ledger.cli.failures import RefusedError, UsageError
from ledger.cli.output import Output
from ledger.client.answers import Accepted, Refused, Reply, UnreachableError
from ledger.contracts.commands import decode_command


def submitted(
    connection: Connection, command: dict[str, Any], output: Output, *, dry_run: bool = False
) -> Accepted:
    """Sends a command over REST, or with `dry_run` asks what it would do; the accepted reply.

    What is malformed is refused here already, by the very code that the API refuses it with.
    Raises InvalidCommandError, RefusedError or UnreachableError.
    """
    checked = decode_command(json.dumps(command).encode())
    try:
        reply = connection.api().submit(checked, dry_run=dry_run)
    except UnreachableError:
        if not dry_run:
            output.note(
                f"the command had the id {command['id']}: give it again, with --id, to retry"
            )
        raise
    if isinstance(reply, Refused):
        raise RefusedError(reply, currencies_in(command.get("postings", ())))
    return reply


def given(**options: object) -> dict[str, Any]:
    """The options that were given: one left out is None, and its field stays out of the command."""
    return {name: value for name, value in options.items() if value is not None}


def refuse_without_change(id_: str | None, *, dry_run: bool) -> None:
    """Raises UsageError for options of a command where none is sent."""
    if id_ or dry_run:
        raise UsageError("nothing is to be changed: --id and --dry-run mean nothing")


def answered(reply: Reply) -> Accepted:
    """The reply, if it is no refusal. Raises RefusedError."""
    if isinstance(reply, Refused):
        raise RefusedError(reply)
    return reply
