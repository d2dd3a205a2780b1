"""Reversing a payment: its postings the other way round, never more than was posted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import ReversePayment
from ledger.contracts.events import PaymentReversed, PaymentVoided
from ledger.contracts.postings import Posting
from ledger.domain.allocation import reversed_amounts
from ledger.domain.capture_payment import decide_void
from ledger.domain.effective_time import (
    books_of,
    checked_books,
    effective_time,
    future_refusals,
    opening_refusals,
    origin_refusals,
    period_refusals,
)
from ledger.domain.evolution import scaled
from ledger.domain.movements import (
    Movements,
    balance_refusals,
    closed_refusals,
    frozen_refusals,
)
from ledger.domain.payments import (
    added,
    between,
    given_minor,
    groups_of,
    next_payment_entry,
    payment_at,
    unknown_payment,
)
from ledger.domain.rejections import Rejection, rejection
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import PaymentState, States
from ledger.domain.striped import by_spread


def decide_reversal(
    states: States, command: ReversePayment, stamp: Stamp
) -> PaymentReversed | PaymentVoided | Rejection:
    """What was asked for given back, or the first reason against it by precedence.

    The reversal of a hold of which nothing was captured is its void.
    """
    payment = payment_at(states, command.payment)
    if payment is None:
        return unknown_payment(states, command.payment)
    if voids(command, payment):
        asked = effective_time(command.effective_at, stamp)
        return next(future_refusals(asked, stamp), None) or decide_void(states, command, stamp)
    effective_at = effective_time(command.effective_at, stamp)
    back = _back(command, payment)
    refusal = next(_refusals(states, payment, back, effective_at, stamp), None)
    if refusal is not None:
        return refusal
    assert back is not None  # else it was refused
    postings = scaled(payment.postings, back, -1)
    movements = _given_back(states, postings, stamp)
    accounts = [movement.account for movement in movements]
    return PaymentReversed(
        **head(command, stamp, effective_at),
        payment=command.payment,
        postings=postings,
        accounts=movements.entries(states),
        entry=next_payment_entry(payment, reversed_minor=added(payment.reversed_minor, back)),
        amount_minor=command.amount_minor,
        reason=command.reason,
        reference=command.reference,
        defaulted=("effective_at",) if command.effective_at is UNSET else (),
        books=checked_books(states, accounts, effective_at, stamp),
    )


def voids(command: ReversePayment, payment: PaymentState) -> bool:
    """Whether what is to be reversed is a hold of which nothing was captured."""
    return payment.open and not any(payment.captured_minor) and command.amount_minor is UNSET


def given_back(
    states: States, command: ReversePayment, payment: PaymentState, stamp: Stamp
) -> Movements | None:
    """What the reversal does to accounts; None if there is nothing that it could give back.

    It is posted anew, wherever the payment was: only what is held has a place.
    """
    back = _back(command, payment)
    if back is None:
        return None
    return _given_back(states, scaled(payment.postings, back, -1), stamp)


def _back(command: ReversePayment, payment: PaymentState) -> tuple[int, ...] | None:
    return reversed_amounts(
        None if command.amount_minor is UNSET else command.amount_minor,
        groups_of(payment),
        payment.reversible_minor,
    )


def _given_back(states: States, postings: Sequence[Posting], stamp: Stamp) -> Movements:
    return Movements(by_spread(states, stamp.spread)).post(postings, "payment")


def _refusals(
    states: States,
    payment: PaymentState,
    back: tuple[int, ...] | None,
    effective_at: str,
    stamp: Stamp,
) -> Iterator[Rejection]:
    whole = between(payment, by_spread(states, stamp.spread))
    books = books_of(states, (movement.account for movement in whole))
    yield from closed_refusals(states, whole)
    yield from future_refusals(effective_at, stamp)
    yield from opening_refusals(states, whole, effective_at)
    yield from origin_refusals(states, payment.key, payment.made_at, effective_at)
    yield from period_refusals(states, books, effective_at, stamp)
    if back is None or not any(back):
        values = {
            "posted_minor": given_minor(payment, payment.captured_minor),
            "reversed_minor": given_minor(payment, payment.reversed_minor),
            "status": payment.status,
        }
        yield rejection(
            reasons.REVERSAL_EXCEEDS_PAYMENT, "amount_minor", states, payment.key, values
        )
        return  # there is no movement to judge
    movements = _given_back(states, scaled(payment.postings, back, -1), stamp)
    yield from frozen_refusals(states, movements)
    yield from balance_refusals(states, movements)
