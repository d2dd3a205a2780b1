"""Velocity limits: what was paid in each stretch of time, and which of them still count."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec import UNSET

from ledger.contracts.velocity import VelocityLimit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Stretches of a rolling window that count beside the one that runs: six of a sixth of it.
_ROLLING = 6


@dataclass
class ModelLimit:
    """A limit, and what was paid since it was set: how much and how often, by stretch of time."""

    rule: VelocityLimit
    spent: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def what_it_counts(self) -> tuple[object, ...]:
        """Two limits that agree in this go on from each other."""
        rule = self.rule
        return rule.name, rule.window, rule.hours, rule.direction, rule.currency

    def spend(self, minor: int, at: str) -> None:
        """One more payment. Time goes one way: what does not count any more never will."""
        here = stretch(self.rule, at)
        self.spent = {
            when: one for when, one in self.spent.items() if _counts(self.rule, when, here)
        }
        amount, times = self.spent.get(here, (0, 0))
        self.spent[here] = (amount + minor, times + 1)

    def refuses(self, minor: int, at: str) -> bool:
        """Whether one more payment is too much."""
        here = stretch(self.rule, at)
        counting = [one for when, one in self.spent.items() if _counts(self.rule, when, here)]
        most, often = self.rule.max_amount_minor, self.rule.max_count
        return (most is not UNSET and sum(one for one, _ in counting) + minor > most) or (
            often is not UNSET and sum(times for _, times in counting) + 1 > often
        )


def stretch(rule: VelocityLimit, at: str) -> int:
    """The number of the day, the week, the month, or the sixth of a rolling window."""
    moment = datetime.fromisoformat(at)
    if rule.window == "day":
        return moment.toordinal()
    if rule.window == "week":
        return (moment.toordinal() - 1) // 7  # the first day of all was a Monday
    if rule.window == "month":
        return 12 * moment.year + moment.month
    assert rule.hours is not UNSET
    return (moment - _EPOCH) // timedelta(minutes=10 * rule.hours)


def _counts(rule: VelocityLimit, when: int, now: int) -> bool:
    """Whether what was paid in a stretch counts still."""
    return when == now if rule.window in ("day", "week", "month") else when >= now - _ROLLING
