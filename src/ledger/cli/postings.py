"""Postings and rates as the command line gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from ledger.cli.failures import UsageError
from ledger.cli.options import minor_units

_WORDS: Final = 4  # of a posting

PostingsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE DESTINATION AMOUNT_MINOR CURRENCY",
        help="The account debited, the one credited, an integer of the currency's minor unit "
        "(1250 is 12.50 EUR, 5 is 5 JPY), and an ISO 4217 code. Four more for each further "
        "posting: all are posted, or none.",
        show_default=False,
    ),
]
RateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rate",
        metavar="FROM:TO:RATE[:ROUNDING]",
        help="What posting FROM (from 0) was converted to posting TO at, checked to the last minor "
        "unit: `0:1:1.0842`. ROUNDING is half_even if left out, half_up, down or up. Repeatable.",
    ),
]


def postings_of(words: Sequence[str]) -> list[dict[str, Any]]:
    """The postings that `words` say, four each. Raises UsageError."""
    if len(words) % _WORDS:
        raise UsageError(
            "a posting is SOURCE DESTINATION AMOUNT_MINOR CURRENCY: "
            f"{len(words)} words are not fours"
        )
    return [_posting(*words[at : at + _WORDS]) for at in range(0, len(words), _WORDS)]


def _posting(source: str, destination: str, amount: str, currency: str) -> dict[str, Any]:
    try:
        amount_minor = minor_units(amount)
    except typer.BadParameter as error:
        raise UsageError(str(error)) from None
    return {
        "source": source,
        "destination": destination,
        "amount_minor": amount_minor,
        "currency": currency,
    }


def rates_of(texts: Sequence[str] | None) -> list[dict[str, Any]] | None:
    """The rates that FROM:TO:RATE[:ROUNDING] say; None if there are none. Raises UsageError."""
    return [_rate(text) for text in texts] if texts else None


def _rate(text: str) -> dict[str, Any]:
    match text.split(":"):
        case [source, target, rate, *rounding] if (
            source.isdecimal() and target.isdecimal() and len(rounding) <= 1
        ):
            return {
                "from_posting": int(source),
                "to_posting": int(target),
                "rate": rate,
                "rounding": rounding[0] if rounding else "half_even",
            }
    raise UsageError(f"{text!r} is not FROM:TO:RATE or FROM:TO:RATE:ROUNDING, as 0:1:1.0842")
