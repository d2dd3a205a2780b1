"""Answers about accounts: opened, changed, and as they are."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.commands import Alert, Basis, Sides, VelocityLimit
from ledger.contracts.events import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountProfile,
    AccountStatus,
    AccountUnfrozen,
    AlertsSet,
    LimitsSet,
    StripesSet,
)
from ledger.contracts.primitives import AccountType
from ledger.contracts.velocity import Direction, Window
from ledger.domain.accounts import AccountState
from ledger.domain.velocity import used
from ledger.entrypoints.api.answers.base import (
    AccountAfter,
    CommandAnswer,
    Sending,
    accounts_after,
    answer_of,
)


class OpenedAccount(CommandAnswer, frozen=True, kw_only=True, tag="opened"):
    """The answer to `account.open`: the account is open."""

    effective_at: str
    account: str
    currency: str
    account_type: AccountType
    min_balance_minor: int | None
    max_balance_minor: int | None
    book: str
    stripes: int
    metadata: dict[str, str] | UnsetType = UNSET
    accounts: tuple[AccountAfter, ...]


class AccountAlerts(CommandAnswer, frozen=True, kw_only=True, tag="alerts_set"):
    """The answer to `account.set_alerts`: the account has these alerts, and no others."""

    account: str
    currency: str
    alerts: tuple[Alert, ...]
    accounts: tuple[AccountAfter, ...]


class ChangedAccount(CommandAnswer, frozen=True, kw_only=True):
    """An account of which something was changed but money: what it was from then on, whole."""

    account: str
    currency: str
    account_type: AccountType
    account_status: AccountStatus
    frozen: Sides | UnsetType = UNSET
    book: str
    opened_at: str
    min_balance_minor: int | None
    max_balance_minor: int | None
    min_balance_basis: Basis
    max_balance_basis: Basis
    velocity: tuple[VelocityLimit, ...]
    stripes: int
    accounts: tuple[AccountAfter, ...]


class FrozenAccount(ChangedAccount, frozen=True, kw_only=True, tag="frozen"):
    """The answer to `account.freeze`: what `frozen` says is stopped."""

    sides: Sides
    reason: str


class UnfrozenAccount(ChangedAccount, frozen=True, kw_only=True, tag="unfrozen"):
    """The answer to `account.unfreeze`: what `frozen` says is stopped still."""

    sides: Sides
    reason: str


class ClosedAccount(ChangedAccount, frozen=True, kw_only=True, tag="closed"):
    """The answer to `account.close`: the account is closed, for ever."""

    reason: str


class LimitedAccount(ChangedAccount, frozen=True, kw_only=True, tag="limits_set"):
    """The answer to `account.set_limits`: all constraints of the account."""


class StripedAccount(ChangedAccount, frozen=True, kw_only=True, tag="stripes_set"):
    """The answer to `account.set_stripes`: over how many stripes the account is spread."""

    reason: str | UnsetType = UNSET


class AlertsNow(Struct, frozen=True, kw_only=True):
    """The alerts that an account has now, at `version`."""

    account: str
    currency: str
    version: int
    alerts: tuple[Alert, ...]


class VelocityNow(Struct, frozen=True, kw_only=True):
    """A velocity limit, what is used of it, and what remains."""

    name: str
    window: Window
    hours: int | UnsetType = UNSET
    direction: Direction
    currency: str
    max_amount_minor: int | UnsetType = UNSET
    max_count: int | UnsetType = UNSET
    used_amount_minor: int
    used_count: int
    remaining_amount_minor: int | UnsetType = UNSET
    remaining_count: int | UnsetType = UNSET
    resets_at: str


class LimitsNow(Struct, frozen=True, kw_only=True):
    """The constraints of an account at `version`, and what is used of its velocity limits."""

    account: str
    version: int
    as_of: str
    status: AccountStatus
    frozen: Sides | UnsetType = UNSET
    currency: str
    account_type: AccountType
    book: str
    opened_at: str
    min_balance_minor: int | None
    max_balance_minor: int | None
    min_balance_basis: Basis
    max_balance_basis: Basis
    velocity: tuple[VelocityNow, ...]
    stripes: int


def opened(event: AccountOpened, sending: Sending) -> OpenedAccount:
    """The answer to an opening."""
    return answer_of(OpenedAccount, event, sending, accounts=accounts_after(event))


def alerts_set(event: AlertsSet, sending: Sending) -> AccountAlerts:
    """The answer to new alerts."""
    return answer_of(AccountAlerts, event, sending, accounts=accounts_after(event))


_KINDS: Final[dict[type, type[ChangedAccount]]] = {
    AccountFrozen: FrozenAccount,
    AccountUnfrozen: UnfrozenAccount,
    AccountClosed: ClosedAccount,
    LimitsSet: LimitedAccount,
    StripesSet: StripedAccount,
}


def changed(
    event: AccountFrozen | AccountUnfrozen | AccountClosed | LimitsSet | StripesSet,
    sending: Sending,
) -> ChangedAccount:
    """The answer to a change of an account's status, constraints or stripes."""
    kind = _KINDS[type(event)]
    profile = _profile(event.profile)
    status = profile.pop("status")
    accounts = accounts_after(event)
    return answer_of(kind, event, sending, account_status=status, accounts=accounts, **profile)


def alerts_now(state: AccountState) -> AlertsNow:
    """An account's alerts."""
    return AlertsNow(
        account=state.id, currency=state.currency, version=state.version, alerts=state.alerts
    )


def limits_now(state: AccountState, now: str) -> LimitsNow:
    """An account's constraints, and what is used of them at the instant `now` (stored form)."""
    as_of = max(now, state.recorded_at)  # as a payment decided now would be stamped
    profile = _profile(state.profile)
    profile["velocity"] = tuple(
        _velocity_now(limit, state, place, as_of) for place, limit in enumerate(state.velocity)
    )
    return LimitsNow(account=state.id, version=state.version, as_of=as_of, **profile)


def _velocity_now(limit: VelocityLimit, state: AccountState, place: int, as_of: str) -> VelocityNow:
    spent = used(limit, state.counters[place], as_of)
    return VelocityNow(
        **msgspec.structs.asdict(limit),
        used_amount_minor=spent.amount_minor,
        used_count=spent.count,
        remaining_amount_minor=_left(limit.max_amount_minor, spent.amount_minor),
        remaining_count=_left(limit.max_count, spent.count),
        resets_at=spent.resets_at,
    )


def _left(most: int | UnsetType, spent: int) -> int | UnsetType:
    return max(most - spent, 0) if isinstance(most, int) else UNSET


def _profile(profile: AccountProfile) -> dict[str, Any]:
    return msgspec.structs.asdict(profile)
