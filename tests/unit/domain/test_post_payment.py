"""Posting a payment: refusals with field, cause and values; bounds; overflow; times."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET, structs

from ledger.contracts import reasons
from ledger.contracts.commands import Sides
from ledger.contracts.events import BookCheck, Cause
from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    POSTINGS_MAX,
    AccountType,
    instant_of_microseconds,
)
from ledger.contracts.reasons import Reason
from ledger.domain.accounts import GENESIS_HASH, AccountState
from ledger.domain.rejections import Rejection
from ledger.domain.stamp import Stamp
from ledger.domain.states import BookState
from ledger.domain.velocity import counted
from tests.support.builders import (
    NOON,
    NOON_MICROSECONDS,
    STAMP,
    Leg,
    accepted,
    advanced,
    by_id,
    limit,
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
    "account_frozen": (
        state("ice", frozen="debits"),
        ("ice", "bank", 5),
        "source",
        {"frozen": "debits"},
    ),
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
    "velocity_limit_exceeded": (
        state(
            "fast",
            velocity=(limit(max_amount_minor=9, max_count=3),),
            counters=(counted(limit(), None, "2026-11-21T11:00:00.000000Z", 5),),
        ),
        ("fast", "bank", 5),
        "source",
        {
            "limit": "daily",
            "window": "day",
            "direction": "debits",
            "resets_at": "2026-11-22T00:00:00.000000Z",
            "max_amount_minor": 9,
            "used_amount_minor": 5,
            "remaining_amount_minor": 4,
            "max_count": 3,
            "used_count": 1,
            "remaining_count": 2,
        },
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_a_refusal_names_its_cause(code: str) -> None:
    """A refusal carries the reason, the path of the field that named the account, and the account
    with its version (0: it does not exist) and the values at fault."""
    cause, leg, side, values = CASES[code]
    world = by_id([BANK, state("shop"), *([cause] if cause else [])])
    account = leg[0] if side == "source" else leg[1]
    assert refused(world, paying("p", ("bank", "shop", 1), leg)) == Rejection(
        reasons.BY_CODE[code],
        f"postings[1].{side}",
        (Cause(id=account, version=cause.version if cause else 0, values=values),),
    )


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
    dollars = [state(name, currency="USD") for name in ("fx-usd", "b")]
    world = by_id([state("a"), state("fx-eur"), *dollars])
    command = paying("p", ("a", "fx-eur", 100), ("fx-usd", "b", 108, "USD"))
    after, _ = advanced(world, accepted(world, command))
    assert {name: one.balance_minor for name, one in after.accounts.items()} == {
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
            assert abs(after.accounts["x"].balance_minor) == 30
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
    assert (
        max(after.accounts["x"].debits_posted_minor, after.accounts["x"].credits_posted_minor)
        == full + 10
    )
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
            paying("p", ("bank", "shop", 1), effective_at="2026-11-21T12:00:00+01:00"),
            Stamp(NOON, "someone"),
        )
    )
    assert (dated.effective_at, dated.recorded_at, dated.defaulted, dated.actor) == (
        "2026-11-21T11:00:00.000000Z",
        NOON,
        (),
        "someone",
    )


@pytest.mark.parametrize(
    ("side", "leg"), [("debits", ("x", "bank", 1)), ("credits", ("bank", "x", 1))]
)
def test_a_frozen_side_stops_what_passes_it_and_nothing_else(side: Sides, leg: Leg) -> None:
    """Frozen debits let credits in, frozen credits let debits out; both stop both."""
    other = (leg[1], leg[0], 1)
    half, whole = by_id([BANK, state("x", frozen=side)]), by_id([BANK, state("x", frozen="both")])
    assert refused(half, paying("p", leg)).reason is reasons.ACCOUNT_FROZEN
    accepted(half, paying("p", other))
    assert refused(whole, paying("p", leg)).reason is reasons.ACCOUNT_FROZEN
    assert refused(whole, paying("p", other)).reason is reasons.ACCOUNT_FROZEN


def test_a_posted_bound_looks_at_what_is_posted_alone() -> None:
    """What is pending counts for a bound of the available balance, and for no other."""
    held = {"credits": 10, "pending_debits": 10, "pending_credits": 10}
    low = state("x", lowest=0, min_balance_basis="posted", **held)  # type: ignore[arg-type]
    high = state("x", highest=20, max_balance_basis="posted", **held)  # type: ignore[arg-type]
    for one, leg, reason in (
        (low, ("x", "bank", 10), reasons.INSUFFICIENT_FUNDS),
        (high, ("bank", "x", 10), reasons.BALANCE_LIMIT_EXCEEDED),
    ):
        accepted(by_id([BANK, one]), paying("p", leg))
        refusal = refused(by_id([BANK, one]), paying("p", (leg[0], leg[1], 11)))
        assert refusal.reason is reason
        assert refusal.causes[0].values["balance_minor"] == 10
        assert (
            refused(
                by_id(
                    [
                        BANK,
                        structs.replace(
                            one, min_balance_basis="available", max_balance_basis="available"
                        ),
                    ]
                ),
                paying("p", leg),
            ).reason
            is reason
        )


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (300, None),
        (301, reasons.EFFECTIVE_IN_FUTURE),
        (-2 * 3600, None),
        (-2 * 3600 - 1, reasons.EFFECTIVE_BEFORE_OPENING),
    ],
)
def test_effective_times_have_bounds(seconds: int, reason: Reason | None) -> None:
    """From the opening of every account it touches to five minutes ahead, both inclusive."""
    world = by_id([BANK, state("shop", opened_at="2026-11-21T09:00:00.000000Z")])
    at = instant_of_microseconds(NOON_MICROSECONDS + seconds * 1_000_000)
    command = paying("p", ("bank", "shop", 1), effective_at=at)
    if reason is None:
        assert accepted(world, command).effective_at == at
    else:
        refusal = refused(world, command)
        assert (refusal.reason, refusal.field) == (reason, "effective_at")


@pytest.mark.parametrize("seconds", [-600, -601])
def test_what_is_back_dated_is_checked_against_the_books(seconds: int) -> None:
    """Ten minutes back is current still, and says nothing of books; a moment more is back-dated,
    and its event names each book once with the version that it was checked against."""
    opened_at = "2026-11-01T00:00:00.000000Z"
    side = BookState(
        id="side",
        version=4,
        closed_through="2026-11-19",
        recorded_at=opened_at,
        last_event="closing",
        hash=GENESIS_HASH,
    )
    accounts = [
        state(name, opened_at=opened_at, book=book)
        for name, book in (("a", "side"), ("b", "main"), ("c", "side"))
    ]
    at = instant_of_microseconds(NOON_MICROSECONDS + seconds * 1_000_000)
    legs = (("a", "b", 1), ("c", "a", 1))
    event = payment_of(accepted(by_id([*accounts, side]), paying("p", *legs, effective_at=at)))
    checks = (
        BookCheck(book="side", version=4, closed_through="2026-11-19"),
        BookCheck(book="main", version=0),
    )
    assert event.books == (checks if seconds == -601 else ())


@pytest.mark.parametrize(
    ("at", "closed"),
    [("2026-11-19T23:59:59.999999Z", True), ("2026-11-20T00:00:00.000000Z", False)],
)
def test_a_closed_day_is_closed_to_its_last_moment(at: str, closed: bool) -> None:
    """The day after is open from its first."""
    opened_at = "2026-11-01T00:00:00.000000Z"
    book = BookState(
        id="main",
        version=1,
        closed_through="2026-11-19",
        recorded_at=opened_at,
        last_event="closing",
        hash=GENESIS_HASH,
    )
    accounts = [state(name, opened_at=opened_at) for name in ("a", "b")]
    world, command = by_id([*accounts, book]), paying("p", ("a", "b", 1), effective_at=at)
    if not closed:
        accepted(world, command)
        return
    refusal = refused(world, command)
    assert refusal.reason is reasons.PERIOD_CLOSED
    assert refusal.causes == (
        Cause(
            id="main",
            version=1,
            kind="book",
            values={"effective_at": at, "closed_through": "2026-11-19"},
        ),
    )


def test_decisions_are_values() -> None:
    """A decision can be encoded, so it holds no reference to what it was made from."""
    event = accepted(by_id([BANK, state("shop")]), paying("p", ("bank", "shop", 1)), STAMP)
    assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event
