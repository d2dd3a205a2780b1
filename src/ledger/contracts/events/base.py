"""What all events have in common, and what an event says of each thing that it changed."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.commands import Alert
from ledger.contracts.primitives import AccountType, available_minor, balance_minor, expected_minor
from ledger.contracts.subjects import Key, stripe_key


class BaseEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """A fact: its `type` (the tag, stored), its schema version, and the id of its command.

    `recorded_at` is when it was decided, `effective_at` when it counts (stored instants).
    """

    v: Literal[1]
    id: str
    recorded_at: str
    effective_at: str
    actor: str


class AccountEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event made of one account, or of one stripe of it: its new version and the totals
    after it.

    Totals are sums of minor units since the account was opened, 0 to 2^63-1; those of pending
    amounts are left out when 0. `prev` is absent for version 1. `crossed` has the account's alerts
    that this event made its posted balance cross; absent if there are none.

    Of a striped account an event has an entry for each stripe that it made a new version of, one
    behind the other. What the event moved, it moved on the first of them. `stripe` says which one
    it is, from 0; absent of an account that never was striped. Version, `prev` and totals are those
    of the stripe. `floor_minor` and
    `ceiling_minor` are the shares of the account's lowest and highest balance that the stripe has
    from here on, null if it has none; absent if they are as they were.
    """

    id: str
    type: AccountType
    version: int
    prev: str | UnsetType = UNSET
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int = 0
    credits_pending_minor: int = 0
    crossed: tuple[Alert, ...] = ()
    stripe: int | UnsetType = UNSET
    floor_minor: int | UnsetType | None = UNSET
    ceiling_minor: int | UnsetType | None = UNSET

    @property
    def key(self) -> Key:
        """What it is a version of: the account, or one of its further stripes."""
        return stripe_key(self.id, self.stripe_number)

    @property
    def stripe_number(self) -> int:
        """Which stripe of the account it is of; one that never was striped is a first stripe."""
        return 0 if self.stripe is UNSET else self.stripe

    @property
    def balance_minor(self) -> int:
        """The posted balance on the account's normal side."""
        return balance_minor(self.type, self.debits_posted_minor, self.credits_posted_minor)

    @property
    def available_minor(self) -> int:
        """The balance if everything pending that lowers it settled, and nothing that raises it."""
        return available_minor(
            self.type,
            debits_posted_minor=self.debits_posted_minor,
            credits_posted_minor=self.credits_posted_minor,
            debits_pending_minor=self.debits_pending_minor,
            credits_pending_minor=self.credits_pending_minor,
        )

    @property
    def expected_minor(self) -> int:
        """The balance if everything pending that raises it settled, and nothing that lowers it."""
        return expected_minor(
            self.type,
            debits_posted_minor=self.debits_posted_minor,
            credits_posted_minor=self.credits_posted_minor,
            debits_pending_minor=self.debits_pending_minor,
            credits_pending_minor=self.credits_pending_minor,
        )


class SubjectEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event made of its book, template or metadata: the new version.

    `prev` is the event that made the version before; absent for version 1.
    """

    version: int
    prev: str | UnsetType = UNSET


PaymentStatus = Literal[
    "held",
    "partially_captured",
    "captured",
    "voided",
    "expired",
    "posted",
    "partially_reversed",
    "reversed",
]


class PaymentEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event made of its payment: the new version, and how each posting stands after it.

    Amounts are minor units, one for each posting of the payment in its order: held (with what was
    added to the hold), captured (for a payment that was posted at once: posted), given back.
    A hold is open (`held`, `partially_captured`) until `status` says otherwise; what it still has
    is authorized less captured, and was released when it ended. `prev` is absent for version 1.
    """

    version: int
    prev: str | UnsetType = UNSET
    status: PaymentStatus
    authorized_minor: tuple[int, ...] = ()
    captured_minor: tuple[int, ...] = ()
    reversed_minor: tuple[int, ...] = ()
    expires_at: str | UnsetType = UNSET


class BookCheck(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A book that a back-dated event was checked against, at that version (0: never changed).

    It was closed through that day then; absent if it was not closed.
    """

    book: str
    version: int
    closed_through: str | UnsetType = UNSET


class TemplateUse(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of which template, in which version, a payment was made, and of what.

    `pinned` says that the client named the version.
    """

    name: str
    version: int
    pinned: bool = False
    parameters: dict[str, int | str]
