"""Rounding, said by name: money is divided in integers, and what is left over is never a float."""

from __future__ import annotations

from typing import Literal

#: To the nearest, of two the even one or the upper one; or always towards zero or away from it.
Rounding = Literal["half_even", "half_up", "down", "up"]


def divided(numerator: int, denominator: int, rounding: Rounding) -> int:
    """`numerator / denominator` as an integer, exact but for the rounding named.

    `numerator` is not negative and `denominator` positive; otherwise raises ValueError.
    """
    if numerator < 0 or denominator <= 0:
        raise ValueError("only what is not negative is divided, and by what is positive")
    whole, rest = divmod(numerator, denominator)
    if rounding == "down":
        upwards = False
    elif rounding == "up":
        upwards = rest > 0
    elif rounding == "half_up":
        upwards = 2 * rest >= denominator
    else:
        upwards = 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
    return whole + upwards
