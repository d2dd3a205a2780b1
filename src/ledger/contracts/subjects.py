"""What has versions of its own: accounts, and what else events change."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["account", "payment", "book", "template", "metadata"]


class Key(NamedTuple):
    """A subject: its kind, and its id within the kind.

    The metadata of an account or a payment are a subject beside it, with the id `account/<id>` or
    `payment/<id>`: they change without touching what payments rewrite.
    """

    kind: Kind
    id: str


def account_key(account: str) -> Key:
    """The key of an account."""
    return Key("account", account)


def payment_key(payment: str) -> Key:
    """The key of a payment."""
    return Key("payment", payment)


def book_key(book: str) -> Key:
    """The key of a book."""
    return Key("book", book)


def template_key(template: str) -> Key:
    """The key of a template."""
    return Key("template", template)


def metadata_key(subject: Literal["account", "payment"], subject_id: str) -> Key:
    """The key of the metadata of an account or a payment."""
    return Key("metadata", f"{subject}/{subject_id}")
