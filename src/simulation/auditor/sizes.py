"""How large a transaction can be, at most: what is surely smaller must not be refused for it."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from ledger.contracts.commands import (
    AtomicBatch,
    Command,
    OpenAccount,
    PaymentCommand,
    PostTemplate,
    accounts_in,
    subjects_of,
)
from ledger.contracts.events import PaymentAuthorized, PaymentPosted
from ledger.contracts.subjects import Key, account_key, metadata_key
from simulation.auditor.facts import Facts

#: DynamoDB takes so many actions in one transaction.
ACTIONS_MAX: Final = 100


def fits(command: Command, facts: Facts) -> bool:
    """Whether a command surely fits into one transaction. Of a batch: its event and one of each
    command, the states that these change, all stripes of accounts among them, and the books that
    they may have to look at."""
    members = command.commands if isinstance(command, AtomicBatch) else (command,)
    changed: set[Key] = set()
    filled = 0
    back_dated = False
    width = 1
    for member in members:
        width = max(width, getattr(member, "stripes", None) or 1)
        changed |= set(subjects_of(member))
        back_dated |= getattr(member, "effective_at", UNSET) is not UNSET
        if isinstance(member, PaymentCommand):
            changed |= {account_key(name) for name in _accounts_of(member.payment, facts)}
        if isinstance(member, PostTemplate):
            filled += _accounts_filled(member.template, facts)
        if isinstance(member, OpenAccount) and member.metadata:
            changed.add(metadata_key("account", member.account))
    names = [key.id for key in changed if key.kind == "account"]
    books = filled + len(names) if back_dated else 0  # each in another
    further = sum(max(width, _width(name, facts)) - 1 for name in names)
    most = filled * max(width, *(_width(name, facts) for name in facts.accounts.of), 1)
    return 1 + len(members) + len(changed) + further + most + books <= ACTIONS_MAX


def _width(name: str, facts: Facts) -> int:
    """How many stripes an account has or had."""
    fact = facts.accounts.now(name)
    return 1 if fact is None else fact.width


def _accounts_of(payment: str, facts: Facts) -> frozenset[str]:
    """The accounts of a payment; those of one that the batch makes itself it names."""
    fact = facts.payments.now(payment)
    if fact is None:
        return frozenset()
    origin = fact.origin.event
    assert isinstance(origin, PaymentPosted | PaymentAuthorized)
    return frozenset(accounts_in(origin.postings))


def _accounts_filled(template: str, facts: Facts) -> int:
    """The most accounts that a template can name in any version."""
    versions = facts.templates.of.get(template)
    if versions is None:
        return ACTIONS_MAX  # a member may define it
    return max(2 * len(one.defined.postings) for one in versions)
