"""Payments and their later life: held, captured, increased, let go, given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ledger.contracts.postings import Posting
from simulation.auditor.model.accounts import Leg, Moves
from simulation.auditor.model.layers import duplicate
from simulation.auditor.model.parts import most_to_capture, part, total
from simulation.auditor.model.replies import Refusal

HELD_FOR = timedelta(days=7)
HELD_AT_MOST = timedelta(days=366)


@dataclass
class ModelPayment:
    """A payment as the model knows it; one that was posted at once never was `held`."""

    legs: list[Leg]
    made_at: str
    authorized: list[int]
    captured: list[int]
    reversed: list[int]
    held: bool = False
    open: bool = False
    expired: bool = False
    expires_at: str = ""
    margin_bps: int = 0
    version: int = 1
    places: Mapping[str, int] = field(default_factory=dict)
    """Of a hold: on which stripe of each account it is."""

    @property
    def currencies(self) -> list[str]:
        """The group of each posting: what the payer gives of the first currency, and the rest."""
        first = self.legs[0]
        payer = (first.source, first.currency)
        return ["" if (leg.source, leg.currency) == payer else leg.currency for leg in self.legs]

    @property
    def remaining(self) -> list[int]:
        """What of each posting is still held."""
        pairs = zip(self.authorized, self.captured, strict=True)
        return [max(held - taken, 0) * self.open for held, taken in pairs]

    @property
    def returnable(self) -> list[int]:
        """What of each posting was posted and not given back."""
        return [taken - back for taken, back in zip(self.captured, self.reversed, strict=True)]

    @property
    def status(self) -> str:
        """In a word."""
        if self.open:
            return "partially_captured" if any(self.captured) else "held"
        if any(self.reversed):
            return "partially_reversed" if any(self.returnable) else "reversed"
        if not self.held:
            return "posted"
        if any(self.captured):
            return "captured"
        return "expired" if self.expired else "voided"

    @property
    def facts(self) -> dict[str, Any]:
        """What an event says of it; amounts are left out where there are none."""
        return {
            "version": self.version,
            "status": self.status,
            "authorized": self.authorized if any(self.authorized) else [],
            "captured": self.captured if any(self.captured) else [],
            "reversed": self.reversed if any(self.reversed) else [],
            "expires_at": self.expires_at,
        }

    def copy(self) -> ModelPayment:
        """The same, to be changed. (No list of amounts is ever changed in place.)"""
        return duplicate(self)

    def legs_of(self, amounts: Sequence[int]) -> list[Leg]:
        """The postings with these amounts, those of 0 left out."""
        pairs = zip(self.legs, amounts, strict=True)
        return [leg._replace(minor=minor) for leg, minor in pairs if minor]


def legs_of(postings: Sequence[Posting]) -> list[Leg]:
    """Postings as legs."""
    return [Leg(p.source, p.destination, p.amount_minor, p.currency) for p in postings]


def posted(legs: list[Leg], effective_at: str, at: str) -> ModelPayment:
    """A payment posted at once; it is there already, whenever it counts from."""
    amounts = [leg.minor for leg in legs]
    return ModelPayment(legs, min(effective_at, at), [0] * len(legs), amounts, [0] * len(legs))


def held(legs: list[Leg], at: str, expires_at: str | None, margin_bps: int) -> ModelPayment:
    """A payment on hold."""
    amounts, none = [leg.minor for leg in legs], [0] * len(legs)
    until = expires_at or later(at, HELD_FOR)
    return ModelPayment(
        legs,
        at,
        amounts,
        none,
        none,
        held=True,
        open=True,
        expires_at=until,
        margin_bps=margin_bps,
    )


def expiry_fits(expires_at: str, after: str, at: str) -> bool:
    """Whether a hold may end then."""
    return after < expires_at <= later(at, HELD_AT_MOST)


def against_later_life(payment: ModelPayment, at: str) -> set[str]:
    """What a payment has against it that must be a hold, open still."""
    if not payment.open:
        return {"hold_not_open"}
    return {"hold_expired"} if at >= payment.expires_at else set()


def capture(payment: ModelPayment, amount: int | None, *, final: bool) -> Moves:
    """Settles a part of an open hold."""
    remaining, currencies = payment.remaining, payment.currencies
    rest = total(currencies, remaining)
    if amount is None:
        taken = remaining
    elif amount <= rest:
        taken = part(amount, currencies, remaining)
    else:
        bound = most_to_capture(currencies, payment.authorized, payment.margin_bps)
        if total(currencies, payment.captured) + amount > bound:
            raise Refusal("capture_exceeds_hold")
        excess = part(amount - rest, currencies, payment.authorized)
        taken = [left + more for left, more in zip(remaining, excess, strict=True)]
    payment.captured = [one + more for one, more in zip(payment.captured, taken, strict=True)]
    payment.open = not final and any(payment.remaining)
    let_go = [
        left if not payment.open else min(left, now)
        for left, now in zip(remaining, taken, strict=True)
    ]
    return Moves(payment.legs_of(taken), [], payment.legs_of(let_go), counts=True)


def increase(payment: ModelPayment, amount: int) -> Moves:
    """Holds more."""
    more = part(amount, payment.currencies, payment.authorized)
    payment.authorized = [one + add for one, add in zip(payment.authorized, more, strict=True)]
    return Moves([], payment.legs_of(more), [], counts=True)


def release(payment: ModelPayment, *, expired: bool = False) -> Moves:
    """Ends an open hold."""
    let_go = payment.legs_of(payment.remaining)
    payment.open, payment.expired = False, expired
    return Moves([], [], let_go)


def reverse(payment: ModelPayment, amount: int | None) -> Moves:
    """Gives back a part of what was posted."""
    left, currencies = payment.returnable, payment.currencies
    if not any(left) or (amount is not None and amount > total(currencies, left)):
        raise Refusal("reversal_exceeds_payment")
    back = left if amount is None else part(amount, currencies, left)
    payment.reversed = [one + more for one, more in zip(payment.reversed, back, strict=True)]
    legs = [
        leg._replace(source=leg.destination, destination=leg.source)
        for leg in payment.legs_of(back)
    ]
    return Moves(legs, [], [])


def later(at: str, by: timedelta) -> str:
    """An instant so much later, in the stored form."""
    moment = datetime.fromisoformat(at) + by
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
