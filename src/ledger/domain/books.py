"""Books and templates: opened, closed, reopened, defined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger.contracts import reasons
from ledger.contracts.commands import CloseBook, DefineTemplate, OpenBook, ReopenBook, book_of
from ledger.contracts.events import (
    BookClosed,
    BookOpened,
    BookReopened,
    TemplateDefined,
)
from ledger.contracts.primitives import MAIN_BOOK, end_of_day, shifted_instant
from ledger.contracts.subjects import book_key, template_key
from ledger.domain.effective_time import CLOSING_MARGIN
from ledger.domain.rejections import Rejection, rejection, rejection_for_time
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import States, next_subject_entry

TEMPLATE_VERSIONS_MAX: Final = 1_000  # the ids of their events are kept with the newest: 64 KB


def decide_book_opening(states: States, command: OpenBook, stamp: Stamp) -> BookOpened | Rejection:
    """The book opened; refused if there is one of the name. `main` is there from the beginning."""
    if command.book == MAIN_BOOK or command.book in states.books:
        return rejection(reasons.BOOK_EXISTS, "book", states, book_key(command.book))
    return BookOpened(
        **head(command, stamp),
        book=command.book,
        description=command.description,
        entry=next_subject_entry(None),
    )


def decide_book_closing(states: States, command: CloseBook, stamp: Stamp) -> BookClosed | Rejection:
    """The book closed through the day, or the first reason against it by precedence."""
    book = book_of(command)
    refusal = next(_closing_refusals(states, command, stamp), None)
    if refusal is not None:
        return refusal
    return BookClosed(
        **head(command, stamp),
        book=book,
        through=command.through,
        reason=command.reason,
        entry=next_subject_entry(states.books.get(book)),
    )


def decide_book_reopening(
    states: States, command: ReopenBook, stamp: Stamp
) -> BookReopened | Rejection:
    """What was closed after the day open again, or the first reason against it by precedence."""
    book = book_of(command)
    state = states.books.get(book)
    if state is None and book != MAIN_BOOK:
        return rejection(reasons.BOOK_UNKNOWN, "book", states, book_key(book))
    closed_through = state.closed_through if state else None
    through = command.through
    if closed_through is None or (through is not None and through >= closed_through):
        values = {"closed_through": closed_through}
        return rejection(reasons.NOT_CLOSED, "through", states, book_key(book), values)
    return BookReopened(
        **head(command, stamp),
        book=book,
        through=through,
        reason=command.reason,
        entry=next_subject_entry(state),
    )


def decide_template(
    states: States, command: DefineTemplate, stamp: Stamp
) -> TemplateDefined | Rejection:
    """The template's next version, whatever others define at the same time."""
    state = states.templates.get(command.template)
    if state is not None and state.version >= TEMPLATE_VERSIONS_MAX:
        values = {"newest": state.version}
        key = template_key(command.template)
        return rejection(reasons.TEMPLATE_LIMIT, "template", states, key, values)
    return TemplateDefined(
        **head(command, stamp),
        template=command.template,
        parameters=command.parameters,
        postings=command.postings,
        description=command.description,
        entry=next_subject_entry(state),
    )


def _closing_refusals(states: States, command: CloseBook, stamp: Stamp) -> Iterator[Rejection]:
    book = book_of(command)
    state = states.books.get(book)
    if state is None and book != MAIN_BOOK:
        yield rejection(reasons.BOOK_UNKNOWN, "book", states, book_key(book))
    if state and state.closed_through and command.through <= state.closed_through:
        values = {"closed_through": state.closed_through}
        yield rejection(reasons.ALREADY_CLOSED, "through", states, book_key(book), values)
    latest = shifted_instant(stamp.recorded_at, -CLOSING_MARGIN)
    if end_of_day(command.through) > latest:
        values = {"through": command.through, "end_of_day_at_most": latest}
        yield rejection_for_time(reasons.PERIOD_TOO_RECENT, "through", values)
