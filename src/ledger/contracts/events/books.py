"""What happens to books, templates, batches; and what was refused."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.commands import Command, TemplateParameter, TemplatePosting
from ledger.contracts.events.base import BaseEvent, SubjectEntry
from ledger.contracts.reasons import Retry


class BookOpened(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="book.opened"):
    """A book was made."""

    book: str
    description: str | UnsetType = UNSET
    entry: SubjectEntry


class BookClosed(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="book.closed"):
    """A book was closed through a day (UTC, inclusive)."""

    book: str
    through: str
    reason: str | UnsetType = UNSET
    entry: SubjectEntry


class BookReopened(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="book.reopened"):
    """A book was reopened: it is closed through `through` now, or not at all (null)."""

    book: str
    through: str | None
    reason: str
    entry: SubjectEntry


class TemplateDefined(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="template.defined"
):
    """A template got the version that `entry` says."""

    template: str
    parameters: tuple[TemplateParameter, ...]
    postings: tuple[TemplatePosting, ...]
    description: str | UnsetType = UNSET
    entry: SubjectEntry


class BatchCommitted(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="batch.committed"
):
    """An atomic batch took effect: each command has an event of its own, committed with this one.

    `commands` are their ids, in the order in which they were decided.
    """

    commands: tuple[str, ...]


class Cause(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A state that caused a rejection, with the values that did.

    `version` is 0 if the subject did not exist. `values` are integers of minor units, or codes.
    `kind` says what `id` is of, if it is no account.
    """

    id: str
    version: int
    values: dict[str, int | str | None]
    kind: Literal[
        "account", "payment", "book", "template", "metadata", "stripe", "event", "clock"
    ] = "account"


class CommandRejected(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="command.rejected"
):
    """A command was refused, for ever under this id. `request` is the command as it was sent."""

    v: Literal[1]
    id: str
    recorded_at: str
    actor: str
    reason: str
    retry: Retry
    field: str | UnsetType = UNSET
    request: Command
    causes: tuple[Cause, ...]
