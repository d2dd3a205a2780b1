"""What becomes of the commands about books and templates."""

from __future__ import annotations

from ledger.contracts.commands import CloseBook, DefineTemplate, OpenBook, ReopenBook
from simulation.auditor.model.books import ModelBook, against_closing, against_reopening
from simulation.auditor.model.known import Detail, Known
from simulation.auditor.model.replies import Refusal, as_asked, refuse_for

TEMPLATE_VERSIONS_MAX = 1_000


def open_book(known: Known, command: OpenBook, _at: str) -> Detail:
    """A new book."""
    if command.book in known.books:
        raise Refusal("book_exists")
    known.books[command.book] = ModelBook(1)
    return {("book", command.book): 1}


def close_book(known: Known, command: CloseBook, at: str) -> Detail:
    """A book closed further."""
    name, book = _book(known, command)
    refuse_for(against_closing(book, command.through, at))
    return _closed_through(name, book, command.through)


def reopen_book(known: Known, command: ReopenBook, _at: str) -> Detail:
    """A book closed less far, or not at all."""
    name, book = _book(known, command)
    refuse_for(against_reopening(book, command.through))
    return _closed_through(name, book, command.through)


def define_template(known: Known, command: DefineTemplate, _at: str) -> Detail:
    """One more version of a template."""
    versions = known.templates.setdefault(command.template, [])
    if len(versions) >= TEMPLATE_VERSIONS_MAX:
        raise Refusal("template_limit")
    versions.append(command)
    return {("template", command.template): len(versions)}


def _book(known: Known, command: CloseBook | ReopenBook) -> tuple[str, ModelBook]:
    name = as_asked(command)["book"]
    if name not in known.books:
        raise Refusal("book_unknown")
    return name, known.books[name]


def _closed_through(name: str, book: ModelBook, through: str | None) -> Detail:
    book.closed_through = through
    book.version += 1
    return {("book", name): book.version}
