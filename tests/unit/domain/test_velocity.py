"""Velocity: what is used of a limit, when it is free again, and what a refusal says."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from msgspec import UNSET

from ledger.contracts.primitives import AMOUNT_MINOR_MAX, shifted_instant
from ledger.contracts.velocity import (
    VELOCITY_COUNT_MAX,
    VELOCITY_LIMITS_MAX,
    VelocityLimit,
    Window,
)
from ledger.domain.velocity import (
    ROLLING_STEPS,
    UNUSED,
    PackedLimit,
    Used,
    VelocityCounter,
    carried,
    counted,
    packed,
    refused,
    unpacked,
    used,
)

HOUR = 3600 * 1_000_000


def limit(window: Window = "day", hours: int | None = None, **change: object) -> VelocityLimit:
    """A limit of 100 debited, in a window."""
    fields: dict[str, object] = {
        "name": "payouts",
        "direction": "debits",
        "currency": "EUR",
        "max_amount_minor": 100,
    }
    made = {**fields, "window": window, "hours": UNSET if hours is None else hours, **change}
    return VelocityLimit(**made)  # type: ignore[arg-type]


def at(text: str) -> str:
    """The stored form of a time of November 2026, as `21T09:30`."""
    return f"2026-11-{text}:00.000000Z"


@pytest.mark.parametrize(
    ("window", "last", "first", "resets_at"),
    [
        (
            "day",
            "2026-11-21T23:59:59.999999Z",
            "2026-11-22T00:00:00.000000Z",
            "2026-11-22T00:00:00.000000Z",
        ),
        (  # a Sunday, and the Monday after it
            "week",
            "2026-11-22T23:59:59.999999Z",
            "2026-11-23T00:00:00.000000Z",
            "2026-11-23T00:00:00.000000Z",
        ),
        (
            "month",
            "2026-12-31T23:59:59.999999Z",
            "2027-01-01T00:00:00.000000Z",
            "2027-01-01T00:00:00.000000Z",
        ),
        (
            "month",
            "2028-02-29T00:00:00.000000Z",
            "2028-03-01T00:00:00.000000Z",
            "2028-03-01T00:00:00.000000Z",
        ),
    ],
)
def test_calendar_windows_are_exact(window: Window, last: str, first: str, resets_at: str) -> None:
    """What is used up to the last microsecond is free from the first one of the next window."""
    one = limit(window)
    counter = counted(one, None, last, 30)
    assert used(one, counter, last) == Used(30, 1, resets_at)
    assert used(one, counter, first).amount_minor == 0
    assert used(one, counter, first).count == 0
    after = counted(one, counter, first, 5)
    assert used(one, after, first).amount_minor == 5
    assert refused(one, counter, last, 71) is not None
    assert refused(one, counter, last, 70) is None
    assert refused(one, counter, first, 100) is None


def test_a_week_starts_on_monday() -> None:
    """Monday to Sunday are one window, as in ISO 8601."""
    one = limit("week")
    monday = counted(one, None, "2026-11-16T00:00:00.000000Z", 1)
    assert used(one, monday, "2026-11-22T23:59:59.999999Z").amount_minor == 1
    sunday = counted(one, None, "2026-11-15T23:59:59.999999Z", 1)
    assert used(one, sunday, "2026-11-16T00:00:00.000000Z").amount_minor == 0


def test_a_rolling_window_moves_in_sixths() -> None:
    """Six hours move an hour at a time. What is paid at 09:30 counts as from 09:00, and until the
    step of 16:00 begins: half an hour longer than six hours, and never less."""
    six = limit("rolling", 6)
    counter = counted(six, None, at("21T09:30"), 60)
    assert used(six, counter, at("21T09:30")) == Used(60, 1, at("21T16:00"))
    counter = counted(six, counter, at("21T12:00"), 30)
    assert used(six, counter, at("21T15:59")) == Used(90, 2, at("21T16:00"))
    assert used(six, counter, at("21T16:00")) == Used(30, 1, at("21T19:00"))
    assert used(six, counter, at("21T18:59")) == Used(30, 1, at("21T19:00"))
    assert used(six, counter, at("21T19:00")) == Used(0, 0, at("22T02:00"))


def test_steps_of_an_hour_window_are_ten_minutes() -> None:
    """The shortest window, and the finest step."""
    one = limit("rolling", 1)
    counter = counted(one, None, at("21T09:39"), 60)
    assert used(one, counter, at("21T10:39")) == Used(60, 1, at("21T10:40"))
    assert used(one, counter, at("21T10:40")).amount_minor == 0


def test_a_time_before_the_last_counts_as_the_last() -> None:
    """Recorded time never goes back; were it to, nothing that was used would be free for it."""
    for one in (limit("day"), limit("rolling", 6)):
        counter = counted(one, None, at("21T09:30"), 60)
        assert used(one, counter, at("20T09:30")) == used(one, counter, at("21T09:30"))
        again = counted(one, counter, at("20T09:30"), 1)
        assert again == counted(one, counter, at("21T09:30"), 1)


def test_a_refusal_says_everything() -> None:
    """Which limit, its bounds, what is used and left of each, and when some is free again."""
    both = limit("rolling", 6, max_count=3)
    counter = counted(both, None, at("21T09:30"), 60)
    assert refused(both, counter, at("21T12:00"), 41) == {
        "limit": "payouts",
        "window": "rolling",
        "hours": 6,
        "direction": "debits",
        "max_amount_minor": 100,
        "used_amount_minor": 60,
        "remaining_amount_minor": 40,
        "max_count": 3,
        "used_count": 1,
        "remaining_count": 2,
        "resets_at": at("21T16:00"),
    }


def test_a_refusal_says_nothing_of_bounds_that_are_none() -> None:
    """A limit on the number alone has no amounts, whatever was paid."""
    twice = limit("day", direction="credits", max_amount_minor=UNSET, max_count=2)
    counter = None
    for _ in range(2):
        assert refused(twice, counter, at("21T09:30"), AMOUNT_MINOR_MAX) is None
        counter = counted(twice, counter, at("21T09:30"), AMOUNT_MINOR_MAX)
    assert refused(twice, counter, at("21T09:30"), 1) == {
        "limit": "payouts",
        "window": "day",
        "direction": "credits",
        "max_count": 2,
        "used_count": 2,
        "remaining_count": 0,
        "resets_at": at("22T00:00"),
    }


@pytest.mark.parametrize("one", [limit(max_amount_minor=0), limit(max_count=0)])
def test_a_bound_of_nothing_allows_nothing(one: VelocityLimit) -> None:
    """Not even the first payment; waiting does not help, and the refusal says when it would not."""
    values = refused(one, None, at("21T09:30"), 1)
    assert values is not None
    assert values["resets_at"] == at("22T00:00")


def test_nothing_is_left_of_a_bound_that_was_lowered() -> None:
    """What is left is never negative."""
    counter = counted(limit("day"), None, at("21T09:30"), 90)
    values = refused(limit("day", max_amount_minor=50), counter, at("21T09:30"), 1)
    assert values is not None
    assert values["remaining_amount_minor"] == 0
    assert values["used_amount_minor"] == 90


def test_what_is_used_is_bounded() -> None:
    """However much is counted, neither amount nor number passes what a limit can have: so that no
    limit is ever free again for it."""
    one = limit("rolling", 6, max_count=VELOCITY_COUNT_MAX)
    full = VelocityCounter(0, (AMOUNT_MINOR_MAX,) * 7, (VELOCITY_COUNT_MAX,) * 7)
    full = msgspec.structs.replace(full, step=counted(one, None, at("21T09:30"), 1).step)
    after = counted(one, full, at("21T09:30"), AMOUNT_MINOR_MAX)
    assert after == full
    spent = used(one, after, at("21T09:30"))
    assert (spent.amount_minor, spent.count) == (AMOUNT_MINOR_MAX, VELOCITY_COUNT_MAX)


def test_a_counter_goes_on_while_it_counts_the_same() -> None:
    """Bounds may change; another name, window, side or currency starts anew, and order is free."""
    day, six = limit("day"), limit("rolling", 6, name="six")
    before = (day, six)
    counters = tuple(counted(one, None, at("21T09:30"), 60) for one in before)
    changed = limit("day", max_amount_minor=UNSET, max_count=1)
    assert carried(before, counters, (six, changed)) == (counters[1], counters[0])
    for other in (
        limit("week"),
        limit("day", name="other"),
        limit("day", direction="credits"),
        limit("day", currency="USD"),
        limit("rolling", 7, name="six"),
    ):
        assert carried(before, counters, (other,)) == (UNUSED,)
    assert carried(before, counters, ()) == ()
    assert carried((), (), before) == (UNUSED, UNUSED)


def test_what_is_packed_is_unpacked() -> None:
    """Limits and counters come back as they were stored, through JSON."""
    kept = (
        limit("day"),
        limit("rolling", 6, max_amount_minor=UNSET, max_count=0),
        limit("month", direction="credits", max_amount_minor=0),
    )
    counters = (UNUSED, *(counted(one, None, at("21T09:30"), 60) for one in kept[1:]))
    stored = msgspec.json.encode(packed(kept, counters))
    assert stored.startswith(b'[["payouts","day",0,"d","EUR",100,null,[0,[],[]]],[')
    assert unpacked(msgspec.json.decode(stored, type=tuple[PackedLimit, ...])) == (kept, counters)


def full_state(amount_minor: int, name: str) -> bytes:
    """The most limits, each rolling and with payments in every step, as a state stores them."""
    kept = tuple(
        limit("rolling", 168, name=f"{name}{index}", max_amount_minor=amount_minor, max_count=9999)
        for index in range(VELOCITY_LIMITS_MAX)
    )
    counters = []
    for one in kept:
        counter, when = UNUSED, at("21T09:30")
        for _ in range(ROLLING_STEPS + 1):
            counter = counted(one, counter, when, amount_minor // 7)
            counter = msgspec.structs.replace(counter, counts=(1428, *counter.counts[1:]))
            when = shifted_instant(when, 28 * HOUR)
        assert len(counter.amounts) == ROLLING_STEPS + 1
        counters.append(counter)
    return msgspec.json.encode(packed(kept, counters))


def test_the_most_limits_fit_in_a_state() -> None:
    """Eight rolling limits, all full: 1.6 KiB if they allow 10^12 minor units, as a bank's might,
    and 2.2 KiB with the longest names and the largest amounts there are."""
    assert len(full_state(10**12, "payouts-7d-")) <= 1638
    assert len(full_state(AMOUNT_MINOR_MAX * 7, "a" * 31)) <= 2253


def test_steps_follow_each_other_everywhere() -> None:
    """Where a window resets, the next begins: over three years, an hour at a time."""
    for one in (limit("day"), limit("week"), limit("month"), limit("rolling", 5)):
        when = "2026-01-01T00:30:00.000000Z"
        resets = []
        for _ in range(3 * 366):
            resets.append(used(one, None, when).resets_at)
            when = shifted_instant(when, 24 * HOUR)
        assert all(earlier <= later for earlier, later in pairwise(resets))
        assert all(used(one, None, reset).resets_at > reset for reset in resets)
