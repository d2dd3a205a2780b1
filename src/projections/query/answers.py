"""The bodies that the query API answers with. `docs/openapi.json` is generated from them."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.primitives import AccountType
from projections.balances.apply import Status


class Limits(Struct, frozen=True, kw_only=True):
    """What the balance must stay between, on the account's normal side; null is no bound."""

    min_balance_minor: int | None
    max_balance_minor: int | None


class AccountAnswer(Struct, frozen=True, kw_only=True):
    """An account after the event that made `version`.

    Amounts are minor units of `currency`. `balance_minor` is what was posted, on the account's
    normal side; `available_minor` is that less what pending amounts may yet take. `event`,
    `recorded_at` and `effective_at` are those of the latest event. `status`, `opened_at` and
    `limits` are as of version `profile_version`, and absent while that is 0: payments were
    projected before the opening was.
    """

    id: str
    currency: str
    account_type: AccountType
    balance_minor: int
    available_minor: int
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    version: int
    event: str
    recorded_at: str
    effective_at: str
    profile_version: int
    status: Status | UnsetType = UNSET
    opened_at: str | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET


class LegAnswer(Struct, frozen=True, kw_only=True):
    """One posting as seen from the account."""

    counterparty: str
    side: Literal["debit", "credit"]
    amount_minor: int


class EntryAnswer(Struct, frozen=True, kw_only=True):
    """What one event did to the account: what it moved, and the totals and balance after it.

    `legs` are the first ten of `legs_count` postings that touch the account; the payment has all.
    `prev` is the event of the version before, absent for version 1.
    """

    version: int
    event: str
    type: str
    recorded_at: str
    effective_at: str
    currency: str
    debited_minor: int
    credited_minor: int
    balance_minor: int
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    legs: tuple[LegAnswer, ...]
    legs_count: int
    prev: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class HistoryAnswer(Struct, frozen=True, kw_only=True):
    """A page of an account's history, newest version first.

    `version` is the newest that has arrived. No version up to `complete_to` is missing; if
    `complete_to_exact` is false, that is a lower bound. `next_cursor` leads to the next older
    page, and is absent on the last.
    """

    account: str
    version: int
    complete_to: int
    complete_to_exact: bool
    entries: tuple[EntryAnswer, ...]
    next_cursor: str | UnsetType = UNSET
