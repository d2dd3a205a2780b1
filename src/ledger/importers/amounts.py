"""Amounts as files write them, to integers of the minor unit: as text, never by way of a float."""

from __future__ import annotations

import re
from typing import Final

from ledger.contracts import reasons
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.importers.faults import TOO_MANY_DECIMALS

_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,19})(?:\.([0-9]{1,19}))?")


class AmountError(ValueError):
    """Text that is no amount of its currency: `reason` is the code, the message says why."""

    def __init__(self, reason: str, why: str) -> None:
        self.reason = reason
        super().__init__(why)


def minor_of(text: str, currency: str) -> int:
    """Minor units of a decimal in major units with a point: `12.5` EUR is 1250, `5` JPY is 5.

    A minus sign is read, so that the caller decides what a negative amount means. More fraction
    digits than the currency has are refused even if they are zeros: `10.000` EUR may mean ten, or
    ten thousand. Raises AmountError.
    """
    if currency not in MINOR_DIGITS:
        raise AmountError(reasons.UNKNOWN_CURRENCY.code, "not the code of an ISO 4217 currency")
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise AmountError(
            reasons.INVALID_AMOUNT.code,
            "not a decimal of ASCII digits with a point, such as 1234.56",
        )
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    digits = MINOR_DIGITS[currency]
    if len(fraction) > digits:
        raise AmountError(
            TOO_MANY_DECIMALS,
            f"{len(fraction)} decimals, and {currency} has {digits or 'none'}",
        )
    minor = int(whole + fraction.ljust(digits, "0"))
    if minor > AMOUNT_MINOR_MAX:
        raise AmountError(reasons.INVALID_AMOUNT.code, "above 2^63-1 minor units")
    return -minor if sign else minor


def positive_minor_of(text: str, currency: str) -> int:
    """As `minor_of`, for an amount that must be above zero. Raises AmountError."""
    minor = minor_of(text, currency)
    if minor <= 0:
        raise AmountError(reasons.INVALID_AMOUNT.code, "not above zero")
    return minor
