"""What a function behind the REST API hands back to API Gateway's proxy integration."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec

_ENCODE: Final = msgspec.json.Encoder().encode

Response = dict[str, Any]


def response(
    status: HTTPStatus, content_type: str, body: object, *, retry_after_seconds: int
) -> Response:
    """`body` as JSON, never to be cached; a 503 says after how many seconds to ask again."""
    headers = {"content-type": content_type, "cache-control": "no-store"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = str(retry_after_seconds)
    return {"statusCode": int(status), "headers": headers, "body": _ENCODE(body).decode()}
