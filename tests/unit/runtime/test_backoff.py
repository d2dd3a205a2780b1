"""Waits between attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.runtime.backoff import full_jitter_seconds


@pytest.mark.parametrize(
    ("attempt", "drawn", "seconds"),
    [(0, 0.5, 0.05), (1, 0.5, 0.1), (3, 0.999, 0.7992), (4, 0.5, 0.5), (10**9, 0.5, 0.5)],
)
def test_the_interval_doubles_up_to_its_cap(attempt: int, drawn: float, seconds: float) -> None:
    """The wait is the drawn part of base x 2^attempt, or of the cap; any attempt has one."""
    wait = full_jitter_seconds(attempt, base=0.1, cap=1.0, random=lambda: drawn)
    assert wait == pytest.approx(seconds)


@given(
    st.integers(0, 10_000),
    st.floats(0.001, 10),
    st.floats(0.001, 1_000),
    st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_never_negative_nor_above_the_cap(
    attempt: int, base: float, cap: float, drawn: float
) -> None:
    """Whatever is drawn, 0 <= wait <= cap."""
    assert 0 <= full_jitter_seconds(attempt, base=base, cap=cap, random=lambda: drawn) <= cap
