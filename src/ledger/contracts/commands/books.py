"""Books: named sets of accounts whose periods are closed together."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from ledger.contracts.commands.base import BaseCommand
from ledger.contracts.primitives import BookName, DayText, Description, ReasonText


class OpenBook(BaseCommand, frozen=True, kw_only=True, tag="book.open"):
    """Make a book that accounts can be opened in. The book `main` is there from the beginning."""

    book: BookName
    description: Description | UnsetType = UNSET


class CloseBook(BaseCommand, frozen=True, kw_only=True, tag="book.close"):
    """Close a book through a day (UTC, inclusive): nothing can be effective on or before it then.

    The end of the day must lie 15 minutes back, so that what is under way cannot fall into it.
    """

    through: DayText
    book: BookName | UnsetType = UNSET
    reason: ReasonText | UnsetType = UNSET


class ReopenBook(BaseCommand, frozen=True, kw_only=True, tag="book.reopen"):
    """Reopen what was closed after `through` (null: all of it)."""

    through: DayText | None
    reason: ReasonText
    book: BookName | UnsetType = UNSET
