"""Card numbers have no place in a ledger: free text that seems to hold one is refused.

A primary account number is 13 to 19 digits whose check digit is right by the Luhn formula
(ISO/IEC 7812-1). People group its digits by blanks, hyphens, dots, slashes or underscores, and
characters of no width hide between them, so all of these are looked through: one of them, or any
number of blanks. A tenth of all unrelated numbers of that length pass the check; they are refused
too, which costs a client a reworded text and never a leaked card.

What payment references are made of must pass: numbers of 20 digits and more (the Swiss QR reference
has 27), IBANs (ISO 13616, known by their own check digits), UUIDs. A longer run of digits is
therefore searched for groups as they are embossed on cards, not for any digits that would do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_DIGITS_MIN: Final = 13
_DIGITS_MAX: Final = 19
_BLANKS: Final = r"[ \u00a0\u2009\u200b-\u200d\u202f]+"
_SEPARATOR: Final = rf"(?:{_BLANKS}|[./_\-\u2010-\u2013])"
#: Nearly every text lacks it; the other patterns are compiled when one has it, not at import.
_LONG_RUN: Final = re.compile(rf"\d(?:{_SEPARATOR}?\d){{{_DIGITS_MIN - 1}}}")
_RUN: Final = rf"\d+(?:{_SEPARATOR}\d+)*"
#: How the digits of a card number are grouped where other groups stand beside them.
_FORMS: Final = (
    *((4, 4, 4, last) for last in range(1, 5)),  # most networks; the last group may be short
    *((4, 4, 4, 4, last) for last in range(1, 4)),  # 17 to 19 digits
    (4, 6, 5),  # American Express
    (4, 6, 4),  # Diners Club
    (8, 8),
    *((length,) for length in range(_DIGITS_MIN, _DIGITS_MAX + 1)),
)
_IBAN: Final = r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b"
_IBAN_LENGTH_MIN: Final = 15  # Norway's
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # the digit sum of twice the digit


def holds_card_number(text: str) -> bool:
    """Whether `text` holds 13 to 19 digits that stand together as a card number would and pass
    the Luhn check."""
    if _LONG_RUN.search(text) is None:
        return False
    return any(map(passes_luhn, _candidates(re.sub(_IBAN, _without_iban, text))))


def passes_luhn(digits: str) -> bool:
    """Whether the last of `digits` (decimal, any script) is their Luhn check digit."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        digit = int(character)
        total += _DOUBLED[digit] if place % 2 else digit
    return total % 10 == 0


def _candidates(text: str) -> Iterator[str]:
    for run in re.finditer(_RUN, text):
        groups = re.split(_SEPARATOR, run.group())
        yield from _grouped_as_on_a_card(groups)
        whole = "".join(_free_groups(text, run, groups))
        if _DIGITS_MIN <= len(whole) <= _DIGITS_MAX:
            yield whole


def _grouped_as_on_a_card(groups: list[str]) -> Iterator[str]:
    lengths = tuple(map(len, groups))
    for start in range(len(groups)):
        for form in _FORMS:
            if lengths[start : start + len(form)] == form:
                yield "".join(groups[start : start + len(form)])


def _free_groups(text: str, run: re.Match[str], groups: list[str]) -> list[str]:
    """`groups` without those that letters continue, as in a UUID: they belong to another word."""
    first = 1 if text[: run.start()][-1:].isalpha() else 0
    last = len(groups) - 1 if text[run.end() :][:1].isalpha() else len(groups)
    return groups[first:last]


def _without_iban(match: re.Match[str]) -> str:
    """The text of the match without the IBAN at its start, if there is one. Words behind an IBAN
    look like more of it, so every prefix that ends with a word is tried, the longest first."""
    text = match.group()
    ends = [len(text), *(place.start() for place in re.finditer(" ", text))]
    for end in sorted(ends, reverse=True):
        compact = text[:end].replace(" ", "")
        if len(compact) >= _IBAN_LENGTH_MIN and _is_iban(compact):
            return "\n" + text[end:]
    return text


def _is_iban(compact: str) -> bool:
    rearranged = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in rearranged)) % 97 == 1
