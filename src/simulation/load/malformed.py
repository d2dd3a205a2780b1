"""Requests that no ledger takes: each is refused for its text alone, and records nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from ledger.contracts.commands import (
    ACTIONS_MAX,
    BULK_COMMANDS_MAX,
    BULK_DETAIL_TYPE,
    AtomicBatch,
    Command,
    encode_command,
)
from ledger.contracts.primitives import COMMAND_BYTES_MAX
from ledger.contracts.routes import INDEPENDENT_PATH
from simulation.load.clients import Clients
from simulation.load.elements import Planned
from simulation.load.sending import UNPLACED, Sending, Way, type_of

Object = dict[str, Any]

#: How many are no JSON objects, or not one with each name once.
_TEXT: Final = 0.35
#: Of those made of batches, how many are too large.
_LARGE: Final = 0.5
#: Of what stands among commands and is none, the part that is not even like one.
_NO_OBJECT: Final = 0.3


def malformed(
    random: Random, sending: Sending, clients: Clients, commands: list[Command], moments: list[int]
) -> Iterator[Planned]:
    """One at each of `moments`, every path in its turn; made of `commands` of all types."""
    by_type: dict[str, list[Command]] = {}
    for command in commands:
        by_type.setdefault(type_of(command), []).append(command)
    types = sorted(by_type)
    random.shuffle(types)
    for number, at in enumerate(moments):
        if number % 12 == 5:
            body = _several(random, encode_command(random.choice(commands)))
            yield _together(body, sending.way(), number, at, clients)
            continue
        command = random.choice(by_type[types[number % len(types)]])
        way: Way = "rest" if random.random() < 0.7 else sending.way()
        spoilt = _spoilt(random, command, way, number)
        yield sending.one(command, at, way, body=spoilt, commands=(None,), **_message(way, number))


def _message(way: Way, number: int) -> Object:
    # SQS must not take it for the command that it was made of.
    return {"deduplication": f"malformed:{number}"} if way == "fifo" else {}


def _spoilt(random: Random, command: Command, way: Way, number: int) -> bytes:
    body = encode_command(command)
    # EventBridge itself takes nothing but objects.
    if way != "bus" and random.random() < _TEXT:
        return random.choice(_TEXTS)(body)
    spoil = random.choice(_OBJECTS)
    if isinstance(command, AtomicBatch) and random.random() < _LARGE:
        spoil = _too_large
    given: Object = json.loads(body)
    # Mostly with an id of its own; what is malformed must not touch what has this id either.
    if random.random() < 0.7:
        given["id"] = f"malformed-{number}"
    return json.dumps(spoil(given)).encode()


def not_a_command(random: Random, command: Command, id_: str) -> bytes:
    """Something like a command, under an id of its own, that can stand among commands: it is
    JSON."""
    given: Object = json.loads(encode_command(command)) | {"id": id_}
    if random.random() < _NO_OBJECT:
        return random.choice((b"null", b"7", b"[]", b'"open"', b"{}"))
    return json.dumps(random.choice(_OBJECTS)(given)).encode()


def _several(random: Random, body: bytes) -> bytes:
    """A list of commands that is none."""
    return random.choice(
        (
            b"{}",
            b'{"commands":[]}',
            b'{"commands":{}}',
            b'{"commands":[' + body + b'],"more":1}',
            b'{"commands":[' + b",".join([b"{}"] * (BULK_COMMANDS_MAX + 1)) + b"]}",
            b"[" + body + b"]",
            b'{"commands":[' + body,
        )
    )


def _together(body: bytes, way: Way, number: int, at: int, clients: Clients) -> Planned:
    """That list, by any way that takes it."""
    given: Object = {"place": UNPLACED, "at": at, "body": body, "commands": (None,)}
    if way == "bus" and body.startswith(b"{") and body.endswith(b"}"):
        client = clients.bus[number % len(clients.bus)]
        return Planned(**given, client=client, route="bus", detail_type=BULK_DETAIL_TYPE)
    if way == "fifo":
        group = f"malformed:{number}"
        given |= {"group": group, **_message(way, number)}
        return Planned(**given, client=clients.of_group(group), route="fifo")
    client = clients.rest[number % len(clients.rest)]
    return Planned(**given, client=client, route="batch", path=INDEPENDENT_PATH)


def _cut(body: bytes) -> bytes:
    return body[:-1]


def _twice(body: bytes) -> bytes:
    return body[:-1] + b',"id":"again"}'


def _list(body: bytes) -> bytes:
    return b"[" + body + b"]"


def _long(body: bytes) -> bytes:
    return body + b" " * COMMAND_BYTES_MAX


def _number(body: bytes) -> bytes:
    return body[:-1] + b',"amount_minor":1e999}'


def _too_large(given: Object) -> Object:
    """A batch of one action more than a transaction has: its event, and two of each opening."""
    if given["type"] != "batch.atomic":
        return given | {"priority": "high"}
    given["commands"] = [
        {
            "v": 1,
            "type": "account.open",
            "id": f"{given['id']}:{number}",
            "account": f"nobody:{number}",
            "currency": "EUR",
            "account_type": "liability",
        }
        for number in range(ACTIONS_MAX // 2)
    ]
    return given


def _unknown_field(given: Object) -> Object:
    return given | {"priority": "high"}


def _no_version(given: Object) -> Object:
    return given | {"v": 2}


def _no_type(given: Object) -> Object:
    return given | {"type": "payment.undo"}


def _other_type(given: Object) -> Object:
    other = "payment.void" if given["type"] != "payment.void" else "book.open"
    # Without the unknown field it might be a command of that type.
    return given | {"type": other, "priority": "high"}


def _systems(given: Object) -> Object:
    return given | {"id": "expire:somebody:1"}


def _bad_id(given: Object) -> Object:
    return given | {"id": "not an id"}


def _blank_reference(given: Object) -> Object:
    return given | {"reference": " "}


def _card(given: Object) -> Object:
    return given | {"description": "4111 1111 1111 1111"}


def _bad_values(given: Object) -> Object:
    """Amounts that are fractions, currencies that are none, a payer that pays itself."""
    if "postings" in given and given["type"] != "template.define":
        first = given["postings"][0]
        first["amount_minor"] = 0
        first["destination"] = first["source"]
    elif "amount_minor" in given:
        given["amount_minor"] = 1.5
    elif "currency" in given:
        given["currency"] = "EUX"
    else:
        given["id"] = ""
    return given


_TEXTS: Final = (_cut, _twice, _list, _long, _number)
_OBJECTS: Final = (
    _unknown_field,
    _no_version,
    _no_type,
    _other_type,
    _systems,
    _bad_id,
    _blank_reference,
    _card,
    _bad_values,
    _bad_values,
)
