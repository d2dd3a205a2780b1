"""Templates: postings with parameters in place of accounts, currencies and amounts.

An account or a currency is text in which `{name}` stands for a parameter, as in
`customers:{customer}:wallet`. An amount is a whole parameter, a share of one in basis points
(hundredths of a percent), or what its shares leave of it:

    payer    -> clearing       {"of": "amount"}
    clearing -> fees           {"of": "amount", "bps": "fee_bps"}
    clearing -> {merchant}     {"of": "amount", "remainder": true}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.contracts import reasons
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.primitives import ID_LENGTH_MAX
from ledger.contracts.reasons import Violation
from ledger.contracts.rounding import Rounding

TEMPLATE_PARAMETERS_MAX: Final = 16
BPS_WHOLE: Final = 10_000
_NAME: Final = "[a-z][a-z0-9_]{0,31}"
PARAMETER_NAME_PATTERN: Final = f"^{_NAME}$"
ACCOUNT_PATTERN: Final = rf"^([A-Za-z0-9._:-]|\{{{_NAME}\}}){{1,{ID_LENGTH_MAX}}}$"
CURRENCY_PATTERN: Final = rf"^([A-Z]{{3}}|\{{{_NAME}\}})$"

ParameterName = Annotated[str, Meta(pattern=PARAMETER_NAME_PATTERN)]
ParameterKind = Literal["amount", "bps", "account", "currency"]
AccountText = Annotated[
    str,
    Meta(
        pattern=ACCOUNT_PATTERN,
        description="An account's id, in which `{name}` stands for a parameter.",
    ),
]
CurrencyText = Annotated[
    str, Meta(pattern=CURRENCY_PATTERN, description="A currency's code, or `{name}`: a parameter.")
]
Bps = Annotated[int, Meta(ge=0, le=BPS_WHOLE, description="Hundredths of a percent.")]

_REFERENCE = re.compile(rf"\{{({_NAME})\}}")
_PARAMETER_NAME = re.compile(PARAMETER_NAME_PATTERN)
_ACCOUNT = re.compile(ACCOUNT_PATTERN)


class TemplateParameter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What whoever posts the template must give: a name, and what kind of value it stands for.

    `amount`: an integer of minor units, from 1. `bps`: from 0 to 10,000. `account`: an id, or a
    part of one. `currency`: an ISO 4217 code.
    """

    name: ParameterName
    kind: ParameterKind


class AmountRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a posting moves, in minor units.

    `of` names a parameter of kind amount. Alone it is the amount. With `bps` (a number, or the name
    of a parameter) the amount is that share of it, rounded as `rounding` says, `half_even` if left
    out. With `remainder` it is what all shares of the same parameter leave of it, so that nothing
    is lost to rounding.
    """

    of: ParameterName
    bps: Bps | ParameterName | UnsetType = UNSET
    rounding: Rounding | UnsetType = UNSET
    remainder: bool | UnsetType = UNSET

    @property
    def is_remainder(self) -> bool:
        """Whether the amount is what the shares leave."""
        return self.remainder is True


class TemplatePosting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A posting of a template. It is left out of a payment in which its amount is 0."""

    source: AccountText
    destination: AccountText
    currency: CurrencyText
    amount: AmountRule


def references_in(text: str) -> list[str]:
    """The names of the parameters that an account or currency of a template refers to."""
    return _REFERENCE.findall(text)


def filled(text: str, arguments: Mapping[str, int | str]) -> str:
    """An account or currency of a template with the arguments in place of what refers to them."""
    return _REFERENCE.sub(lambda found: str(arguments[found.group(1)]), text)


