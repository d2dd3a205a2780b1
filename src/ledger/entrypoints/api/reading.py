"""Reading a request: its body as a command, its path and query, and who sent it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from pydantic import ValidationError

from ledger.contracts import reasons
from ledger.contracts.commands import (
    Command,
    checked,
    decode_command,
    judge_head,
    malformed_json,
    refuse_repeated_names,
)
from ledger.contracts.primitives import ACTOR_LENGTH_MAX, is_id
from ledger.contracts.reasons import BY_CODE, InvalidCommandError, Reason, Violation
from ledger.contracts.violations import precedence_of, reason_of, shown_name
from ledger.entrypoints.api.models import MODELS

#: As many faults as an answer names: enough for a person to mend a request, and the answer to a
#: body of nothing but unknown names stays small.
VIOLATIONS_MAX: Final = 50
_JSON: Final = "application/json"


Event = Mapping[str, Any]
"""A proxy event of an API Gateway REST API; what it lacks may be absent or null."""


class RefusedRequestError(Exception):
    """A request refused for itself, before any command in it was read."""

    def __init__(self, reason: Reason, field: str = "") -> None:
        self.reason = reason
        self.field = field
        super().__init__(reason.code)


class _NotAnInteger:
    """What a JSON number with a fraction or an exponent is read as: no field takes one."""

    def __init__(self, text: str) -> None:
        """`text` is dropped: reading it could overflow, and no one asks for its value."""


# The JSON itself is msgspec's business on both paths, so that they cannot differ over what JSON is.
_DOCUMENT: Final = msgspec.json.Decoder(float_hook=_NotAnInteger)


def read_command(body: bytes, command_type: str) -> Command:
    """The command of that type in `body`, checked and normalised.

    Raises InvalidCommandError with every fault (at most VIOLATIONS_MAX), by precedence.
    """
    judge_head(body, types=(command_type,))
    try:
        model = MODELS[command_type].model_validate(_DOCUMENT.decode(body))
    except ValidationError as error:
        raise InvalidCommandError(_violations_of(error)) from None
    except msgspec.ValidationError:
        # A number of thousands of digits, which cannot even be held: the queue's reader, which
        # reads by the type wanted, says of what field.
        decode_command(body)
        raise malformed_json() from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed_json() from None
    command = model.command()
    refuse_repeated_names(body, command)
    return checked(command)


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
    for name in event.get("queryStringParameters") or {}:
        raise RefusedRequestError(reasons.INVALID_QUERY, shown_name(name))


def _header(event: Event, wanted: str) -> str:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for name, value in headers.items() if name.lower() == wanted), "")


def _violations_of(error: ValidationError) -> tuple[Violation, ...]:
    found = [
        _violation(item["type"], item["loc"], item.get("ctx") or {})
        for item in error.errors(include_url=False, include_input=False)
    ]
    return tuple(sorted(found, key=precedence_of)[:VIOLATIONS_MAX])


def _violation(
    kind: str, location: tuple[str | int, ...], context: Mapping[str, object]
) -> Violation:
    if kind == "extra_forbidden":
        *parents, name = location
        return Violation(reasons.UNKNOWN_FIELD, _path((*parents, shown_name(str(name)))))
    field = _path(location)
    if kind == "missing":
        return Violation(reasons.MISSING_FIELD, field)
    if kind != "ledger":
        return Violation(reason_of(field), field)
    reason = BY_CODE[str(context["reason"])]
    return Violation(reason, f"{field}.destination" if reason is reasons.SAME_ACCOUNT else field)


def _path(location: tuple[str | int, ...]) -> str:
    """A path as `postings[0].amount_minor`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".")
