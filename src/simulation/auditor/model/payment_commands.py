"""What becomes of the commands about payments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import UNSET, UnsetType

from ledger.contracts.commands import (
    AuthorizePayment,
    CapturePayment,
    ExpirePayment,
    IncreasePayment,
    PostPayment,
    PostTemplate,
    ReversePayment,
    ScreenPayment,
    VoidPayment,
)
from simulation.auditor.model import payments as paying
from simulation.auditor.model.accounts import Leg, Moves, moved, named_in, refusals
from simulation.auditor.model.books import against_time
from simulation.auditor.model.known import Detail, Known
from simulation.auditor.model.replies import Refusal, as_asked, refuse_for
from simulation.auditor.model.templates import made


def post(known: Known, command: PostPayment, at: str) -> Detail:
    """A payment at once."""
    return _posted(known, command, paying.legs_of(command.postings), at)


def post_template(known: Known, command: PostTemplate, at: str) -> Detail:
    """The payment that a template makes, at once."""
    versions = known.templates.get(command.template, [])
    version = len(versions) if command.template_version is UNSET else command.template_version
    if not 0 < version <= len(versions):
        raise Refusal("template_unknown")
    return _posted(known, command, made(versions[version - 1], command.parameters), at)


def _posted(known: Known, command: PostPayment | PostTemplate, legs: list[Leg], at: str) -> Detail:
    effective_at = _effective(command.effective_at, at)
    moves = Moves(legs, [], [], counts=True)
    detail = _move(known, moves, at, _against_time(known, moves.names, effective_at, at))
    known.payments[command.id] = paying.posted(legs, effective_at, at)
    return detail


def authorize(known: Known, command: AuthorizePayment, at: str) -> Detail:
    """A payment on hold."""
    asked = as_asked(command)
    legs = paying.legs_of(command.postings)
    payment = paying.held(legs, at, asked["expires_at"], asked["over_capture_bps"])
    wrong = set() if paying.expiry_fits(payment.expires_at, at, at) else {"expiry_out_of_range"}
    moves = Moves([], legs, [], counts=True)
    detail = _move(known, moves, at, wrong)
    payment.places = {name: known.touched(name, None)[0] for name in moves.names}
    known.payments[command.id] = payment
    return detail | known.said_of_payment(command.id)


def capture(known: Known, command: CapturePayment, at: str) -> Detail:
    """A hold settled, or a part of it."""
    payment = known.payment(command.payment)
    refuse_for(paying.against_later_life(payment, at))
    effective_at = _effective(command.effective_at, at)
    names = named_in(payment.legs)
    wrong = _against_time(known, names, effective_at, at, payment.made_at)
    asked = as_asked(command)
    moves = Moves([], [], [])
    try:
        moves = paying.capture(payment, asked["amount_minor"], final=asked["final"])
    except Refusal as refusal:
        wrong |= set(refusal.reasons)
    payment.version += 1
    return _move(known, moves, at, wrong, payment.places) | known.said_of_payment(command.payment)


def increase(known: Known, command: IncreasePayment, at: str) -> Detail:
    """A hold of more, or for longer."""
    payment = known.payment(command.payment)
    refuse_for(paying.against_later_life(payment, at))
    wrong: set[str] = set()
    if command.expires_at is not UNSET:
        if not paying.expiry_fits(command.expires_at, payment.expires_at, at):
            wrong.add("expiry_out_of_range")
        payment.expires_at = command.expires_at
    moves = Moves([], [], [])
    if command.amount_minor is not UNSET:
        moves = paying.increase(payment, command.amount_minor)
    payment.version += 1
    return _move(known, moves, at, wrong, payment.places) | known.said_of_payment(command.payment)


def void(known: Known, command: VoidPayment, at: str) -> Detail:
    """The end of a hold, by the client's wish."""
    if not known.payment(command.payment).open:
        raise Refusal("hold_not_open")
    return release(known, command.payment, at)


def expire(known: Known, command: ExpirePayment, at: str) -> Detail:
    """The end of a hold, by itself."""
    payment = known.payments.get(command.payment)
    if payment is None or not payment.open or payment.expires_at > at:
        raise Refusal("hold_not_due")
    if payment.version != command.version:
        raise Refusal("hold_not_due")
    return release(known, command.payment, at, expired=True)


def reverse(known: Known, command: ReversePayment, at: str) -> Detail:
    """What was posted given back, or a part of it; of a hold with nothing posted, its end."""
    payment = known.payment(command.payment)
    asked = as_asked(command)["amount_minor"]
    effective_at = _effective(command.effective_at, at)
    if payment.open and not any(payment.captured) and asked is None:
        refuse_for(against_time(effective_at, at, not_before=(), books=()))
        return release(known, command.payment, at)
    names = named_in(payment.legs)
    wrong = _against_time(known, names, effective_at, at, payment.made_at)
    wrong |= {"account_closed" for name in names if known.accounts[name].closed}
    moves = Moves([], [], [])
    try:
        moves = paying.reverse(payment, asked)
    except Refusal as refusal:
        wrong |= set(refusal.reasons)
    payment.version += 1
    return _move(known, moves, at, wrong) | known.said_of_payment(command.payment)


def screen(known: Known, command: ScreenPayment, _at: str) -> Detail:
    """A verdict, which changes nothing."""
    if command.payment not in known.payments:
        raise Refusal("screened_payment_unknown")
    return {}


def release(known: Known, name: str, at: str, *, expired: bool = False) -> Detail:
    """The end of an open hold."""
    payment = known.payments[name]
    moves = paying.release(payment, expired=expired)
    payment.version += 1
    return _move(known, moves, at, set(), payment.places) | known.said_of_payment(name)


def _effective(asked: str | UnsetType, at: str) -> str:
    return at if asked is UNSET else asked


def _against_time(
    known: Known, names: Iterable[str], effective_at: str, at: str, *since: str
) -> set[str]:
    touched = [known.accounts[name] for name in names if name in known.accounts]
    not_before = [*since, *(one.opened_at for one in touched)]
    books = [known.books[one.book] for one in touched]
    return against_time(effective_at, at, not_before=not_before, books=books)


def _move(
    known: Known, moves: Moves, at: str, wrong: set[str], held: Mapping[str, int] | None = None
) -> Detail:
    """Makes the moves if nothing is wrong, on the stripes on which it is `held`. Raises Refusal."""
    names = moves.names
    if not all(name in known.accounts for name in names):
        raise Refusal("account_not_found")
    before = {name: known.accounts[name] for name in names}
    touched = {
        name: known.touched(name, None if held is None else held.get(name, 0)) for name in names
    }
    after = moved(before, moves, at, touched)
    refuse_for(wrong | refusals(before, after, moves, at))
    known.accounts.update(after)
    return known.said_of_accounts(before, touched)
