"""What has versions of its own: accounts, stripes of accounts, and what else events change."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple

Kind = Literal["account", "payment", "book", "template", "metadata", "stripe"]


#: The keys of a group's accounts are asked for a dozen times for each of its payments.
_KEYS_KEPT: Final = 1024


class Key(NamedTuple):
    """A subject: its kind, and its id within the kind.

    The metadata of an account or a payment are a subject beside it, with the id `account/<id>` or
    `payment/<id>`: they change without touching what payments rewrite. The stripes of a striped
    account are subjects with versions of their own: the first is the account itself, the others
    have the ids `<account>/1`, `<account>/2`, ….
    """

    kind: Kind
    id: str


@lru_cache(maxsize=_KEYS_KEPT)
def account_key(account: str) -> Key:
    """The key of an account."""
    return Key("account", account)


@lru_cache(maxsize=_KEYS_KEPT)
def stripe_key(account: str, stripe: int) -> Key:
    """The key of a stripe of an account; stripe 0 is the account itself."""
    return Key("stripe", f"{account}/{stripe}") if stripe else Key("account", account)


def stripe_of_key(key: Key) -> tuple[str, int]:
    """The account and the stripe of a key of either. Raises ValueError for what is neither."""
    if key.kind == "account":
        return key.id, 0
    account, _, number = key.id.partition("/")
    stripe = int(number)
    if stripe_key(account, stripe) != key:
        raise ValueError("not the key of a stripe")
    return account, stripe


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
