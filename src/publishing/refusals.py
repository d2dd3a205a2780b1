"""For which reasons each command can be refused: what documents say of it, and tests hold it to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from ledger.contracts import reasons
from ledger.contracts.commands import COMMAND_TYPES, BaseCommand
from ledger.contracts.reasons import REASONS, Kind, Reason
from ledger.contracts.violations import reason_of

_FUNDS: Final = (
    reasons.ACCOUNT_FROZEN,
    reasons.BALANCE_OVERFLOW,
    reasons.INSUFFICIENT_FUNDS,
    reasons.BALANCE_LIMIT_EXCEEDED,
)
_EFFECTIVE: Final = (
    reasons.EFFECTIVE_IN_FUTURE,
    reasons.EFFECTIVE_BEFORE_OPENING,
    reasons.PERIOD_CLOSED,
)
_THERE: Final = (reasons.ACCOUNT_NOT_FOUND, reasons.ACCOUNT_CLOSED)
_PAYMENT: Final = (
    *_THERE,
    *_FUNDS,
    reasons.CURRENCY_MISMATCH,
    reasons.VELOCITY_LIMIT_EXCEEDED,
)
_OPEN_HOLD: Final = (reasons.PAYMENT_UNKNOWN, reasons.HOLD_NOT_OPEN)

#: By the type of the command: refusals that are recorded under its id.
REJECTIONS: Final[dict[str, frozenset[Reason]]] = {
    "account.open": frozenset(
        {
            reasons.ACCOUNT_EXISTS,
            reasons.BOOK_UNKNOWN,
            reasons.EFFECTIVE_IN_FUTURE,
            reasons.PERIOD_CLOSED,
        }
    ),
    "account.set_alerts": frozenset({*_THERE, reasons.STRIPES_CONFLICT}),
    "account.set_limits": frozenset(
        {
            *_THERE,
            reasons.LIMITS_CONFLICT,
            reasons.STRIPES_CONFLICT,
            reasons.CURRENCY_MISMATCH,
        }
    ),
    "account.set_stripes": frozenset({*_THERE, reasons.STRIPES_CONFLICT, reasons.BALANCE_OVERFLOW}),
    "account.freeze": frozenset(_THERE),
    "account.unfreeze": frozenset(_THERE),
    "account.close": frozenset({*_THERE, reasons.ACCOUNT_NOT_EMPTY}),
    "metadata.set": frozenset({reasons.ACCOUNT_NOT_FOUND, reasons.PAYMENT_UNKNOWN}),
    "payment.post": frozenset({*_PAYMENT, *_EFFECTIVE}),
    "payment.authorize": frozenset({*_PAYMENT, reasons.EXPIRY_OUT_OF_RANGE}),
    "payment.capture": frozenset(
        {
            *_OPEN_HOLD,
            *_EFFECTIVE,
            *_FUNDS,
            reasons.HOLD_EXPIRED,
            reasons.CAPTURE_EXCEEDS_HOLD,
        }
    ),
    "payment.increase": frozenset(
        {
            *_OPEN_HOLD,
            *_FUNDS,
            reasons.HOLD_EXPIRED,
            reasons.EXPIRY_OUT_OF_RANGE,
            reasons.VELOCITY_LIMIT_EXCEEDED,
        }
    ),
    "payment.void": frozenset(_OPEN_HOLD),
    "payment.reverse": frozenset(
        {
            reasons.PAYMENT_UNKNOWN,
            reasons.ACCOUNT_CLOSED,
            reasons.REVERSAL_EXCEEDS_PAYMENT,
            *_EFFECTIVE,
            *_FUNDS,
        }
    ),
    "payment.post_template": frozenset(
        {
            *_PAYMENT,
            *_EFFECTIVE,
            reasons.TEMPLATE_UNKNOWN,
            reasons.UNKNOWN_PARAMETER,
            reasons.MISSING_PARAMETER,
            reasons.INVALID_PARAMETER,
            reasons.TEMPLATE_AMOUNTS,
        }
    ),
    "template.define": frozenset({reasons.TEMPLATE_LIMIT}),
    "book.open": frozenset({reasons.BOOK_EXISTS}),
    "book.close": frozenset(
        {reasons.BOOK_UNKNOWN, reasons.ALREADY_CLOSED, reasons.PERIOD_TOO_RECENT}
    ),
    "book.reopen": frozenset({reasons.BOOK_UNKNOWN, reasons.NOT_CLOSED}),
    "batch.atomic": frozenset(reason for reason in REASONS if reason.kind is Kind.REJECTION),
    "payment.screen": frozenset(),
    "payment.expire": frozenset(),
}

#: What any command can be refused for by its text alone.
_ALWAYS: Final = frozenset(
    {
        reasons.PAYLOAD_TOO_LARGE,
        reasons.MALFORMED_JSON,
        reasons.UNSUPPORTED_TYPE,
        reasons.UNSUPPORTED_VERSION,
        reasons.UNKNOWN_FIELD,
        reasons.MISSING_FIELD,
        reasons.INVALID_ID,
        reasons.RESERVED_ID,
    }
)
#: What a field can be refused for beside a wrong type or form, by its name.
_BESIDE: Final[dict[str, tuple[Reason, ...]]] = {
    **dict.fromkeys(
        ("reference", "description", "reason", "metadata", "book", "template", "velocity"),
        (reasons.CARD_NUMBER,),
    ),
    "commands": (reasons.REPEATED_MEMBER_ID, reasons.TRANSACTION_TOO_LARGE),
    "min_balance_minor": (reasons.INVALID_LIMITS,),
    "rates": (reasons.RATE_MISMATCH,),
    "source": (reasons.SAME_ACCOUNT,),
}
#: The same for whole commands.
_OF_COMMANDS: Final[dict[str, frozenset[Reason]]] = {
    "payment.capture": frozenset({reasons.TRANSACTION_TOO_LARGE}),
    "payment.expire": frozenset({reasons.HOLD_NOT_DUE}),
    "payment.post": frozenset({reasons.TRANSACTION_TOO_LARGE}),
    "payment.post_template": frozenset({reasons.CARD_NUMBER, reasons.TRANSACTION_TOO_LARGE}),
    "payment.reverse": frozenset({reasons.TRANSACTION_TOO_LARGE}),
    "payment.screen": frozenset({reasons.SCREENED_PAYMENT_UNKNOWN}),
    "template.define": frozenset({reasons.INVALID_TEMPLATE}),
}


def rejections_of(command_type: str) -> tuple[Reason, ...]:
    """What a command of the type can be refused for and recorded as refused, by precedence."""
    return _by_precedence(REJECTIONS[command_type])


def malformed_of(command_type: str) -> tuple[Reason, ...]:
    """What a command of the type can be malformed by, by precedence."""
    command: type[BaseCommand] = COMMAND_TYPES[command_type]
    found = {*_ALWAYS, *_of_fields(inspect.type_info(command), "")}
    for inner in _types_within(command) | {command_type}:
        found |= _OF_COMMANDS.get(inner, frozenset())
    return _by_precedence(found)


def _by_precedence(found: frozenset[Reason] | set[Reason]) -> tuple[Reason, ...]:
    return tuple(reason for reason in REASONS if reason in found)


def _of_fields(kind: inspect.Type, path: str) -> Iterator[Reason]:
    """What the fields at and below `path` are refused for."""
    match kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                below = f"{path}.{field.name}".lstrip(".")
                yield reason_of(below)
                yield from _BESIDE.get(field.name, ())
                yield from _of_fields(field.type, below)
        case inspect.VarTupleType(item_type=item):
            yield reason_of(f"{path}[]")
            yield from _of_fields(item, f"{path}[]")
        case inspect.UnionType(types=kinds):
            for one in kinds:
                yield from _of_fields(one, path)
        case inspect.Metadata(type=inner):
            yield from _of_fields(inner, path)


def _types_within(command: type[BaseCommand]) -> set[str]:
    """The types of the commands that a command can hold."""
    definitions: dict[str, Any] = msgspec.json.schema(command)["$defs"]
    names = {definition.get("title") for definition in definitions.values()}
    return {type_ for type_, struct in COMMAND_TYPES.items() if struct.__name__ in names}
