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
    SetStripes,
    UnfreezeAccount,
)
from simulation.auditor.model.accounts import DEBIT_SIDE, STRIPE_TOTAL_MAX, ModelAccount
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
    account = known.accounts[command.account]
    if asked["stripes"] > 1:
        account.version = 0
        account.spread_over(asked["stripes"])
        return _next_version(known, command.account) | _metadata_of(known, command)
    return known.said_of_accounts({}, {command.account: [0]}) | _metadata_of(known, command)


def _metadata_of(known: Known, command: OpenAccount) -> Detail:
    asked = as_asked(command)
    return _described(known, "account", command.account) if asked["metadata"] else {}


def set_alerts(known: Known, command: SetAlerts, _at: str) -> Detail:
    """Other alerts; none for what is or was striped. They are the first stripe's."""
    account = known.living(command.account)
    if account.parts and command.alerts:
        raise Refusal("stripes_conflict")
    account.alerts = command.alerts
    account.one_version_on([0])
    return known.said_of_accounts({}, {command.account: [0]})


def set_stripes(known: Known, command: SetStripes, _at: str) -> Detail:
    """More stripes, or fewer."""
    account = known.living(command.account)
    wrong = set()
    if command.stripes > 1 and (account.alerts or account.velocity):
        wrong.add("stripes_conflict")
    first = account.parts[0] if account.parts else account
    most = max(first.debits + first.held_debits, first.credits + first.held_credits)
    if command.stripes > 1 and most > STRIPE_TOTAL_MAX:
        wrong.add("balance_overflow")
    refuse_for(wrong)
    account.spread_over(command.stripes)
    return _next_version(known, command.account)


def freeze(known: Known, command: FreezeAccount, _at: str) -> Detail:
    """More sides frozen."""
    known.living(command.account).frozen |= SIDES[command.sides]
    return _next_version(known, command.account)


def unfreeze(known: Known, command: UnfreezeAccount, _at: str) -> Detail:
    """Fewer sides frozen."""
    known.living(command.account).frozen -= SIDES[command.sides]
    return _next_version(known, command.account)


def close(known: Known, command: CloseAccount, _at: str) -> Detail:
    """The end of an empty account."""
    account = known.living(command.account)
    if account.balance or account.held_debits or account.held_credits:
        raise Refusal("account_not_empty")
    account.closed = True
    return _next_version(known, command.account)


def set_limits(known: Known, command: SetLimits, _at: str) -> Detail:
    """Other bounds, other velocity limits."""
    account = known.living(command.account)
    given = {name: one for name, one in structs.asdict(command).items() if one is not UNSET}
    limits = [ModelLimit(one) for one in given["velocity"]] if "velocity" in given else None
    wrong = {"currency_mismatch" for one in limits or () if one.rule.currency != account.currency}
    wrong |= {"stripes_conflict"} if account.parts and limits else set()
    account.limit_by(given, limits)
    if account.lowest is not None and account.highest is not None:
        wrong |= {"limits_conflict"} if account.lowest > account.highest else set()
    refuse_for(wrong)
    return _next_version(known, command.account)


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


def _next_version(known: Known, name: str) -> Detail:
    """The next version of an account, which is one of every stripe that it has or had."""
    account = known.accounts[name]
    touched = range(max(len(account.parts), 1))
    account.one_version_on(touched)
    return known.said_of_accounts({}, {name: touched})
