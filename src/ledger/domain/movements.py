"""What a command does to each account as a whole, and every reason of an account's against it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ledger.contracts import reasons
from ledger.contracts.events import AccountEntry
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, STRIPE_TOTAL_MAX
from ledger.contracts.subjects import Key, account_key, stripe_key
from ledger.domain.accounts import AccountState, judged_minor, next_entry
from ledger.domain.rejections import Rejection, rejection, rejection_of_all
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from ledger.domain.striped import (
    SIGNS,
    Bound,
    Place,
    keys_of,
    lacks_room,
    lacks_room_for,
    limit_of,
    moved_entries,
    stripe_state,
    stripes_of,
)
from ledger.domain.velocity import refused


@dataclass(slots=True)
class Movement:
    """What a command as a whole does to one account, and the field that first named it.

    Pending amounts are below 0 where they are released. Of a striped account it is done on one
    stripe.
    """

    account: str
    field: str
    debits_minor: int = 0
    credits_minor: int = 0
    pending_debits_minor: int = 0
    pending_credits_minor: int = 0
    stripe: int = 0
    #: What `after` answered last, and to what: it is judged first, and then recorded.
    _after: tuple[AccountState, tuple[int, int, int, int], AccountEntry] | None = dataclasses.field(
        default=None, compare=False, repr=False
    )

    @property
    def key(self) -> Key:
        """What it is done to: the account, or a further stripe of it."""
        return stripe_key(self.account, self.stripe)

    def after(self, state: AccountState) -> AccountEntry:
        """The account's entry in the event."""
        amounts = (
            self.debits_minor,
            self.credits_minor,
            self.pending_debits_minor,
            self.pending_credits_minor,
        )
        last = self._after
        if last is None or last[0] is not state or last[1] != amounts:
            last = self._after = (state, amounts, next_entry(state, *amounts))
        return last[2]

    @property
    def takes(self) -> bool:
        """Whether it debits the account, or holds a debit."""
        return self.debits_minor > 0 or self.pending_debits_minor > 0

    @property
    def gives(self) -> bool:
        """Whether it credits the account, or holds a credit."""
        return self.credits_minor > 0 or self.pending_credits_minor > 0


