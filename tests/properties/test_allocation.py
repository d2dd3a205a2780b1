"""Properties of allocation: nothing lost, nothing made, nothing taken that is not there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts.primitives import AMOUNT_MINOR_MAX, POSTINGS_MAX
from ledger.domain.allocation import (
    allocated,
    captured_amounts,
    increased_amounts,
    reversed_amounts,
)

weight = st.one_of(st.integers(0, 5), st.integers(0, AMOUNT_MINOR_MAX))
amount = st.one_of(st.integers(1, 20), st.integers(1, AMOUNT_MINOR_MAX))
legs = st.lists(
    st.tuples(st.sampled_from(["EUR", "USD", "JPY"]), amount), min_size=1, max_size=POSTINGS_MAX
)


def by_currency(groups: list[str], amounts: tuple[int, ...] | list[int]) -> dict[str, int]:
    """The total of each currency."""
    totals = dict.fromkeys(groups, 0)
    for currency, minor in zip(groups, amounts, strict=True):
        totals[currency] += minor
    return totals


@given(weight, st.lists(weight, min_size=1).filter(any))
def test_an_allocation_is_exact(total: int, weights: list[int]) -> None:
    """The parts add up to the total, and each is its exact share rounded up or down."""
    parts = allocated(total, weights)
    whole = sum(weights)
    assert sum(parts) == total
    for part, own in zip(parts, weights, strict=True):
        assert total * own // whole <= part <= -(-total * own // whole)


@given(st.lists(weight, min_size=1).filter(any), st.data())
def test_no_part_is_above_its_weight(weights: list[int], data: st.DataObject) -> None:
    """While the total is not above all weights together; at that total, parts are the weights."""
    whole = sum(weights)
    parts = allocated(data.draw(st.integers(0, whole)), weights)
    assert all(part <= own for part, own in zip(parts, weights, strict=True))
    assert allocated(whole, weights) == tuple(weights)


@given(legs, st.integers(0, 10_000), st.data())
def test_captures_take_what_was_asked_for_and_never_more_than_the_margin(
    drawn: list[tuple[str, int]], margin_bps: int, data: st.DataObject
) -> None:
    """Any series of captures: the first currency gives exactly the amounts asked for, no posting
    more than remains of it before the hold is exhausted, no currency more than its margin, and a
    hold of which the first currency is exhausted is exhausted."""
    groups = [currency for currency, _ in drawn]
    authorised = [minor for _, minor in drawn]
    remaining, captured = list(authorised), [0] * len(drawn)
    totals = by_currency(groups, authorised)
    bounds = {one: minor + minor * margin_bps // 10_000 for one, minor in totals.items()}
    first = groups[0]
    for _ in range(4):
        rest = by_currency(groups, remaining)[first]
        room = bounds[first] - by_currency(groups, captured)[first]
        asked = data.draw(st.none() | st.integers(1, rest or 1) | st.integers(1, room + 1))
        taken = captured_amounts(
            asked,
            groups,
            remaining=remaining,
            authorised=authorised,
            captured=captured,
            margin_bps=margin_bps,
        )
        if taken is None:
            assert asked is not None
            assert asked > max(rest, room)
            continue
        assert min(taken) >= 0
        assert by_currency(groups, taken)[first] == (rest if asked is None else asked)
        if asked is None or asked <= rest:
            assert all(part <= left for part, left in zip(taken, remaining, strict=True))
        else:
            assert all(part >= left for part, left in zip(taken, remaining, strict=True))
        remaining = [max(left - part, 0) for left, part in zip(remaining, taken, strict=True)]
        captured = [before + part for before, part in zip(captured, taken, strict=True)]
        after = by_currency(groups, captured)
        assert all(after[one] <= bounds[one] for one in after)
        left = by_currency(groups, remaining)
        assert left[first] > 0 or not any(left.values())


@given(legs, st.data())
def test_reversals_give_back_exactly_what_was_posted(
    drawn: list[tuple[str, int]], data: st.DataObject
) -> None:
    """However a payment is reversed in parts, every posting is given back whole, and no more; what
    is more than all that is left is refused."""
    groups = [currency for currency, _ in drawn]
    left = [minor for _, minor in drawn]
    while any(left):
        rest = by_currency(groups, left)[groups[0]]
        assert reversed_amounts(rest + 1, groups, left) is None
        asked = data.draw(st.integers(-(-rest // 3), rest))
        part = reversed_amounts(asked, groups, left)
        assert part is not None
        assert by_currency(groups, part)[groups[0]] == asked
        left = [before - given_back for before, given_back in zip(left, part, strict=True)]
        assert min(left) >= 0


@given(legs, amount)
def test_an_increase_keeps_the_proportion(drawn: list[tuple[str, int]], more: int) -> None:
    """Every posting gets its exact share rounded, the first currency exactly what was asked for."""
    groups = [currency for currency, _ in drawn]
    authorised = [minor for _, minor in drawn]
    added = increased_amounts(more, groups, authorised)
    totals = by_currency(groups, authorised)
    whole = totals[groups[0]]
    assert by_currency(groups, added) == {
        one: minor * more // whole for one, minor in totals.items()
    }
    for part, minor in zip(added, authorised, strict=True):
        assert minor * more - whole < part * whole + whole
        assert part * whole < minor * more + whole
