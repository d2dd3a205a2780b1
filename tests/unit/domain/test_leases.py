"""Leases: room is shared out and gathered to the last minor unit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts.primitives import AMOUNT_MINOR_MAX, STRIPE_TOTAL_MAX, STRIPES_MAX
from ledger.domain.leases import ROOM_MINOR_MAX, dealt, gathered

in_use = st.lists(st.booleans(), min_size=1, max_size=STRIPES_MAX)


@given(st.integers(0, 10_000), in_use)
def test_all_room_is_dealt_evenly_to_those_in_use(room: int, used: list[bool]) -> None:
    """To the last unit; no two of them differ by more than one, and the others get nothing."""
    rooms = dealt(room, used)
    assert sum(rooms) == room
    of_users = [one for one, uses in zip(rooms, used, strict=True) if uses or not any(used)]
    assert max(of_users) - min(of_users) <= 1
    assert sum(of_users) == room


@given(st.integers(2, STRIPES_MAX), st.integers(1, STRIPES_MAX), st.integers(0, AMOUNT_MINOR_MAX))
def test_no_lease_passes_64_bits(made: int, used: int, limit: int) -> None:
    """However few stripes are in use, and with all balances as far from the limit as they can be:
    a balance less its room is an integer of 64 bits still."""
    in_use = [place < used for place in range(made)]
    room = made * STRIPE_TOTAL_MAX + limit
    rooms = dealt(room, in_use)
    assert sum(rooms) == room
    assert max(rooms) <= ROOM_MINOR_MAX
    assert STRIPE_TOTAL_MAX + max(rooms) <= AMOUNT_MINOR_MAX


@given(st.data(), st.lists(st.integers(0, 20), min_size=2, max_size=8), st.integers(1, 100))
def test_what_is_needed_is_gathered_if_it_is_there(
    data: st.DataObject, rooms: list[int], taken: int
) -> None:
    """No more and no less than there is. Those who give have no more afterwards, no fewer could
    have given it, and nobody else is touched."""
    at = data.draw(st.integers(0, len(rooms) - 1))
    used = data.draw(st.lists(st.booleans(), min_size=len(rooms), max_size=len(rooms)))
    left = gathered(rooms, at, taken, used)
    if left is None:
        assert sum(rooms) < taken
        return
    assert at in left
    assert sum(left.values()) == sum(rooms[place] for place in left) - taken
    assert min(left.values()) >= 0
    givers = [place for place in left if place != at]
    assert all(left[place] <= rooms[place] for place in givers)
    richest = sorted((rooms[place] for place in range(len(rooms)) if place != at), reverse=True)
    assert rooms[at] + sum(richest[: max(len(givers) - 1, 0)]) < taken or not givers


def test_givers_and_taker_share_what_is_left() -> None:
    """The richest gives: half of what is left then is the taker's, which can go on by itself."""
    assert gathered([0, 10, 100, 5], 0, 20, [True] * 4) == {0: 40, 2: 40}
    assert gathered([3, 10, 10, 5], 0, 20, [True] * 4) == {0: 1, 1: 1, 2: 1}


def test_one_that_is_not_in_use_gives_all_and_keeps_nothing() -> None:
    """And takes no more than it needs."""
    assert gathered([0, 30, 100], 0, 120, [True, True, False]) == {0: 5, 1: 5, 2: 0}
    assert gathered([100, 30, 0], 2, 50, [True, True, False]) == {2: 0, 0: 50}
