"""What a function behind the REST API hands back to API Gateway's proxy integration."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Final

import msgspec

#: Of what a function hands back Lambda takes 6 MB. A body is a string in that, escaped: this many
#: bytes of it leave room for what came last before the bound was met.
BODY_BYTES_MAX: Final = 4 * 1024 * 1024
_ENCODE: Final = msgspec.json.Encoder().encode

Response = dict[str, Any]


def bytes_sent(body: str) -> int:
    """How many bytes a body, or a part of one, takes at the most in what a function hands back:
    quotes are escaped there and, by some runtimes, whatever is not ASCII."""
    return len(json.dumps(body))


def response(
    status: HTTPStatus, content_type: str, body: object, *, retry_after_seconds: int
) -> Response:
    """`body` as JSON, never to be cached; a 503 says after how many seconds to ask again."""
    headers = {"content-type": content_type, "cache-control": "no-store"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = str(retry_after_seconds)
    return {"statusCode": int(status), "headers": headers, "body": _ENCODE(body).decode()}
