"""Transactions as the commit would make them, for tests of the stores themselves."""

from __future__ import annotations

from ledger.application.ports import Appended, EventStore, StateCheck, StateWrite, Transaction
from ledger.contracts.commands import Command
from ledger.contracts.subjects import Key
from ledger.domain.chain import StoredEvent, seal
from ledger.domain.decider import rejected_event
from ledger.domain.states import States
from tests.support.builders import STAMP, advanced, decided_on, opening, refused


def acceptance(states: States, command: Command) -> tuple[Transaction, States]:
    """The transaction of a command that `states` accept, and all states after it."""
    after, stored = advanced(states, decided_on(states, command))
    writes = tuple(
        StateWrite(one, states.point(one.key)) for one in after if one != states.get(one.key)
    )
    return Transaction((stored,), writes), after


def refusal(states: States, command: Command) -> Transaction:
    """The transaction of a command that `states` refuse."""
    rejection = refused(states, command)
    stored = seal(rejected_event(command, rejection, STAMP), states)
    checks, absent = [], []
    for cause in rejection.causes:
        if cause.kind == "event":
            absent += [cause.id] if cause.version == 0 else []
        elif cause.kind != "clock":
            key = Key(cause.kind, cause.id)
            checks.append(StateCheck(key, states.point(key)))
    return Transaction((stored,), checks=tuple(checks), absent=tuple(absent))


def append(store: EventStore, states: States, *commands: Command) -> States:
    """Commits commands that must be accepted, one by one; the states after them."""
    for command in commands:
        transaction, states = acceptance(states, command)
        assert store.append(transaction) == Appended()
    return states


def append_openings(store: EventStore, *accounts: str) -> States:
    """Opens accounts without bounds; their states."""
    return append(
        store, States(), *[opening(account, min_balance_minor=None) for account in accounts]
    )


def only_event(transaction: Transaction) -> StoredEvent:
    """The one event of a transaction."""
    (event,) = transaction.events
    return event
