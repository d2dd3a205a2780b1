"""Card numbers are found as people write them, and what references are made of is let through."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts.card_numbers import holds_card_number, passes_luhn

#: Published test numbers of the networks, 13 to 19 digits.
TEST_CARDS = (
    "4222222222222",  # Visa, 13
    "30569309025904",  # Diners Club, 14
    "378282246310005",  # American Express, 15
    "4111111111111111",  # Visa
    "4012888888881881",
    "5555555555554444",  # Mastercard
    "2223003122003222",
    "6011111111111117",  # Discover
    "3530111333300000",  # JCB
    "6304000000000000",  # Maestro
    "6212345678900000003",  # UnionPay, 19
)
#: Where a number stands in what people write.
AROUND = ("{}", "card {}", "{} exp 12/27", "VISA {}!", "({})", "Zahlung:{};", "VISA{}")


def grouped(digits: str, separator: str) -> str:
    """As on the card: Amex 4-6-5, Diners 4-6-4, the others in fours."""
    if len(digits) in (14, 15):
        return separator.join((digits[:4], digits[4:10], digits[10:]))
    return separator.join(digits[start : start + 4] for start in range(0, len(digits), 4))


@pytest.mark.parametrize("digits", TEST_CARDS)
@pytest.mark.parametrize(
    "separator",
    ["", " ", "   ", "-", ".", "/", "_", "\u00a0", "\u200b", " \u200d ", "\u2011", "\u2013"],
)
def test_a_card_number_is_found_however_it_is_grouped(digits: str, separator: str) -> None:
    """Every test number, with every separator, wherever it stands."""
    texts = [around.format(grouped(digits, separator)) for around in AROUND]
    assert [text for text in texts if not holds_card_number(text)] == []


@pytest.mark.parametrize("digits", TEST_CARDS)
def test_a_card_number_is_found_beside_other_numbers(digits: str) -> None:
    """A date, a customer number or a verification code beside it does not hide it."""
    assert holds_card_number(f"2026-11-21 {grouped(digits, ' ')} 123")
    assert holds_card_number(f"12 {digits} 09 27 123")
    assert holds_card_number(f"customer 17 {grouped(digits, '-')}")


def test_digits_of_any_script_count() -> None:
    """A card number in Arabic-Indic or full-width digits is one."""
    for zero in ("\u0660", "\uff10"):
        text = "".join(chr(ord(zero) + int(digit)) for digit in "4111111111111111")
        assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # the check digit is wrong
        "order-1001",
        "two coffees, 12.50",
        "+49 30 1234567",
        "+1 (415) 555-0132",
        "0049301234567",  # 13 digits, not Luhn
        "2026-11-21 23:10:05",
        "2026-11-21T23:10:05.123456Z",
        "DE89370400440532013000",  # IBANs
        "DE89 3704 0044 0532 0130 00",
        "IBAN: DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX",
        "DE89370400440532013000 MIETE NOVEMBER",
        "GB29 NWBK 6016 1331 9268 19",
        "CH93 0076 2011 6238 5295 7",
        "NO93 8601 1117 947",
        "PL61109010140000071219812874",
        "MT84MALT011000012345MTLCAST001S",
        "RF18 5390 0754 7034",  # creditor reference
        "210000000003139471430009017",  # Swiss QR reference
        "21 00000 00003 13947 14300 09017",
        "550e8400-e29b-41d4-a716-446655440000",
        "",
        " " * 140,
        "1 " * 70,
        "A" * 140,
    ],
)
def test_what_references_are_made_of_is_let_through(text: str) -> None:
    """IBANs, references, phone numbers, times and UUIDs are not taken for cards."""
    assert not holds_card_number(text)


@given(st.sampled_from(["AT", "BE", "DK", "NO"]), st.text("0123456789", min_size=11, max_size=16))
def test_no_iban_is_taken_for_a_card(country: str, account: str) -> None:
    """Not even one whose digits happen to pass the Luhn check, compact or in fours."""
    letters = "".join(str(int(letter, 36)) for letter in country)
    check = 98 - int(account + letters + "00") % 97
    iban = f"{country}{check:02}{account}"
    in_fours = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
    for text in (iban, in_fours, f"rent {in_fours} for May", f"{iban} MIETE MAI"):
        assert not holds_card_number(text)


def test_an_iban_does_not_hide_a_card_behind_it() -> None:
    """Only the IBAN itself is passed over."""
    assert holds_card_number("DE89 3704 0044 0532 0130 00 4111 1111 1111 1111")


def test_what_merely_begins_like_an_iban_is_searched() -> None:
    """Without right check digits it is no IBAN, so digits in it count."""
    assert holds_card_number("DE00 4111 1111 1111 1111")


def test_almost_every_uuid_passes() -> None:
    """Fewer than one random UUID in a thousand is taken for a card."""
    chance = random.Random(1)
    uuids = (str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(20_000))
    assert sum(map(holds_card_number, uuids)) < 20


@given(st.text(alphabet="0123456789", min_size=12, max_size=18))
def test_exactly_one_check_digit_is_right(digits: str) -> None:
    """Of the ten numbers that differ in the last digit only, one passes, and only that is found."""
    passing = [digits + last for last in "0123456789" if passes_luhn(digits + last)]
    found = [digits + last for last in "0123456789" if holds_card_number(digits + last)]
    assert len(passing) == 1
    assert found == passing


@given(st.text(alphabet="0123456789 -.", max_size=140))
def test_what_is_too_short_is_never_a_card(text: str) -> None:
    """Runs of fewer than 13 digits are let through, whatever they are."""
    if sum(map(str.isdigit, text)) < 13:
        assert not holds_card_number(text)
