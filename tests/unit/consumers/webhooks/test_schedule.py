"""When a delivery is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.webhooks.schedule import (
    DELAY_SECONDS_MAX,
    DELAYS_SECONDS,
    JITTER,
    RECEIVES_MAX,
    delay_seconds,
    is_last,
    retry_after_seconds,
)

NOW_SECONDS = 1_795_000_000.0  # Wed, 18 Nov 2026 11:06:40 GMT
SQS_VISIBILITY_MAX = 43_200
chances = st.floats(0, 1, exclude_max=True)


def test_the_waits_grow_and_last_over_a_day() -> None:
    """From seconds to hours, as docs/webhooks.md states them."""
    assert list(DELAYS_SECONDS) == sorted(DELAYS_SECONDS)
    assert DELAYS_SECONDS[0] == 5
    assert 24 * 3600 < sum(DELAYS_SECONDS) < 2 * 24 * 3600
    assert RECEIVES_MAX == 8


@given(st.integers(1, RECEIVES_MAX), chances, st.integers(0, 10**6))
def test_a_wait_is_the_step_and_a_little_or_what_was_asked_for(
    received: int, chance: float, asked: int
) -> None:
    """Never shorter than the step, nor than asked for as far as a queue can wait."""
    step = DELAYS_SECONDS[min(received, len(DELAYS_SECONDS)) - 1]
    wait = delay_seconds(received, lambda: chance, retry_after_seconds=asked)
    assert wait >= min(max(step, asked), DELAY_SECONDS_MAX)
    assert wait <= min(max(round(step * (1 + JITTER)), asked), DELAY_SECONDS_MAX)
    assert wait <= SQS_VISIBILITY_MAX - 3_600
    assert isinstance(wait, int)


def test_waits_are_spread() -> None:
    """What failed together does not come back together."""
    waits = {delay_seconds(4, lambda each=place / 10: each) for place in range(10)}  # type: ignore[misc]
    assert len(waits) == 10


def test_only_the_last_receive_is_the_last() -> None:
    """One attempt more than there are waits."""
    assert [is_last(received) for received in range(1, 11)] == [False] * 7 + [True] * 3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("9" * 5000, DELAY_SECONDS_MAX),
        ("Wed, 18 Nov 2026 11:08:40 GMT", 120),
        ("Wed, 18 Nov 2026 11:08:40", 120),
        ("Wed, 18 Nov 2026 11:00:00 GMT", 0),
        ("", 0),
        ("-5", 0),
        ("1.5", 0),
        ("²", 0),
        ("soon", 0),
        ("Wed, 99 Nov 2026 11:08:40 GMT", 0),
        ("Wed, 18 Nov 2026 11:08:40 +" + "9" * 20, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: int) -> None:
    """Anything else, and the past, asks for nothing."""
    assert retry_after_seconds(header, NOW_SECONDS) == seconds


@given(st.text())
def test_no_header_of_an_endpoint_raises(header: str) -> None:
    """What an endpoint sends is text, and never an error of ours."""
    assert retry_after_seconds(header, NOW_SECONDS) >= 0
