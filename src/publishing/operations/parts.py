"""What operations share: parameters, headers, and what each status says."""

from __future__ import annotations

from typing import Final, get_args

from consumers.webhooks.subscribers import ID_PATTERN as WEBHOOK_ID_PATTERN
from ledger.contracts.events import PaymentStatus
from ledger.contracts.primitives import ID_PATTERN, INSTANT_PATTERN, STRIPES_MAX
from ledger.contracts.schemas import Schema
from ledger.entrypoints.api.answers.base import REPLAY_HEADER
from projections.payments.apply import REJECTED
from projections.query.requests import LIMIT_DEFAULT, LIMIT_MAX

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
    "dry_run": {
        "in": "query",
        "description": "`true`: say what the command would do, and do nothing.",
        "schema": {"type": "boolean", "default": False},
    },
    "version": {
        "in": "query",
        "description": "Which version; the newest if left out.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "under": {
        "in": "query",
        "required": True,
        "description": "A path of two segments or more, as `customers:42`: the account of that id, "
        "and all whose ids go on behind it with `:`.",
        "schema": {"type": "string", "pattern": ID_PATTERN},
    },
    "status": {
        "in": "query",
        "required": True,
        "description": "Where in their lives the payments are now.",
        "schema": {"type": "string", "enum": [*get_args(PaymentStatus), REJECTED]},
    },
    "from": {
        "in": "query",
        "description": "Payments made at this instant or later, by the time they were recorded.",
        "schema": {"type": "string", "pattern": INSTANT_PATTERN},
    },
    "to": {
        "in": "query",
        "description": "Payments made before this instant.",
        "schema": {"type": "string", "pattern": INSTANT_PATTERN},
    },
    "min_version": {
        "in": "query",
        "description": "Answer only if this version of the account (of its `stripe`, if it is "
        "striped) has arrived, else 503 `not_yet_projected`. The answer to a payment says the "
        "versions it made.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "stripe": {
        "in": "query",
        "description": "Of an account that is or was striped: which stripe is meant.",
        "schema": {"type": "integer", "minimum": 0, "maximum": STRIPES_MAX - 1, "default": 0},
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
