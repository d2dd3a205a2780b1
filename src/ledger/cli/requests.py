"""Commands as the command line gives them, and the replies to them."""

from __future__ import annotations

import json
from typing import Any

from ledger.cli.connection import Connection
from ledger.cli.failures import RefusedError
from ledger.cli.output import Output
from ledger.client.answers import Accepted, Refused, Reply, UnreachableError
from ledger.contracts.commands import decode_command, encode_command


def submitted(connection: Connection, command: dict[str, Any], output: Output) -> Accepted:
    """Sends a command over REST; the accepted reply.

    What is malformed is refused here already, by the very code that the API refuses it with.
    Raises InvalidCommandError, RefusedError or UnreachableError.
    """
    checked = decode_command(json.dumps(command).encode())
    try:
        reply = connection.api().send(command["type"], encode_command(checked))
    except UnreachableError:
        output.note(f"the command had the id {command['id']}: give it again, with --id, to retry")
        raise
    return answered(reply)


def given(**options: object) -> dict[str, Any]:
    """The options that were given: one left out is None, and its field stays out of the command."""
    return {name: value for name, value in options.items() if value is not None}


def answered(reply: Reply) -> Accepted:
    """The reply, if it is no refusal. Raises RefusedError."""
    if isinstance(reply, Refused):
        raise RefusedError(reply)
    return reply
