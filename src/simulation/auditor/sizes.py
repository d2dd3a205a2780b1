"""How large a transaction can be, at most: what is surely smaller must not be refused for it."""

from __future__ import annotations

from typing import Final

from ledger.contracts.commands import (
    AtomicBatch,
    PaymentCommand,
    PostTemplate,
    accounts_in,
    subjects_of,
)
from ledger.contracts.events import PaymentAuthorized, PaymentPosted
from simulation.auditor.facts import Facts

#: DynamoDB takes so many actions in one transaction.
ACTIONS_MAX: Final = 100
#: Of a command: its event, and what it is of beside accounts (a payment, a book, metadata).
_BESIDE_ACCOUNTS: Final = 3
#: An account's own state, and a look at the book that it is in.
_OF_ACCOUNT: Final = 2


def fits(batch: AtomicBatch, facts: Facts) -> bool:
    """Whether a batch surely fits into one transaction, whatever its commands find."""
    named: set[str] = set()
    filled = 0
    for member in batch.commands:
        named |= {key.id for key in subjects_of(member) if key.kind == "account"}
        if isinstance(member, PaymentCommand):
            named |= _accounts_of(member.payment, facts)
        if isinstance(member, PostTemplate):
            filled += _accounts_filled(member.template, facts)
    accounts = len(named) + filled
    actions = 1 + len(batch.commands) * _BESIDE_ACCOUNTS + accounts * _OF_ACCOUNT
    return actions <= ACTIONS_MAX


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
