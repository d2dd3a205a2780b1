"""Reading a request: its body as a command, its path and query, and who sent it."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Container, Mapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from ledger.contracts import reasons
from ledger.contracts.commands import (
    Command,
    decode_command,
    judge_head,
    malformed_json,
)
from ledger.contracts.primitives import ACTOR_LENGTH_MAX, is_id
from ledger.contracts.reasons import InvalidCommandError, Reason, Violation
from ledger.contracts.violations import precedence_of, shown_name

#: As many faults as an answer names: enough for a person to mend a request, and the answer to a
#: body of nothing but unknown names stays small.
VIOLATIONS_MAX: Final = 50
_JSON: Final = "application/json"
_VERSION: Final = re.compile("[1-9][0-9]{0,8}")


Event = Mapping[str, Any]
"""A proxy event of an API Gateway REST API; what it lacks may be absent or null."""


class RefusedRequestError(Exception):
    """A request refused for itself, before any command in it was read."""

    def __init__(self, reason: Reason, field: str = "") -> None:
        self.reason = reason
        self.field = field
        super().__init__(reason.code)


def _half(_: str) -> float:
    """What any number with a fraction or an exponent is read as: no field takes one, and to read
    its text could overflow."""
    return 0.5


_DOCUMENT: Final = msgspec.json.Decoder(float_hook=_half)


class _Named(Struct):
    id: str


_NAMED: Final = msgspec.json.Decoder(_Named)
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_command(body: bytes, types: Container[str]) -> Command:
    """The command in `body`, one of `types`, checked and normalised: as the queues read it.

    Raises InvalidCommandError with every fault of its shape or, if that is right, every other (at
    most VIOLATIONS_MAX), by precedence.
    """
    try:
        return decode_command(body, types)
    except InvalidCommandError as error:
        # Raised there already if the head is what is wrong: then the rest is of no known shape.
        command_type = judge_head(body, types)
        found = _faults_of_shape(body, command_type) or error.violations
        raise InvalidCommandError(found[:VIOLATIONS_MAX]) from None


def _faults_of_shape(body: bytes, command_type: str) -> tuple[Violation, ...]:
    # Only for a body that is refused: importing pydantic takes as long as a dozen answers.
    from ledger.entrypoints.api.models import faults_of  # noqa: PLC0415

    try:
        document = _DOCUMENT.decode(body)
    except _NOT_JSON:
        return ()  # no JSON, or a number of thousands of digits: the first reader said which
    return tuple(sorted(faults_of(document, command_type), key=precedence_of))


def id_in(body: bytes) -> str | None:
    """The id that a command has which could not be read or decided; None if it has none."""
    try:
        found = _NAMED.decode(body).id
    except _NOT_JSON:
        return None
    return found if is_id(found) else None


def body_of(event: Event) -> bytes:
    """The request's body. Raises RefusedRequestError or InvalidCommandError."""
    media_type = _header(event, "content-type") or _JSON
    if media_type.partition(";")[0].strip().lower() != _JSON:
        raise RefusedRequestError(reasons.UNSUPPORTED_MEDIA_TYPE)
    body: str = event.get("body") or ""
    try:
        return b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (UnicodeEncodeError, ValueError):
        raise malformed_json() from None


def actor_of(event: Event) -> str:
    """Who sent the request, as IAM knows them; at most ACTOR_LENGTH_MAX characters.

    Raises RefusedRequestError if nothing says who: a fact of the ledger names its author.
    """
    identity: Mapping[str, object] = (event.get("requestContext") or {}).get("identity") or {}
    for name in ("userArn", "caller", "accountId"):
        actor = identity.get(name)
        if isinstance(actor, str) and actor:
            return actor[:ACTOR_LENGTH_MAX]
    raise RefusedRequestError(reasons.FORBIDDEN)


def id_in_path(event: Event) -> str:
    """The path parameter `id`, which API Gateway may hand on percent-encoded.

    Raises RefusedRequestError.
    """
    text: str = (event.get("pathParameters") or {}).get("id") or ""
    decoded = unquote(text)  # no id has a percent sign, so this cannot change one
    if not is_id(decoded):
        raise RefusedRequestError(reasons.INVALID_QUERY, "id")
    return decoded


def refuse_query_parameters(event: Event) -> None:
    """Raises RefusedRequestError if there are any: a parameter ignored is one misunderstood."""
    _query(event)


def is_dry_run(event: Event) -> bool:
    """Whether the request only asks what the command would do. Raises RefusedRequestError."""
    text = _query(event, "dry_run").get("dry_run", "false")
    if text not in ("true", "false"):
        raise RefusedRequestError(reasons.INVALID_QUERY, "dry_run")
    return text == "true"


def version_asked(event: Event) -> int | None:
    """The version in the query, None for the newest. Raises RefusedRequestError."""
    text = _query(event, "version").get("version")
    if text is None:
        return None
    if not _VERSION.fullmatch(text):
        raise RefusedRequestError(reasons.INVALID_QUERY, "version")
    return int(text)


def _query(event: Event, *known: str) -> dict[str, str]:
    """The query's parameters, each of them known and there once."""
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }
    for name, values in given.items():
        if name not in known or len(values) != 1:
            raise RefusedRequestError(reasons.INVALID_QUERY, shown_name(name))
    return {name: values[0] for name, values in given.items()}


def _header(event: Event, wanted: str) -> str:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for name, value in headers.items() if name.lower() == wanted), "")
