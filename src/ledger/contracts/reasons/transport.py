"""Refusals of the HTTP request around a command."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from ledger.contracts.reasons.base import Kind, Reason

_KIND: Final = Kind.TRANSPORT
_400: Final = HTTPStatus.BAD_REQUEST
_404: Final = HTTPStatus.NOT_FOUND

THROTTLED: Final = Reason(
    "throttled",
    _KIND,
    HTTPStatus.TOO_MANY_REQUESTS,
    "same_request",
    "More requests than this stage takes; ask again more slowly.",
)
FORBIDDEN: Final = Reason(
    "forbidden",
    _KIND,
    HTTPStatus.FORBIDDEN,
    "never",
    "The request is not signed (AWS Signature Version 4) by a principal that may make it, or has "
    "no such method and path: API Gateway does not tell them apart.",
)
UNKNOWN_ROUTE: Final = Reason(
    "unknown_route", _KIND, _404, "never", "The API has no such method and path."
)
UNSUPPORTED_MEDIA_TYPE: Final = Reason(
    "unsupported_media_type",
    _KIND,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "never",
    "The body is not said to be `application/json`.",
)
INVALID_REQUEST: Final = Reason(
    "invalid_request",
    _KIND,
    _400,
    "never",
    "The API's front door found no command: no JSON object with `type`, `v` and `id`.",
)