class Movements:
    """One movement per account, in order of first appearance, on the stripe of it that `place`
    says."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._by_account: dict[str, Movement] = {}

    def __iter__(self) -> Iterator[Movement]:
        return iter(self._by_account.values())

    def post(self, postings: Sequence[Posting], field: str | None = None) -> Movements:
        """Adds postings; `field` is what named their accounts, their own place if left out."""
        for posting, source, destination in self._sides(postings, field):
            source.debits_minor += posting.amount_minor
            destination.credits_minor += posting.amount_minor
        return self

    def hold(self, postings: Sequence[Posting], field: str | None = None) -> Movements:
        """Adds postings that are to be pending."""
        for posting, source, destination in self._sides(postings, field):
            source.pending_debits_minor += posting.amount_minor
            destination.pending_credits_minor += posting.amount_minor
        return self

    def release(self, postings: Sequence[Posting], field: str) -> Movements:
        """Takes postings away from what is pending."""
        for posting, source, destination in self._sides(postings, field):
            source.pending_debits_minor -= posting.amount_minor
            destination.pending_credits_minor -= posting.amount_minor
        return self

    def entries(self, states: States) -> tuple[AccountEntry, ...]:
        """The entries of the event, for accounts that are there: more than one of an account if
        stripes of it give up leases."""
        return tuple(
            entry
            for movement, state in _touched(states, self)
            for entry in moved_entries(states, state, movement.after(state))
        )

    def _sides(
        self, postings: Sequence[Posting], field: str | None
    ) -> Iterator[tuple[Posting, Movement, Movement]]:
        for index, posting in enumerate(postings):
            path = f"postings[{index}]"
            source = self._of(posting.source, field or f"{path}.source")
            destination = self._of(posting.destination, field or f"{path}.destination")
            yield posting, source, destination

    def _of(self, account: str, field: str) -> Movement:
        if account not in self._by_account:
            self._by_account[account] = Movement(account, field, stripe=self._place(account))
        return self._by_account[account]


def missing_refusals(states: States, movements: Iterable[Movement]) -> Iterator[Rejection]:
    """Accounts that were never opened. What follows needs every state."""
    for movement in movements:
        if movement.account not in states.accounts:
            key = account_key(movement.account)
            yield rejection(reasons.ACCOUNT_NOT_FOUND, movement.field, states, key)


def closed_refusals(states: States, movements: Iterable[Movement]) -> Iterator[Rejection]:
    """Accounts that are closed."""
    for movement, state in _touched(states, movements):
        if state.status == "closed":
            yield rejection(reasons.ACCOUNT_CLOSED, movement.field, states, state.key)


def frozen_refusals(states: States, movements: Iterable[Movement]) -> Iterator[Rejection]:
    """Accounts of which the side is frozen that money is to pass."""
    for movement, state in _touched(states, movements):
        stopped = (movement.takes and state.stops("debits")) or (
            movement.gives and state.stops("credits")
        )
        if stopped:
            values = {"frozen": state.frozen}
            yield rejection(reasons.ACCOUNT_FROZEN, movement.field, states, state.key, values)


def currency_refusals(
    states: States, postings: Sequence[Posting], field: str | None = None
) -> Iterator[Rejection]:
    """Postings in another currency than one of their accounts."""
    for index, posting in enumerate(postings):
        for account in (posting.source, posting.destination):
            state = states.accounts[account]
            if state.currency != posting.currency:
                yield rejection(
                    reasons.CURRENCY_MISMATCH,
                    field or f"postings[{index}].currency",
                    states,
                    state.key,
                    {"currency": state.currency},
                )


def overflow_refusals(states: States, movements: Iterable[Movement]) -> Iterator[Rejection]:
    """Totals that would be more than 64 bits hold; those of all stripes together included."""
    for move, state in _touched(states, movements):
        after = move.after(state)
        debits = after.debits_posted_minor + after.debits_pending_minor
        credits_ = after.credits_posted_minor + after.credits_pending_minor
        if max(debits, credits_) > (STRIPE_TOTAL_MAX if state.is_striped else AMOUNT_MINOR_MAX):
            totals = {
                "debits_posted_minor": state.debits_posted_minor,
                "credits_posted_minor": state.credits_posted_minor,
            }
            yield rejection(reasons.BALANCE_OVERFLOW, move.field, states, state.key, totals)


def balance_refusals(states: States, movements: Iterable[Movement]) -> Iterator[Rejection]:
    """Totals that would overflow, and balances that would get worse than they may be."""
    movements = tuple(movements)
    yield from overflow_refusals(states, movements)
    touched = [(move, state, move.after(state)) for move, state in _touched(states, movements)]
    for move, state, after in touched:
        values = _beyond(states, state, after, "min")
        if values is not None:
            reason = reasons.INSUFFICIENT_FUNDS
            yield rejection_of_all(reason, move.field, states, state.id, values)
    for move, state, after in touched:
        values = _beyond(states, state, after, "max")
        if values is not None:
            reason = reasons.BALANCE_LIMIT_EXCEEDED
            yield rejection_of_all(reason, move.field, states, state.id, values)


def velocity_refusals(
    states: States, movements: Iterable[Movement], stamp: Stamp
) -> Iterator[Rejection]:
    """Limits that a payment would exceed, by what it posts or newly holds: per account in their
    order. What a capture takes of its hold was counted when it was held."""
    for move, state in _touched(states, movements):
        for limit, counter in zip(state.velocity, state.counters, strict=True):
            if limit.direction == "debits":
                amount_minor = move.debits_minor + move.pending_debits_minor
            else:
                amount_minor = move.credits_minor + move.pending_credits_minor
            values = (
                refused(limit, counter, stamp.recorded_at, amount_minor)
                if amount_minor > 0
                else None
            )
            if values is not None:
                yield rejection(
                    reasons.VELOCITY_LIMIT_EXCEEDED, move.field, states, state.key, values
                )


def lacking_keys(states: States, movements: Iterable[Movement]) -> Iterator[Key]:
    """What besides accounts must be known before the movements can be judged, of what can be told:
    the stripes on which they are, and all of an account if one of them lacks room."""
    for movement in movements:
        head = states.accounts.get(movement.account)
        if head is None or not head.is_striped:
            continue
        yield movement.key
        state = states.get(movement.key)
        if isinstance(state, AccountState) and lacks_room(state, movement.after(state)):
            yield from keys_of(head)


def _beyond(
    states: States, state: AccountState, after: AccountEntry, bound: Bound
) -> dict[str, int | str | None] | None:
    """What is at fault if the account, or the stripe of one, must not go where `after` says.

    What brings a balance nearer to its limit is never refused for its being beyond it still; and
    what a stripe has room for, the account has.
    """
    limit, basis = limit_of(state, bound)
    if limit is None:
        return None
    sign, was = SIGNS[bound], judged_minor(state, bound, basis)
    change = judged_minor(after, bound, basis) - was
    if sign * change >= 0:
        return None
    if state.is_striped:
        if not lacks_room_for(state, after, bound):
            return None
        was = sum(judged_minor(one, bound, basis) for one in stripes_of(states, state.id))
    if sign * (was + change - limit) >= 0:
        return None
    judged = "available_minor" if bound == "min" else "expected_minor"
    return {
        "balance_minor" if basis == "posted" else judged: was,
        "change_minor": change,
        f"{bound}_balance_minor": limit,
    }


def _touched(
    states: States, movements: Iterable[Movement]
) -> Iterator[tuple[Movement, AccountState]]:
    for movement in movements:
        yield movement, stripe_state(states, movement.account, movement.stripe)
