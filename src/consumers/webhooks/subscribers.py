"""Who wants which notifications, and where to: the subscribers and their filters. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    # Every event and command there is: what delivers needs none of them.
    from ledger.contracts.notifications import Attributes

#: The fan-out reads them all, as one item: at this many, each as large as it may be, 300 KB.
SUBSCRIBERS_MAX: Final = 50
FILTER_VALUES_MAX: Final = 25  # of each kind: who wants more wants a prefix, or everything
#: The beginning of an id of accounts or payments that a filter names ends in it.
PREFIX_MARK: Final = "*"
#: Secrets Manager takes such names, which `:` of other ids is not of.
ID_PATTERN: Final = r"^[A-Za-z0-9._-]{1,64}$"
_ID: Final = re.compile(ID_PATTERN)

DisabledBy = Literal["request", "gone"]
"""Who disabled a subscriber: someone who may manage it, or its endpoint, by answering 410."""


class Filters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a subscriber wants: a notification that has, of each kind given, one of the values.

    A kind that is empty filters nothing. An account, or a payment, may be the beginning of an id,
    then `*`.
    """

    types: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    payments: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    amount_bands: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class Key(Struct, frozen=True, omit_defaults=True):
    """A version of a subscriber's secret that signs; until an instant, or with no end yet."""

    version: str
    until: str | None = None


class Subscriber(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One endpoint. `keys` sign what it is sent, the newest first; none before its secret is made.

    Field names and values are stored.
    """

    id: str
    url: str
    filters: Filters
    created_at: str
    updated_at: str
    keys: tuple[Key, ...] = ()
    disabled_by: DisabledBy | None = None

    @property
    def enabled(self) -> bool:
        """Whether anything is sent to it."""
        return self.disabled_by is None

    def changed(self, **fields: object) -> Subscriber:
        """The subscriber with other values of some fields."""
        return msgspec.structs.replace(self, **fields)

    def keys_at(self, instant: str) -> tuple[Key, ...]:
        """The keys that sign at `instant` (in the stored form: text order is time order)."""
        return tuple(key for key in self.keys if key.until is None or instant < key.until)


def is_subscriber_id(text: str) -> bool:
    """Whether `text` can be a subscriber's id."""
    return _ID.fullmatch(text) is not None


def wants(filters: Filters, attributes: Attributes) -> bool:
    """Whether a notification with these attributes passes the filters, as SNS would have it."""
    return (
        _has_one(filters.types, _values(attributes, "type"))
        and _has_id(filters.accounts, _values(attributes, "account"))
        and _has_id(filters.payments, _values(attributes, "payment"))
        and _has_one(filters.currencies, _values(attributes, "currency"))
        and _has_one(filters.amount_bands, _values(attributes, "amount_band"))
        and _has_one(filters.reasons, _values(attributes, "reason"))
    )


def _has_one(wanted: Collection[str], found: Collection[str]) -> bool:
    return not wanted or any(value in wanted for value in found)


def _has_id(wanted: Collection[str], found: Collection[str]) -> bool:
    exact = {name for name in wanted if not name.endswith(PREFIX_MARK)}
    beginnings = tuple(name[:-1] for name in wanted if name.endswith(PREFIX_MARK))
    return not wanted or any(id in exact or id.startswith(beginnings) for id in found)


def _values(attributes: Attributes, name: str) -> tuple[str, ...]:
    value = attributes.get(name, ())
    return (value,) if isinstance(value, str) else value
