"""From what the projections hold to what the query API answers: accounts and their histories."""

from __future__ import annotations

from msgspec import UNSET

from ledger.contracts.events import PaymentEvent
from projections.balances.apply import Account, Metadata, Profile, Totals
from projections.balances.rollup import Page as AccountsPage
from projections.balances.rollup import RollUp, Sum
from projections.history.apply import Row
from projections.history.reading import Page
from projections.lanes import lane_of
from projections.query.answers import (
    AccountAnswer,
    AccountsAnswer,
    EntryAnswer,
    HistoryAnswer,
    LegAnswer,
    Limits,
    StripeAnswer,
    SumAnswer,
    SumsAnswer,
)
from projections.query.cursor import ACCOUNTS, SUMS, cursor_of

#: A row of one of these is of a payment: of its own, if it names no other.
_PAYMENT_TYPES = frozenset(str(event.__struct_config__.tag) for event in PaymentEvent.__args__)


def account_view(account: Account, metadata: Metadata | None) -> AccountAnswer:
    """The answer that shows an account."""
    totals, profile = account.whole, account.profile
    return AccountAnswer(
        id=totals.account,
        currency=totals.currency,
        account_type=totals.account_type,
        balance_minor=totals.balance_minor,
        available_minor=totals.available_minor,
        debits_posted_minor=totals.debits_posted_minor,
        credits_posted_minor=totals.credits_posted_minor,
        debits_pending_minor=totals.debits_pending_minor,
        credits_pending_minor=totals.credits_pending_minor,
        version=totals.version,
        event=totals.event,
        recorded_at=totals.recorded_at,
        effective_at=totals.effective_at,
        stripes=profile.stripes if profile and account.width > 1 else UNSET,
        by_stripe=tuple(map(_stripe, account.stripes)) if account.width > 1 else UNSET,
        profile_version=profile.profile_version if profile else 0,
        status=profile.status if profile else UNSET,
        frozen=profile.frozen if profile else UNSET,
        book=profile.book if profile else UNSET,
        opened_at=profile.opened_at if profile else UNSET,
        limits=_limits(profile) if profile else UNSET,
        metadata_version=metadata.metadata_version if metadata else 0,
        metadata=metadata.metadata if metadata else {},
    )


def accounts_view(
    path: str, sums: RollUp | None, page: AccountsPage | None, generation: int
) -> AccountsAnswer:
    """The answer that shows what lies under a path, read from that generation."""
    accounts: tuple[AccountAnswer, ...] = ()
    if page:
        accounts = tuple(
            account_view(account, page.metadata.get(account.totals.account))
            for account in page.accounts
        )
    return AccountsAnswer(
        under=path,
        sums=_sums(path, sums, generation) if sums else UNSET,
        accounts=accounts,
        next_cursor=(
            ACCOUNTS.token_of(path, generation, page.more_above.encode())
            if page and page.more_above
            else UNSET
        ),
    )


def history_view(account: str, page: Page, generation: int, stripe: int = 0) -> HistoryAnswer:
    """The answer that shows a page of the history of a stripe of `account`, read from that
    generation."""
    striped = any(row.stripe is not UNSET for row in page.rows)
    return HistoryAnswer(
        account=account,
        stripe=stripe if striped else UNSET,
        version=page.newest,
        complete_to=page.completeness.complete_to,
        complete_to_exact=page.completeness.exact,
        entries=tuple(_entry(row) for row in page.rows),
        next_cursor=(
            cursor_of(lane_of(account, stripe), generation, page.rows[-1].version)
            if page.more
            else UNSET
        ),
    )


def _stripe(totals: Totals) -> StripeAnswer:
    return StripeAnswer(
        stripe=totals.stripe,
        version=totals.version,
        balance_minor=totals.balance_minor,
        debits_posted_minor=totals.debits_posted_minor,
        credits_posted_minor=totals.credits_posted_minor,
        debits_pending_minor=totals.debits_pending_minor,
        credits_pending_minor=totals.credits_pending_minor,
        event=totals.event,
        recorded_at=totals.recorded_at,
    )


def _limits(profile: Profile) -> Limits:
    return Limits(
        min_balance_minor=profile.min_balance_minor,
        max_balance_minor=profile.max_balance_minor,
        min_balance_basis=profile.min_balance_basis,
        max_balance_basis=profile.max_balance_basis,
        velocity=profile.velocity,
    )


def _sums(path: str, sums: RollUp, generation: int) -> SumsAnswer:
    return SumsAnswer(
        accounts=sums.accounts,
        complete=sums.more_above is None,
        by_currency_and_type=tuple(map(_sum, sums.sums)),
        next_cursor=(
            SUMS.token_of(path, generation, sums.more_above.encode()) if sums.more_above else UNSET
        ),
    )


def _sum(one: Sum) -> SumAnswer:
    return SumAnswer(
        currency=one.currency,
        account_type=one.account_type,
        accounts=one.accounts,
        balance_minor=one.balance_minor,
        available_minor=one.available_minor,
        debits_posted_minor=one.debits_posted_minor,
        credits_posted_minor=one.credits_posted_minor,
        debits_pending_minor=one.debits_pending_minor,
        credits_pending_minor=one.credits_pending_minor,
    )


def _entry(row: Row) -> EntryAnswer:
    payment = row.event if row.type in _PAYMENT_TYPES else UNSET
    return EntryAnswer(
        version=row.version,
        event=row.event,
        type=row.type,
        recorded_at=row.recorded_at,
        effective_at=row.effective_at,
        currency=row.currency,
        debited_minor=row.debited_minor,
        credited_minor=row.credited_minor,
        debits_pended_minor=row.debits_pended_minor,
        credits_pended_minor=row.credits_pended_minor,
        balance_minor=row.balance_minor,
        debits_posted_minor=row.debits_posted_minor,
        credits_posted_minor=row.credits_posted_minor,
        debits_pending_minor=row.debits_pending_minor,
        credits_pending_minor=row.credits_pending_minor,
        legs=tuple(
            LegAnswer(counterparty=leg.counterparty, side=leg.side, amount_minor=leg.amount_minor)
            for leg in row.legs
        ),
        legs_count=row.legs_count,
        payment=payment if row.payment is UNSET else row.payment,
        prev=row.prev,
        reference=row.reference,
        description=row.description,
        reason=row.reason,
    )
