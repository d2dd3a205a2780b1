"""What is wrong with a command's text, as violations: a reason, and the path of the field."""

from __future__ import annotations

import re
from typing import Final

from ledger.contracts import reasons
from ledger.contracts.card_numbers import holds_card_number
from ledger.contracts.primitives import is_id
from ledger.contracts.reasons import Reason, Violation

#: What a field is refused for, whatever is wrong with its value; by the last name of its path.
_REASON_OF_FIELD: Final[dict[str, Reason]] = {
    "": reasons.MALFORMED_JSON,
    "type": reasons.UNSUPPORTED_TYPE,
    "v": reasons.UNSUPPORTED_VERSION,
    "id": reasons.INVALID_ID,
    "account": reasons.INVALID_ID,
    "source": reasons.INVALID_ID,
    "destination": reasons.INVALID_ID,
    "amount_minor": reasons.INVALID_AMOUNT,
    "min_balance_minor": reasons.INVALID_AMOUNT,
    "max_balance_minor": reasons.INVALID_AMOUNT,
    "currency": reasons.UNKNOWN_CURRENCY,
    "account_type": reasons.INVALID_ACCOUNT_TYPE,
    "effective_at": reasons.INVALID_TIME,
    "reference": reasons.INVALID_TEXT,
    "description": reasons.INVALID_TEXT,
    "postings": reasons.INVALID_POSTINGS,
    "alerts": reasons.INVALID_ALERTS,
    "direction": reasons.INVALID_ALERTS,
    "threshold_minor": reasons.INVALID_AMOUNT,
    "payment": reasons.INVALID_ID,
    **dict.fromkeys(
        ("model", "verdict", "score_permille", "reasons", "code", "value", "norm", "unit"),
        reasons.INVALID_SCREENING,
    ),
}
_LEAF: Final = r"([A-Za-z_]+)?(?:\[[^\]]*\])*$"


def reason_of(field: str) -> Reason:
    """For what a fault in the value at the path `field` is refused."""
    leaf = re.search(_LEAF, field)
    name = leaf.group(1) if leaf else ""
    return _REASON_OF_FIELD.get(name or "", reasons.MALFORMED_JSON)


def precedence_of(violation: Violation) -> int:
    """The place of a violation's reason in the precedence; the first is named first."""
    return reasons.REASONS.index(violation.reason)


# Patterns of refusals, which are rare, are compiled when first needed and not at import.
_PATH: Final = r"((?:\.?[a-z_]+|\[[0-9]+\])*)"
_AT: Final = rf" - at `\$\.?{_PATH}`\Z"
_MISSING: Final = rf"Object missing required field `([a-z_]+)`(?: - at `\$\.?{_PATH}`)?\Z"
#: Its name is the client's own text, so it may even look like the end of such a message: only the
#: path of an object that a command can have counts as where it is.
_UNKNOWN: Final = (
    r"(?s)Object contains unknown field `(.*?)`"
    r"(?: - at `\$\.((?:postings|alerts|reasons)\[[0-9]+\])`)?\Z"
)


def violation_of(message: str) -> Violation:
    """The violation that one of msgspec's messages reports; a test holds each form to msgspec's."""
    if missing := re.match(_MISSING, message):
        return Violation(reasons.MISSING_FIELD, _joined(missing.group(2) or "", missing.group(1)))
    if unknown := re.match(_UNKNOWN, message):
        name = shown_name(unknown.group(1))
        return Violation(reasons.UNKNOWN_FIELD, _joined(unknown.group(2) or "", name))
    at = re.search(_AT, message)
    field = at.group(1) if at else ""
    return Violation(reason_of(field), field)


def _joined(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def shown_name(name: str) -> str:
    """A field name of the client's as an error may show it: an id's alphabet, or masked.

    A name that is itself data (a card number as a key) must not reach logs or answers.
    """
    return name if is_id(name) and not holds_card_number(name) else "(unprintable)"
