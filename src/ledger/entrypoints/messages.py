"""Messages of the queues of commands: what each holds, who sent it, and what of it is no command.

A message holds one command, or up to 500 in bulk. What is wrong with one of these is nothing to the
others: it becomes a dead letter of its own, a message like the one it came in with nothing else in
it, so that it can be sent back as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from msgspec import Raw, Struct

from ledger.contracts import reasons
from ledger.contracts.commands import (
    BULK_DETAIL_TYPE,
    CLIENT_COMMANDS,
    COMMAND_TYPES,
    SYSTEM_COMMANDS,
    Command,
    bulk_in,
    bulk_of,
    decode_command,
    path_in_member,
    read_bulk,
    reasons_against_text,
)
from ledger.contracts.envelopes import Envelope, MalformedEnvelopeError, open_envelope
from ledger.contracts.primitives import ACTOR_LENGTH_MAX
from ledger.contracts.reasons import InvalidCommandError, Violation
from ledger.runtime.sqs import Record

_ENVELOPE: Final = msgspec.json.Decoder(dict[str, Raw])


class Part(Struct, frozen=True):
    """One command of a message, or (None) what is no command: then `fault` says why.

    `place` is that in a bulk message, None in a message of one command; None and a fault: the
    message as a whole is what is wrong.
    """

    body: bytes
    place: int | None = None
    command: Command | None = None
    fault: Violation | None = None

    def faulted(self, fault: Violation) -> Violation:
        """A fault of the command, by its path in the message."""
        if self.place is None:
            return fault
        return Violation(fault.reason, path_in_member(self.place, fault.field))


class Message(Struct, frozen=True):
    """A message, read: who sent it, and its parts in their order, at least one."""

    actor: str
    parts: tuple[Part, ...]


Read = Callable[[Record], Message]
"""Reads a message of one queue; never raises for what its sender wrote."""
Decode = Callable[[bytes], Command]
"""Reads a command. Raises InvalidCommandError."""


def read_bare(record: Record) -> Message:
    """A client's command as it is, or many in bulk."""
    body = record["body"].encode()
    return _message(body, lambda: _bare(body, decode_command), _sender(record))


def read_system(record: Record) -> Message:
    """A system command as it is, or many in bulk, from the function that sent it."""
    body = record["body"].encode()
    return _message(body, lambda: _bare(body, _system), _sender(record))


def read_enveloped(record: Record) -> Message:
    """What came over the ingress bus, from whoever put it there; or many commands in bulk, from
    whoever sent them here."""
    body = record["body"].encode()
    try:
        envelope = open_envelope(body)
    except MalformedEnvelopeError:
        return _message(body, lambda: _bulk(bulk_in(body), decode_command), _sender(record))
    actor = f"events:{envelope.account}:{envelope.source}"[:ACTOR_LENGTH_MAX]
    return _message(body, lambda: _enveloped(envelope), actor)


def letter_of(record: Record, part: Part, *, alone: bool) -> str:
    """The message with nothing but that part in it; as it is, if it is `alone` there."""
    body: str = record["body"]
    if alone or part.place is None:
        return body
    single = bulk_of([part.body])
    try:
        open_envelope(body)
    except MalformedEnvelopeError:
        return single.decode()
    envelope = _ENVELOPE.decode(body)
    return msgspec.json.encode(envelope | {"detail": Raw(single)}).decode()


def _message(body: bytes, read: Callable[[], Iterable[Part]], actor: str) -> Message:
    try:
        return Message(actor, tuple(read()))
    except InvalidCommandError as error:
        return Message(actor, (Part(body, fault=error.violations[0]),))


def _bare(body: bytes, decode: Decode) -> list[Part]:
    """Raises InvalidCommandError."""
    found = bulk_in(body)
    return [_part(body, None, decode)] if found is None else _bulk(found, decode)


def _bulk(found: list[bytes] | None, decode: Decode) -> list[Part]:
    """Raises InvalidCommandError."""
    if found is None:
        raise InvalidCommandError((Violation(reasons.MALFORMED_JSON, ""),))
    return [_part(body, place, decode) for place, body in enumerate(found)]


def _enveloped(envelope: Envelope) -> list[Part]:
    """Raises InvalidCommandError."""
    detail, detail_type = bytes(envelope.detail), envelope.detail_type
    if detail_type == BULK_DETAIL_TYPE:
        parts = _bulk(read_bulk(detail), decode_command)
    elif detail_type in CLIENT_COMMANDS:
        parts = [_part(detail, None, lambda body: _of_type(body, detail_type))]
    else:
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_TYPE, "detail-type"),))
    # The sender chose `source`, and it becomes part of the event: it is free text like any other.
    for reason in reasons_against_text(envelope.source):
        raise InvalidCommandError((Violation(reason, "source"),))
    return parts


def _of_type(body: bytes, command_type: str) -> Command:
    """A command of the type that its envelope names. Raises InvalidCommandError."""
    command = decode_command(body)
    if not isinstance(command, COMMAND_TYPES[command_type]):
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_TYPE, "type"),))
    return command


def _system(body: bytes) -> Command:
    return decode_command(body, SYSTEM_COMMANDS)


def _part(body: bytes, place: int | None, decode: Decode) -> Part:
    try:
        return Part(body, place, decode(body))
    except InvalidCommandError as error:
        part = Part(body, place)
        return msgspec.structs.replace(part, fault=part.faulted(error.violations[0]))


def _sender(record: Record) -> str:
    return f"sqs:{record['attributes'].get('SenderId', '')}"
