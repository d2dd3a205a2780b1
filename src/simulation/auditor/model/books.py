"""Books and effective time: when a command may count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from simulation.auditor.model.payments import later

AHEAD_AT_MOST = timedelta(minutes=5)
CLOSED_AFTER = timedelta(minutes=15)


@dataclass
class ModelBook:
    """A book: its version (0: `main`, untouched), and how far it is closed."""

    version: int = 0
    closed_through: str | None = None

    def is_closed_on(self, instant: str) -> bool:
        """Whether the period that the instant lies in is closed."""
        return self.closed_through is not None and instant[:10] <= self.closed_through


def against_time(
    effective_at: str, at: str, *, not_before: Iterable[str], books: Iterable[ModelBook]
) -> set[str]:
    """What speaks against a command recorded `at` that is to count from `effective_at`."""
    wrong = set()
    if effective_at > later(at, AHEAD_AT_MOST):
        wrong.add("effective_in_future")
    if any(effective_at < earliest for earliest in not_before):
        wrong.add("effective_before_opening")
    if any(book.is_closed_on(effective_at) for book in books):
        wrong.add("period_closed")
    return wrong


def against_closing(book: ModelBook, through: str, at: str) -> set[str]:
    """What speaks against closing a book through a day."""
    wrong = set()
    if book.closed_through is not None and through <= book.closed_through:
        wrong.add("already_closed")
    if through == "9999-12-31":
        return wrong | {"period_too_recent"}
    end = f"{date.fromisoformat(through) + timedelta(days=1)}T00:00:00.000000Z"
    if later(end, CLOSED_AFTER) > at:
        wrong.add("period_too_recent")
    return wrong


def against_reopening(book: ModelBook, through: str | None) -> set[str]:
    """What speaks against reopening what was closed after a day."""
    closed = book.closed_through
    if closed is None or (through is not None and through >= closed):
        return {"not_closed"}
    return set()
