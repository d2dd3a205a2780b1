"""What a part of a payment takes of each of its postings: exact, to the last minor unit.

A part is asked for by one amount: what the payer gives, that is, the postings of the first one's
currency that come from the account that the first comes from. They are the first group; of all
others, those of a currency are a group. Three rules make of the amount what each posting gives:

1. The first group gives the amount asked for, exactly.
2. Every other group gives its total times the amount, divided by the first group's total, rounded
   down. A part may so be 0 in another group; what rounding kept back stays in the group, and the
   part that takes all of the first group takes all of every group.
3. Within a group the amount is split by `allocated`: nothing is lost or made, and no posting gives
   more than it has.

A part of 0 means that the posting has no part in it, and is to be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BPS_WHOLE: Final = 10_000


def allocated(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`total` split over `weights` in proportion, by the prefix method.

    With W_i the sum of the first i weights and W of all, part i is
    floor(total * W_i / W) - floor(total * W_(i-1) / W). So the parts add up to `total`, each is its
    exact share rounded up or down, and none is above its weight if `total` is not above W.

    Raises ValueError for anything negative, and for a total above 0 where no weight is.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("neither a total nor a weight is negative")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("there is nothing to split over")
        return (0,) * len(weights)
    parts: list[int] = []
    passed = given = 0
    for weight in weights:
        passed += weight
        upto = total * passed // whole
        parts.append(upto - given)
        given = upto
    return tuple(parts)


def captured_amounts(
    amount_minor: int | None,
    groups: Sequence[str],
    *,
    remaining: Sequence[int],
    authorised: Sequence[int],
    captured: Sequence[int],
    margin_bps: int,
) -> tuple[int, ...] | None:
    """What a capture of `amount_minor` takes of each posting of a hold; None if that is too much.

    All sequences have one element per posting, of which there is one at least; `groups` names the
    group of each. None as the amount
    means all that remains. Up to what remains of the first group, a capture is a part of what
    remains. Beyond that it takes all that remains, and the excess as a part of what was authorised;
    all that was captured of the first group then is at most A + floor(A * margin_bps / 10,000),
    with A what was authorised of it. Other groups never pass that bound for their own A, and a
    single posting passes it by less than 1 per capture, for its excess may be rounded up.
    """
    if amount_minor is None:
        return tuple(remaining)
    rest = _first_total(groups, remaining)
    if amount_minor <= rest:
        return _part(amount_minor, groups, remaining)
    limit = _first_total(groups, authorised)
    limit += limit * margin_bps // _BPS_WHOLE
    if _first_total(groups, captured) + amount_minor > limit:
        return None
    excess = _part(amount_minor - rest, groups, authorised)
    return tuple(left + more for left, more in zip(remaining, excess, strict=True))


def reversed_amounts(
    amount_minor: int | None, groups: Sequence[str], reversible: Sequence[int]
) -> tuple[int, ...] | None:
    """What a reversal of `amount_minor` gives back of each posting; None if that is too much.

    `reversible` is what was posted and not given back yet; None as the amount means all of it.
    """
    if amount_minor is None:
        return tuple(reversible)
    if amount_minor > _first_total(groups, reversible):
        return None
    return _part(amount_minor, groups, reversible)


def increased_amounts(
    amount_minor: int, groups: Sequence[str], authorised: Sequence[int]
) -> tuple[int, ...]:
    """What an increase by `amount_minor` adds to each posting of a hold, as a part of `authorised`.

    The amounts authorised are all above 0, and what is added may be more than they are.
    """
    return _part(amount_minor, groups, authorised)


def _first_total(groups: Sequence[str], amounts: Sequence[int]) -> int:
    """The total of the group that the first posting is in."""
    return sum(amount for group, amount in zip(groups, amounts, strict=True) if group == groups[0])


def _part(amount_minor: int, groups: Sequence[str], amounts: Sequence[int]) -> tuple[int, ...]:
    """The part of `amounts` that `amount_minor` is of the first group's."""
    if amount_minor == 0:
        return (0,) * len(amounts)
    whole = _first_total(groups, amounts)
    parts = [0] * len(amounts)
    for group in dict.fromkeys(groups):
        places = [place for place, other in enumerate(groups) if other == group]
        weights = [amounts[place] for place in places]
        split = allocated(sum(weights) * amount_minor // whole, weights)
        for place, part in zip(places, split, strict=True):
            parts[place] = part
    return tuple(parts)
