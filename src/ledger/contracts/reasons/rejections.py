"""Refusals decided against what is stored, recorded for ever under the command's id."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from ledger.contracts.reasons.base import Kind, Reason

_KIND: Final = Kind.REJECTION
_409: Final = HTTPStatus.CONFLICT
_422: Final = HTTPStatus.UNPROCESSABLE_ENTITY

IDEMPOTENCY_MISMATCH: Final = Reason(
    "idempotency_mismatch",
    Kind.CONFLICT,
    _409,
    "never",
    "This id was decided before, for a command that differs in the fields named.",
)
MEMBER_ID_USED: Final = Reason(
    "member_id_used",
    _KIND,
    _409,
    "new_id",
    "A command of the atomic batch has an id that was decided before.",
)
ACCOUNT_EXISTS: Final = Reason(
    "account_exists",
    _KIND,
    _409,
    "never",
    "Another command opened an account with this id.",
)
PAYMENT_UNKNOWN: Final = Reason(
    "payment_unknown",
    _KIND,
    _422,
    "new_id",
    "No payment was posted or authorized under this id.",
)
TEMPLATE_UNKNOWN: Final = Reason(
    "template_unknown",
    _KIND,
    _422,
    "new_id",
    "No such template, or not in this version.",
)
UNKNOWN_PARAMETER: Final = Reason(
    "unknown_parameter",
    _KIND,
    _422,
    "never",
    "The template has no such parameter.",
)
MISSING_PARAMETER: Final = Reason(
    "missing_parameter",
    _KIND,
    _422,
    "never",
    "The template needs a parameter that was not given.",
)
INVALID_PARAMETER: Final = Reason(
    "invalid_parameter",
    _KIND,
    _422,
    "never",
    "A parameter is not of the kind or in the range that the template says.",
)
TEMPLATE_AMOUNTS: Final = Reason(
    "template_amounts",
    _KIND,
    _422,
    "never",
    "The template makes no payment of these parameters: a remainder below 0, nothing to post, "
    "a total too large, or an account on both sides.",
)
TEMPLATE_LIMIT: Final = Reason(
    "template_limit",
    _KIND,
    _422,
    "never",
    "The template has as many versions as there may be.",
)
BOOK_EXISTS: Final = Reason(
    "book_exists",
    _KIND,
    _409,
    "never",
    "A book of this name is there already.",
)
BOOK_UNKNOWN: Final = Reason(
    "book_unknown",
    _KIND,
    _422,
    "new_id",
    "No book of this name was opened.",
)
ALREADY_CLOSED: Final = Reason(
    "already_closed",
    _KIND,
    _422,
    "never",
    "The book is closed through this day or a later one.",
)
NOT_CLOSED: Final = Reason(
    "not_closed",
    _KIND,
    _422,
    "new_id",
    "The book is not closed beyond this day: there is nothing to reopen.",
)
PERIOD_TOO_RECENT: Final = Reason(
    "period_too_recent",
    _KIND,
    _422,
    "new_id",
    "The end of the day does not lie 15 minutes back yet.",
)
ACCOUNT_NOT_FOUND: Final = Reason(
    "account_not_found", _KIND, _422, "new_id", "No such account was opened."
)
ACCOUNT_CLOSED: Final = Reason("account_closed", _KIND, _422, "never", "The account is closed.")
ACCOUNT_NOT_EMPTY: Final = Reason(
    "account_not_empty",
    _KIND,
    _422,
    "new_id",
    "An account is closed only at a balance of 0 with nothing pending.",
)
LIMITS_CONFLICT: Final = Reason(
    "limits_conflict",
    _KIND,
    _422,
    "new_id",
    "The lowest balance would lie above the highest that the account has.",
)
STRIPES_CONFLICT: Final = Reason(
    "stripes_conflict",
    _KIND,
    _422,
    "new_id",
    "An account that is striped, or once was, has no alerts and no velocity limits; one that has "
    "some cannot be striped.",
)
HOLD_NOT_OPEN: Final = Reason(
    "hold_not_open",
    _KIND,
    _422,
    "never",
    "The payment is no hold, or one that was captured, voided or expired.",
)
HOLD_EXPIRED: Final = Reason(
    "hold_expired",
    _KIND,
    _422,
    "never",
    "The hold's expiry has passed; what it held is released.",
)
EXPIRY_OUT_OF_RANGE: Final = Reason(
    "expiry_out_of_range",
    _KIND,
    _422,
    "never",
    "The expiry is not after now, not after the one before, or more than 366 days ahead.",
)
EFFECTIVE_IN_FUTURE: Final = Reason(
    "effective_in_future",
    _KIND,
    _422,
    "new_id",
    "The effective time lies more than 5 minutes ahead.",
)
EFFECTIVE_BEFORE_OPENING: Final = Reason(
    "effective_before_opening",
    _KIND,
    _422,
    "never",
    "The effective time lies before the opening of the account, or before the payment that is "
    "captured or reversed.",
)
PERIOD_CLOSED: Final = Reason(
    "period_closed",
    _KIND,
    _422,
    "new_id",
    "The effective time lies in a period for which the account's book is closed.",
)
CAPTURE_EXCEEDS_HOLD: Final = Reason(
    "capture_exceeds_hold",
    _KIND,
    _422,
    "new_id",
    "More would be captured than the hold and its margin have left.",
)
REVERSAL_EXCEEDS_PAYMENT: Final = Reason(
    "reversal_exceeds_payment",
    _KIND,
    _422,
    "new_id",
    "More would be reversed than the payment has posted and not given back.",
)
ACCOUNT_FROZEN: Final = Reason("account_frozen", _KIND, _422, "new_id", "The account is frozen.")
CURRENCY_MISMATCH: Final = Reason(
    "currency_mismatch",
    _KIND,
    _422,
    "never",
    "A posting is in another currency than the account.",
)
BALANCE_OVERFLOW: Final = Reason(
    "balance_overflow",
    _KIND,
    _422,
    "never",
    "One of the account's running totals would pass 2^63-1, or of a striped account's 2^58-1.",
)
INSUFFICIENT_FUNDS: Final = Reason(
    "insufficient_funds",
    _KIND,
    _422,
    "new_id",
    "The payment would take the account's available balance below its lowest.",
)
BALANCE_LIMIT_EXCEEDED: Final = Reason(
    "balance_limit_exceeded",
    _KIND,
    _422,
    "new_id",
    "The payment would take the account's balance above its highest.",
)
VELOCITY_LIMIT_EXCEEDED: Final = Reason(
    "velocity_limit_exceeded",
    _KIND,
    _422,
    "new_id",
    "The payment would exceed one of the account's velocity limits; the cause says which, what "
    "is used, and when it resets.",
)
