"""Nothing was decided, or its answer was lost: nothing is half-done."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from ledger.contracts.reasons.base import Kind, Reason

_KIND: Final = Kind.OUTAGE
_503: Final = HTTPStatus.SERVICE_UNAVAILABLE

CONTENTION: Final = Reason(
    "contention",
    _KIND,
    _503,
    "same_request",
    "Other commands kept changing the same accounts; nothing was decided.",
)
CLOCK_SKEW: Final = Reason(
    "clock_skew",
    _KIND,
    _503,
    "same_request",
    "An account was last changed more than 5 s ahead of this worker's clock.",
)
STORE_UNAVAILABLE: Final = Reason(
    "store_unavailable",
    _KIND,
    _503,
    "same_request",
    "A table did not answer, or its answer was lost: ask again, a command with the same id.",
)
UNKNOWN_STORED_VERSION: Final = Reason(
    "unknown_stored_version",
    _KIND,
    _503,
    "same_request",
    "A newer release wrote this record; this worker is being replaced.",
)
UNAVAILABLE: Final = Reason(
    "unavailable",
    _KIND,
    _503,
    "same_request",
    "The function behind the API did not answer in time; it may have decided: ask again.",
)
INTERNAL_ERROR: Final = Reason(
    "internal_error",
    _KIND,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "same_request",
    "The ledger failed in a way it did not foresee; asking again with the same id is safe.",
)
