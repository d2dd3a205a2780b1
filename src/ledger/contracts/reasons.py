"""The closed set of reasons for which the ledger says no, in their precedence.

One table, the source of `docs/errors.md`, of the REST statuses and of every `retry` that is said:

- `same_request`: send the identical request again, with its id; it may succeed and is safe.
- `new_id`: the refusal is recorded under this id for ever; the same wish may succeed later under
  a new id, once what caused it has changed.
- `never`: this request cannot succeed; correct it. A malformed one left its id free.

Precedence is the order of the table: a command is refused for the first reason that holds.
Codes reach storage (in `command.rejected` events) and clients: never rename one.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Final, Literal

from msgspec import Struct

Retry = Literal["same_request", "new_id", "never"]


class Kind(StrEnum):
    """Where a refusal arises, and so whether it is recorded."""

    TRANSPORT = "transport"  # by the HTTP request around the command; nothing is recorded
    MALFORMED = "malformed"  # by the command's text alone; nothing is recorded, the id stays free
    CONFLICT = "conflict"  # the id was decided before; what was recorded stands
    REJECTION = "rejection"  # decided against the accounts' states; recorded for ever
    LOOKUP = "lookup"  # a query found nothing, or not yet
    WEBHOOK = "webhook"  # a request about a subscriber of webhooks; nothing was changed
    OUTAGE = "outage"  # nothing was decided, or its answer was lost; nothing is half-done


class Reason(Struct, frozen=True):
    """One reason: its stable code, its REST status, its retry advice and its meaning."""

    code: str
    kind: Kind
    status: HTTPStatus
    retry: Retry
    meaning: str


_MALFORMED: Final = Kind.MALFORMED
_TRANSPORT: Final = Kind.TRANSPORT
_400: Final = HTTPStatus.BAD_REQUEST
_404: Final = HTTPStatus.NOT_FOUND
_409: Final = HTTPStatus.CONFLICT
_422: Final = HTTPStatus.UNPROCESSABLE_ENTITY
_503: Final = HTTPStatus.SERVICE_UNAVAILABLE

THROTTLED: Final = Reason(
    "throttled",
    _TRANSPORT,
    HTTPStatus.TOO_MANY_REQUESTS,
    "same_request",
    "More requests than this stage takes; ask again more slowly.",
)
FORBIDDEN: Final = Reason(
    "forbidden",
    _TRANSPORT,
    HTTPStatus.FORBIDDEN,
    "never",
    "The request is not signed (AWS Signature Version 4) by a principal that may make it, or has "
    "no such method and path: API Gateway does not tell them apart.",
)
UNKNOWN_ROUTE: Final = Reason(
    "unknown_route", _TRANSPORT, _404, "never", "The API has no such method and path."
)
UNSUPPORTED_MEDIA_TYPE: Final = Reason(
    "unsupported_media_type",
    _TRANSPORT,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "never",
    "The body is not said to be `application/json`.",
)
INVALID_REQUEST: Final = Reason(
    "invalid_request",
    _TRANSPORT,
    _400,
    "never",
    "The API's front door found no command: no JSON object with `type`, `v` and `id`.",
)
PAYLOAD_TOO_LARGE: Final = Reason(
    "payload_too_large",
    _MALFORMED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "never",
    "The command is longer than 65,536 bytes.",
)
MALFORMED_JSON: Final = Reason(
    "malformed_json",
    _MALFORMED,
    _400,
    "never",
    "The body is not one JSON object in UTF-8, each name in it once.",
)
UNSUPPORTED_TYPE: Final = Reason(
    "unsupported_type", _MALFORMED, _400, "never", "No command has this `type`, or not here."
)
UNSUPPORTED_VERSION: Final = Reason(
    "unsupported_version", _MALFORMED, _400, "never", "The command exists, not in this version `v`."
)
UNKNOWN_FIELD: Final = Reason(
    "unknown_field", _MALFORMED, _400, "never", "The command has no such field."
)
MISSING_FIELD: Final = Reason(
    "missing_field", _MALFORMED, _400, "never", "A required field is absent."
)
INVALID_ID: Final = Reason(
    "invalid_id", _MALFORMED, _400, "never", "An id is not 1 to 64 characters of `A-Za-z0-9._:-`."
)
RESERVED_ID: Final = Reason(
    "reserved_id",
    _MALFORMED,
    _400,
    "never",
    "The ledger's own commands have ids that begin so: `screening` or `expire`, then `:` or `.`.",
)
INVALID_AMOUNT: Final = Reason(
    "invalid_amount",
    _MALFORMED,
    _400,
    "never",
    "An amount is not an integer of minor units from 1 to 2^63-1 (a limit: ±(2^63-1) or null).",
)
UNKNOWN_CURRENCY: Final = Reason(
    "unknown_currency", _MALFORMED, _400, "never", "Not the code of an ISO 4217 currency."
)
INVALID_ACCOUNT_TYPE: Final = Reason(
    "invalid_account_type",
    _MALFORMED,
    _400,
    "never",
    "Not one of asset, liability, equity, income, expense.",
)
INVALID_TIME: Final = Reason(
    "invalid_time",
    _MALFORMED,
    _400,
    "never",
    "Not RFC 3339 with an offset and at most six fraction digits.",
)
INVALID_TEXT: Final = Reason(
    "invalid_text",
    _MALFORMED,
    _400,
    "never",
    "Free text is empty, too long, or has control characters.",
)
CARD_NUMBER: Final = Reason(
    "card_number",
    _MALFORMED,
    _400,
    "never",
    "Free text holds what looks like a payment card number (13 to 19 digits, Luhn).",
)
INVALID_POSTINGS: Final = Reason(
    "invalid_postings", _MALFORMED, _400, "never", "Not a list of 1 to 45 postings."
)
SAME_ACCOUNT: Final = Reason(
    "same_account", _MALFORMED, _400, "never", "A posting's source is its destination."
)
INVALID_LIMITS: Final = Reason(
    "invalid_limits",
    _MALFORMED,
    _400,
    "never",
    "The lowest balance is above the highest, or an opening balance of 0 is outside them.",
)
INVALID_ALERTS: Final = Reason(
    "invalid_alerts",
    _MALFORMED,
    _400,
    "never",
    "Not a list of at most 4 different alerts, each `below` or `above` a threshold.",
)
INVALID_SCREENING: Final = Reason(
    "invalid_screening",
    _MALFORMED,
    _400,
    "never",
    "A verdict, score, model or reason that is not of the documented form.",
)
SCREENED_PAYMENT_UNKNOWN: Final = Reason(
    "screened_payment_unknown",
    _MALFORMED,
    _400,
    "never",
    "No posted payment has the id that the verdict is on.",
)
IDEMPOTENCY_MISMATCH: Final = Reason(
    "idempotency_mismatch",
    Kind.CONFLICT,
    _409,
    "never",
    "This id was decided before, for a command that differs in the fields named.",
)
ACCOUNT_EXISTS: Final = Reason(
    "account_exists",
    Kind.REJECTION,
    _409,
    "never",
    "Another command opened an account with this id.",
)
ACCOUNT_NOT_FOUND: Final = Reason(
    "account_not_found", Kind.REJECTION, _422, "new_id", "No such account was opened."
)
ACCOUNT_CLOSED: Final = Reason(
    "account_closed", Kind.REJECTION, _422, "never", "The account is closed."
)
ACCOUNT_FROZEN: Final = Reason(
    "account_frozen", Kind.REJECTION, _422, "new_id", "The account is frozen."
)
CURRENCY_MISMATCH: Final = Reason(
    "currency_mismatch",
    Kind.REJECTION,
    _422,
    "never",
    "A posting is in another currency than the account.",
)
BALANCE_OVERFLOW: Final = Reason(
    "balance_overflow",
    Kind.REJECTION,
    _422,
    "never",
    "One of the account's running totals would pass 2^63-1.",
)
INSUFFICIENT_FUNDS: Final = Reason(
    "insufficient_funds",
    Kind.REJECTION,
    _422,
    "new_id",
    "The payment would take the account's available balance below its lowest.",
)
BALANCE_LIMIT_EXCEEDED: Final = Reason(
    "balance_limit_exceeded",
    Kind.REJECTION,
    _422,
    "new_id",
    "The payment would take the account's balance above its highest.",
)
PAYMENT_NOT_FOUND: Final = Reason(
    "payment_not_found", Kind.LOOKUP, _404, "same_request", "No payment was decided under this id."
)
ACCOUNT_UNKNOWN: Final = Reason(
    "account_unknown",
    Kind.LOOKUP,
    _404,
    "same_request",
    "The projection knows no such account (yet).",
)
INVALID_QUERY: Final = Reason(
    "invalid_query",
    Kind.LOOKUP,
    _400,
    "never",
    "A path or query parameter is unknown or not of its form.",
)
NOT_YET_PROJECTED: Final = Reason(
    "not_yet_projected",
    Kind.LOOKUP,
    _503,
    "same_request",
    "The projection has not reached the version asked for; ask again shortly.",
)
WEBHOOK_UNKNOWN: Final = Reason(
    "webhook_unknown", Kind.WEBHOOK, _404, "never", "No webhook has this id."
)
WEBHOOK_INVALID: Final = Reason(
    "webhook_invalid",
    Kind.WEBHOOK,
    _400,
    "never",
    "The id, the URL or a filter of a webhook is not of its form.",
)
WEBHOOK_URL_INSECURE: Final = Reason(
    "webhook_url_insecure",
    Kind.WEBHOOK,
    _400,
    "never",
    "The URL is not `https`; plain `http` is for networks that the deployment trusts.",
)
WEBHOOK_URL_CREDENTIALS: Final = Reason(
    "webhook_url_credentials",
    Kind.WEBHOOK,
    _400,
    "never",
    "The URL holds a user name or password; signatures show who sends.",
)
WEBHOOK_ADDRESS_REFUSED: Final = Reason(
    "webhook_address_refused",
    Kind.WEBHOOK,
    _422,
    "never",
    "The URL leads to an address that is not public and in no network the deployment trusts.",
)
WEBHOOK_LIMIT: Final = Reason(
    "webhook_limit",
    Kind.WEBHOOK,
    _409,
    "same_request",
    "There are as many webhooks as there may be; remove one first.",
)
WEBHOOK_DISABLED: Final = Reason(
    "webhook_disabled", Kind.WEBHOOK, _409, "never", "The webhook is disabled; enable it first."
)
WEBHOOK_ROTATING: Final = Reason(
    "webhook_rotating",
    Kind.WEBHOOK,
    _409,
    "same_request",
    "The secret before is still in use beside the present one; wait, or rotate with `now`.",
)
CONTENTION: Final = Reason(
    "contention",
    Kind.OUTAGE,
    _503,
    "same_request",
    "Other commands kept changing the same accounts; nothing was decided.",
)
CLOCK_SKEW: Final = Reason(
    "clock_skew",
    Kind.OUTAGE,
    _503,
    "same_request",
    "An account was last changed more than 5 s ahead of this worker's clock.",
)
STORE_UNAVAILABLE: Final = Reason(
    "store_unavailable",
    Kind.OUTAGE,
    _503,
    "same_request",
    "A table did not answer, or its answer was lost: ask again, a command with the same id.",
)
UNKNOWN_STORED_VERSION: Final = Reason(
    "unknown_stored_version",
    Kind.OUTAGE,
    _503,
    "same_request",
    "A newer release wrote this record; this worker is being replaced.",
)
UNAVAILABLE: Final = Reason(
    "unavailable",
    Kind.OUTAGE,
    _503,
    "same_request",
    "The function behind the API did not answer in time; it may have decided: ask again.",
)
INTERNAL_ERROR: Final = Reason(
    "internal_error",
    Kind.OUTAGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "same_request",
    "The ledger failed in a way it did not foresee; asking again with the same id is safe.",
)

#: Every reason, in precedence.
REASONS: Final[tuple[Reason, ...]] = (
    THROTTLED,
    FORBIDDEN,
    UNKNOWN_ROUTE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_REQUEST,
    PAYLOAD_TOO_LARGE,
    MALFORMED_JSON,
    UNSUPPORTED_TYPE,
    UNSUPPORTED_VERSION,
    UNKNOWN_FIELD,
    MISSING_FIELD,
    INVALID_ID,
    RESERVED_ID,
    INVALID_AMOUNT,
    UNKNOWN_CURRENCY,
    INVALID_ACCOUNT_TYPE,
    INVALID_TIME,
    INVALID_TEXT,
    CARD_NUMBER,
    INVALID_POSTINGS,
    SAME_ACCOUNT,
    INVALID_LIMITS,
    INVALID_ALERTS,
    INVALID_SCREENING,
    SCREENED_PAYMENT_UNKNOWN,
    IDEMPOTENCY_MISMATCH,
    ACCOUNT_EXISTS,
    ACCOUNT_NOT_FOUND,
    ACCOUNT_CLOSED,
    ACCOUNT_FROZEN,
    CURRENCY_MISMATCH,
    BALANCE_OVERFLOW,
    INSUFFICIENT_FUNDS,
    BALANCE_LIMIT_EXCEEDED,
    PAYMENT_NOT_FOUND,
    ACCOUNT_UNKNOWN,
    INVALID_QUERY,
    NOT_YET_PROJECTED,
    WEBHOOK_UNKNOWN,
    WEBHOOK_INVALID,
    WEBHOOK_URL_INSECURE,
    WEBHOOK_URL_CREDENTIALS,
    WEBHOOK_ADDRESS_REFUSED,
    WEBHOOK_LIMIT,
    WEBHOOK_DISABLED,
    WEBHOOK_ROTATING,
    CONTENTION,
    CLOCK_SKEW,
    STORE_UNAVAILABLE,
    UNKNOWN_STORED_VERSION,
    UNAVAILABLE,
    INTERNAL_ERROR,
)
BY_CODE: Final[dict[str, Reason]] = {reason.code: reason for reason in REASONS}


class Violation(Struct, frozen=True):
    """One fault of a malformed command: the reason, and the path of the field that has it.

    `field` is a path as `postings[0].amount_minor`, empty for the body as a whole. No value of the
    client's is ever part of it, so that it can be logged.
    """

    reason: Reason
    field: str


class InvalidCommandError(ValueError):
    """A malformed command: nothing was recorded, its id stays free. Not empty: `violations`."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        self.violations = violations
        super().__init__(", ".join(f"{v.reason.code} at {v.field or 'body'}" for v in violations))
