"""Holding a payment, and holding more of it or for longer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import AuthorizePayment, IncreasePayment
from ledger.contracts.events import PaymentAuthorized, PaymentEntry, PaymentIncreased
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import shifted_instant
from ledger.domain.allocation import increased_amounts
from ledger.domain.evolution import scaled
from ledger.domain.movements import (
    Movements,
    balance_refusals,
    closed_refusals,
    currency_refusals,
    frozen_refusals,
    missing_refusals,
    velocity_refusals,
)
from ledger.domain.payments import (
    added,
    expired_refusals,
    groups_of,
    next_payment_entry,
    not_open_refusals,
    payment_at,
    unknown_payment,
)
from ledger.domain.rejections import Rejection, rejection_for_time
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import PaymentState, States
from ledger.domain.striped import as_held, by_spread

_DAY: Final = 24 * 3600 * 1_000_000
HOLD_DEFAULT: Final = 7 * _DAY  # as card schemes keep an authorization
HOLD_MAX: Final = 366 * _DAY


def decide_authorization(
    states: States, command: AuthorizePayment, stamp: Stamp
) -> PaymentAuthorized | Rejection:
    """The payment held as a whole, or the first reason against it by precedence."""
    movements = authorized(states, command, stamp)
    expires_at = (
        shifted_instant(stamp.recorded_at, HOLD_DEFAULT)
        if command.expires_at is UNSET
        else command.expires_at
    )
    refusal = next(_refusals(states, movements, command.postings, expires_at, stamp), None)
    if refusal is not None:
        return refusal
    return PaymentAuthorized(
        **head(command, stamp),
        postings=command.postings,
        accounts=movements.entries(states),
        entry=PaymentEntry(
            version=1,
            status="held",
            authorized_minor=tuple(posting.amount_minor for posting in command.postings),
            expires_at=expires_at,
        ),
        over_capture_bps=0 if command.over_capture_bps is UNSET else command.over_capture_bps,
        reference=command.reference,
        description=command.description,
        defaulted=("expires_at",) if command.expires_at is UNSET else (),
        rates=() if command.rates is UNSET else command.rates,
        metadata=command.metadata,
    )


def decide_increase(
    states: States, command: IncreasePayment, stamp: Stamp
) -> PaymentIncreased | Rejection:
    """More held, or for longer, or the first reason against it by precedence."""
    payment = payment_at(states, command.payment)
    if payment is None:
        return unknown_payment(states, command.payment)
    more = _added_amounts(command, payment)
    # No amount grows out of range: it is in a pending total, whose overflow is refused.
    postings = scaled(payment.postings, more)
    movements = increased(command, payment)
    refusal = next(_increase_refusals(states, command, payment, movements, stamp), None)
    if refusal is not None:
        return refusal
    return PaymentIncreased(
        **head(command, stamp),
        payment=command.payment,
        postings=postings,
        accounts=movements.entries(states),
        entry=next_payment_entry(
            payment,
            authorized_minor=added(payment.authorized_minor, more),
            expires_at=None if command.expires_at is UNSET else command.expires_at,
        ),
        amount_minor=command.amount_minor,
        expires_at=command.expires_at,
    )


def authorized(states: States, command: AuthorizePayment, stamp: Stamp) -> Movements:
    """What the hold does to accounts."""
    return Movements(by_spread(states, stamp.spread)).hold(command.postings)


def increased(command: IncreasePayment, payment: PaymentState) -> Movements:
    """What it does to accounts that more is held: on the stripes that have the hold."""
    postings = scaled(payment.postings, _added_amounts(command, payment))
    return Movements(as_held(payment)).hold(postings, "amount_minor")


def _added_amounts(command: IncreasePayment, payment: PaymentState) -> tuple[int, ...]:
    if command.amount_minor is UNSET or not payment.open:
        return (0,) * len(payment.postings)
    return increased_amounts(command.amount_minor, groups_of(payment), payment.authorized_minor)


def _refusals(
    states: States,
    movements: Movements,
    postings: tuple[Posting, ...],
    expires_at: str,
    stamp: Stamp,
) -> Iterator[Rejection]:
    missing = next(missing_refusals(states, movements), None)
    if missing is not None:
        yield missing
        return  # what follows needs every state
    yield from closed_refusals(states, movements)
    yield from _expiry_refusals(expires_at, stamp.recorded_at, stamp)
    yield from frozen_refusals(states, movements)
    yield from currency_refusals(states, postings)
    yield from balance_refusals(states, movements)
    yield from velocity_refusals(states, movements, stamp)


def _increase_refusals(
    states: States,
    command: IncreasePayment,
    payment: PaymentState,
    movements: Movements,
    stamp: Stamp,
) -> Iterator[Rejection]:
    yield from closed_refusals(states, movements)
    yield from not_open_refusals(states, payment)
    yield from expired_refusals(states, payment, stamp)
    if command.expires_at is not UNSET:
        yield from _expiry_refusals(command.expires_at, str(payment.expires_at), stamp)
    yield from frozen_refusals(states, movements)
    yield from balance_refusals(states, movements)
    yield from velocity_refusals(states, movements, stamp)


def _expiry_refusals(expires_at: str, after: str, stamp: Stamp) -> Iterator[Rejection]:
    latest = shifted_instant(stamp.recorded_at, HOLD_MAX)
    if not after < expires_at <= latest:
        values = {"expires_at": expires_at, "after": after, "latest": latest}
        yield rejection_for_time(reasons.EXPIRY_OUT_OF_RANGE, "expires_at", values)
