"""Properties of velocity: counters held to the whole history of payments, kept in a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    instant_of_microseconds,
    microseconds_of_instant,
)
from ledger.contracts.velocity import VELOCITY_HOURS_MAX, VelocityLimit, Window
from ledger.domain.velocity import ROLLING_STEPS, VelocityCounter, counted, refused, used

START = microseconds_of_instant("2026-11-21T09:30:00.250000Z")
HOUR = 3600 * 1_000_000
WINDOWS: tuple[Window, ...] = ("day", "week", "month", "rolling", "rolling")
gaps = st.one_of(
    st.integers(0, HOUR),
    st.integers(0, 24 * HOUR),
    st.integers(0, 40 * 24 * HOUR),
    st.sampled_from([HOUR // 6, HOUR, 24 * HOUR]),
)
amounts = st.one_of(st.integers(1, 50), st.integers(1, AMOUNT_MINOR_MAX // 64))
payments = st.lists(st.tuples(gaps, amounts), min_size=1, max_size=30)


@st.composite
def limits(draw: st.DrawFn) -> VelocityLimit:
    """A limit of any window."""
    window = draw(st.sampled_from(WINDOWS))
    bounds = draw(
        st.sampled_from(
            [
                {"max_amount_minor": 100},
                {"max_count": 3},
                {"max_amount_minor": 120, "max_count": 5},
            ]
        )
    )
    hours = draw(st.integers(1, 6) | st.integers(1, VELOCITY_HOURS_MAX))
    return VelocityLimit(
        name="a",
        window=window,
        hours=hours if window == "rolling" else UNSET,
        direction="debits",
        currency="EUR",
        **bounds,
    )


def since(limit: VelocityLimit, microseconds: int) -> int:
    """The first microsecond that counts at a time, spelt out anew with calendar dates."""
    if limit.hours is not UNSET:
        step = limit.hours * HOUR // 6
        return (microseconds // step - ROLLING_STEPS) * step
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if limit.window == "week":
        day -= timedelta(days=day.weekday())
    elif limit.window == "month":
        day = day.replace(day=1)
    return round(day.timestamp()) * 1_000_000


@given(limits(), payments)
def test_what_is_used_is_what_was_paid_in_the_window(
    limit: VelocityLimit, drawn: list[tuple[int, int]]
) -> None:
    """Exactly the payments since the window began: for a rolling one, every payment of its hours,
    and none that is older than them by more than a step."""
    history: list[tuple[int, int]] = []
    counter: VelocityCounter | None = None
    now = START
    for gap, amount_minor in drawn:
        now += gap
        recorded_at = instant_of_microseconds(now)
        first = since(limit, now)
        if limit.hours is not UNSET:
            assert 0 <= now - limit.hours * HOUR - first < limit.hours * HOUR // 6
        recent = [minor for when, minor in history if when >= first]
        spent = used(limit, counter, recorded_at)
        assert (spent.amount_minor, spent.count) == (sum(recent), len(recent))
        counter = counted(limit, counter, recorded_at, amount_minor)
        history.append((now, amount_minor))
        assert len(counter.amounts) == len(counter.counts) <= ROLLING_STEPS + 1
        decoded = msgspec.json.decode(msgspec.json.encode(counter), type=VelocityCounter)
        assert decoded == counter


@given(limits(), payments)
def test_a_limit_is_never_exceeded_and_refuses_nothing_that_keeps_it(
    limit: VelocityLimit, drawn: list[tuple[int, int]]
) -> None:
    """A payment is refused exactly if it would pass a bound; what the refusal says is left would
    be allowed, and what is used is less once the time it names has come."""
    counter: VelocityCounter | None = None
    now = START
    for gap, amount_minor in drawn:
        now += gap
        recorded_at = instant_of_microseconds(now)
        spent = used(limit, counter, recorded_at)
        too_much = (
            limit.max_amount_minor is not UNSET
            and spent.amount_minor + amount_minor > limit.max_amount_minor
        )
        too_often = limit.max_count is not UNSET and spent.count >= limit.max_count
        values = refused(limit, counter, recorded_at, amount_minor)
        assert (values is not None) == (too_much or too_often)
        if values is None:
            counter = counted(limit, counter, recorded_at, amount_minor)
            continue
        left = values.get("remaining_amount_minor", 1)
        assert isinstance(left, int)
        if left and values.get("remaining_count", 1):
            assert refused(limit, counter, recorded_at, left) is None
        resets_at = str(values["resets_at"])
        assert resets_at > recorded_at
        before = instant_of_microseconds(microseconds_of_instant(resets_at) - 1)
        if spent.count:
            assert used(limit, counter, before).count == spent.count
            assert used(limit, counter, resets_at).count < spent.count
