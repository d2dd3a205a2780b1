"""From what the projections hold to what the query API answers."""

from __future__ import annotations

from msgspec import UNSET

from projections.balances.apply import Account
from projections.history.apply import Row
from projections.history.reading import Page
from projections.query.answers import (
    AccountAnswer,
    EntryAnswer,
    HistoryAnswer,
    LegAnswer,
    Limits,
)
from projections.query.cursor import cursor_of


def account_view(account: Account) -> AccountAnswer:
    """The answer that shows an account."""
    totals, profile = account.totals, account.profile
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
        profile_version=profile.profile_version if profile else 0,
        status=profile.status if profile else UNSET,
        opened_at=profile.opened_at if profile else UNSET,
        limits=(
            Limits(
                min_balance_minor=profile.min_balance_minor,
                max_balance_minor=profile.max_balance_minor,
            )
            if profile
            else UNSET
        ),
    )


def history_view(account: str, page: Page, generation: int) -> HistoryAnswer:
    """The answer that shows a page of the history of `account`, read from that generation."""
    return HistoryAnswer(
        account=account,
        version=page.newest,
        complete_to=page.completeness.complete_to,
        complete_to_exact=page.completeness.exact,
        entries=tuple(_entry(row) for row in page.rows),
        next_cursor=(cursor_of(account, generation, page.rows[-1].version) if page.more else UNSET),
    )


def _entry(row: Row) -> EntryAnswer:
    return EntryAnswer(
        version=row.version,
        event=row.event,
        type=row.type,
        recorded_at=row.recorded_at,
        effective_at=row.effective_at,
        currency=row.currency,
        debited_minor=row.debited_minor,
        credited_minor=row.credited_minor,
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
        prev=row.prev,
        reference=row.reference,
        description=row.description,
    )
