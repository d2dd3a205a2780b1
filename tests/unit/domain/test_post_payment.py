"""Posting a payment: refusals with field, cause and values; precedence; bounds; overflow."""

from __future__ import annotations

from itertools import combinations

import msgspec
import pytest
from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.events import Cause
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, POSTINGS_MAX, AccountType
from ledger.contracts.reasons import Kind, Reason
from ledger.domain.accounts import AccountState
from ledger.domain.rejections import Rejection
from ledger.domain.stamp import Stamp
from tests.support.builders import (
    NOON,
    STAMP,
    Leg,
    accepted,
    advanced,
    by_id,
    paying,
    payment_of,
    refused,
    state,
)

BANK = state("bank")

#: For each reason, the state that causes it (None: absent), the posting that meets it, the side of
#: the posting that is at fault, and the values that the refusal must show.
CASES: dict[str, tuple[AccountState | None, Leg, str, dict[str, int | str | None]]] = {
    "account_not_found": (None, ("bank", "nobody", 5), "destination", {}),
    "account_closed": (state("shut", status="closed"), ("bank", "shut", 5), "destination", {}),
    "account_frozen": (state("ice", status="frozen"), ("ice", "bank", 5), "source", {}),
    "currency_mismatch": (
        state("dollar", currency="USD"),
        ("bank", "dollar", 5),
        "currency",
        {"currency": "USD"},
    ),
    "balance_overflow": (
        state("full", debits=3, credits=AMOUNT_MINOR_MAX - 4),
        ("bank", "full", 5),
        "destination",
        {"debits_posted_minor": 3, "credits_posted_minor": AMOUNT_MINOR_MAX - 4},
    ),
    "insufficient_funds": (
        state("poor", credits=10, debits=4, pending_debits=2, lowest=0),
        ("poor", "bank", 5),
        "source",
        {"available_minor": 4, "change_minor": -5, "min_balance_minor": 0},
    ),
    "balance_limit_exceeded": (
        state("capped", credits=10, pending_credits=2, highest=16),
        ("bank", "capped", 5),
        "destination",
        {"expected_minor": 12, "change_minor": 5, "max_balance_minor": 16},
    ),
}


def worlds_of(*codes: str) -> dict[str, AccountState]:
    """The bank, and the states that cause these reasons."""
    causes = [CASES[code][0] for code in codes]
    return by_id([BANK, *(one for one in causes if one is not None)])


def test_every_recorded_reason_has_a_case() -> None:
    """All reasons of kind `rejection` are tested here, but for that of opening an account."""
    recorded = {reason.code for reason in reasons.REASONS if reason.kind is Kind.REJECTION}
    assert recorded - {"account_exists"} == CASES.keys()


@pytest.mark.parametrize("code", CASES)
def test_a_refusal_names_its_cause(code: str) -> None:
    """A refusal carries the reason, the path of the field that named the account, and the account
    with its version (0: it does not exist) and the values at fault."""
    cause, leg, side, values = CASES[code]
    command = paying("p", ("bank", "shop", 1), leg)
    account = leg[0] if side == "source" else leg[1]
    assert refused(worlds_of(code) | by_id([state("shop")]), command) == Rejection(
        reasons.BY_CODE[code],
        f"postings[1].{side}",
        (Cause(id=account, version=cause.version if cause else 0, values=values),),
    )


@pytest.mark.parametrize(("earlier", "later"), list(combinations(CASES, 2)))
def test_precedence(earlier: str, later: str) -> None:
    """Of two reasons that hold together, the earlier one in the table of reasons is given, though
    the later one's posting comes first."""
    order = [reason.code for reason in reasons.REASONS]
    assert order.index(earlier) < order.index(later)
    command = paying("p", CASES[later][1], CASES[earlier][1])
    assert refused(worlds_of(earlier, later), command).reason.code == earlier


def test_of_equal_reasons_the_first_posting_is_named() -> None:
    """Two accounts refused for the same reason: the one that appears first in the postings."""
    world = by_id([BANK, state("x", lowest=0), state("y", lowest=0)])
    refusal = refused(world, paying("p", ("bank", "y", 1), ("y", "bank", 2), ("x", "bank", 1)))
    assert (refusal.field, refusal.causes[0].id) == ("postings[0].destination", "y")


@pytest.mark.parametrize(
    ("field", "legs"),
    [
        ("postings[0].currency", [("bank", "shop", 1, "USD")]),
        ("postings[1].currency", [("bank", "shop", 1), ("shop", "bank", 1, "JPY")]),
    ],
)
def test_each_posting_is_in_the_currency_of_both_its_accounts(field: str, legs: list[Leg]) -> None:
    """A posting in another currency than its accounts is refused, wherever it stands."""
    refusal = refused(by_id([BANK, state("shop")]), paying("p", *legs))
    assert (refusal.reason, refusal.field) == (reasons.CURRENCY_MISMATCH, field)


def test_currencies_meet_in_one_payment() -> None:
    """Each posting has one currency, a payment may have several: an exchange through two
    liquidity accounts is one payment."""
    world = by_id([state("a"), state("fx-eur"), state("fx-usd", currency="USD")])
    world |= by_id([state("b", currency="USD")])
    command = paying("p", ("a", "fx-eur", 100), ("fx-usd", "b", 108, "USD"))
    after, _ = advanced(world, accepted(world, command))
    assert {name: one.balance_minor for name, one in after.items()} == {
        "a": -100,
        "fx-eur": 100,
        "fx-usd": -108,
        "b": 108,
    }


