"""What a template makes of arguments, in fractions."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor
from string import ascii_letters, digits

from msgspec import UNSET

from ledger.contracts.commands import AmountRule, DefineTemplate
from ledger.contracts.currencies import MINOR_DIGITS
from simulation.auditor.model.accounts import Leg
from simulation.auditor.model.replies import Refusal, refuse_for

ID_LETTERS = set(ascii_letters + digits + "._:-")


def made(template: DefineTemplate, given: Mapping[str, int | str]) -> list[Leg]:
    """The legs that the template makes. Raises Refusal."""
    kinds = {one.name: one.kind for one in template.parameters}
    if given.keys() - kinds.keys():
        raise Refusal("unknown_parameter")
    if kinds.keys() - given.keys():
        raise Refusal("missing_parameter")
    refuse_for({"invalid_parameter" for name, kind in kinds.items() if not fits(kind, given[name])})

    def filled(text: str) -> str:
        for name, value in given.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    ends = [(filled(one.source), filled(one.destination)) for one in template.postings]
    refuse_for({"invalid_parameter" for pair in ends for end in pair if len(end) > 64})
    refuse_for({"template_amounts" for source, destination in ends if source == destination})
    shares = [share(one.amount, given) for one in template.postings]
    legs = []
    for one, (source, destination), direct in zip(template.postings, ends, shares, strict=True):
        spoken_for = sum(
            other_minor
            for other, other_minor in zip(template.postings, shares, strict=True)
            if other.amount.of == one.amount.of and other.amount.bps is not UNSET
        )
        minor = direct - spoken_for if one.amount.remainder is True else direct
        if minor < 0:
            raise Refusal("template_amounts")
        if minor:
            legs.append(Leg(source, destination, minor, filled(one.currency)))
    refuse_for(set() if legs else {"template_amounts"})
    return legs


def fits(kind: str, value: int | str) -> bool:
    """Whether an argument is of its parameter's kind."""
    if kind in ("amount", "bps"):
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return 0 < value < 2**63 if kind == "amount" else 0 <= value <= 10_000
    if kind == "account":
        return isinstance(value, str) and 0 < len(value) <= 64 and set(value) <= ID_LETTERS
    return value in MINOR_DIGITS


def share(rule: AmountRule, given: Mapping[str, int | str]) -> int:
    """The share that a rule has of its parameter; all of it if it names none."""
    bps = 10_000 if rule.bps is UNSET else rule.bps
    exact = Fraction(int(given[rule.of]) * int(given[bps] if isinstance(bps, str) else bps), 10_000)
    if rule.rounding == "down":
        return floor(exact)
    if rule.rounding == "up":
        return ceil(exact)
    if rule.rounding == "half_up":
        return floor(exact + Fraction(1, 2))
    return round(exact)  # of a Fraction: half to even
