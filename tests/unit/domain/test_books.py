"""Closing and reopening books: the days at the very edge."""

from __future__ import annotations

import pytest

from ledger.contracts.commands import CloseBook, ReopenBook
from ledger.contracts.events import BookClosed, BookReopened
from ledger.domain.decider import decide
from ledger.domain.rejections import Rejection
from ledger.domain.stamp import Stamp
from ledger.domain.states import BookState, States

NOW = "2026-11-21T00:15:00.000000Z"  # the end of the 20th lies exactly 15 minutes back


def _closed_through(day: str | None) -> States:
    book = BookState(
        id="main", version=3, closed_through=day, recorded_at=NOW, last_event="e", hash=bytes(32)
    )
    return States.of([book])


@pytest.mark.parametrize(
    ("closed", "through", "reason"),
    [
        (None, "2026-11-20", None),
        (None, "2026-11-21", "period_too_recent"),
        ("2026-11-18", "2026-11-19", None),
        ("2026-11-19", "2026-11-19", "already_closed"),
        ("2026-11-19", "2026-11-18", "already_closed"),
    ],
)
def test_a_book_closes_through_later_days_that_are_over(
    closed: str | None, through: str, reason: str | None
) -> None:
    """A day that is closed is not closed again, and one that ended 15 minutes ago can be."""
    decision = decide(
        _closed_through(closed), CloseBook(v=1, id="c", through=through), Stamp(NOW, "me")
    )
    if reason is None:
        assert isinstance(decision, BookClosed)
        assert decision.through == through
    else:
        assert isinstance(decision, Rejection)
        assert decision.reason.code == reason


def test_a_moment_before_the_margin_is_too_recent() -> None:
    """One microsecond less than 15 minutes after the end of the day."""
    early = Stamp("2026-11-21T00:14:59.999999Z", "me")
    decision = decide(States(), CloseBook(v=1, id="c", through="2026-11-20"), early)
    assert isinstance(decision, Rejection)
    assert decision.reason.code == "period_too_recent"


@pytest.mark.parametrize(
    ("through", "accepted"),
    [("2026-11-18", True), ("2026-11-19", False), ("2026-11-20", False), (None, True)],
)
def test_only_what_is_closed_is_reopened(through: str | None, accepted: bool) -> None:
    """Through an earlier day, or wholly; never through the day that it is closed through."""
    command = ReopenBook(v=1, id="r", through=through, reason="a late invoice")
    decision = decide(_closed_through("2026-11-19"), command, Stamp(NOW, "me"))
    assert isinstance(decision, BookReopened if accepted else Rejection)
