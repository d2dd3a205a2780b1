"""What a template makes of arguments: postings that add up to the last minor unit, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeGuard

from msgspec import UNSET, Struct

from ledger.contracts import reasons
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, ID_LENGTH_MAX, is_id
from ledger.contracts.reasons import Reason
from ledger.contracts.rounding import divided
from ledger.contracts.templates import (
    BPS_WHOLE,
    AmountRule,
    ParameterKind,
    TemplateParameter,
    TemplatePosting,
    filled,
    references_in,
)
from ledger.contracts.violations import shown_name

_BOUNDS: Final[dict[ParameterKind, tuple[int, int]]] = {
    "amount": (1, AMOUNT_MINOR_MAX),
    "bps": (0, BPS_WHOLE),
}


class Definition(Protocol):
    """A template as it was checked when it was defined (`check_definition`)."""

    @property
    def parameters(self) -> Sequence[TemplateParameter]: ...

    @property
    def postings(self) -> Sequence[TemplatePosting]: ...


class TemplateFault(Struct, frozen=True):
    """Why a template makes no payment: the reason, the field, the values at fault.

    Nothing that was given for a parameter is among the values, so that they can be logged, but for
    amounts and the account that would pay itself.
    """

    reason: Reason
    field: str
    values: dict[str, int | str]


def expand(
    definition: Definition, arguments: Mapping[str, int | str]
) -> tuple[Posting, ...] | TemplateFault:
    """The postings of a template in their order, or the first fault of `arguments`.

    Faults are looked for in the precedence of their reasons: unknown arguments by name, parameters
    left out, arguments not of their kind or that make an account too long; then what they make: an
    account that would pay itself, a remainder below 0, nothing at all. Postings of 0 are left out.
    """
    fault = (
        _unknown(definition, arguments)
        or _missing(definition, arguments)
        or _invalid(definition, arguments)
        or _too_long(definition, arguments)
        or _to_itself(definition, arguments)
    )
    return fault or _posted(definition, arguments)


def _unknown(definition: Definition, arguments: Mapping[str, int | str]) -> TemplateFault | None:
    known = [parameter.name for parameter in definition.parameters]
    for name in sorted(arguments):
        if name not in known:
            return TemplateFault(
                reasons.UNKNOWN_PARAMETER, _field(name), {"known": " ".join(known)}
            )
    return None


def _missing(definition: Definition, arguments: Mapping[str, int | str]) -> TemplateFault | None:
    for parameter in definition.parameters:
        if parameter.name not in arguments:
            values: dict[str, int | str] = {"kind": parameter.kind}
            return TemplateFault(reasons.MISSING_PARAMETER, _field(parameter.name), values)
    return None


def _invalid(definition: Definition, arguments: Mapping[str, int | str]) -> TemplateFault | None:
    for parameter in definition.parameters:
        values: dict[str, int | str] = {"kind": parameter.kind}
        argument = arguments[parameter.name]
        if parameter.kind in _BOUNDS:
            low, high = _BOUNDS[parameter.kind]
            fine = _is_integer(argument) and low <= argument <= high
            values |= {"minimum": low, "maximum": high}
        elif parameter.kind == "account":
            fine = isinstance(argument, str) and is_id(argument)
        else:
            fine = argument in MINOR_DIGITS
        if not fine:
            return TemplateFault(reasons.INVALID_PARAMETER, _field(parameter.name), values)
    return None


def _too_long(definition: Definition, arguments: Mapping[str, int | str]) -> TemplateFault | None:
    """An account too long for an id. The template was valid: so a parameter is in it."""
    for index, posting in enumerate(definition.postings):
        for text in (posting.source, posting.destination):
            length = len(filled(text, arguments))
            if length > ID_LENGTH_MAX:
                values: dict[str, int | str] = {
                    "posting": index,
                    "length": length,
                    "length_max": ID_LENGTH_MAX,
                }
                field = _field(references_in(text)[0])
                return TemplateFault(reasons.INVALID_PARAMETER, field, values)
    return None


def _to_itself(definition: Definition, arguments: Mapping[str, int | str]) -> TemplateFault | None:
    """An account that would pay itself. The template was valid: so a parameter makes it so."""
    for index, posting in enumerate(definition.postings):
        account = filled(posting.source, arguments)
        if account == filled(posting.destination, arguments):
            name = (references_in(posting.source) + references_in(posting.destination))[0]
            values: dict[str, int | str] = {"posting": index, "account": account}
            return TemplateFault(reasons.TEMPLATE_AMOUNTS, _field(name), values)
    return None


def _posted(
    definition: Definition, arguments: Mapping[str, int | str]
) -> tuple[Posting, ...] | TemplateFault:
    shares: dict[str, int] = {}  # what all shares of an amount come to
    for posting in definition.postings:
        of = posting.amount.of
        if posting.amount.bps is not UNSET:
            shares[of] = shares.get(of, 0) + _direct_minor(posting.amount, arguments)
    made: list[Posting] = []
    for index, posting in enumerate(definition.postings):
        of = posting.amount.of
        amount_minor = _direct_minor(posting.amount, arguments)
        if posting.amount.is_remainder:
            whole, shares_minor = amount_minor, shares.get(of, 0)
            amount_minor = whole - shares_minor
            if amount_minor < 0:
                values: dict[str, int | str] = {
                    "posting": index,
                    "amount_minor": whole,
                    "shares_minor": shares_minor,
                }
                return TemplateFault(reasons.TEMPLATE_AMOUNTS, _field(of), values)
        if amount_minor > 0:
            made.append(
                Posting(
                    source=filled(posting.source, arguments),
                    destination=filled(posting.destination, arguments),
                    amount_minor=amount_minor,
                    currency=filled(posting.currency, arguments),
                )
            )
    return tuple(made) or TemplateFault(reasons.TEMPLATE_AMOUNTS, "parameters", {"postings": 0})


def _direct_minor(rule: AmountRule, arguments: Mapping[str, int | str]) -> int:
    """The share that `rule` has of its parameter, or the whole of it."""
    whole = _number(arguments[rule.of])
    if rule.bps is UNSET:
        return whole
    bps = _number(arguments[rule.bps]) if isinstance(rule.bps, str) else rule.bps
    rounding = "half_even" if rule.rounding is UNSET else rule.rounding
    return divided(whole * bps, BPS_WHOLE, rounding)


def _number(argument: int | str) -> int:
    assert _is_integer(argument)  # _invalid has seen to it
    return argument


def _is_integer(argument: int | str) -> TypeGuard[int]:
    return isinstance(argument, int) and not isinstance(argument, bool)


def _field(name: str) -> str:
    return f"parameters.{shown_name(name)}"
