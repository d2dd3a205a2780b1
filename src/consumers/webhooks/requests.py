"""What a request about webhooks asks for, checked; what is wrong is refused by its field's name."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Container, Mapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from consumers.webhooks.subscribers import (
    FILTER_VALUES_MAX,
    PREFIX_MARK,
    Filters,
    is_subscriber_id,
)
from consumers.webhooks.urls import RefusedUrlError, Target, target_of
from ledger.contracts import reasons
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.notifications import AMOUNT_BANDS, NOTIFICATION_TYPES
from ledger.contracts.primitives import COMMAND_BYTES_MAX, is_id
from ledger.contracts.reasons import REASONS, Kind, Reason
from ledger.contracts.violations import shown_name

_JSON: Final = "application/json"
_REJECTIONS: Final = frozenset(reason.code for reason in REASONS if reason.kind is Kind.REJECTION)


class RefusedRequestError(Exception):
    """A request that is refused: the reason, and the path of the field at fault."""

    def __init__(self, reason: Reason, field: str = "") -> None:
        self.reason = reason
        self.field = field
        super().__init__(reason.code)


class WebhookRequest(Struct, frozen=True):
    """What a subscriber is to be. What is left out has its default: everything, enabled."""

    url: str
    filters: Filters = Filters()
    enabled: bool = True


class RotationRequest(Struct, frozen=True):
    """How a secret is to be replaced. The body may be left out."""

    now: bool = False


class Wanted(Struct, frozen=True):
    """What a subscriber is to be; `target` is where its URL leads."""

    url: str
    target: Target
    filters: Filters
    enabled: bool


def is_id_filter(text: str) -> bool:
    """Whether `text` is an id, or the beginning of one with the mark behind it."""
    return is_id(text.removesuffix(PREFIX_MARK))


_VALUES: Final[Mapping[str, Callable[[str], bool]]] = {
    "types": frozenset(NOTIFICATION_TYPES).__contains__,
    "accounts": is_id_filter,
    "payments": is_id_filter,
    "currencies": MINOR_DIGITS.__contains__,
    "amount_bands": frozenset(AMOUNT_BANDS).__contains__,
    "reasons": _REJECTIONS.__contains__,
}


def id_of(event: Mapping[str, Any]) -> str:
    """The path parameter `id`. Raises RefusedRequestError."""
    # Gateways differ in whether they decode; an id has no percent sign, so twice does no harm.
    id = unquote((event.get("pathParameters") or {}).get("id") or "", errors="replace")
    if not is_subscriber_id(id):
        raise RefusedRequestError(reasons.WEBHOOK_INVALID, "id")
    return id


def wanted_of(event: Mapping[str, Any]) -> Wanted:
    """What the body of a PUT wants. Raises RefusedRequestError."""
    body = _object_in(event)
    _refuse_unknown(body, {"url", "filters", "enabled"}, "")
    if "url" not in body:
        raise RefusedRequestError(reasons.MISSING_FIELD, "url")
    url, enabled = body["url"], body.get("enabled", True)
    if not isinstance(url, str):
        raise RefusedRequestError(reasons.WEBHOOK_INVALID, "url")
    if not isinstance(enabled, bool):
        raise RefusedRequestError(reasons.WEBHOOK_INVALID, "enabled")
    try:
        target = target_of(url)
    except RefusedUrlError as error:
        raise RefusedRequestError(error.reason, "url") from None
    return Wanted(url, target, _filters_in(body.get("filters", {})), enabled)


def is_now(event: Mapping[str, Any]) -> bool:
    """Whether the body of a rotation, which may be absent, says `now`.

    Raises RefusedRequestError.
    """
    if not event.get("body"):
        return False
    body = _object_in(event)
    _refuse_unknown(body, {"now"}, "")
    now = body.get("now", False)
    if not isinstance(now, bool):
        raise RefusedRequestError(reasons.WEBHOOK_INVALID, "now")
    return now


def refuse_query_parameters(event: Mapping[str, Any]) -> None:
    """Raises RefusedRequestError if there are any: one ignored is one misunderstood."""
    for name in event.get("queryStringParameters") or {}:
        raise RefusedRequestError(reasons.INVALID_QUERY, shown_name(name))


def _filters_in(given: object) -> Filters:
    if not isinstance(given, dict):
        raise RefusedRequestError(reasons.WEBHOOK_INVALID, "filters")
    _refuse_unknown(given, _VALUES, "filters.")
    found: dict[str, tuple[str, ...]] = {}
    for name, values in given.items():
        path = f"filters.{name}"
        # Empty would read as "nothing" to some and as "everything" to others.
        if not isinstance(values, list) or not 1 <= len(values) <= FILTER_VALUES_MAX:
            raise RefusedRequestError(reasons.WEBHOOK_INVALID, path)
        for place, value in enumerate(values):
            if not (isinstance(value, str) and _VALUES[name](value)):
                raise RefusedRequestError(reasons.WEBHOOK_INVALID, f"{path}[{place}]")
        found[name] = tuple(dict.fromkeys(values))
    return msgspec.convert(found, Filters)


def _object_in(event: Mapping[str, Any]) -> dict[str, Any]:
    headers: Mapping[str, str] = event.get("headers") or {}
    media = next(
        (value for name, value in headers.items() if name.lower() == "content-type"), _JSON
    )
    if media.partition(";")[0].strip().lower() != _JSON:
        raise RefusedRequestError(reasons.UNSUPPORTED_MEDIA_TYPE)
    text: str = event.get("body") or ""
    try:
        body = b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        if len(body) > COMMAND_BYTES_MAX:
            raise RefusedRequestError(reasons.PAYLOAD_TOO_LARGE)
        found = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # of base64, UTF-8 and JSON alike
        raise RefusedRequestError(reasons.MALFORMED_JSON) from None
    if not isinstance(found, dict):
        raise RefusedRequestError(reasons.MALFORMED_JSON)
    return found


def _refuse_unknown(given: Mapping[str, object], known: Container[str], parent: str) -> None:
    for name in given:
        if name not in known:
            raise RefusedRequestError(reasons.UNKNOWN_FIELD, parent + shown_name(name))
