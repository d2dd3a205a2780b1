"""Refusals of requests about subscribers of webhooks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from ledger.contracts.reasons.base import Kind, Reason

_KIND: Final = Kind.WEBHOOK
_400: Final = HTTPStatus.BAD_REQUEST
_404: Final = HTTPStatus.NOT_FOUND
_409: Final = HTTPStatus.CONFLICT
_422: Final = HTTPStatus.UNPROCESSABLE_ENTITY

WEBHOOK_UNKNOWN: Final = Reason("webhook_unknown", _KIND, _404, "never", "No webhook has this id.")
WEBHOOK_INVALID: Final = Reason(
    "webhook_invalid",
    _KIND,
    _400,
    "never",
    "The id, the URL or a filter of a webhook is not of its form.",
)
WEBHOOK_URL_INSECURE: Final = Reason(
    "webhook_url_insecure",
    _KIND,
    _400,
    "never",
    "The URL is not `https`; plain `http` is for networks that the deployment trusts.",
)
WEBHOOK_URL_CREDENTIALS: Final = Reason(
    "webhook_url_credentials",
    _KIND,
    _400,
    "never",
    "The URL holds a user name or password; signatures show who sends.",
)
WEBHOOK_ADDRESS_REFUSED: Final = Reason(
    "webhook_address_refused",
    _KIND,
    _422,
    "never",
    "The URL leads to an address that is not public and in no network the deployment trusts.",
)
WEBHOOK_LIMIT: Final = Reason(
    "webhook_limit",
    _KIND,
    _409,
    "same_request",
    "There are as many webhooks as there may be; remove one first.",
)
WEBHOOK_DISABLED: Final = Reason(
    "webhook_disabled", _KIND, _409, "never", "The webhook is disabled; enable it first."
)
WEBHOOK_ROTATING: Final = Reason(
    "webhook_rotating",
    _KIND,
    _409,
    "same_request",
    "The secret before is still in use beside the present one; wait, or rotate with `now`.",
)
