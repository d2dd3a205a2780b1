"""Commands from JSON, as the queues read them, and back."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

import msgspec
from msgspec import Struct

from ledger.contracts import reasons
from ledger.contracts.building import built_once
from ledger.contracts.commands.base import BaseCommand
from ledger.contracts.commands.catalogue import (
    CLIENT_COMMANDS,
    COMMAND_TYPES,
    COMMAND_VERSIONS,
    Command,
)
from ledger.contracts.commands.checking import checked
from ledger.contracts.primitives import COMMAND_BYTES_MAX
from ledger.contracts.reasons import InvalidCommandError, Violation
from ledger.contracts.violations import violation_of


class _Head(Struct):
    type: str
    v: int


#: A JSON string, and the colon behind it if it is a member's name. Strings are matched one after
#: the other, so that none is looked for inside another.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"\s*(:?)', re.DOTALL)

_END_OF_NAME: Final = b'":'
#: With these, a name may end otherwise, and what ends so may be in a text of one body only.
_ESCAPE: Final = b"\\"
_SPACED_COLONS: Final = (b" :", b"\t:", b"\n:", b"\r:")

_HEAD = msgspec.json.Decoder(_Head)
_HEAD_FIELDS: Final = frozenset(_Head.__struct_fields__)
#: What msgspec raises for text that is no JSON; the last for arrays some 1,000 deep.
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ANYTHING = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


def decode_command(body: bytes, types: Container[str] = CLIENT_COMMANDS) -> Command:
    """The command in `body`, one of `types`, checked and normalised.

    Raises InvalidCommandError, naming the field.

    Type and version are judged before the rest, so that a command of a version not known here is
    refused as such and not for its new fields. Of several faults of shape the first one met is
    named; of several others all are, in the order of precedence.
    """
    command_type = judge_head(body, types)
    try:
        command = _decoder(command_type).decode(body)
    except msgspec.ValidationError as error:
        refuse_malformed_json(body)
        violation = violation_of(str(error))
        if violation.field in _HEAD_FIELDS:  # the head was right, so it is there twice
            raise malformed_json() from None
        raise InvalidCommandError((violation,)) from None
    except _NOT_JSON:
        raise malformed_json() from None
    refuse_repeated_names(body, command)
    return checked(command)


@built_once
def _decoder(command_type: str) -> msgspec.json.Decoder[Command]:
    """The reader of one type of command: to build those of all, batches of all among them, takes
    as long as to import the rest of what a cold start needs of ours."""
    return msgspec.json.Decoder(COMMAND_TYPES[command_type])


def judge_head(body: bytes, types: Container[str]) -> str:
    """The type of the command in `body`: of `types`, in a version that this release knows.

    Raises InvalidCommandError: too large, not JSON, or another type or version.
    """
    if len(body) > COMMAND_BYTES_MAX:
        raise InvalidCommandError((Violation(reasons.PAYLOAD_TOO_LARGE, ""),))
    try:
        head = _HEAD.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidCommandError((violation_of(str(error)),)) from None
    except _NOT_JSON:
        raise malformed_json() from None
    if head.type not in types:
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_TYPE, "type"),))
    if head.v not in COMMAND_VERSIONS[head.type]:
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_VERSION, "v"),))
    return head.type


def refuse_malformed_json(body: bytes) -> None:
    """Raises InvalidCommandError if `body` is not JSON.

    Reading by type stops at the first value of a wrong type, before what follows, or the text of
    that value, was looked at.
    """
    try:
        _ANYTHING.decode(body)
    except msgspec.ValidationError:
        return  # JSON, with a number that is out of every range
    except _NOT_JSON:
        raise malformed_json() from None


def refuse_repeated_names(body: bytes, command: BaseCommand) -> None:
    """Raises InvalidCommandError if an object in `body` has a name twice.

    `command` is what was read from `body`, and it knows every name there: so none is repeated
    exactly if there are as many names as fields. RFC 8259 leaves open which of two amounts counts;
    a ledger must not choose.
    """
    known = encode_command(command)
    if _ESCAPE in body or any(spaced in body for spaced in _SPACED_COLONS):
        repeated = names_written(body) != names_written(known)
    else:  # texts stand in both as they are, so what looks like a name in them counts in both
        repeated = body.count(_END_OF_NAME) != known.count(_END_OF_NAME)
    if repeated:
        raise malformed_json()


def names_written(body: bytes) -> int:
    """How many names of members stand in the JSON text `body`."""
    return _STRING.findall(body).count(b":")


def malformed_json() -> InvalidCommandError:
    """The error for a body that is not one JSON object, each name in it once.

    Raise it `from None`: its cause may quote the body, and no body may reach a log.
    """
    return InvalidCommandError((Violation(reasons.MALFORMED_JSON, ""),))


def encode_command(command: BaseCommand) -> bytes:
    """The command as JSON, fields left out left out."""
    return _ENCODER.encode(command)
