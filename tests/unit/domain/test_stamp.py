"""The recorded time: never before that of any touched state, never far ahead of the clock."""

from __future__ import annotations

import pytest

from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.subjects import account_key
from ledger.domain.stamp import SKEW_MICROSECONDS_MAX, Skewed, Stamp, stamp
from tests.support.builders import NOON, NOON_MICROSECONDS, state


def at(offset_microseconds: int) -> str:
    """An instant relative to noon."""
    return instant_of_microseconds(NOON_MICROSECONDS + offset_microseconds)


def test_the_clock_counts_unless_a_state_is_later() -> None:
    """The later of the clock and every state's recorded time."""
    past = [state("a", recorded_at=at(-1)), state("b", recorded_at=at(-(10**12)))]
    assert stamp(NOON_MICROSECONDS, [], "x") == Stamp(NOON, "x")
    assert stamp(NOON_MICROSECONDS, past, "x") == Stamp(NOON, "x")
    ahead = [state("c", recorded_at=at(7)), state("d", recorded_at=at(5))]
    assert stamp(NOON_MICROSECONDS, past + ahead, "x") == Stamp(at(7), "x")


@pytest.mark.parametrize("over", [0, 1])
def test_a_state_far_ahead_is_refused(over: int) -> None:
    """Up to 5 s ahead is followed; one microsecond more is refused, naming account and lead."""
    assert SKEW_MICROSECONDS_MAX == 5_000_000
    ahead = SKEW_MICROSECONDS_MAX + over
    states = [state("a", recorded_at=at(1)), state("b", recorded_at=at(ahead))]
    expected = Skewed(account_key("b"), ahead) if over else Stamp(at(ahead), "x")
    assert stamp(NOON_MICROSECONDS, states, "x") == expected
