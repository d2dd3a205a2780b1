"""What becomes of the commands about accounts."""

from __future__ import annotations

from msgspec import UNSET, structs

from ledger.contracts.commands import (
    CloseAccount,
    FreezeAccount,
    OpenAccount,
    SetAlerts,
    SetLimits,
    SetMetadata,
    UnfreezeAccount,
)
from simulation.auditor.model.accounts import DEBIT_SIDE, ModelAccount
from simulation.auditor.model.books import against_time
from simulation.auditor.model.known import Detail, Known
from simulation.auditor.model.replies import Refusal, as_asked, refuse_for
from simulation.auditor.model.velocity import ModelLimit

SIDES = {"debits": {"debits"}, "credits": {"credits"}, "both": {"debits", "credits"}}


def open_account(known: Known, command: OpenAccount, at: str) -> Detail:
    """A new account."""
    asked = as_asked(command)
    wrong = {"account_exists"} if command.account in known.accounts else set()
    book = known.books.get(asked["book"])
    if book is None:
        wrong.add("book_unknown")
    effective_at = asked["effective_at"] or at
    wrong |= against_time(effective_at, at, not_before=(), books=[book] if book else [])
    refuse_for(wrong)
    known.accounts[command.account] = ModelAccount(
        command.currency,
        command.account_type in DEBIT_SIDE,
        asked["min_balance_minor"],
        asked["max_balance_minor"],
        asked["book"],
        min(effective_at, at),  # it is open already, whenever it counts from
    )
    detail = known.said_of_accounts({}, [command.account])
    return detail | (_described(known, "account", command.account) if asked["metadata"] else {})


def set_alerts(known: Known, command: SetAlerts, _at: str) -> Detail:
    """Other alerts."""
    known.living(command.account).alerts = command.alerts
    return _one_version_on(known, command.account)


def freeze(known: Known, command: FreezeAccount, _at: str) -> Detail:
    """More sides frozen."""
    known.living(command.account).frozen |= SIDES[command.sides]
    return _one_version_on(known, command.account)


def unfreeze(known: Known, command: UnfreezeAccount, _at: str) -> Detail:
    """Fewer sides frozen."""
    known.living(command.account).frozen -= SIDES[command.sides]
    return _one_version_on(known, command.account)


def close(known: Known, command: CloseAccount, _at: str) -> Detail:
    """The end of an empty account."""
    account = known.living(command.account)
    if account.balance or account.held_debits or account.held_credits:
        raise Refusal("account_not_empty")
    account.closed = True
    return _one_version_on(known, command.account)


def set_limits(known: Known, command: SetLimits, _at: str) -> Detail:
    """Other bounds, other velocity limits."""
    account = known.living(command.account)
    given = {name: one for name, one in structs.asdict(command).items() if one is not UNSET}
    limits = [ModelLimit(one) for one in given["velocity"]] if "velocity" in given else None
    wrong = {"currency_mismatch" for one in limits or () if one.rule.currency != account.currency}
    account.limit_by(given, limits)
    if account.lowest is not None and account.highest is not None:
        wrong |= {"limits_conflict"} if account.lowest > account.highest else set()
    refuse_for(wrong)
    return _one_version_on(known, command.account)


def set_metadata(known: Known, command: SetMetadata, _at: str) -> Detail:
    """Metadata beside an account or a payment, whatever has become of it."""
    if command.subject == "payment":
        known.payment(command.subject_id)
    elif command.subject_id not in known.accounts:
        raise Refusal("account_not_found")
    return _described(known, command.subject, command.subject_id)


def _described(known: Known, subject: str, subject_id: str) -> Detail:
    """The next version of metadata."""
    key = f"{subject}/{subject_id}"
    known.metadata[key] = known.metadata.get(key, 0) + 1
    return {("metadata", key): known.metadata[key]}


def _one_version_on(known: Known, name: str) -> Detail:
    known.accounts[name].version += 1
    return known.said_of_accounts({}, [name])
