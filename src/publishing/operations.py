"""The routes of the REST API as users see them: purpose, parameters, answers, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from consumers.fraud.answers import ReviewsAnswer
from consumers.webhooks.answers import (
    WebhookAnswer,
    WebhookRemovedAnswer,
    WebhooksAnswer,
    WebhookSecretAnswer,
    WebhookTestAnswer,
)
from consumers.webhooks.requests import RotationRequest, WebhookRequest
from consumers.webhooks.subscribers import ID_PATTERN as WEBHOOK_ID_PATTERN
from ledger.contracts import reasons
from ledger.contracts.commands import OpenAccount, PostPayment, SetAlerts
from ledger.contracts.primitives import ID_PATTERN
from ledger.contracts.reasons import REASONS, Kind, Reason
from ledger.contracts.schemas import Schema
from ledger.entrypoints.api.answers import (
    REPLAY_HEADER,
    AccountAlerts,
    AlertsNow,
    Health,
    OpenedAccount,
    PaymentScreenings,
    PostedPayment,
    RejectedPayment,
)
from projections.query.answers import AccountAnswer, HistoryAnswer
from projections.query.requests import LIMIT_DEFAULT, LIMIT_MAX

_EVERYWHERE: Final = (
    reasons.FORBIDDEN,
    reasons.THROTTLED,
    reasons.INTERNAL_ERROR,
    reasons.UNAVAILABLE,
)
_MALFORMED: Final = tuple(reason for reason in REASONS if reason.kind is Kind.MALFORMED)
_UNDECIDED: Final = (
    reasons.CONTENTION,
    reasons.CLOCK_SKEW,
    reasons.STORE_UNAVAILABLE,
    reasons.UNKNOWN_STORED_VERSION,
)
_OF_PAYMENTS: Final = tuple(
    reason
    for reason in REASONS
    if reason.kind is Kind.REJECTION and reason is not reasons.ACCOUNT_EXISTS
)
_COMMAND: Final = (
    reasons.INVALID_REQUEST,
    reasons.UNSUPPORTED_MEDIA_TYPE,
    reasons.INVALID_QUERY,
    *_MALFORMED,
    reasons.IDEMPOTENCY_MISMATCH,
    *_UNDECIDED,
    *_EVERYWHERE,
)
_READ: Final = (reasons.INVALID_QUERY, reasons.STORE_UNAVAILABLE, *_EVERYWHERE)
_WEBHOOK: Final = (*_READ, reasons.WEBHOOK_INVALID, reasons.WEBHOOK_UNKNOWN)
_WEBHOOK_BODY: Final = (
    reasons.UNSUPPORTED_MEDIA_TYPE,
    reasons.PAYLOAD_TOO_LARGE,
    reasons.MALFORMED_JSON,
    reasons.UNKNOWN_FIELD,
    reasons.CONTENTION,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it is for, what it takes, answers and refuses."""

    id: str
    summary: str
    description: str
    answers: Mapping[int, tuple[type[Struct], ...]]
    refusals: tuple[Reason, ...]
    command: type[Struct] | None = None
    body: type[Struct] | None = None  # of a request that is no command
    parameters: tuple[str, ...] = ()


