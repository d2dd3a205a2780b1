"""When a payment counts: not before its accounts were open, not in a closed period, not to come.

The recorded time is what it is. What is effective within CURRENT_REACH of it is current, and needs
no look at the books; anything earlier is back-dated, and is decided on the books of its accounts,
whose versions its transaction checks. A book is closed through a day only once the end of that day
lies CLOSING_MARGIN back: a current payment that was stamped before the closing and commits after it
was stamped at most one invocation and the clocks' skew earlier, so it cannot be effective that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import UNSET, UnsetType

from ledger.contracts import reasons
from ledger.contracts.events import BookCheck
from ledger.contracts.primitives import end_of_day, shifted_instant
from ledger.contracts.subjects import Key, book_key
from ledger.domain.movements import Movement
from ledger.domain.rejections import Rejection, rejection, rejection_for_time
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from ledger.domain.striped import stripe_state

_SECOND: Final = 1_000_000
CURRENT_REACH: Final = 600 * _SECOND  # a sender's queue, retries and clock: ten minutes
FUTURE_TOLERANCE: Final = 300 * _SECOND  # clocks of senders; more is a mistake
#: CURRENT_REACH, and 5 minutes for the longest invocation (60 s), what a lost request may still do
#: behind its time-out, and two clocks that are 5 s off in opposite directions.
CLOSING_MARGIN: Final = CURRENT_REACH + 300 * _SECOND

_FIELD: Final = "effective_at"


def effective_time(asked: str | UnsetType, stamp: Stamp) -> str:
    """When a command is effective: as asked for, or when it is recorded."""
    return stamp.recorded_at if asked is UNSET else asked


def is_back_dated(effective_at: str, recorded_at: str) -> bool:
    """Whether the books must be asked (stored instants)."""
    return effective_at < shifted_instant(recorded_at, -CURRENT_REACH)


def books_of(states: States, accounts: Iterable[str]) -> tuple[str, ...]:
    """The books of accounts that are there, each once."""
    known = (states.accounts[one].book for one in accounts if one in states.accounts)
    return tuple(dict.fromkeys(known))


def checked_books(
    states: States, accounts: Iterable[str], effective_at: str, stamp: Stamp
) -> tuple[BookCheck, ...]:
    """What a back-dated event was checked against; nothing for a current one."""
    if not is_back_dated(effective_at, stamp.recorded_at):
        return ()
    return tuple(book_check(states, book) for book in books_of(states, accounts))


def book_check(states: States, book: str) -> BookCheck:
    """A book as it is now."""
    state = states.books.get(book)
    closed_through = state.closed_through if state else None
    return BookCheck(
        book=book,
        version=state.version if state else 0,
        closed_through=UNSET if closed_through is None else closed_through,
    )


def future_refusals(effective_at: str, stamp: Stamp) -> Iterator[Rejection]:
    """Effective times that lie ahead."""
    latest = shifted_instant(stamp.recorded_at, FUTURE_TOLERANCE)
    if effective_at > latest:
        values = {"effective_at": effective_at, "latest": latest}
        yield rejection_for_time(reasons.EFFECTIVE_IN_FUTURE, _FIELD, values)


def opening_refusals(
    states: States, movements: Iterable[Movement], effective_at: str
) -> Iterator[Rejection]:
    """Accounts that were not open yet then."""
    for movement in movements:
        state = stripe_state(states, movement.account, movement.stripe)
        if effective_at < state.opened_at:
            values = {"effective_at": effective_at, "opened_at": state.opened_at}
            yield rejection(reasons.EFFECTIVE_BEFORE_OPENING, _FIELD, states, state.key, values)


def period_refusals(
    states: States, books: Iterable[str], effective_at: str, stamp: Stamp
) -> Iterator[Rejection]:
    """Books in which the period is closed that a back-dated command would fall into."""
    if not is_back_dated(effective_at, stamp.recorded_at):
        return
    for book in books:
        state = states.books.get(book)
        if state and state.closed_through and effective_at < end_of_day(state.closed_through):
            values = {"effective_at": effective_at, "closed_through": state.closed_through}
            yield rejection(reasons.PERIOD_CLOSED, _FIELD, states, book_key(book), values)


def origin_refusals(
    states: States, payment: Key, made_at: str, effective_at: str
) -> Iterator[Rejection]:
    """What would be captured or reversed before it was there."""
    if effective_at < made_at:
        values = {"effective_at": effective_at, "made_at": made_at}
        yield rejection(reasons.EFFECTIVE_BEFORE_OPENING, _FIELD, states, payment, values)
