"""Refusals for a command's text alone: nothing is recorded, its id stays free."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from ledger.contracts.reasons.base import Kind, Reason

_KIND: Final = Kind.MALFORMED
_400: Final = HTTPStatus.BAD_REQUEST

PAYLOAD_TOO_LARGE: Final = Reason(
    "payload_too_large",
    _KIND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "never",
    "The command is longer than 65,536 bytes, or several at once are longer than 1 MiB.",
)
MALFORMED_JSON: Final = Reason(
    "malformed_json",
    _KIND,
    _400,
    "never",
    "The body is not one JSON object in UTF-8, each name in it once.",
)
UNSUPPORTED_TYPE: Final = Reason(
    "unsupported_type", _KIND, _400, "never", "No command has this `type`, or not here."
)
UNSUPPORTED_VERSION: Final = Reason(
    "unsupported_version", _KIND, _400, "never", "The command exists, not in this version `v`."
)
UNKNOWN_FIELD: Final = Reason(
    "unknown_field", _KIND, _400, "never", "The command has no such field."
)
MISSING_FIELD: Final = Reason("missing_field", _KIND, _400, "never", "A required field is absent.")
INVALID_ID: Final = Reason(
    "invalid_id", _KIND, _400, "never", "An id is not 1 to 64 characters of `A-Za-z0-9._:-`."
)
RESERVED_ID: Final = Reason(
    "reserved_id",
    _KIND,
    _400,
    "never",
    "The ledger's own commands have ids that begin so: `screening` or `expire`, then `:` or `.`.",
)
INVALID_AMOUNT: Final = Reason(
    "invalid_amount",
    _KIND,
    _400,
    "never",
    "An amount is not an integer of minor units from 1 to 2^63-1 (a limit: ±(2^63-1) or null).",
)
UNKNOWN_CURRENCY: Final = Reason(
    "unknown_currency", _KIND, _400, "never", "Not the code of an ISO 4217 currency."
)
INVALID_ACCOUNT_TYPE: Final = Reason(
    "invalid_account_type",
    _KIND,
    _400,
    "never",
    "Not one of asset, liability, equity, income, expense.",
)
INVALID_TIME: Final = Reason(
    "invalid_time",
    _KIND,
    _400,
    "never",
    "Not RFC 3339 with an offset and at most six fraction digits.",
)
INVALID_TEXT: Final = Reason(
    "invalid_text",
    _KIND,
    _400,
    "never",
    "Free text is empty, too long, or has control or format characters.",
)
CARD_NUMBER: Final = Reason(
    "card_number",
    _KIND,
    _400,
    "never",
    "Text or a name holds what looks like a payment card number (13 to 19 digits, Luhn).",
)
INVALID_POSTINGS: Final = Reason(
    "invalid_postings", _KIND, _400, "never", "Not a list of 1 to 45 postings."
)
SAME_ACCOUNT: Final = Reason(
    "same_account", _KIND, _400, "never", "A posting's source is its destination."
)
INVALID_LIMITS: Final = Reason(
    "invalid_limits",
    _KIND,
    _400,
    "never",
    "The lowest balance is above the highest, or an opening balance of 0 is outside them.",
)
INVALID_ALERTS: Final = Reason(
    "invalid_alerts",
    _KIND,
    _400,
    "never",
    "Not a list of at most 4 different alerts, each `below` or `above` a threshold.",
)
INVALID_SCREENING: Final = Reason(
    "invalid_screening",
    _KIND,
    _400,
    "never",
    "A verdict, score, model or reason that is not of the documented form.",
)
INVALID_CHOICE: Final = Reason(
    "invalid_choice",
    _KIND,
    _400,
    "never",
    "Not one of the values that the field can have.",
)
INVALID_NAME: Final = Reason(
    "invalid_name",
    _KIND,
    _400,
    "never",
    "The name of a book, a template or a limit is not of its form.",
)
INVALID_METADATA: Final = Reason(
    "invalid_metadata",
    _KIND,
    _400,
    "never",
    "Not at most 16 plain texts of at most 256 characters, by plain names of at most 40.",
)
INVALID_CAPTURE: Final = Reason(
    "invalid_capture",
    _KIND,
    _400,
    "never",
    "`final` is not a boolean, or a margin not 0 to 10,000 hundredths of a percent.",
)
INVALID_VELOCITY: Final = Reason(
    "invalid_velocity",
    _KIND,
    _400,
    "never",
    "Not at most 8 velocity limits of the documented form, each with a name of its own.",
)
INVALID_RATE: Final = Reason(
    "invalid_rate",
    _KIND,
    _400,
    "never",
    "A declared rate is not of its form, or not between two postings of two currencies.",
)
RATE_MISMATCH: Final = Reason(
    "rate_mismatch",
    _KIND,
    _400,
    "never",
    "The amounts are not the conversion that the declared rate makes, rounded as it says.",
)
INVALID_TEMPLATE: Final = Reason(
    "invalid_template",
    _KIND,
    _400,
    "never",
    "A template's parameters and postings do not fit each other or are not of their form.",
)
INVALID_ARGUMENTS: Final = Reason(
    "invalid_arguments",
    _KIND,
    _400,
    "never",
    "The parameters given to a template are not, by name, integers from -(2^63-1) to 2^63-1 or "
    "texts of 1 to 64 characters.",
)
INVALID_BATCH: Final = Reason(
    "invalid_batch",
    _KIND,
    _400,
    "never",
    "Not a list of 1 to 98 commands (1 to 500 if they are independent), none of them a batch.",
)
REPEATED_MEMBER_ID: Final = Reason(
    "repeated_member_id",
    _KIND,
    _400,
    "never",
    "Two commands of a batch, or the batch and one of them, have the same id.",
)
TRANSACTION_TOO_LARGE: Final = Reason(
    "transaction_too_large",
    _KIND,
    _400,
    "never",
    "More than the 100 actions of a transaction: for a batch one for itself and one for each "
    "command; one for each account, payment, book or other subject that is touched or checked.",
)
SCREENED_PAYMENT_UNKNOWN: Final = Reason(
    "screened_payment_unknown",
    _KIND,
    _400,
    "never",
    "No posted or authorized payment has the id that the verdict is on.",
)
HOLD_NOT_DUE: Final = Reason(
    "hold_not_due",
    _KIND,
    _400,
    "never",
    "No open hold of that payment and version is past its expiry.",
)
