"""A payment that is there: as found by its id, and what an event makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from ledger.contracts import reasons
from ledger.contracts.events import PaymentAuthorized, PaymentEntry, PaymentPosted
from ledger.contracts.subjects import payment_key
from ledger.domain.evolution import posted_state
from ledger.domain.movements import Movements
from ledger.domain.rejections import Rejection, rejection, rejection_for_event
from ledger.domain.stamp import Stamp
from ledger.domain.states import Ending, PaymentState, States
from ledger.domain.striped import Place

_FROM_PAYER: Final = ""  # no currency


def payment_at(states: States, payment: str) -> PaymentState | None:
    """The payment under an id: in its later life, or as it was posted at once. None: there is none,
    or something else has the id."""
    state = states.payments.get(payment)
    if state is not None:
        return state
    made = states.events.get(payment)
    return posted_state(made) if isinstance(made, PaymentPosted) else None


def unknown_payment(states: States, payment: str) -> Rejection:
    """The rejection of a command about what is no payment."""
    made = states.events.get(payment)
    if isinstance(made, PaymentAuthorized):
        # It was held between the look for its state and that for its event: the check of this cause
        # fails, and brings the state.
        return rejection(reasons.PAYMENT_UNKNOWN, "payment", states, payment_key(payment))
    there = made is not None
    return rejection_for_event(reasons.PAYMENT_UNKNOWN, "payment", payment, there=there)


def not_open_refusals(states: States, payment: PaymentState) -> Iterator[Rejection]:
    """A payment that is no hold, or whose hold has ended."""
    if not payment.open:
        values = {"status": payment.status}
        key = payment_key(payment.id)
        yield rejection(reasons.HOLD_NOT_OPEN, "payment", states, key, values)


def expired_refusals(states: States, payment: PaymentState, stamp: Stamp) -> Iterator[Rejection]:
    """A hold past its expiry, whether or not its release is recorded yet."""
    if is_due(payment, stamp):
        values = {"expires_at": payment.expires_at}
        yield rejection(reasons.HOLD_EXPIRED, "payment", states, payment.key, values)


def is_due(payment: PaymentState, stamp: Stamp) -> bool:
    """Whether the hold is open and past its expiry."""
    return payment.open and str(payment.expires_at) <= stamp.recorded_at


def groups_of(payment: PaymentState) -> tuple[str, ...]:
    """The group of each posting, see `allocation`: what the payer gives, and the rest."""
    first = payment.postings[0]
    return tuple(
        _FROM_PAYER
        if (posting.source, posting.currency) == (first.source, first.currency)
        else posting.currency
        for posting in payment.postings
    )


def between(payment: PaymentState, place: Place) -> Movements:
    """Whoever the payment is between, for what must be seen to of them all."""
    return Movements(place).post(payment.postings, "payment")


def given_minor(payment: PaymentState, amounts_minor: Sequence[int]) -> int:
    """What of such amounts the payer gives: that is how captures and reversals count."""
    groups = groups_of(payment)
    return sum(
        minor for group, minor in zip(groups, amounts_minor, strict=True) if group == _FROM_PAYER
    )


def added(amounts_minor: Sequence[int], more_minor: Sequence[int]) -> tuple[int, ...]:
    """The sums, posting by posting."""
    return tuple(map(sum, zip(amounts_minor, more_minor, strict=True)))


def next_payment_entry(
    before: PaymentState,
    *,
    authorized_minor: tuple[int, ...] | None = None,
    captured_minor: tuple[int, ...] | None = None,
    reversed_minor: tuple[int, ...] | None = None,
    expires_at: str | None = None,
    ended: Ending | None = None,
) -> PaymentEntry:
    """The payment's entry in an event after which it is as `before` but for what is given."""
    after = replace(
        before,
        version=before.version + 1,
        authorized_minor=before.authorized_minor if authorized_minor is None else authorized_minor,
        captured_minor=before.captured_minor if captured_minor is None else captured_minor,
        reversed_minor=before.reversed_minor if reversed_minor is None else reversed_minor,
        expires_at=before.expires_at if expires_at is None else expires_at,
        ended=before.ended if ended is None else ended,
    )
    return PaymentEntry(
        version=after.version,
        prev=before.last_event,
        status=after.status,
        authorized_minor=_unless_all_zero(after.authorized_minor),
        captured_minor=_unless_all_zero(after.captured_minor),
        reversed_minor=_unless_all_zero(after.reversed_minor),
        expires_at=UNSET if after.expires_at is None else after.expires_at,
    )


def _unless_all_zero(amounts_minor: tuple[int, ...]) -> tuple[int, ...]:
    return amounts_minor if any(amounts_minor) else ()
