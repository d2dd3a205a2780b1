"""What a part of a payment takes of each posting: the exact share, rounded by rule."""

from __future__ import annotations

from fractions import Fraction
from math import floor


def part(amount: int, currencies: list[str], of: list[int]) -> list[int]:
    """What `amount` of the first posting's group takes of each of the amounts `of`.

    Each group (`currencies` names that of each posting) gives its total times amount over the first
    group's total, rounded down; and the first k postings of a group together give their exact share
    of that, rounded down.
    """
    taken = [0] * len(of)
    if amount == 0:
        return taken
    ratio = Fraction(amount, total(currencies, of))
    for currency in set(currencies):
        places = [place for place, other in enumerate(currencies) if other == currency]
        whole = sum(of[place] for place in places)
        given = floor(whole * ratio)
        so_far = Fraction(0)
        for place in places:
            before = floor(so_far)
            so_far += Fraction(given * of[place], whole) if whole else 0
            taken[place] = floor(so_far) - before
    return taken


def total(currencies: list[str], amounts: list[int]) -> int:
    """What the amounts come to in the first posting's group."""
    pairs = zip(currencies, amounts, strict=True)
    return sum(amount for currency, amount in pairs if currency == currencies[0])


def most_to_capture(currencies: list[str], authorized: list[int], margin_bps: int) -> int:
    """The most that captures may come to in all, in the first posting's group."""
    return floor(total(currencies, authorized) * (1 + Fraction(margin_bps, 10_000)))
