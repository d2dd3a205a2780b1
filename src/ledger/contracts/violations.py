"""What is wrong with a command's text, as violations: a reason, and the path of the field."""

from __future__ import annotations

import re
from typing import Final

from ledger.contracts import reasons
from ledger.contracts.card_numbers import holds_card_number
from ledger.contracts.primitives import is_id
from ledger.contracts.reasons import Reason, Violation

#: What a field is refused for, whatever is wrong with its value; by the last name of its path, of
#: which `[]` is an element.
_REASON_OF_FIELD: Final[dict[str, Reason]] = {
    "": reasons.MALFORMED_JSON,
    "type": reasons.UNSUPPORTED_TYPE,
    "v": reasons.UNSUPPORTED_VERSION,
    **dict.fromkeys(
        ("id", "account", "payment", "subject_id", "source", "destination", "version"),
        reasons.INVALID_ID,
    ),
    **dict.fromkeys(
        ("amount_minor", "min_balance_minor", "max_balance_minor", "threshold_minor"),
        reasons.INVALID_AMOUNT,
    ),
    "currency": reasons.UNKNOWN_CURRENCY,
    "account_type": reasons.INVALID_ACCOUNT_TYPE,
    **dict.fromkeys(("effective_at", "expires_at", "through"), reasons.INVALID_TIME),
    **dict.fromkeys(("reference", "description", "reason"), reasons.INVALID_TEXT),
    **dict.fromkeys(("sides", "subject", "stripes"), reasons.INVALID_CHOICE),
    **dict.fromkeys(("book", "template", "template_version"), reasons.INVALID_NAME),
    "metadata": reasons.INVALID_METADATA,
    "postings": reasons.INVALID_POSTINGS,
    **dict.fromkeys(("final", "over_capture_bps"), reasons.INVALID_CAPTURE),
    "alerts": reasons.INVALID_ALERTS,
    **dict.fromkeys(("min_balance_basis", "max_balance_basis"), reasons.INVALID_LIMITS),
    "velocity": reasons.INVALID_VELOCITY,
    "rates": reasons.INVALID_RATE,
    "parameters": reasons.INVALID_ARGUMENTS,
    **dict.fromkeys(("parameters[]", "amount"), reasons.INVALID_TEMPLATE),
    "commands": reasons.INVALID_BATCH,
    **dict.fromkeys(("model", "verdict", "score_permille", "reasons"), reasons.INVALID_SCREENING),
}
#: What any other field of an object is refused for, by the name of the field that holds the object.
_REASON_WITHIN: Final[dict[str, Reason]] = {
    "alerts": reasons.INVALID_ALERTS,
    "amount": reasons.INVALID_TEMPLATE,
    "parameters": reasons.INVALID_TEMPLATE,
    "rates": reasons.INVALID_RATE,
    "reasons": reasons.INVALID_SCREENING,
    "velocity": reasons.INVALID_VELOCITY,
}
_INDEX: Final = r"\[[^\]]*\]"


def reason_of(field: str) -> Reason:
    """For what a fault in the value at the path `field` is refused."""
    *_, parent, leaf = ("", *re.sub(_INDEX, "[]", field).split("."))
    name = leaf.removesuffix("[]")
    for reason in (_REASON_OF_FIELD.get(leaf), _REASON_OF_FIELD.get(name)):
        if reason is not None:
            return reason
    return _REASON_WITHIN.get(parent.removesuffix("[]"), reasons.MALFORMED_JSON)


def precedence_of(violation: Violation) -> int:
    """The place of a violation's reason in the precedence; the first is named first."""
    return reasons.REASONS.index(violation.reason)


# Patterns of refusals, which are rare, are compiled when first needed and not at import.
_PATH: Final = r"((?:\.?[a-z_]+|\[(?:[0-9]+|\.\.\.)\])*)"
#: In an object of the client's own names, where it is a value or a name (`key`).
_AT: Final = rf" - at (?:`key` in )?`\$\.?{_PATH}`\Z"
_MISSING: Final = rf"Object missing required field `([a-z_]+)`(?: - at `\$\.?{_PATH}`)?\Z"
#: The fields of commands that hold objects.
OBJECTS: Final = (
    *("alerts", "amount", "commands", "parameters", "postings", "rates", "reasons", "velocity"),
)
_OBJECT: Final = rf"(?:{'|'.join(OBJECTS)})(?:\[[0-9]{{1,3}}\])?"
#: Its name is the client's own text, so it may even look like the end of such a message: only the
#: path of an object that a command can have counts as where it is.
_UNKNOWN: Final = (
    r"(?s)Object contains unknown field `(.*?)`"
    rf"(?: - at `\$\.({_OBJECT}(?:\.{_OBJECT}){{0,2}})`)?\Z"
)


def violation_of(message: str) -> Violation:
    """The violation that one of msgspec's messages reports; a test holds each form to msgspec's."""
    if missing := re.match(_MISSING, message):
        return Violation(reasons.MISSING_FIELD, _joined(missing.group(2) or "", missing.group(1)))
    if unknown := re.match(_UNKNOWN, message):
        name = shown_name(unknown.group(1))
        return Violation(reasons.UNKNOWN_FIELD, _joined(unknown.group(2) or "", name))
    at = re.search(_AT, message)
    # Which value of an object of the client's own names it is, msgspec does not say.
    field = at.group(1).removesuffix("[...]") if at else ""
    return Violation(reason_of(field), field)


def _joined(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def shown_name(name: str) -> str:
    """A field name of the client's as an error may show it: an id's alphabet, or masked.

    A name that is itself data (a card number as a key) must not reach logs or answers.
    """
    return name if is_id(name) and not holds_card_number(name) else "(unprintable)"
