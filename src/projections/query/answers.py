"""The bodies that the query API answers with. `docs/openapi.json` is generated from them."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.commands import Basis, Sides, VelocityLimit
from ledger.contracts.events import AccountStatus
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import AccountType
from ledger.contracts.rates import DeclaredRate
from ledger.contracts.reasons import Retry
from projections.payments.apply import OriginType, Status


class Limits(Struct, frozen=True, kw_only=True):
    """What the balance must stay between, on the account's normal side; null is no bound.

    The basis of a bound says which balance it holds for. `velocity` limits what, and how often, may
    pass in windows of time; how much of them is used up is the ledger's to say.
    """

    min_balance_minor: int | None
    max_balance_minor: int | None
    min_balance_basis: Basis
    max_balance_basis: Basis
    velocity: tuple[VelocityLimit, ...]


class StripeAnswer(Struct, frozen=True, kw_only=True):
    """A stripe of an account after the event that made `version` of it. Its amounts count in the
    account's."""

    stripe: int
    version: int
    balance_minor: int
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    event: str
    recorded_at: str


class AccountAnswer(Struct, frozen=True, kw_only=True):
    """An account after the event that made `version`.

    Of an account that is or was striped the amounts are sums over its stripes, each of which is
    shown in `by_stripe` with its version; `version` is that of the first, `event` the latest of
    all; `stripes` are in use. The stripes are read one after the other: on a busy account the sums
    are of no single moment.

    Amounts are minor units of `currency`. `balance_minor` is what was posted, on the account's
    normal side; `available_minor` is that less what pending amounts may yet take. `event`,
    `recorded_at` and `effective_at` are those of the latest event. `status`, `frozen` (the sides
    that are, if any), `book`, `opened_at` and `limits` are as of version `profile_version`, and
    absent while that is 0: payments were projected before the opening was. `metadata` have a
    version of their own, 0 until they are given for the first time.
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
    stripes: int | UnsetType = UNSET
    by_stripe: tuple[StripeAnswer, ...] | UnsetType = UNSET
    profile_version: int
    status: AccountStatus | UnsetType = UNSET
    frozen: Sides | UnsetType = UNSET
    book: str | UnsetType = UNSET
    opened_at: str | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET
    metadata_version: int
    metadata: dict[str, str]


class SumAnswer(Struct, frozen=True, kw_only=True):
    """What so many accounts of one currency and type come to, in minor units of the currency."""

    currency: str
    account_type: AccountType
    accounts: int
    balance_minor: int
    available_minor: int
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int


class SumsAnswer(Struct, frozen=True, kw_only=True):
    """What so many accounts come to, by currency and type.

    If not `complete`, more accounts lie behind these, and `next_cursor` leads to their sums.
    """

    accounts: int
    complete: bool
    by_currency_and_type: tuple[SumAnswer, ...]
    next_cursor: str | UnsetType = UNSET


class AccountsAnswer(Struct, frozen=True, kw_only=True):
    """The accounts at and under a path: sums over all of them, and a page of them by id.

    Each account's figures are as projected when it was read: the sums are of no single moment.
    `sums` are absent behind a page's `next_cursor`, and `accounts` are none behind that of sums.
    `next_cursor` leads to the next page, and is absent on the last.
    """

    under: str
    sums: SumsAnswer | UnsetType = UNSET
    accounts: tuple[AccountAnswer, ...]
    next_cursor: str | UnsetType = UNSET


class LegAnswer(Struct, frozen=True, kw_only=True):
    """One posting as seen from the account."""

    counterparty: str
    side: Literal["debit", "credit"]
    amount_minor: int


class EntryAnswer(Struct, frozen=True, kw_only=True):
    """What one event did to the account, and the totals and balance after it.

    `debited_minor` and `credited_minor` were posted by it; `debits_pended_minor` and
    `credits_pended_minor` are held since, or, below 0, released. `legs` are the first ten of
    `legs_count` postings of the event that touch the account: posted, held or released by it.
    `payment` is the payment that it is about. `prev` is the event of the version before, absent for
    version 1.
    """

    version: int
    event: str
    type: str
    recorded_at: str
    effective_at: str
    currency: str
    debited_minor: int
    credited_minor: int
    debits_pended_minor: int
    credits_pended_minor: int
    balance_minor: int
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    legs: tuple[LegAnswer, ...]
    legs_count: int
    payment: str | UnsetType = UNSET
    prev: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class HistoryAnswer(Struct, frozen=True, kw_only=True):
    """A page of an account's history, newest version first.

    `version` is the newest that has arrived. No version up to `complete_to` is missing; if
    `complete_to_exact` is false, that is a lower bound. `next_cursor` leads to the next older
    page, and is absent on the last. An account that is or was striped has a history of each
    `stripe`, with versions, totals and balances of that alone.
    """

    account: str
    stripe: int | UnsetType = UNSET
    version: int
    complete_to: int
    complete_to_exact: bool
    entries: tuple[EntryAnswer, ...]
    next_cursor: str | UnsetType = UNSET


class TemplateAnswer(Struct, frozen=True, kw_only=True):
    """Of which template a payment was made, or was to be made, and of what."""

    name: str
    version: int | UnsetType = UNSET
    parameters: dict[str, int | str]


class PaymentAnswer(Struct, frozen=True, kw_only=True):
    """A payment after the event that made its `version`.

    `type` is that of the event that made it, at `recorded_at`; `event` the one that brought it
    where it stands, at `changed_at`. Of each posting, in their order, `authorized_minor` was held
    at first and by increases, `held_minor` is now, `captured_minor` was posted, and
    `reversed_minor` given back. A refused payment has the `reason`, whether it can be tried again,
    and the field at fault; no postings if its template made none. `metadata` have a version of
    their own, 0 until they are set anew.
    """

    id: str
    status: Status
    version: int
    type: OriginType
    recorded_at: str
    effective_at: str | UnsetType = UNSET
    event: str
    changed_at: str
    postings: tuple[Posting, ...]
    authorized_minor: tuple[int, ...]
    held_minor: tuple[int, ...]
    captured_minor: tuple[int, ...]
    reversed_minor: tuple[int, ...]
    over_capture_bps: int
    expires_at: str | UnsetType = UNSET
    rates: tuple[DeclaredRate, ...] | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    template: TemplateAnswer | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    retry: Retry | UnsetType = UNSET
    field: str | UnsetType = UNSET
    metadata_version: int
    metadata: dict[str, str]


class PaymentsAnswer(Struct, frozen=True, kw_only=True):
    """A page of the payments that are in a status, those made last first.

    `next_cursor` leads to the page of those before, and is absent on the last. A page may have
    fewer than was asked for, or none, and lead on all the same: what has just left the status is
    left out.
    """

    status: Status
    payments: tuple[PaymentAnswer, ...]
    next_cursor: str | UnsetType = UNSET
