"""Capturing a hold, and releasing what it still has: by a void or at its expiry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import CapturePayment, ExpirePayment, ReversePayment, VoidPayment
from ledger.contracts.events import PaymentCaptured, PaymentExpired, PaymentVoided
from ledger.contracts.postings import Posting
from ledger.domain.allocation import captured_amounts
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
    velocity_refusals,
)
from ledger.domain.payments import (
    added,
    between,
    expired_refusals,
    given_minor,
    groups_of,
    next_payment_entry,
    not_open_refusals,
    payment_at,
    unknown_payment,
)
from ledger.domain.rejections import Rejection, rejection
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import PaymentState, States
from ledger.domain.striped import as_held


def decide_capture(
    states: States, command: CapturePayment, stamp: Stamp
) -> PaymentCaptured | Rejection:
    """What was asked for posted, and no longer held; the rest released if it is the last capture.

    Or the first reason against it by precedence.
    """
    payment = payment_at(states, command.payment)
    if payment is None:
        return unknown_payment(states, command.payment)
    effective_at = effective_time(command.effective_at, stamp)
    taken = _taken(command, payment)
    refusal = next(
        _refusals(states, command, payment, taken, effective_at=effective_at, stamp=stamp), None
    )
    if refusal is not None:
        return refusal
    assert taken is not None  # else it was refused
    last = _is_last(command, payment, taken)
    postings, released = scaled(payment.postings, taken), _released(payment, taken, last=last)
    movements = _movements(payment, postings, released)
    accounts = [movement.account for movement in movements]
    return PaymentCaptured(
        **head(command, stamp, effective_at),
        payment=command.payment,
        postings=postings,
        released=UNSET if released == postings else released,
        accounts=movements.entries(states),
        entry=next_payment_entry(
            payment,
            captured_minor=added(payment.captured_minor, taken),
            ended="capture" if last else None,
        ),
        amount_minor=command.amount_minor,
        final=command.final,
        reference=command.reference,
        defaulted=("effective_at",) if command.effective_at is UNSET else (),
        books=checked_books(states, accounts, effective_at, stamp),
    )


def decide_void(
    states: States, command: VoidPayment | ReversePayment, stamp: Stamp
) -> PaymentVoided | Rejection:
    """All that is still held released. No state of an account stands against it."""
    payment = payment_at(states, command.payment)
    if payment is None:
        return unknown_payment(states, command.payment)
    refusal = next(not_open_refusals(states, payment), None)
    if refusal is not None:
        return refusal
    postings = scaled(payment.postings, payment.remaining_minor)
    by_reversal = isinstance(command, ReversePayment)
    return PaymentVoided(
        **head(command, stamp),
        payment=command.payment,
        postings=postings,
        accounts=let_go(payment).entries(states),
        entry=next_payment_entry(payment, ended="void"),
        reason=command.reason,
        by="payment.reverse" if by_reversal else "payment.void",
        reference=command.reference if isinstance(command, ReversePayment) else UNSET,
        asked_effective_at=command.effective_at if isinstance(command, ReversePayment) else UNSET,
    )


def decide_expiry(states: States, command: ExpirePayment, stamp: Stamp) -> PaymentExpired:
    """All that is still held released. That the hold is open and due was seen to."""
    payment = states.payments[command.payment]
    postings = scaled(payment.postings, payment.remaining_minor)
    return PaymentExpired(
        **head(command, stamp),
        payment=command.payment,
        postings=postings,
        accounts=let_go(payment).entries(states),
        entry=next_payment_entry(payment, ended="expiry"),
    )


def captured(command: CapturePayment, payment: PaymentState) -> Movements | None:
    """What the capture does to accounts; None if there is nothing that it could take."""
    taken = _taken(command, payment)
    return None if taken is None or not payment.open else _captured(command, payment, taken)


def let_go(payment: PaymentState) -> Movements:
    """What it does to accounts that all a hold has is released."""
    postings = scaled(payment.postings, payment.remaining_minor)
    return Movements(as_held(payment)).release(postings, "payment")


def _taken(command: CapturePayment, payment: PaymentState) -> tuple[int, ...] | None:
    """What is captured of each posting; None if it is more than the hold and its margin have."""
    return captured_amounts(
        None if command.amount_minor is UNSET else command.amount_minor,
        groups_of(payment),
        remaining=payment.remaining_minor,
        authorised=payment.authorized_minor,
        captured=payment.captured_minor,
        margin_bps=payment.over_capture_bps,
    )


def _is_last(command: CapturePayment, payment: PaymentState, taken: Sequence[int]) -> bool:
    """Whether nothing is held afterwards: by the client's word, or because all is captured."""
    exhausted = all(
        minor >= left for minor, left in zip(taken, payment.remaining_minor, strict=True)
    )
    return exhausted or command.final is True


def _released(payment: PaymentState, taken: Sequence[int], *, last: bool) -> tuple[Posting, ...]:
    """What is no longer pending: what is captured of the hold, or all of it at the end."""
    remaining = payment.remaining_minor
    amounts = remaining if last else tuple(map(min, taken, remaining))
    return scaled(payment.postings, amounts)


def _movements(
    payment: PaymentState, postings: Sequence[Posting], released: Sequence[Posting]
) -> Movements:
    """Where the hold is: what was pending there is posted there."""
    movements = Movements(as_held(payment))
    return movements.post(postings, "payment").release(released, "payment")


def _captured(command: CapturePayment, payment: PaymentState, taken: tuple[int, ...]) -> Movements:
    """What the capture does to each account."""
    last = _is_last(command, payment, taken)
    released = _released(payment, taken, last=last)
    return _movements(payment, scaled(payment.postings, taken), released)


def _refusals(
    states: States,
    command: CapturePayment,
    payment: PaymentState,
    taken: tuple[int, ...] | None,
    *,
    effective_at: str,
    stamp: Stamp,
) -> Iterator[Rejection]:
    whole = between(payment, as_held(payment))
    books = books_of(states, (movement.account for movement in whole))
    if taken is not None and payment.open:
        moved = _captured(command, payment, taken)
        # One that has nothing of the hold any more may be closed while others have.
        yield from closed_refusals(states, moved)
    yield from not_open_refusals(states, payment)
    yield from expired_refusals(states, payment, stamp)
    yield from future_refusals(effective_at, stamp)
    yield from opening_refusals(states, whole, effective_at)
    yield from origin_refusals(states, payment.key, payment.made_at, effective_at)
    yield from period_refusals(states, books, effective_at, stamp)
    if taken is None:
        yield rejection(
            reasons.CAPTURE_EXCEEDS_HOLD,
            "amount_minor",
            states,
            payment.key,
            {
                "remaining_minor": given_minor(payment, payment.remaining_minor),
                "captured_minor": given_minor(payment, payment.captured_minor),
                "authorized_minor": given_minor(payment, payment.authorized_minor),
                "over_capture_bps": payment.over_capture_bps,
            },
        )
        return  # there is no movement to judge
    movements = _captured(command, payment, taken)
    yield from frozen_refusals(states, movements)
    yield from balance_refusals(states, movements)
    yield from velocity_refusals(states, movements, stamp)  # of what goes beyond the hold
