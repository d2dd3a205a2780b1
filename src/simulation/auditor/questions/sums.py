"""Sums over the accounts under a path: of all of them, each as it was at one time.

No sum is of a single moment. But each account in it is as it was at some time between what was
projected when the sum was asked for and what is recorded when it is told: so of each figure there
is a lowest and a highest that it can be, and they are one where nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.auditor.facts import DEBIT_SIDE, AccountFact, Facts
from simulation.auditor.questions.projected import SETTLED, Projected, lies_under

_FIGURES: Final = (
    "accounts",
    "debits_posted_minor",
    "credits_posted_minor",
    "debits_pending_minor",
    "credits_pending_minor",
)
_NOTHING: Final = (0,) * len(_FIGURES)
Body = Mapping[str, Any]
_Group = tuple[str, str]
_Figures = tuple[int, ...]


def sums_differences(
    facts: Facts, projected: Projected, under: str, asked_at: int, shown: Body
) -> Iterator[str]:
    """What of the sums under a path, all of them, is not what it can be."""
    bounds = _bounds(facts, projected, under, asked_at)
    groups = {(one["currency"], one["account_type"]): one for one in shown["by_currency_and_type"]}
    if len(groups) != len(shown["by_currency_and_type"]):
        yield "a currency and type twice"
    if shown["accounts"] != sum(one["accounts"] for one in groups.values()):
        yield "accounts"
    for group in [*groups, *(group for group in bounds if group not in groups)]:
        low, high = bounds.get(group, (_NOTHING, _NOTHING))
        one = groups.get(group, {})
        for name, least, most in zip(_FIGURES, low, high, strict=True):
            if not least <= one.get(name, 0) <= most:
                yield f"{name} of {' '.join(group)} {one.get(name, 0)}, not {least} to {most}"
        if one:
            yield from _unbalanced(one)


def _unbalanced(one: Body) -> Iterator[str]:
    """What of a sum does not follow from its totals."""
    is_debit = one["account_type"] in DEBIT_SIDE
    debits = one["debits_posted_minor"] - one["credits_posted_minor"]
    balance = debits if is_debit else -debits
    held = one["credits_pending_minor" if is_debit else "debits_pending_minor"]
    for name, value in (("balance_minor", balance), ("available_minor", balance - held)):
        if one[name] != value:
            yield f"{name} of {one['currency']} {one['account_type']}"


def _bounds(
    facts: Facts, projected: Projected, under: str, asked_at: int
) -> dict[_Group, tuple[_Figures, _Figures]]:
    """The lowest and the highest that each figure can be."""
    found: dict[_Group, tuple[_Figures, _Figures]] = {}
    for name, stripe, life in facts.every_line():
        if not lies_under(name, under):
            continue
        known = projected.account_before(life[0].entry.key.id, asked_at)
        possible = [_figures(fact) for fact in life[max(known, 1) - 1 :]]
        if not projected.account_before(name, asked_at - SETTLED):
            possible.append(_NOTHING)  # the index may not have it yet
        elif stripe and not (known and projected.width_before(name, asked_at) > stripe):
            possible.append(_NOTHING)  # it may not be there, or not be looked for
        group = life[0].currency, life[0].entry.type
        low, high = found.get(group, (_NOTHING, _NOTHING))
        found[group] = _added(low, _each(min, possible)), _added(high, _each(max, possible))
    return found


def _figures(fact: AccountFact) -> _Figures:
    return 0 if fact.entry.stripe_number else 1, *fact.totals


def _each(choose: Any, possible: Sequence[_Figures]) -> _Figures:
    return tuple(choose(figures) for figures in zip(*possible, strict=True))


def _added(one: _Figures, other: _Figures) -> _Figures:
    return tuple(a + b for a, b in zip(one, other, strict=True))
