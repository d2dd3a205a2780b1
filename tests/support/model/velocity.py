"""Velocity limits, counted anew each time: all that was paid, and which of it still counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec import UNSET

from ledger.contracts.velocity import VelocityLimit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class ModelLimit:
    """A limit, and every payment since it was set: when, and how much."""

    rule: VelocityLimit
    spent: list[tuple[str, int]] = field(default_factory=list)

    @property
    def what_it_counts(self) -> tuple[object, ...]:
        """Two limits that agree in this go on from each other."""
        rule = self.rule
        return rule.name, rule.window, rule.hours, rule.direction, rule.currency

    def counting(self, at: str) -> list[int]:
        """The amounts of the payments that count at that time."""
        return [minor for when, minor in self.spent if _together(self.rule, when, at)]

    def refuses(self, minor: int, at: str) -> bool:
        """Whether one more payment is too much."""
        counting = self.counting(at)
        most, often = self.rule.max_amount_minor, self.rule.max_count
        return (most is not UNSET and sum(counting) + minor > most) or (
            often is not UNSET and len(counting) + 1 > often
        )


def _together(rule: VelocityLimit, earlier: str, now: str) -> bool:
    """Whether the window of `now` has what was paid `earlier`."""
    before, moment = datetime.fromisoformat(earlier), datetime.fromisoformat(now)
    if rule.window == "day":
        return before.date() == moment.date()
    if rule.window == "week":
        return before.isocalendar()[:2] == moment.isocalendar()[:2]
    if rule.window == "month":
        return (before.year, before.month) == (moment.year, moment.month)
    assert rule.hours is not UNSET
    step = timedelta(minutes=10 * rule.hours)
    return (before - _EPOCH) // step >= (moment - _EPOCH) // step - 6
