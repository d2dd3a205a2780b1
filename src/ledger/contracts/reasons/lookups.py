"""Questions that have no answer, or not yet."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from ledger.contracts.reasons.base import Kind, Reason

_KIND: Final = Kind.LOOKUP
_400: Final = HTTPStatus.BAD_REQUEST
_404: Final = HTTPStatus.NOT_FOUND
_503: Final = HTTPStatus.SERVICE_UNAVAILABLE

PAYMENT_NOT_FOUND: Final = Reason(
    "payment_not_found", _KIND, _404, "same_request", "No payment was decided under this id."
)
TEMPLATE_NOT_FOUND: Final = Reason(
    "template_not_found", _KIND, _404, "same_request", "No such template, or not in this version."
)
BOOK_NOT_FOUND: Final = Reason(
    "book_not_found", _KIND, _404, "same_request", "No book of this name was opened."
)
ACCOUNT_UNKNOWN: Final = Reason(
    "account_unknown",
    _KIND,
    _404,
    "same_request",
    "The projection knows no such account (yet).",
)
INVALID_QUERY: Final = Reason(
    "invalid_query",
    _KIND,
    _400,
    "never",
    "A path or query parameter is unknown or not of its form.",
)
NOT_YET_PROJECTED: Final = Reason(
    "not_yet_projected",
    _KIND,
    _503,
    "same_request",
    "The projection has not reached the version asked for; ask again shortly.",
)
