"""Opening an account: refused only if it exists."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import OpenAccount
from ledger.contracts.events import AccountEntry, AccountOpened
from ledger.domain.accounts import AccountState
from ledger.domain.rejections import Rejection, rejection
from ledger.domain.stamp import Stamp

_DEFAULTED = ("min_balance_minor", "max_balance_minor", "effective_at")


def decide_opening(
    states: Mapping[str, AccountState], command: OpenAccount, stamp: Stamp
) -> AccountOpened | Rejection:
    """The opening of the account as version 1, all totals 0, or `account_exists`."""
    existing = states.get(command.account)
    if existing is not None:
        return rejection(
            reasons.ACCOUNT_EXISTS,
            "account",
            command.account,
            existing,
            {"opened_at": existing.opened_at},
        )
    lowest, highest = command.min_balance_minor, command.max_balance_minor
    return AccountOpened(
        v=1,
        id=command.id,
        recorded_at=stamp.recorded_at,
        effective_at=(stamp.recorded_at if command.effective_at is UNSET else command.effective_at),
        actor=stamp.actor,
        account=command.account,
        currency=command.currency,
        account_type=command.account_type,
        min_balance_minor=0 if lowest is UNSET else lowest,
        max_balance_minor=None if highest is UNSET else highest,
        accounts=(
            AccountEntry(
                id=command.account,
                type=command.account_type,
                version=1,
                debits_posted_minor=0,
                credits_posted_minor=0,
            ),
        ),
        defaulted=tuple(name for name in _DEFAULTED if getattr(command, name) is UNSET),
    )
