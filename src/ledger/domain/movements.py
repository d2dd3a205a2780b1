"""What a command does to each account as a whole, and every reason of an account's against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ledger.contracts import reasons
from ledger.contracts.events import AccountEntry
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.subjects import account_key
from ledger.domain.accounts import AccountState, next_entry
from ledger.domain.rejections import Rejection, rejection
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from ledger.domain.velocity import refused


@dataclass(slots=True)
class Movement:
    """What a command as a whole does to one account, and the field that first named it.

    Pending amounts are below 0 where they are released.
    """

    account: str
    field: str
    debits_minor: int = 0
    credits_minor: int = 0
    pending_debits_minor: int = 0
    pending_credits_minor: int = 0

    def after(self, state: AccountState) -> AccountEntry:
        """The account's entry in the event."""
        return next_entry(
            state,
            self.debits_minor,
            self.credits_minor,
            self.pending_debits_minor,
            self.pending_credits_minor,
        )

    @property
    def takes(self) -> bool:
        """Whether it debits the account, or holds a debit."""
        return self.debits_minor > 0 or self.pending_debits_minor > 0

    @property
    def gives(self) -> bool:
        """Whether it credits the account, or holds a credit."""
        return self.credits_minor > 0 or self.pending_credits_minor > 0


class Movements:
    """One movement per account, in order of first appearance."""

    def __init__(self) -> None:
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
        """The entries of the event, for accounts that are there."""
        return tuple(movement.after(states.accounts[movement.account]) for movement in self)

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
            self._by_account[account] = Movement(account, field)
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


def balance_refusals(states: States, movements: Iterable[Movement]) -> Iterator[Rejection]:
    """Totals that would overflow, and balances that would get worse than they may be."""
    touched = [(move, state, move.after(state)) for move, state in _touched(states, movements)]
    for move, state, after in touched:
        debits = after.debits_posted_minor + after.debits_pending_minor
        credits_ = after.credits_posted_minor + after.credits_pending_minor
        if max(debits, credits_) > AMOUNT_MINOR_MAX:
            values: dict[str, int | str | None] = {
                "debits_posted_minor": state.debits_posted_minor,
                "credits_posted_minor": state.credits_posted_minor,
            }
            yield rejection(reasons.BALANCE_OVERFLOW, move.field, states, state.key, values)
    for move, state, after in touched:
        lowest, posted = state.min_balance_minor, state.min_balance_basis == "posted"
        was = state.balance_minor if posted else state.available_minor
        now = after.balance_minor if posted else after.available_minor
        # What raises a balance is never refused for its being too low still.
        if lowest is not None and now < lowest and now < was:
            values = {
                "balance_minor" if posted else "available_minor": was,
                "change_minor": now - was,
                "min_balance_minor": lowest,
            }
            yield rejection(reasons.INSUFFICIENT_FUNDS, move.field, states, state.key, values)
    for move, state, after in touched:
        highest, posted = state.max_balance_minor, state.max_balance_basis == "posted"
        was = state.balance_minor if posted else state.expected_minor
        now = after.balance_minor if posted else after.expected_minor
        if highest is not None and now > highest and now > was:
            values = {
                "balance_minor" if posted else "expected_minor": was,
                "change_minor": now - was,
                "max_balance_minor": highest,
            }
            yield rejection(reasons.BALANCE_LIMIT_EXCEEDED, move.field, states, state.key, values)


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


def _touched(
    states: States, movements: Iterable[Movement]
) -> Iterator[tuple[Movement, AccountState]]:
    for movement in movements:
        yield movement, states.accounts[movement.account]