def check_definition(
    parameters: Sequence[TemplateParameter], postings: Sequence[TemplatePosting]
) -> Iterator[Violation]:
    """What a schema cannot say against a template.

    Every parameter is declared once and used, each where its kind belongs; what is literal is valid
    as it stands; of an amount there is one currency, and one posting at most has its remainder.
    """
    kinds: dict[str, ParameterKind] = {}
    for index, parameter in enumerate(parameters):
        # Patterns hold for text with a final newline too.
        if parameter.name in kinds or not _PARAMETER_NAME.fullmatch(parameter.name):
            yield Violation(reasons.INVALID_TEMPLATE, f"parameters[{index}].name")
        kinds.setdefault(parameter.name, parameter.kind)
    used = {name for posting in postings for name, _ in _uses(posting)}
    for index, parameter in enumerate(parameters):
        if parameter.name not in used:
            yield Violation(reasons.INVALID_TEMPLATE, f"parameters[{index}]")
    for index, posting in enumerate(postings):
        path = f"postings[{index}]"
        yield from _literal_faults(posting, path)
        yield from _reference_faults(posting, path, kinds)
        yield from _rule_faults(posting.amount, f"{path}.amount")
        yield from _currency_faults(postings, index)
    yield from _remainder_faults(postings)


#: Of each field that can refer to parameters: which it refers to, and of what kind they are.
_REFERRING: Final[
    tuple[tuple[str, ParameterKind, Callable[[TemplatePosting], Sequence[str]]], ...]
] = (
    ("source", "account", lambda posting: references_in(posting.source)),
    ("destination", "account", lambda posting: references_in(posting.destination)),
    ("currency", "currency", lambda posting: references_in(posting.currency)),
    ("amount.of", "amount", lambda posting: (posting.amount.of,)),
    (
        "amount.bps",
        "bps",
        lambda posting: (posting.amount.bps,) if isinstance(posting.amount.bps, str) else (),
    ),
)


def _uses(posting: TemplatePosting) -> Iterator[tuple[str, str]]:
    for field, _, names_in in _REFERRING:
        yield from ((name, field) for name in names_in(posting))


def _reference_faults(
    posting: TemplatePosting, path: str, kinds: Mapping[str, ParameterKind]
) -> Iterator[Violation]:
    for field, kind, names_in in _REFERRING:
        if any(kinds.get(name) != kind for name in names_in(posting)):
            yield Violation(reasons.INVALID_TEMPLATE, f"{path}.{field}")


def _literal_faults(posting: TemplatePosting, path: str) -> Iterator[Violation]:
    # Patterns hold for text with a final newline too.
    for field, text in (("source", posting.source), ("destination", posting.destination)):
        if not _ACCOUNT.fullmatch(text):
            yield Violation(reasons.INVALID_ID, f"{path}.{field}")
    if posting.source == posting.destination:
        yield Violation(reasons.SAME_ACCOUNT, f"{path}.destination")
    if posting.currency not in MINOR_DIGITS and not _REFERENCE.fullmatch(posting.currency):
        yield Violation(reasons.UNKNOWN_CURRENCY, f"{path}.currency")


def _rule_faults(rule: AmountRule, path: str) -> Iterator[Violation]:
    if rule.is_remainder and rule.bps is not UNSET:
        yield Violation(reasons.INVALID_TEMPLATE, f"{path}.bps")
    if rule.rounding is not UNSET and rule.bps is UNSET:  # there is nothing to round
        yield Violation(reasons.INVALID_TEMPLATE, f"{path}.rounding")


def _currency_faults(postings: Sequence[TemplatePosting], index: int) -> Iterator[Violation]:
    """An amount counts in one currency: that of the first posting made of it."""
    posting = postings[index]
    first = next(other for other in postings if other.amount.of == posting.amount.of)
    if first.currency != posting.currency:
        yield Violation(reasons.INVALID_TEMPLATE, f"postings[{index}].currency")


def _remainder_faults(postings: Sequence[TemplatePosting]) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, posting in enumerate(postings):
        if posting.amount.is_remainder:
            if posting.amount.of in seen:
                yield Violation(reasons.INVALID_TEMPLATE, f"postings[{index}].amount.remainder")
            seen.add(posting.amount.of)
