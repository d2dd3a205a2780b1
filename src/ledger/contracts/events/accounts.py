"""What happens to accounts but payments."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.commands import Alert, Basis, Sides, VelocityLimit
from ledger.contracts.events.base import AccountEntry, BaseEvent, BookCheck, SubjectEntry
from ledger.contracts.primitives import MAIN_BOOK, AccountType

AccountStatus = Literal["open", "frozen", "closed"]


class AccountProfile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an account is, whole: whoever has one needs none before it."""

    currency: str
    account_type: AccountType
    status: AccountStatus
    frozen: Sides | UnsetType = UNSET
    book: str
    opened_at: str
    min_balance_minor: int | None
    max_balance_minor: int | None
    min_balance_basis: Basis
    max_balance_basis: Basis
    velocity: tuple[VelocityLimit, ...] = ()
    stripes: int = 1


class AccountOpened(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="account.opened"):
    """An account was opened. `defaulted` names what the client left to its default.

    `entry` is version 1 of its metadata, if it was given any.
    """

    account: str
    currency: str
    account_type: AccountType
    min_balance_minor: int | None
    max_balance_minor: int | None
    accounts: tuple[AccountEntry, ...]
    defaulted: tuple[str, ...] = ()
    book: str = MAIN_BOOK
    metadata: dict[str, str] | UnsetType = UNSET
    entry: SubjectEntry | UnsetType = UNSET
    books: tuple[BookCheck, ...] = ()
    stripes: int = 1

    @property
    def profile(self) -> AccountProfile:
        """What the account is from here on."""
        return AccountProfile(
            currency=self.currency,
            account_type=self.account_type,
            status="open",
            book=self.book,
            # What is meant to open in minutes is open: else its first payments would be refused.
            opened_at=min(self.effective_at, self.recorded_at),
            min_balance_minor=self.min_balance_minor,
            max_balance_minor=self.max_balance_minor,
            min_balance_basis="available",
            max_balance_basis="available",
            stripes=self.stripes,
        )


class AlertsSet(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="account.alerts_set"):
    """An account's balance alerts were replaced by `alerts`. No money moved."""

    account: str
    currency: str
    alerts: tuple[Alert, ...]
    accounts: tuple[AccountEntry, ...]


class AccountFrozen(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="account.frozen"):
    """Debits, credits or both of an account were stopped; `profile.frozen` says what is now."""

    account: str
    sides: Sides
    reason: str
    profile: AccountProfile
    accounts: tuple[AccountEntry, ...]


class AccountUnfrozen(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="account.unfrozen"
):
    """Debits, credits or both of an account may pass again."""

    account: str
    sides: Sides
    reason: str
    profile: AccountProfile
    accounts: tuple[AccountEntry, ...]


class AccountClosed(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="account.closed"):
    """An account was closed for ever, at a balance of 0 with nothing pending."""

    account: str
    reason: str
    profile: AccountProfile
    accounts: tuple[AccountEntry, ...]


class LimitsSet(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="account.limits_set"):
    """An account's constraints became those of `profile`; `given` names what was sent."""

    account: str
    given: tuple[str, ...]
    profile: AccountProfile
    accounts: tuple[AccountEntry, ...]


class StripesSet(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="account.stripes_set"
):
    """An account is spread over so many stripes from here on. No money moved.

    `accounts` has every stripe that there ever was: those beyond the number keep their totals, and
    take nothing new.
    """

    account: str
    stripes: int
    reason: str | UnsetType = UNSET
    profile: AccountProfile
    accounts: tuple[AccountEntry, ...]


class MetadataSet(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="metadata.set"):
    """The metadata of an account or a payment were replaced. It touches neither's state.

    Those that a payment was made with are in its own event, before version 1.
    """

    subject: Literal["account", "payment"]
    subject_id: str
    metadata: dict[str, str]
    entry: SubjectEntry


ProfileEvent = (
    AccountOpened | AccountFrozen | AccountUnfrozen | AccountClosed | LimitsSet | StripesSet
)
"""An event that carries the whole profile of its account."""
