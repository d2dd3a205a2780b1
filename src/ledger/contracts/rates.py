"""Declared rates: what one posting was converted to another at, checked to the last minor unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from ledger.contracts import reasons
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import POSTINGS_MAX
from ledger.contracts.reasons import Violation
from ledger.contracts.rounding import Rounding, divided

RATES_MAX: Final = POSTINGS_MAX - 1  # as many conversions as lead to all postings but the first
RATE_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,12})?$"

PostingIndex = Annotated[
    int, Meta(ge=0, le=POSTINGS_MAX - 1, description="The place of a posting, from 0.")
]
RateText = Annotated[
    str,
    Meta(
        pattern=RATE_PATTERN,
        description="Major units of the target for one of the source, as a decimal above 0.",
    ),
]

_RATE = re.compile(RATE_PATTERN)


class DeclaredRate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the amount of one posting was converted to the amount of another at.

    The second amount must be the first times `rate`, in the minor unit of its own currency and
    rounded once, as `rounding` says: 10.00 EUR at 163.45 are 1634 JPY with `half_even`, and 1635
    with `half_up`.
    """

    from_posting: PostingIndex
    to_posting: PostingIndex
    rate: RateText
    rounding: Rounding


def rate_faults(rates: Sequence[DeclaredRate], postings: Sequence[Posting]) -> Iterator[Violation]:
    """What a schema cannot say against `rates`, the rates declared for `postings`.

    A pair of postings is of two currencies and has one rate. Postings in currencies that are none
    are at fault by themselves, and passed over here.
    """
    seen: set[tuple[int, int]] = set()
    for index, declared in enumerate(rates):
        path = f"rates[{index}]"
        pair = (declared.from_posting, declared.to_posting)
        misplaced = _misplaced(pair, postings)
        if misplaced is not None:
            yield Violation(reasons.INVALID_RATE, f"{path}.{misplaced}")
        elif not _is_rate(declared.rate):
            yield Violation(reasons.INVALID_RATE, f"{path}.rate")
        elif pair in seen:
            yield Violation(reasons.INVALID_RATE, path)
        elif not _holds(declared, postings):
            yield Violation(reasons.RATE_MISMATCH, f"{path}.rate")
        seen.add(pair)


def converted_minor(
    amount_minor: int, currency: str, target: str, rate: str, rounding: Rounding
) -> int:
    """`amount_minor` of `currency` in minor units of `target`, at `rate` of the documented form."""
    whole, _, fraction = rate.partition(".")
    numerator = amount_minor * int(whole + fraction) * 10 ** MINOR_DIGITS[target]
    return divided(numerator, 10 ** (len(fraction) + MINOR_DIGITS[currency]), rounding)


def _misplaced(pair: tuple[int, int], postings: Sequence[Posting]) -> str | None:
    """The field of a rate that leads nowhere, or to the currency that it comes from."""
    if pair[0] >= len(postings):
        return "from_posting"
    if pair[1] >= len(postings) or postings[pair[0]].currency == postings[pair[1]].currency:
        return "to_posting"
    return None


def _is_rate(text: str) -> bool:
    # Patterns hold for text with a final newline too.
    return _RATE.fullmatch(text) is not None and text.strip("0.") != ""


def _holds(declared: DeclaredRate, postings: Sequence[Posting]) -> bool:
    source, target = postings[declared.from_posting], postings[declared.to_posting]
    if source.currency not in MINOR_DIGITS or target.currency not in MINOR_DIGITS:
        return True
    return target.amount_minor == converted_minor(
        source.amount_minor, source.currency, target.currency, declared.rate, declared.rounding
    )
