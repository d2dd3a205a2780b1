"""Commands decided by hand: on which stripes, and on what was known when, is the test's choice."""

from __future__ import annotations

from typing import Final

from ledger.application.packing import transaction_of
from ledger.application.ports import Appended, EventStore
from ledger.application.proposals import Known, Proposal, propose
from ledger.contracts.commands import Command
from ledger.contracts.events import Event, decode_event
from ledger.contracts.reasons import InvalidCommandError
from ledger.domain.stamp import Skewed, stamp
from tests.support.builders import ACTOR, NOON_MICROSECONDS

_SECOND: Final = 1_000_000
_ROUNDS_MAX: Final = 8  # a payment leads to its accounts, they to their stripes, one to all


def proposed(
    store: EventStore,
    command: Command,
    spread: int,
    *,
    seconds: int = 0,
    known: Known | None = None,
) -> tuple[Known, Proposal | str]:
    """What is known after reading all that is needed, and what would be committed; or why the
    command is malformed. So many `seconds` after noon."""
    known = known or Known.nothing()
    for _ in range(_ROUNDS_MAX):
        now = NOON_MICROSECONDS + seconds * _SECOND
        stamped = stamp(now, known.states, ACTOR, spread)
        assert not isinstance(stamped, Skewed)
        try:
            proposal = propose(known, command, stamped)
        except InvalidCommandError as error:
            return known, error.violations[0].reason.code
        if isinstance(proposal, Proposal):
            return known, proposal
        if proposal.keys:
            known.take(proposal.keys, store.load(proposal.keys))
        for one in proposal.events:
            stored = store.event(one)
            known.states.events[one] = decode_event(stored.data) if stored else None
            known.events.add(one)
    raise AssertionError("more rounds than any command can need")


def spread(store: EventStore, command: Command, spread: int = 0, *, seconds: int = 0) -> Event:
    """The event of a command that is decided with this spread and committed at once."""
    known, proposal = proposed(store, command, spread, seconds=seconds)
    assert isinstance(proposal, Proposal), proposal
    assert isinstance(store.append(transaction_of(known, proposal)), Appended)
    return proposal.event
