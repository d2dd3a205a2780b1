"""Proposals merged into one transaction, in the order in which they were decided.

Each is made on the effects of those before it, and commits with them or not at all: so a subject
that several of them change is written once, from the version before the first to that after the
last, and what one of them checks and another writes is checked by the write.
"""

from __future__ import annotations

from typing import Final

from ledger.application.ports import StateCheck, StateWrite, Transaction
from ledger.application.proposals import Known, Proposal
from ledger.contracts.commands import ACTIONS_MAX
from ledger.contracts.subjects import Key
from ledger.domain.chain import StoredEvent
from ledger.domain.states import State, point_of

#: Of the 4 MB that a transaction may have, what its events are given: the rest is for its states,
#: 20 KB each of 99. What is too large for DynamoDB all the same is refused and packed in halves.
EVENT_BYTES_MAX: Final = 2_000_000


class Packing:
    """A transaction in the making. What is known becomes what will be once it is committed, and
    what it was again by `undo`."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._clear()

    def _clear(self) -> None:
        self._stored: list[StoredEvent] = []
        self._bytes = 0
        #: Each subject that is written, as it was before.
        self._before: dict[Key, State | None] = {}
        self._made_known: list[Key] = []
        self._checks: dict[Key, None] = {}
        self._ids: dict[str, None] = {}
        self._absent: dict[str, None] = {}

    def __bool__(self) -> bool:
        """Whether anything is in it."""
        return bool(self._stored)

    @property
    def _actions(self) -> int:
        return len(self._stored) + len(self._before) + len(self._checks) + len(self._absent)

    def holds(self, event_id: str) -> bool:
        """Whether it has an event of that id."""
        return event_id in self._ids

    def has_room_for(self, proposal: Proposal) -> bool:
        """Whether it stays within a transaction's limits with `proposal`. Anything has room in one
        that is empty: what a proposal alone may be is for `propose` to say."""
        if not self._stored:
            return True
        size = self._bytes + sum(len(event.data) for event in proposal.stored)
        if size > EVENT_BYTES_MAX:
            return False
        more = (proposal.stored, proposal.made, proposal.checks, proposal.absent)
        if self._actions + sum(map(len, more)) <= ACTIONS_MAX:
            return True  # even if they had nothing in common
        conditions = self._before.keys() | self._checks.keys()
        conditions.update(proposal.made)
        conditions.update(proposal.checks)
        events = self._ids.keys() | self._absent.keys()
        events.update(event.id for event in proposal.stored)
        events.update(proposal.absent)
        return len(conditions) + len(events) <= ACTIONS_MAX

    def add(self, proposal: Proposal) -> None:
        """Merges a proposal that was made on what is known now."""
        states, keys, events = self._known
        for key, state in proposal.made.items():
            if key not in self._before:
                self._before[key] = states.get(key)
                self._checks.pop(key, None)
                if key not in keys:
                    keys.add(key)
                    self._made_known.append(key)
            states.put(state)
        for key in proposal.checks:
            if key not in self._before:
                self._checks[key] = None
        for event in proposal.stored:
            self._stored.append(event)
            self._bytes += len(event.data)
            self._ids[event.id] = None
            self._absent.pop(event.id, None)
            events.add(event.id)
        for event_id in proposal.absent:
            if event_id not in self._ids:
                self._absent[event_id] = None
        for member in proposal.members:
            states.events[member.id] = member
        states.events[proposal.event.id] = proposal.event

    def transaction(self) -> Transaction:
        """All of it."""
        states = self._known.states
        writes = []
        for key, before in self._before.items():
            state = states.get(key)
            assert state is not None  # it was put there
            writes.append(StateWrite(state, point_of(before)))
        return Transaction(
            tuple(self._stored),
            tuple(writes),
            tuple(StateCheck(key, states.point(key)) for key in self._checks),
            tuple(self._absent),
        )

    def undo(self) -> None:
        """Makes what is known what it was before the first proposal, and this empty."""
        states, keys, events = self._known
        for key, before in self._before.items():
            if before is None:
                states.drop(key)
            else:
                states.put(before)
        keys.difference_update(self._made_known)
        for event_id in self._ids:
            states.events.pop(event_id, None)
            events.discard(event_id)
        self._clear()


def transaction_of(known: Known, proposal: Proposal) -> Transaction:
    """The transaction of one proposal by itself. What is known is left as it is."""
    point = known.states.point
    return Transaction(
        proposal.stored,
        tuple(StateWrite(state, point(key)) for key, state in proposal.made.items()),
        tuple(StateCheck(key, point(key)) for key in proposal.checks),
        proposal.absent,
    )
