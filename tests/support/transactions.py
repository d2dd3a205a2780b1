"""Transactions as the commit would make them, for tests of the stores themselves."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.application.ports import Appended, EventStore, StateCheck, StateWrite, Transaction
from ledger.contracts.commands import OpenAccount, PostPayment
from ledger.domain.accounts import AccountState
from ledger.domain.chain import StoredEvent, seal
from ledger.domain.decider import rejected_event
from tests.support.builders import STAMP, accepted, advanced, opening, refused

States = dict[str, AccountState]


def acceptance(
    states: Mapping[str, AccountState], command: OpenAccount | PostPayment
) -> tuple[Transaction, States]:
    """The transaction of a command that `states` accept, and all states after it."""
    after, stored = advanced(states, accepted(states, command))
    changed = [one for name, one in after.items() if one != states.get(name)]
    return Transaction((stored,), tuple(StateWrite(one) for one in changed)), after


def refusal(states: Mapping[str, AccountState], command: OpenAccount | PostPayment) -> Transaction:
    """The transaction of a command that `states` refuse."""
    rejection = refused(states, command)
    stored = seal(rejected_event(command, rejection, STAMP), states)
    return Transaction(
        (stored,), checks=tuple(StateCheck(cause.id, cause.version) for cause in rejection.causes)
    )


def append(store: EventStore, states: States, *commands: OpenAccount | PostPayment) -> States:
    """Commits commands that must be accepted, one by one; the states after them."""
    for command in commands:
        transaction, states = acceptance(states, command)
        assert store.append(transaction) == Appended()
    return states


def append_openings(store: EventStore, *accounts: str) -> States:
    """Opens accounts without bounds; their states."""
    return append(store, {}, *[opening(account, min_balance_minor=None) for account in accounts])


def only_event(transaction: Transaction) -> StoredEvent:
    """The one event of a transaction."""
    (event,) = transaction.events
    return event