@pytest.mark.parametrize("type_", ["asset", "expense", "liability", "equity", "income"])
@pytest.mark.parametrize("amount", [30, 31])
def test_bounds_are_inclusive_on_the_normal_side(type_: AccountType, amount: int) -> None:
    """A payment may take a balance to its lowest or highest and not one unit beyond, on the side
    that is normal for the account's type."""
    debit_normal = type_ in ("asset", "expense")
    low = state("x", type=type_, lowest=-30)
    high = state("x", type=type_, highest=30)
    lowering = ("bank", "x", amount) if debit_normal else ("x", "bank", amount)
    raising = ("x", "bank", amount) if debit_normal else ("bank", "x", amount)
    for bounded, leg, reason in (
        (low, lowering, reasons.INSUFFICIENT_FUNDS),
        (high, raising, reasons.BALANCE_LIMIT_EXCEEDED),
    ):
        world, command = by_id([BANK, bounded]), paying("p", leg)
        if amount == 30:
            after, _ = advanced(world, accepted(world, command))
            assert abs(after["x"].balance_minor) == 30
        else:
            assert refused(world, command).reason is reason


@pytest.mark.parametrize("side", ["debits", "credits"])
@pytest.mark.parametrize("pending", [0, 3])
def test_totals_end_at_their_maximum(side: str, pending: int) -> None:
    """A total may reach 2^63-1, what is pending counted, and not pass it."""
    full = AMOUNT_MINOR_MAX - 10 - pending
    account = (
        state("x", debits=full, pending_debits=pending)
        if side == "debits"
        else state("x", credits=full, pending_credits=pending)
    )
    world = by_id([BANK, account])

    def leg(amount: int) -> Leg:
        return ("x", "bank", amount) if side == "debits" else ("bank", "x", amount)

    after, _ = advanced(world, accepted(world, paying("p", leg(10))))
    assert max(after["x"].debits_posted_minor, after["x"].credits_posted_minor) == full + 10
    assert refused(world, paying("p", leg(11))).reason is reasons.BALANCE_OVERFLOW
    split = paying("p", *[leg(1)] * 11)
    assert refused(world, split).reason is reasons.BALANCE_OVERFLOW


def test_the_sum_of_postings_may_pass_what_one_amount_may_not() -> None:
    """45 postings of the largest amount overflow as a refusal, not as an error."""
    world = by_id([BANK, state("shop")])
    command = paying("p", *[("bank", "shop", AMOUNT_MINOR_MAX)] * POSTINGS_MAX)
    refusal = refused(world, command)
    assert (refusal.reason, refusal.causes[0].id) == (reasons.BALANCE_OVERFLOW, "bank")


def test_an_account_outside_its_bounds_may_move_towards_them() -> None:
    """An account below its lowest may receive, one above its highest may pay: a limit never holds
    up the payment that mends it; the wrong way it is refused."""
    world = by_id([BANK, state("low", debits=50, lowest=0), state("high", credits=50, highest=0)])
    accepted(world, paying("p", ("bank", "low", 1), ("high", "bank", 1)))
    assert refused(world, paying("p", ("low", "bank", 1))).reason is reasons.INSUFFICIENT_FUNDS
    assert refused(world, paying("p", ("bank", "high", 1))).reason is reasons.BALANCE_LIMIT_EXCEEDED


def test_pending_amounts_count_against_the_account_only() -> None:
    """What is pending lowers what may be spent and raises what may be reached; pending money that
    would help is not counted on."""
    spending = by_id([BANK, state("x", credits=10, pending_debits=4, pending_credits=9, lowest=0)])
    accepted(spending, paying("p", ("x", "bank", 6)))
    assert refused(spending, paying("p", ("x", "bank", 7))).reason is reasons.INSUFFICIENT_FUNDS
    receiving = by_id([BANK, state("x", pending_credits=4, pending_debits=9, highest=10)])
    accepted(receiving, paying("p", ("bank", "x", 6)))
    assert (
        refused(receiving, paying("p", ("bank", "x", 7))).reason is reasons.BALANCE_LIMIT_EXCEEDED
    )
    asset = by_id([BANK, state("x", type="asset", debits=10, pending_credits=4, lowest=0)])
    accepted(asset, paying("p", ("bank", "x", 6)))
    assert refused(asset, paying("p", ("bank", "x", 7))).reason is reasons.INSUFFICIENT_FUNDS


def test_the_event_says_what_was_left_out() -> None:
    """`effective_at` defaults to the recorded time and is then marked as defaulted; free text that
    was not given is absent."""
    world = by_id([BANK, state("shop")])
    plain = payment_of(accepted(world, paying("p", ("bank", "shop", 1))))
    assert (plain.effective_at, plain.recorded_at, plain.defaulted) == (
        NOON,
        NOON,
        ("effective_at",),
    )
    assert (plain.reference, plain.description) == (UNSET, UNSET)
    dated = payment_of(
        accepted(
            world,
            paying("p", ("bank", "shop", 1), effective_at="2026-11-20T08:00:00+01:00"),
            Stamp(NOON, "someone"),
        )
    )
    assert (dated.effective_at, dated.recorded_at, dated.defaulted, dated.actor) == (
        "2026-11-20T07:00:00.000000Z",
        NOON,
        (),
        "someone",
    )


def test_retry_advice_is_recorded() -> None:
    """Every recorded refusal says `new_id` or `never`: its own id stays refused."""
    recorded: list[Reason] = [reasons.BY_CODE[code] for code in (*CASES, "account_exists")]
    assert {reason.retry for reason in recorded} == {"new_id", "never"}


def test_decisions_are_values() -> None:
    """A decision can be encoded, so it holds no reference to what it was made from."""
    event = accepted(by_id([BANK, state("shop")]), paying("p", ("bank", "shop", 1)), STAMP)
    assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event
