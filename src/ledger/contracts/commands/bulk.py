"""Bulk: several commands in one message or one request, each decided and answered by itself.

`{"commands": [...]}` and nothing else. Only the list is read here: what is wrong with one of the
commands is its own affair, and nothing to the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ledger.contracts import reasons
from ledger.contracts.commands.reading import malformed_json, names_written, refuse_malformed_json
from ledger.contracts.reasons import InvalidCommandError, Violation
from ledger.contracts.violations import violation_of

#: The `detail-type` of an event of the ingress bus that holds them; of one command it is its type.
BULK_DETAIL_TYPE: Final = "commands"
#: As many as a worker decides in seconds, whichever they are: 500 payments between accounts that
#: are all different take 16 transactions.
BULK_COMMANDS_MAX: Final = 500
BULK_BYTES_MAX: Final = 1024 * 1024  # the most that SQS takes in a message
#: What `bulk_of` adds: around all of them, and to each.
BULK_BYTES_AROUND: Final = len('{"commands":[]}')
BULK_BYTES_BETWEEN: Final = len(",")


class _Bulk(Struct, frozen=True, forbid_unknown_fields=True):
    commands: Annotated[tuple[Raw, ...], Meta(min_length=1, max_length=BULK_COMMANDS_MAX)]


class _Shape(Struct, frozen=True):
    """What tells bulk from a command: an atomic batch has commands as well, and a type."""

    type: Raw | UnsetType = UNSET
    commands: Raw | UnsetType = UNSET


_BULK: Final = msgspec.json.Decoder(_Bulk)
_SHAPE: Final = msgspec.json.Decoder(_Shape)
_BEGIN: Final = re.compile(rb'\s*\{\s*"commands"\s*:\s*\[')
_BETWEEN: Final = b" \t\r\n,"
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def bulk_in(body: bytes) -> list[bytes] | None:
    """The commands of a bulk message, none of them read yet; None if `body` is no such message: a
    command, or what only pretends to be one.

    Raises InvalidCommandError as `read_bulk`.
    """
    try:
        shape = _SHAPE.decode(body)
    except _NOT_JSON:
        return None
    return read_bulk(body) if shape.type is UNSET and shape.commands is not UNSET else None


def read_bulk(body: bytes) -> list[bytes]:
    """The commands in `body`, none of them read yet.

    Raises InvalidCommandError if it is not one object with 1 to BULK_COMMANDS_MAX commands, or is
    longer than BULK_BYTES_MAX.
    """
    if len(body) > BULK_BYTES_MAX:
        raise InvalidCommandError((Violation(reasons.PAYLOAD_TOO_LARGE, ""),))
    try:
        found = [bytes(command) for command in _BULK.decode(body).commands]
    except msgspec.ValidationError as error:
        refuse_malformed_json(body)
        raise InvalidCommandError((violation_of(str(error)),)) from None
    except _NOT_JSON:
        raise malformed_json() from None
    if not _are_all(found, body) and names_written(body) != 1 + sum(map(names_written, found)):
        raise malformed_json()  # `commands` is there twice
    return found


def _are_all(found: Sequence[bytes], body: bytes) -> bool:
    """Whether it is seen at once that `body` has nothing but `found`, one behind the other. If not,
    its names must be counted, which takes as long as all else that is done here."""
    begin = _BEGIN.match(body)
    place = begin.end() if begin else 0
    for command in found:
        start = body.find(command, place)
        if start < place or body[place:start].strip(_BETWEEN):
            return False
        place = start + len(command)
    return begin is not None and b"".join(body[place:].split()) == b"]}"


def bulk_of(commands: Iterable[bytes]) -> bytes:
    """A bulk message of commands, each as JSON."""
    return b'{"commands":[' + b",".join(commands) + b"]}"
