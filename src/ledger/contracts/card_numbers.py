"""Card numbers have no place in a ledger: free text that seems to hold one is refused.

A primary account number is 13 to 19 digits whose check digit is right by the Luhn formula
(ISO/IEC 7812-1). People group digits by blanks, hyphens or dots, so single separators are looked
through. A tenth of all unrelated digit strings of that length pass the check; they are refused
too, which costs a client a reworded text and never a leaked card.
"""

from __future__ import annotations

import re

_DIGITS_MIN = 13
_DIGITS_MAX = 19
_RUN = re.compile(r"\d(?:[ .\-\u00a0\u2009\u202f\u2010-\u2013]?\d){12,}")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # the digit sum of twice the digit


def holds_card_number(text: str) -> bool:
    """Whether any 13 to 19 digits that stand together in `text` pass the Luhn check."""
    return any(_run_holds_one(run.group()) for run in _RUN.finditer(text))


def passes_luhn(digits: str) -> bool:
    """Whether the last of `digits` (decimal, any script) is their Luhn check digit."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        digit = int(character)
        total += _DOUBLED[digit] if place % 2 else digit
    return total % 10 == 0


def _run_holds_one(run: str) -> bool:
    digits = "".join(filter(str.isdecimal, run))
    if len(digits) <= _DIGITS_MAX:
        return passes_luhn(digits)
    # A longer run may hide a card number behind a prefix; every window of it is tried. The run is
    # at most one text field long, so this is bounded by its 140 characters.
    return any(
        passes_luhn(digits[start : start + length])
        for length in range(_DIGITS_MIN, _DIGITS_MAX + 1)
        for start in range(len(digits) - length + 1)
    )
