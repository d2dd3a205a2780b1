"""Answers about books, templates and metadata: changed, and as they are."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.application.queries import Metadata
from ledger.contracts.commands import TemplateParameter, TemplatePosting
from ledger.contracts.events import (
    BookClosed,
    BookOpened,
    BookReopened,
    MetadataSet,
    TemplateDefined,
)
from ledger.domain.states import BookState
from ledger.entrypoints.api.answers.base import CommandAnswer, Sending, answer_of

BookEvent = BookOpened | BookClosed | BookReopened


class ChangedBook(CommandAnswer, frozen=True, kw_only=True):
    """A book that was made or changed, at the version that this made."""

    book: str
    version: int


class OpenedBook(ChangedBook, frozen=True, kw_only=True, tag="book_opened"):
    """The answer to `book.open`: accounts can be opened in the book."""

    description: str | UnsetType = UNSET


class ClosedBook(ChangedBook, frozen=True, kw_only=True, tag="book_closed"):
    """The answer to `book.close`: nothing can be effective on or before the day `through`."""

    through: str
    reason: str | UnsetType = UNSET


class ReopenedBook(ChangedBook, frozen=True, kw_only=True, tag="book_reopened"):
    """The answer to `book.reopen`: the book is closed through `through` still; null: not at all."""

    through: str | None
    reason: str


class DefinedTemplate(CommandAnswer, frozen=True, kw_only=True, tag="template_defined"):
    """The answer to `template.define`: the template has a new version, `version`."""

    template: str
    version: int
    parameters: tuple[TemplateParameter, ...]
    postings: tuple[TemplatePosting, ...]
    description: str | UnsetType = UNSET


class ChangedMetadata(CommandAnswer, frozen=True, kw_only=True, tag="metadata_set"):
    """The answer to `metadata.set`: the account or payment has these metadata, and no others."""

    subject: Literal["account", "payment"]
    subject_id: str
    version: int
    metadata: dict[str, str]


class Book(Struct, frozen=True, kw_only=True):
    """A book as it is at `version`. `main` is there from the beginning, at version 0."""

    book: str
    version: int
    closed_through: str | None
    event: str | UnsetType = UNSET
    changed_at: str | UnsetType = UNSET


class Template(Struct, frozen=True, kw_only=True):
    """A version of a template. It never changes."""

    template: str
    version: int
    parameters: tuple[TemplateParameter, ...]
    postings: tuple[TemplatePosting, ...]
    description: str | UnsetType = UNSET
    event: str
    recorded_at: str


class MetadataNow(Struct, frozen=True, kw_only=True):
    """The metadata of an account or a payment at `version`: 0 until they are set, when a payment
    has those that it was made with."""

    subject: Literal["account", "payment"]
    subject_id: str
    version: int
    metadata: dict[str, str]


_OF_BOOKS: Final[dict[type, type[ChangedBook]]] = {
    BookOpened: OpenedBook,
    BookClosed: ClosedBook,
    BookReopened: ReopenedBook,
}


def book_changed(event: BookEvent, sending: Sending) -> ChangedBook:
    """The answer to a change of a book."""
    return answer_of(_OF_BOOKS[type(event)], event, sending, version=event.entry.version)


def template_defined(event: TemplateDefined, sending: Sending) -> DefinedTemplate:
    """The answer to a definition."""
    return answer_of(DefinedTemplate, event, sending, version=event.entry.version)


def metadata_set(event: MetadataSet, sending: Sending) -> ChangedMetadata:
    """The answer to new metadata."""
    return answer_of(ChangedMetadata, event, sending, version=event.entry.version)


def book_now(name: str, state: BookState | None) -> Book:
    """A book; None is the state of one that nothing has happened to."""
    if state is None:
        return Book(book=name, version=0, closed_through=None)
    return Book(
        book=name,
        version=state.version,
        closed_through=state.closed_through,
        event=state.last_event,
        changed_at=state.recorded_at,
    )


def template_now(event: TemplateDefined) -> Template:
    """The version of a template that the event made."""
    return Template(
        template=event.template,
        version=event.entry.version,
        parameters=event.parameters,
        postings=event.postings,
        description=event.description,
        event=event.id,
        recorded_at=event.recorded_at,
    )


def metadata_now(
    subject: Literal["account", "payment"], subject_id: str, found: Metadata
) -> MetadataNow:
    """The metadata of a subject."""
    return MetadataNow(
        subject=subject,
        subject_id=subject_id,
        version=found.version,
        metadata=dict(found.values),
    )
