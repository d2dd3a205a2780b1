"""Posting a payment: every posting or none, against the states of the accounts it touches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import PostPayment
from ledger.contracts.events import PaymentPosted
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.domain.accounts import AccountState, next_entry
from ledger.domain.rejections import Rejection, rejection
from ledger.domain.stamp import Stamp


@dataclass(slots=True)
class _Movement:
    """What the payment as a whole does to one account, and the field that first named it."""

    account: str
    field: str
    debits_minor: int = 0
    credits_minor: int = 0


def decide_payment(
    states: Mapping[str, AccountState], command: PostPayment, stamp: Stamp
) -> PaymentPosted | Rejection:
    """The payment posted, or the first reason against it by precedence, then by posting.

    Constraints judge the payment's net effect on an account: what one posting takes and another
    gives back in the same payment breaks no limit.
    """
    movements = _movements(command)
    refusal = next(_refusals(states, command, movements), None)
    if refusal is not None:
        return refusal
    return PaymentPosted(
        v=1,
        id=command.id,
        recorded_at=stamp.recorded_at,
        effective_at=(stamp.recorded_at if command.effective_at is UNSET else command.effective_at),
        actor=stamp.actor,
        postings=command.postings,
        accounts=tuple(
            next_entry(states[m.account], m.debits_minor, m.credits_minor) for m in movements
        ),
        reference=command.reference,
        description=command.description,
        defaulted=("effective_at",) if command.effective_at is UNSET else (),
    )


def _movements(command: PostPayment) -> list[_Movement]:
    """One movement per account, in order of first appearance."""
    movements: dict[str, _Movement] = {}
    for index, posting in enumerate(command.postings):
        for side in ("source", "destination"):
            account = posting.source if side == "source" else posting.destination
            movement = movements.get(account)
            if movement is None:
                movement = movements[account] = _Movement(account, f"postings[{index}].{side}")
            if side == "source":
                movement.debits_minor += posting.amount_minor
            else:
                movement.credits_minor += posting.amount_minor
    return list(movements.values())


def _refusals(
    states: Mapping[str, AccountState], command: PostPayment, movements: list[_Movement]
) -> Iterator[Rejection]:
    """Every reason against the payment, in the precedence of `ledger.contracts.reasons`."""
    for movement in movements:
        if movement.account not in states:
            yield rejection(reasons.ACCOUNT_NOT_FOUND, movement.field, movement.account, None)
            return  # what follows needs every state
    touched = [(movement, states[movement.account]) for movement in movements]
    for movement, state in touched:
        if state.status == "closed":
            yield rejection(reasons.ACCOUNT_CLOSED, movement.field, state.id, state)
    for movement, state in touched:
        if state.status == "frozen":
            yield rejection(reasons.ACCOUNT_FROZEN, movement.field, state.id, state)
    yield from _currency_refusals(states, command)
    yield from _balance_refusals(touched)


def _currency_refusals(
    states: Mapping[str, AccountState], command: PostPayment
) -> Iterator[Rejection]:
    for index, posting in enumerate(command.postings):
        for account in (posting.source, posting.destination):
            state = states[account]
            if state.currency != posting.currency:
                yield rejection(
                    reasons.CURRENCY_MISMATCH,
                    f"postings[{index}].currency",
                    account,
                    state,
                    {"currency": state.currency},
                )


def _balance_refusals(touched: list[tuple[_Movement, AccountState]]) -> Iterator[Rejection]:
    for movement, state in touched:
        if _overflows(movement, state):
            yield rejection(
                reasons.BALANCE_OVERFLOW,
                movement.field,
                state.id,
                state,
                {
                    "debits_posted_minor": state.debits_posted_minor,
                    "credits_posted_minor": state.credits_posted_minor,
                },
            )
    for movement, state in touched:
        change = state.raised_by(movement.debits_minor, movement.credits_minor)
        lowest = state.min_balance_minor
        # A payment that raises a balance is never refused for the balance being too low still.
        if lowest is not None and change < 0 and state.available_minor + change < lowest:
            yield rejection(
                reasons.INSUFFICIENT_FUNDS,
                movement.field,
                state.id,
                state,
                {
                    "available_minor": state.available_minor,
                    "change_minor": change,
                    "min_balance_minor": lowest,
                },
            )
    for movement, state in touched:
        change = state.raised_by(movement.debits_minor, movement.credits_minor)
        highest = state.max_balance_minor
        if highest is not None and change > 0 and state.expected_minor + change > highest:
            yield rejection(
                reasons.BALANCE_LIMIT_EXCEEDED,
                movement.field,
                state.id,
                state,
                {
                    "expected_minor": state.expected_minor,
                    "change_minor": change,
                    "max_balance_minor": highest,
                },
            )


def _overflows(movement: _Movement, state: AccountState) -> bool:
    debits = state.debits_posted_minor + state.debits_pending_minor + movement.debits_minor
    credits_ = state.credits_posted_minor + state.credits_pending_minor + movement.credits_minor
    return max(debits, credits_) > AMOUNT_MINOR_MAX
