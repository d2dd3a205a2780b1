"""Velocity: what payments used of an account's limits, decided with the payment itself.

Time is cut into steps. A calendar window is one step: a day, a week from Monday or a month, in
UTC. A rolling window of n hours is the present step of n * 10 minutes and the six before it, each
counted as a whole: so a payment counts for n hours at least, and for at most one step more. What
decides is recorded time, which in an account never goes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import UNSET, Struct

from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    microseconds_of_instant,
    shifted_instant,
)
from ledger.contracts.velocity import VELOCITY_COUNT_MAX, Direction, VelocityLimit, Window

ROLLING_STEPS: Final = 6
_EPOCH: Final = "1970-01-01T00:00:00.000000Z"
_SECOND: Final = 1_000_000
_DAY: Final = 24 * 3600 * _SECOND
_MONDAY: Final = 3  # days from a Monday to the epoch, a Thursday


class VelocityCounter(Struct, frozen=True, array_like=True):
    """What was used of one limit: amounts and numbers of payments by step, the newest step first.

    `step` numbers the newest step that has payments; the others follow without a gap, down to the
    oldest that may still count and has some. Stored as an array: never reorder the fields.
    """

    step: int = 0
    amounts: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()


UNUSED: Final = VelocityCounter()


class Used(Struct, frozen=True):
    """What was used of a limit at a time, and when some of it is free again.

    `resets_at` is the instant from which the oldest step that counts no longer does; if nothing was
    used, that of a payment made now.
    """

    amount_minor: int
    count: int
    resets_at: str


class PackedLimit(Struct, frozen=True, array_like=True):
    """A limit and its counter as a state stores them: an array, so that eight fit in 2 KiB.

    `hours` is 0 for windows of the calendar. Never reorder the fields.
    """

    name: str
    window: Window
    hours: int
    direction: Literal["d", "c"]
    currency: str
    max_amount_minor: int | None
    max_count: int | None
    counter: VelocityCounter


def used(limit: VelocityLimit, counter: VelocityCounter | None, recorded_at: str) -> Used:
    """What payments recorded before `recorded_at` (stored form) use of `limit` then."""
    at = _at(limit, counter, recorded_at)
    oldest = at.step - max(len(at.counts) - 1, 0)
    return Used(
        amount_minor=min(sum(at.amounts), AMOUNT_MINOR_MAX),
        count=min(sum(at.counts), VELOCITY_COUNT_MAX),
        resets_at=_start_of(limit, oldest + _steps_counting(limit)),
    )


def counted(
    limit: VelocityLimit, counter: VelocityCounter | None, recorded_at: str, amount_minor: int
) -> VelocityCounter:
    """The counter after one more payment, of `amount_minor`, at `recorded_at` (stored form).

    What a step can hold is bounded by the highest amount and count that a limit can have: a step
    that is full leaves nothing of any limit.
    """
    at = _at(limit, counter, recorded_at)
    amounts, counts = at.amounts or (0,), at.counts or (0,)
    return VelocityCounter(
        at.step,
        (min(amounts[0] + amount_minor, AMOUNT_MINOR_MAX), *amounts[1:]),
        (min(counts[0] + 1, VELOCITY_COUNT_MAX), *counts[1:]),
    )


def refused(
    limit: VelocityLimit, counter: VelocityCounter | None, recorded_at: str, amount_minor: int
) -> dict[str, int | str] | None:
    """The values for which `limit` refuses a payment of `amount_minor`; None if it allows it.

    They say which limit it is, what its bounds are, what is used of them and left, and when some is
    free again. Nothing is left of a bound that was lowered below what is used.
    """
    spent = used(limit, counter, recorded_at)
    values: dict[str, int | str] = {
        "limit": limit.name,
        "window": limit.window,
        "direction": limit.direction,
        "resets_at": spent.resets_at,
    }
    if limit.hours is not UNSET:
        values["hours"] = limit.hours
    exceeded = False
    if limit.max_amount_minor is not UNSET:
        exceeded |= spent.amount_minor + amount_minor > limit.max_amount_minor
        values["max_amount_minor"] = limit.max_amount_minor
        values["used_amount_minor"] = spent.amount_minor
        values["remaining_amount_minor"] = max(limit.max_amount_minor - spent.amount_minor, 0)
    if limit.max_count is not UNSET:
        exceeded |= spent.count + 1 > limit.max_count
        values["max_count"] = limit.max_count
        values["used_count"] = spent.count
        values["remaining_count"] = max(limit.max_count - spent.count, 0)
    return values if exceeded else None


def carried(
    old_limits: Sequence[VelocityLimit],
    old_counters: Sequence[VelocityCounter],
    new_limits: Sequence[VelocityLimit],
) -> tuple[VelocityCounter, ...]:
    """The counters of `new_limits`: a limit that counts the same as one before goes on counting.

    The same is the same name, window, hours, direction and currency; the bounds may differ.
    """
    before = {
        _identity(limit): counter for limit, counter in zip(old_limits, old_counters, strict=True)
    }
    return tuple(before.get(_identity(limit), UNUSED) for limit in new_limits)


def packed(
    limits: Sequence[VelocityLimit], counters: Sequence[VelocityCounter]
) -> tuple[PackedLimit, ...]:
    """`limits` with their `counters`, as a state stores them."""
    return tuple(
        PackedLimit(
            limit.name,
            limit.window,
            0 if limit.hours is UNSET else limit.hours,
            "d" if limit.direction == "debits" else "c",
            limit.currency,
            None if limit.max_amount_minor is UNSET else limit.max_amount_minor,
            None if limit.max_count is UNSET else limit.max_count,
            counter,
        )
        for limit, counter in zip(limits, counters, strict=True)
    )


def unpacked(
    stored: Sequence[PackedLimit],
) -> tuple[tuple[VelocityLimit, ...], tuple[VelocityCounter, ...]]:
    """The limits and their counters that `packed` made `stored` of."""
    return tuple(_unpacked_limits(stored)), tuple(one.counter for one in stored)


def _unpacked_limits(stored: Sequence[PackedLimit]) -> Iterator[VelocityLimit]:
    for one in stored:
        yield VelocityLimit(
            name=one.name,
            window=one.window,
            hours=one.hours or UNSET,
            direction="debits" if one.direction == "d" else "credits",
            currency=one.currency,
            max_amount_minor=UNSET if one.max_amount_minor is None else one.max_amount_minor,
            max_count=UNSET if one.max_count is None else one.max_count,
        )


def _identity(limit: VelocityLimit) -> tuple[str, Window, int, Direction, str]:
    hours = 0 if limit.hours is UNSET else limit.hours
    return limit.name, limit.window, hours, limit.direction, limit.currency


def _at(limit: VelocityLimit, counter: VelocityCounter | None, recorded_at: str) -> VelocityCounter:
    """`counter` moved on to the step of `recorded_at`, without what no longer counts."""
    step = _step_of(limit, recorded_at)
    if counter is None or not counter.counts:
        return VelocityCounter(step)
    newer = max(step - counter.step, 0)
    kept = max(_steps_counting(limit) - newer, 0)
    amounts, counts = counter.amounts[:kept], counter.counts[:kept]
    while counts and counts[-1] == 0:
        amounts, counts = amounts[:-1], counts[:-1]
    empty = (0,) * newer if counts else ()
    return VelocityCounter(counter.step + newer, empty + amounts, empty + counts)


def _steps_counting(limit: VelocityLimit) -> int:
    """How many steps count at a time, the present one included."""
    return ROLLING_STEPS + 1 if limit.window == "rolling" else 1


def _step_of(limit: VelocityLimit, instant: str) -> int:
    if limit.window == "month":
        return int(instant[:4]) * 12 + int(instant[5:7]) - 1
    microseconds = microseconds_of_instant(instant)
    if limit.window == "rolling":
        return microseconds // _rolling_step(limit)
    day = microseconds // _DAY
    return day if limit.window == "day" else (day + _MONDAY) // 7


def _start_of(limit: VelocityLimit, step: int) -> str:
    """The first instant of a step, in the stored form."""
    if limit.window == "month":
        return f"{step // 12:04d}-{step % 12 + 1:02d}-01T00:00:00.000000Z"
    if limit.window == "rolling":
        return shifted_instant(_EPOCH, step * _rolling_step(limit))
    return shifted_instant(_EPOCH, (step if limit.window == "day" else step * 7 - _MONDAY) * _DAY)


def _rolling_step(limit: VelocityLimit) -> int:
    """The length of a rolling window's step, in microseconds."""
    assert limit.hours is not UNSET  # velocity_faults has seen to it
    return limit.hours * 3600 * _SECOND // ROLLING_STEPS
