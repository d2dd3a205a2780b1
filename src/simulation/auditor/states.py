"""States are what the events make of them, and are written with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import UNSET, Struct

from ledger.contracts.commands import accounts_in
from ledger.contracts.events import PaymentAuthorized, PaymentPosted
from ledger.contracts.primitives import MAIN_BOOK
from ledger.contracts.subjects import Key
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.recorded import as_json
from simulation.auditor.stored import NEWEST, StoredState
from simulation.auditor.subjects import Head, Subjects
from simulation.auditor.wording import touched_by


class _Newer(Struct, frozen=True):
    """What a newer release made of a state: its schema, and what it added."""

    schema: int
    attributes: frozenset[str]


class States:
    """Holds the states that a transaction writes to the events that it records."""

    def __init__(self, facts: Facts, subjects: Subjects, findings: Findings) -> None:
        self._facts = facts
        self._subjects = subjects
        self._findings = findings
        self._newer: dict[Key, _Newer] = {}

    def take(self, written: Iterable[StoredState], changed: Iterable[Key]) -> None:
        """The states that a transaction wrote, and what its events changed."""
        states = {one.key: one for one in written}
        wanted = dict.fromkeys(changed)
        for key in [*wanted, *(key for key in states if key not in wanted)]:
            if key not in states:
                self._report(key, "An event changed it, and its state was not written.")
            elif key not in wanted:
                self._report(key, "Its state was written, and no event changed it.")
            else:
                self.check(states[key])
                self._check_newer(states[key])

    def removed(self, key: str) -> None:
        """A state is gone."""
        self._findings.report("states_follow_events", f"The state {key} was removed.", key)

    def restored(self, there: Iterable[StoredState]) -> None:
        """The whole table, made anew from the events: what a newer release had added is gone, too,
        where an older one did it."""
        self._newer.clear()
        states = {one.key: one for one in there}
        for key, head in self._subjects.heads.items():
            if key not in states and not _is_posted_only(key, head):
                self._report(key, "Its state is missing since the states were restored.")
        for key, state in states.items():
            if key not in self._subjects.heads:
                self._report(key, "There is a state, and no event made it.")
            else:
                self.check(state)

    def check(self, state: StoredState) -> None:
        """Whether a state says what the events say."""
        key = state.key
        head = self._subjects.heads[key]
        for name, here, wanted in (
            ("version", state.version, head.version),
            ("last event", state.last_event, head.event),
            ("time", state.data["recorded_at"], head.recorded_at),
        ):
            if here != wanted:
                self._report(key, f"Its state has the {name} {here}; the events say {wanted}.")
        if state.hash != head.hash:
            self._findings.report(
                "chains_link",
                f"The state of {key.kind} {key.id} at version {state.version} has a hash that is "
                "not that of its events.",
                key.id,
            )
        if state.schema != state.schema_needed and state.schema <= NEWEST[key.kind]:
            self._findings.report(
                "states_lose_nothing",
                f"The state of {key.kind} {key.id} is marked as of schema {state.schema}; what it "
                f"has is of {state.schema_needed}.",
                key.id,
            )
        try:
            wanted_data = _SAID[key.kind](self._facts, key)
        except LookupError:
            return  # its events rest on what never was, which has been reported
        for name, wanted in wanted_data.items():
            here = state.data.get(name, _DEFAULTS[key.kind].get(name))
            if here != wanted:
                self._report(key, f"Its state has {name} {here}; the events say {wanted}.")
        self._check_due(state)

    def _check_newer(self, state: StoredState) -> None:
        known = self._newer.get(state.key)
        unknown = state.unknown
        if known is not None:
            lost = sorted(known.attributes - unknown)
            if lost or state.schema < known.schema:
                self._findings.report(
                    "states_lose_nothing",
                    f"The state of {state.key.kind} {state.key.id} was of schema {known.schema} "
                    f"and is of {state.schema}; it lost {', '.join(lost) or 'nothing'}.",
                    state.key.id,
                )
        if unknown or state.schema > NEWEST[state.key.kind]:
            self._newer[state.key] = _Newer(state.schema, unknown)

    def _check_due(self, state: StoredState) -> None:
        fact = self._facts.payments.now(state.key.id) if state.key.kind == "payment" else None
        wanted = None
        if fact is not None and fact.open and fact.expires_at is not None:
            origin = fact.origin.event
            assert isinstance(origin, PaymentAuthorized)
            wanted = fact.expires_at, frozenset(accounts_in(origin.postings))
        if state.due != wanted:
            self._findings.report(
                "holds_are_indexed",
                f"{state.key.kind} {state.key.id} is in the index of what is due as {state.due}; "
                f"it is {'no open hold' if wanted is None else f'due at {wanted[0]}'}.",
                state.key.id,
            )

    def _report(self, key: Key, message: str) -> None:
        self._findings.report("states_follow_events", f"{key.kind} {key.id}: {message}", key.id)


def _is_posted_only(key: Key, head: Head) -> bool:
    """Whether it is a payment that was posted at once, which has no state before it is reversed."""
    return key.kind == "payment" and head.version == 1 and head.event == key.id


#: What a state leaves out.
_OF_ACCOUNTS: Final[Mapping[str, Any]] = {
    "stripes": 1,
    "stripes_made": 1,
    "alerts": [],
    "frozen": None,
    "book": MAIN_BOOK,
    "min_balance_basis": "available",
    "max_balance_basis": "available",
    "floor_minor": None,
    "ceiling_minor": None,
}


def _said_of_account(facts: Facts, key: Key) -> dict[str, Any]:
    fact = facts.lives(key).now(key.id)
    if fact is None:
        raise LookupError(key)
    entry, profile = fact.entry, fact.profile
    return {
        "currency": profile.currency,
        "type": entry.type,
        "status": profile.status,
        "debits_posted_minor": entry.debits_posted_minor,
        "credits_posted_minor": entry.credits_posted_minor,
        "debits_pending_minor": entry.debits_pending_minor,
        "credits_pending_minor": entry.credits_pending_minor,
        "min_balance_minor": profile.min_balance_minor,
        "max_balance_minor": profile.max_balance_minor,
        "opened_at": profile.opened_at,
        "alerts": as_json(fact.alerts),
        "frozen": None if profile.frozen is UNSET else profile.frozen,
        "book": profile.book,
        "stripes": profile.stripes,
        "stripes_made": fact.width,
        "floor_minor": fact.floor,
        "ceiling_minor": fact.ceiling,
        "min_balance_basis": profile.min_balance_basis,
        "max_balance_basis": profile.max_balance_basis,
    }


_DEFAULTS: Final[defaultdict[str, Mapping[str, Any]]] = defaultdict(
    dict, account=_OF_ACCOUNTS, stripe=_OF_ACCOUNTS, payment={"stripes": {}}
)


def _said_of_payment(facts: Facts, key: Key) -> dict[str, Any]:
    fact = facts.payments.now(key.id)
    if fact is None:
        raise LookupError(key)
    origin = fact.origin.event
    assert isinstance(origin, PaymentPosted | PaymentAuthorized)
    return {
        "postings": as_json(origin.postings),
        "authorized_minor": list(fact.authorized),
        "captured_minor": list(fact.captured),
        "reversed_minor": list(fact.reversed),
        "over_capture_bps": 0 if isinstance(origin, PaymentPosted) else origin.over_capture_bps,
        "expires_at": fact.expires_at,
        "ended": fact.ended,
        "made_at": min(origin.effective_at, origin.recorded_at),
        "stripes": {} if isinstance(origin, PaymentPosted) else _places(origin),
    }


def _places(event: PaymentAuthorized) -> dict[str, int]:
    """On which stripe of each account a hold is, those left out that have it on the first."""
    touched = touched_by(event)
    return {name: stripes[0] for name, stripes in touched.items() if stripes[0]}


def _said_of_book(facts: Facts, key: Key) -> dict[str, Any]:
    fact = facts.books.now(key.id)
    if fact is None:
        raise LookupError(key)
    return {"closed_through": fact.closed_through}


def _said_of_template(facts: Facts, key: Key) -> dict[str, Any]:
    life = facts.templates.of[key.id]
    newest = life[-1].defined
    return {
        "parameters": as_json(newest.parameters),
        "postings": as_json(newest.postings),
        "events": [fact.made.id for fact in life],
    }


def _said_of_metadata(facts: Facts, key: Key) -> dict[str, Any]:
    fact = facts.metadata.now(key.id)
    if fact is None:
        raise LookupError(key)
    return {"metadata": fact.metadata}


_SAID: Mapping[str, Callable[[Facts, Key], dict[str, Any]]] = {
    "account": _said_of_account,
    "stripe": _said_of_account,
    "payment": _said_of_payment,
    "book": _said_of_book,
    "template": _said_of_template,
    "metadata": _said_of_metadata,
}
