"""Declared rates: checked to the last minor unit, whatever the digits of the two currencies."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
    localcontext,
)

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.contracts import reasons
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.rates import RATES_MAX, DeclaredRate, converted_minor, rate_faults
from ledger.contracts.reasons import Violation
from ledger.contracts.rounding import Rounding, divided

ROUNDINGS: dict[Rounding, str] = {
    "half_even": ROUND_HALF_EVEN,
    "half_up": ROUND_HALF_UP,
    "down": ROUND_FLOOR,
    "up": ROUND_CEILING,
}
roundings = st.sampled_from(tuple(ROUNDINGS))
currencies = st.sampled_from(["JPY", "EUR", "KWD", "CLF"])
rates = st.from_regex(r"\A[0-9]{1,12}(\.[0-9]{1,12})?\Z").filter(lambda text: text.strip("0."))


def leg(amount_minor: int, currency: str) -> Posting:
    """A posting of so much."""
    return Posting(source="a", destination="b", amount_minor=amount_minor, currency=currency)


def declared(
    rate: str, rounding: Rounding = "half_even", source: int = 0, target: int = 1
) -> DeclaredRate:
    """A rate between two postings, the first two unless told otherwise."""
    return DeclaredRate(from_posting=source, to_posting=target, rate=rate, rounding=rounding)


@given(st.integers(0, 10**30), st.integers(1, 10**20), roundings)
@example(5, 2, "half_even")
@example(7, 2, "half_even")
@example(5, 2, "half_up")
def test_division_rounds_as_it_says(numerator: int, denominator: int, rounding: Rounding) -> None:
    """As Python's decimals do, which are asked with digits enough to be exact."""
    scaled = divided(numerator, denominator, rounding)
    whole, rest = divmod(numerator, denominator)
    with localcontext(prec=60):
        half = Decimal(rest) / Decimal(denominator)
        nearest = (Decimal(whole) + half).quantize(Decimal(1), ROUNDINGS[rounding])
    assert scaled == nearest


@pytest.mark.parametrize(("numerator", "denominator"), [(-1, 2), (1, 0), (1, -2)])
def test_division_is_of_what_is_not_negative(numerator: int, denominator: int) -> None:
    """What `up` and `down` would mean below zero is never asked."""
    with pytest.raises(ValueError, match="not negative"):
        divided(numerator, denominator, "up")


@given(st.integers(1, AMOUNT_MINOR_MAX), currencies, currencies, rates, roundings)
def test_a_conversion_is_that_of_exact_decimals(
    amount_minor: int, currency: str, target: str, rate: str, rounding: Rounding
) -> None:
    """Major units times the rate, in the target's minor unit, rounded once."""
    with localcontext(prec=100):
        exact = Decimal(amount_minor).scaleb(-MINOR_DIGITS[currency]) * Decimal(rate)
        minor = exact.scaleb(MINOR_DIGITS[target]).quantize(Decimal(1), ROUNDINGS[rounding])
    assert converted_minor(amount_minor, currency, target, rate, rounding) == minor


@pytest.mark.parametrize(
    ("rounding", "yen"), [("half_even", 1634), ("half_up", 1635), ("down", 1634), ("up", 1635)]
)
def test_an_amount_must_be_the_conversion(rounding: Rounding, yen: int) -> None:
    """10.00 EUR at 163.45 are 1634.5 JPY: each way of rounding allows one amount."""
    for other in (1633, 1634, 1635, 1636):
        found = list(
            rate_faults([declared("163.45", rounding)], [leg(1000, "EUR"), leg(other, "JPY")])
        )
        mismatch = [Violation(reasons.RATE_MISMATCH, "rates[0].rate")]
        assert found == ([] if other == yen else mismatch)


def test_a_rate_may_lead_back() -> None:
    """From any posting to any other, in either direction."""
    legs = [leg(110, "USD"), leg(5, "EUR"), leg(100, "EUR")]
    assert list(rate_faults([declared("1.1", source=2, target=0)], legs)) == []
    assert list(rate_faults([declared("0.909", source=0, target=2)], legs)) == []


@pytest.mark.parametrize(
    ("rate", "field"),
    [
        (declared("1.1", source=3), "rates[0].from_posting"),
        (declared("1.1", target=3), "rates[0].to_posting"),
        (declared("1.1", target=0), "rates[0].to_posting"),
        (declared("1.0", source=1, target=2), "rates[0].to_posting"),  # of one currency
        (declared("0"), "rates[0].rate"),
        (declared("0.000"), "rates[0].rate"),
        (declared("1.1\n"), "rates[0].rate"),
    ],
)
def test_a_rate_is_between_two_postings_of_two_currencies(rate: DeclaredRate, field: str) -> None:
    """And above 0; each fault is named by its field."""
    legs = [leg(100, "EUR"), leg(110, "USD"), leg(110, "USD")]
    assert list(rate_faults([rate], legs)) == [Violation(reasons.INVALID_RATE, field)]


def test_a_pair_has_one_rate() -> None:
    """The second of a pair is refused, even if it holds as well."""
    legs = [leg(100, "EUR"), leg(110, "USD")]
    found = list(rate_faults([declared("1.1"), declared("1.10")], legs))
    assert found == [Violation(reasons.INVALID_RATE, "rates[1]")]


@pytest.mark.parametrize("legs", [("XXX", "EUR"), ("EUR", "XXX")])
def test_a_currency_that_is_none_is_not_the_rates_fault(legs: tuple[str, str]) -> None:
    """The posting is refused for it; the rate is not judged."""
    postings = [leg(100, currency) for currency in legs]
    assert list(rate_faults([declared("1.1")], postings)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"rate": ""},
        {"rate": "-1"},
        {"rate": "1e3"},
        {"rate": ".5"},
        {"rate": "1."},
        {"rate": "1234567890123"},
        {"rate": 1.1},
        {"rounding": "nearest"},
        {"from_posting": -1},
        {"to_posting": RATES_MAX + 1},
        {"other": 1},
    ],
)
def test_the_shape_of_a_rate(change: dict[str, object]) -> None:
    """A plain decimal as text, a known rounding, places that a payment can have."""
    fine = {"from_posting": 0, "to_posting": RATES_MAX, "rate": "1.1", "rounding": "down"}
    assert msgspec.convert(fine, DeclaredRate).rate == "1.1"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fine | change, DeclaredRate)
