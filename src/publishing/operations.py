"""The six routes of the REST API as users see them: purpose, parameters, answers, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from ledger.contracts import reasons
from ledger.contracts.commands import OpenAccount, PostPayment
from ledger.contracts.primitives import ID_PATTERN
from ledger.contracts.reasons import REASONS, Kind, Reason
from ledger.contracts.schemas import Schema
from ledger.entrypoints.api.answers import (
    REPLAY_HEADER,
    Health,
    OpenedAccount,
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


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it is for, what it takes, answers and refuses."""

    id: str
    summary: str
    description: str
    answers: Mapping[int, tuple[type[Struct], ...]]
    refusals: tuple[Reason, ...]
    command: type[Struct] | None = None
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
