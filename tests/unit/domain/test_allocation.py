"""Allocation: worked examples of what a part of a payment takes of each posting."""

from __future__ import annotations

import pytest

from ledger.domain.allocation import (
    allocated,
    captured_amounts,
    increased_amounts,
    reversed_amounts,
)

EURO = ("EUR", "EUR", "EUR")


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (0, (), ()),
        (0, (0, 0), (0, 0)),
        (0, (3, 4), (0, 0)),
        (7, (3, 4), (3, 4)),
        (100, (1, 1, 1), (33, 33, 34)),
        (1, (1, 1, 1), (0, 0, 1)),
        (5, (0, 10, 0), (0, 5, 0)),
        (10, (1, 2), (3, 7)),
        (2**63 - 1, (1, 1), (2**62 - 1, 2**62)),
    ],
)
def test_the_prefix_method(total: int, weights: tuple[int, ...], parts: tuple[int, ...]) -> None:
    """Each part is the difference of two prefix sums' shares, each rounded down."""
    assert allocated(total, weights) == parts


@pytest.mark.parametrize(
    ("total", "weights"), [(1, ()), (1, (0, 0)), (-1, (1,)), (1, (2, -1)), (0, (-1,))]
)
def test_what_cannot_be_split_is_an_error(total: int, weights: tuple[int, ...]) -> None:
    """Nothing negative is split, and nothing over no weight."""
    with pytest.raises(ValueError, match=r"negative|nothing"):
        allocated(total, weights)


def capturing(
    amount: int | None,
    *,
    remaining: tuple[int, ...] = (60, 30, 10),
    captured: tuple[int, ...] = (0, 0, 0),
    groups: tuple[str, ...] = EURO,
    margin_bps: int = 0,
) -> tuple[int, ...] | None:
    """What a capture takes of a hold of 60, 30 and 10."""
    return captured_amounts(
        amount,
        groups,
        remaining=remaining,
        authorised=(60, 30, 10),
        captured=captured,
        margin_bps=margin_bps,
    )


@pytest.mark.parametrize(
    ("amount", "taken"),
    [
        (None, (60, 30, 10)),
        (100, (60, 30, 10)),
        (50, (30, 15, 5)),
        (33, (19, 10, 4)),
        (1, (0, 0, 1)),
        (101, None),
    ],
)
def test_a_capture_is_in_proportion(amount: int | None, taken: tuple[int, ...] | None) -> None:
    """A part of what remains; without a margin, no more than that."""
    assert capturing(amount) == taken


@pytest.mark.parametrize(
    ("amount", "margin_bps", "taken"),
    [
        (110, 1000, (66, 33, 11)),
        (111, 1000, None),
        (101, 100, (60, 30, 11)),
        (101, 99, None),  # 0.99, rounded down
        (200, 10_000, (120, 60, 20)),
    ],
)
def test_a_capture_may_pass_the_hold_by_its_margin(
    amount: int, margin_bps: int, taken: tuple[int, ...] | None
) -> None:
    """The excess is a part of what was authorised, and the margin is rounded down."""
    assert capturing(amount, margin_bps=margin_bps) == taken


def test_the_margin_is_of_all_captures_together() -> None:
    """What was captured before counts, and an exhausted hold can still have margin left."""
    rest, before = (6, 3, 1), (54, 27, 9)
    assert capturing(20, remaining=rest, captured=before, margin_bps=1000) == (12, 6, 2)
    assert capturing(21, remaining=rest, captured=before, margin_bps=1000) is None
    gone, over = (0, 0, 0), (63, 31, 11)
    assert capturing(None, remaining=gone, captured=over, margin_bps=1000) == gone
    assert capturing(5, remaining=gone, captured=over, margin_bps=1000) == (3, 1, 1)
    assert capturing(6, remaining=gone, captured=over, margin_bps=1000) is None


def test_other_groups_follow_the_first() -> None:
    """60 EUR and 10 EUR are held for 30 USD between them: a capture of 35 EUR takes 15 USD, and
    one of 36 takes 15.43 rounded down; with a margin, the excess takes its share as well."""
    mixed = ("EUR", "USD", "EUR")
    assert capturing(35, groups=mixed) == (30, 15, 5)
    assert capturing(36, groups=mixed) == (30, 15, 6)
    assert capturing(70, groups=mixed) == (60, 30, 10)
    assert capturing(77, groups=mixed, margin_bps=1000) == (66, 33, 11)
    assert capturing(78, groups=mixed, margin_bps=1000) is None


def test_a_reversal_is_in_proportion() -> None:
    """A part of what was posted and not yet reversed; all of it if no amount is given."""
    assert reversed_amounts(None, EURO, (60, 30, 10)) == (60, 30, 10)
    assert reversed_amounts(10, EURO, (60, 30, 10)) == (6, 3, 1)
    assert reversed_amounts(10, ("EUR", "USD", "USD"), (60, 30, 10)) == (10, 4, 2)
    assert reversed_amounts(101, EURO, (60, 30, 10)) is None
    assert reversed_amounts(1, EURO, (0, 0, 0)) is None
    assert reversed_amounts(None, EURO, (0, 0, 0)) == (0, 0, 0)


def test_an_increase_is_in_proportion() -> None:
    """A part of what was authorised, which it may exceed."""
    assert increased_amounts(50, EURO, (60, 30, 10)) == (30, 15, 5)
    assert increased_amounts(1000, EURO, (60, 30, 10)) == (600, 300, 100)
    assert increased_amounts(7, ("EUR", "JPY", "JPY"), (60, 30, 10)) == (7, 3, 1)
