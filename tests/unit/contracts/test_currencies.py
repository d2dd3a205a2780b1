"""The currency table is ISO 4217's."""

from __future__ import annotations

import iso4217
import pytest

from ledger.contracts.currencies import MINOR_DIGITS, decimal_text


def test_the_table_is_that_of_iso_4217() -> None:
    """Code for code and exponent for exponent, without what has no minor unit (metals, tests)."""
    listed = {
        currency.code: currency.exponent
        for currency in iso4217.Currency
        if currency.exponent is not None
    }
    assert listed == MINOR_DIGITS


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (123456, "EUR", "1234.56"),
        (5, "EUR", "0.05"),
        (0, "EUR", "0.00"),
        (-5, "EUR", "-0.05"),
        (-123456, "EUR", "-1234.56"),
        (5, "JPY", "5"),
        (-5, "JPY", "-5"),
        (1, "KWD", "0.001"),
        (12345, "CLF", "1.2345"),
    ],
)
def test_amounts_are_written_as_people_do(amount_minor: int, currency: str, text: str) -> None:
    """With the currency's digits after the point, none where it has none."""
    assert decimal_text(amount_minor, currency) == text
