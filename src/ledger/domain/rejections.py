"""A refusal as a value: the reason, the field that asked for it, the states that caused it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ledger.contracts.events import Cause, PaymentPosted
from ledger.contracts.reasons import Reason
from ledger.contracts.subjects import Key, stripe_key
from ledger.domain.states import States


class Rejection(Struct, frozen=True):
    """A decision against a command. Permanent, so its causes are checked again as it is written."""

    reason: Reason
    field: str
    causes: tuple[Cause, ...]


def rejection(
    reason: Reason,
    field: str,
    states: States,
    key: Key,
    values: Mapping[str, int | str | None] | None = None,
) -> Rejection:
    """The rejection for one subject's state (version 0: it does not exist), with the values at
    fault."""
    version = shown_version(states, key)
    cause = Cause(id=key.id, version=version, values=dict(values or {}), kind=key.kind)
    return Rejection(reason, field, (cause,))


def rejection_of_all(
    reason: Reason,
    field: str,
    states: States,
    account: str,
    values: Mapping[str, int | str | None],
) -> Rejection:
    """The rejection for what all stripes of an account are together: the values are their sums, and
    each of them is a cause."""
    stripes = range(1, states.accounts[account].stripes_made)
    others = tuple(
        Cause(id=key.id, version=states.version(key), values={}, kind=key.kind)
        for key in (stripe_key(account, stripe) for stripe in stripes)
    )
    first = rejection(reason, field, states, stripe_key(account, 0), values)
    return Rejection(reason, field, (*first.causes, *others))


def shown_version(states: States, key: Key) -> int:
    """The version of a subject as events tell it: a payment that was posted at once is at its
    first, though it has no state before it is reversed."""
    if key.kind == "payment" and isinstance(states.events.get(key.id), PaymentPosted):
        return max(states.version(key), 1)
    return states.version(key)


def rejection_for_event(
    reason: Reason, field: str, event_id: str, *, there: bool = False
) -> Rejection:
    """The rejection for a fact: nothing is recorded under the id, or (`there`) something that
    stands in the way, for ever."""
    cause = Cause(id=event_id, version=1 if there else 0, values={}, kind="event")
    return Rejection(reason, field, (cause,))


def rejection_for_time(
    reason: Reason, field: str, values: Mapping[str, int | str | None]
) -> Rejection:
    """The rejection that no state caused, but the time at which it was decided."""
    return Rejection(
        reason, field, (Cause(id="clock", version=0, values=dict(values), kind="clock"),)
    )