OPERATIONS: Final[dict[tuple[str, str], Operation]] = {
    ("POST", "/accounts"): Operation(
        "openAccount",
        "Open an account",
        "Decides `account.open` and records the outcome under the command's id, for ever. 201 the "
        "first time, 200 for every repeat of the same request, with the same outcome.",
        {201: (OpenedAccount,), 200: (OpenedAccount,)},
        (*_COMMAND, reasons.ACCOUNT_EXISTS),
        command=OpenAccount,
    ),
    ("POST", "/alerts"): Operation(
        "setAlerts",
        "Set an account's balance alerts",
        "Decides `account.set_alerts`, which replaces all alerts of the account, and records the "
        "outcome under the command's id, for ever. A payment that makes the balance cross one says "
        "so in its event, and a notification tells.",
        {201: (AccountAlerts,), 200: (AccountAlerts,)},
        (*_COMMAND, reasons.ACCOUNT_NOT_FOUND, reasons.ACCOUNT_CLOSED),
        command=SetAlerts,
    ),
    ("GET", "/accounts/{id}/alerts"): Operation(
        "getAlerts",
        "Read an account's balance alerts",
        "The alerts that the account has now, read from the event store itself.",
        {200: (AlertsNow,)},
        (*_READ, reasons.ACCOUNT_UNKNOWN, reasons.UNKNOWN_STORED_VERSION),
        parameters=("id",),
    ),
    ("POST", "/payments"): Operation(
        "postPayment",
        "Post a payment",
        "Decides `payment.post` and records the outcome, posted or refused, under the payment's id,"
        " for ever. 201 the first time, 200 for every repeat of the same request, with the same "
        "outcome; a refusal is repeated as the same problem.",
        {201: (PostedPayment,), 200: (PostedPayment,)},
        (*_COMMAND, *_OF_PAYMENTS),
        command=PostPayment,
    ),
    ("GET", "/payments/{id}"): Operation(
        "getPayment",
        "Read a payment",
        "The outcome recorded under a payment's id, posted or rejected, read from the event store "
        "itself: an answer here is never behind an answer to the command.",
        {200: (PostedPayment, RejectedPayment)},
        (
            *_READ,
            reasons.PAYMENT_NOT_FOUND,
            reasons.UNKNOWN_STORED_VERSION,
        ),
        parameters=("id",),
    ),
    ("GET", "/payments/{id}/screening"): Operation(
        "getPaymentScreening",
        "Read the fraud verdicts on a payment",
        "The verdicts that the ledger recorded, read from the event store itself, each with its "
        "reasons and what is normal for the payer beside them. A payment that customers pay is "
        "screened a second or two after it was posted.",
        {200: (PaymentScreenings,)},
        (
            *_READ,
            reasons.PAYMENT_NOT_FOUND,
            reasons.UNKNOWN_STORED_VERSION,
        ),
        parameters=("id",),
    ),
    ("GET", "/reviews"): Operation(
        "listReviews",
        "List payments for review",
        "The recorded fraud verdicts that are not clear, newest first, a page at a time.",
        {200: (ReviewsAnswer,)},
        _READ,
        parameters=("limit", "cursor"),
    ),
    ("GET", "/accounts/{id}"): Operation(
        "getAccount",
        "Read an account",
        "An account as the balances projection has it: within a second or two of the latest "
        "payment. `version` says how far it is; with `min_version` an older state is refused.",
        {200: (AccountAnswer,)},
        (*_READ, reasons.ACCOUNT_UNKNOWN, reasons.NOT_YET_PROJECTED),
        parameters=("id", "min_version"),
    ),
    ("GET", "/accounts/{id}/history"): Operation(
        "getAccountHistory",
        "Read an account's history",
        "What happened to an account, newest first, a page at a time, with its balance after each "
        "event.",
        {200: (HistoryAnswer,)},
        (*_READ, reasons.ACCOUNT_UNKNOWN, reasons.NOT_YET_PROJECTED),
        parameters=("id", "limit", "cursor", "min_version"),
    ),
    ("GET", "/webhooks"): Operation(
        "listWebhooks",
        "List webhooks",
        "Every subscriber of webhooks, by id, without secrets.",
        {200: (WebhooksAnswer,)},
        _READ,
    ),
    ("GET", "/webhooks/{id}"): Operation(
        "getWebhook",
        "Read a webhook",
        "A subscriber of webhooks, without its secret.",
        {200: (WebhookAnswer,)},
        _WEBHOOK,
        parameters=("webhook",),
    ),
    ("PUT", "/webhooks/{id}"): Operation(
        "putWebhook",
        "Add or change a webhook",
        "Makes the subscriber of that id what the body says. The first time, 201 shows the secret "
        "that signs what it is sent, this once; after that 200, without it. docs/webhooks.md says "
        "what is sent, and how to verify it.",
        {201: (WebhookSecretAnswer,), 200: (WebhookAnswer,)},
        (
            *_READ,
            *_WEBHOOK_BODY,
            reasons.MISSING_FIELD,
            reasons.WEBHOOK_INVALID,
            reasons.WEBHOOK_URL_INSECURE,
            reasons.WEBHOOK_URL_CREDENTIALS,
            reasons.WEBHOOK_ADDRESS_REFUSED,
            reasons.WEBHOOK_LIMIT,
        ),
        body=WebhookRequest,
        parameters=("webhook",),
    ),
    ("DELETE", "/webhooks/{id}"): Operation(
        "removeWebhook",
        "Remove a webhook",
        "Removes the subscriber and its secret. What is on its way to it ends in the dead letters.",
        {200: (WebhookRemovedAnswer,)},
        (*_WEBHOOK, reasons.CONTENTION),
        parameters=("webhook",),
    ),
    ("POST", "/webhooks/{id}/rotate"): Operation(
        "rotateWebhookSecret",
        "Replace a webhook's secret",
        "Shows a new secret, this once. For 24 hours the one before signs beside it, so that a "
        "receiver can take its time; with `now` it signs no more.",
        {200: (WebhookSecretAnswer,)},
        (*_WEBHOOK, *_WEBHOOK_BODY, reasons.WEBHOOK_ROTATING),
        body=RotationRequest,
        parameters=("webhook",),
    ),
    ("POST", "/webhooks/{id}/test"): Operation(
        "testWebhook",
        "Try a webhook",
        "Sends a notification of type `webhook.test` to the subscriber alone, by the path that all "
        "deliveries take.",
        {202: (WebhookTestAnswer,)},
        (*_WEBHOOK, reasons.WEBHOOK_DISABLED),
        parameters=("webhook",),
    ),
    ("GET", "/health"): Operation(
        "getHealth",
        "Whether the ledger can work",
        "Reads the event store once, consistently: says that the API, the function, its "
        "permissions and the table of events work. It writes nothing and says nothing of queues "
        "and projections.",
        {200: (Health,)},
        (reasons.STORE_UNAVAILABLE, *_EVERYWHERE),
    ),
}

PARAMETERS: Final[dict[str, Schema]] = {
    "id": {
        "in": "path",
        "required": True,
        "description": "The id; characters outside the unreserved ones may be percent-encoded.",
        "schema": {"type": "string", "pattern": ID_PATTERN},
    },
    "webhook": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "The webhook's id, chosen by whoever adds it.",
        "schema": {"type": "string", "pattern": WEBHOOK_ID_PATTERN},
    },
    "min_version": {
        "in": "query",
        "description": "Answer only if this version of the account has arrived, else 503 "
        "`not_yet_projected`. The answer to a payment says the versions it made.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "limit": {
        "in": "query",
        "description": "The most entries to answer with.",
        "schema": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    },
    "cursor": {
        "in": "query",
        "description": "Where to go on: `next_cursor` of the page before, as it was.",
        "schema": {"type": "string"},
    },
}
HEADERS: Final[dict[str, Schema]] = {
    REPLAY_HEADER: {
        "description": "`true` if the outcome had been recorded before this request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Location": {
        "description": "Where to read what was created, relative to the request's own URL.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which to send the identical request again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
#: Of the answers to commands; any answer of 503 says when to ask again.
HEADERS_OF_COMMANDS: Final[dict[int, tuple[str, ...]]] = {
    200: (REPLAY_HEADER,),
    201: ("Location",),
    409: (REPLAY_HEADER,),
    422: (REPLAY_HEADER,),
}
STATUS_TEXT: Final[dict[int, str]] = {
    400: "Malformed: nothing was recorded, the id stays free.",
    403: "Not signed, or not allowed.",
    404: "Not there.",
    409: "In conflict with what is recorded.",
    413: "Too large.",
    415: "Not JSON.",
    422: "Well-formed and refused: recorded under this id, for ever.",
    429: "Too many requests.",
    500: "A failure that was not foreseen. The same request may be sent again.",
    503: "Not decided, or the answer was lost. The same request may be sent again.",
}
