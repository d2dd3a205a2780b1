"""Amounts, ids and files: what is written is what is read, for any of them."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.contracts.commands import PostPayment, decode_command
from ledger.contracts.currencies import MINOR_DIGITS, decimal_text
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, ID_LENGTH_MAX, is_id
from ledger.importers.amounts import AmountError, minor_of, positive_minor_of
from ledger.importers.faults import TOO_MANY_DECIMALS
from ledger.importers.iso20022.accounts import is_iban
from ledger.importers.iso20022.pain001 import payment_id
from ledger.importers.payment_file import judge
from ledger.importers.payments_csv import PaymentsCsv, opening_id
from tests.support.importing import TIMES

CURRENCIES = st.sampled_from(sorted(MINOR_DIGITS))
AMOUNTS = st.integers(1, AMOUNT_MINOR_MAX)
ALPHABET = "ABCabc019._:-"
IDS = st.text(ALPHABET, min_size=1, max_size=ID_LENGTH_MAX)
WORDS = st.text("abc déßΩ,\"'; =x", min_size=1, max_size=40).filter(str.strip)


@given(minor=st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX), currency=CURRENCIES)
def test_an_amount_that_is_written_is_read_back(minor: int, currency: str) -> None:
    """Every integer of minor units, in every currency, negative ones included."""
    assert minor_of(decimal_text(minor, currency), currency) == minor


@given(
    text=st.from_regex(r"[0-9]{1,17}(\.[0-9]{1,6})?", fullmatch=True).filter(str.isascii),
    currency=CURRENCIES,
)
def test_an_amount_is_exact_or_refused(text: str, currency: str) -> None:
    """It is the decimal, to the last digit, if it has no more digits than the currency; and else
    it is refused as that, and never rounded."""
    digits = MINOR_DIGITS[currency]
    exact = Decimal(text).scaleb(digits)
    if len(text.partition(".")[2]) > digits:
        with pytest.raises(AmountError) as refused:
            minor_of(text, currency)
        assert refused.value.reason == TOO_MANY_DECIMALS
    elif exact > AMOUNT_MINOR_MAX:
        with pytest.raises(AmountError, match="above"):
            minor_of(text, currency)
    else:
        assert Decimal(minor_of(text, currency)) == exact


@example(text="0", currency="EUR")
@example(text="-0.01", currency="EUR")
@given(text=st.text(max_size=12), currency=CURRENCIES)
def test_any_text_is_an_amount_above_zero_or_refused(text: str, currency: str) -> None:
    """Nothing else happens, whatever stands there."""
    reason = ""
    try:
        assert 1 <= positive_minor_of(text, currency) <= AMOUNT_MINOR_MAX
    except AmountError as error:
        reason = error.reason
    assert reason in {"", "invalid_amount", "too_many_decimals"}


TEXTS = st.lists(st.text("a1:|", max_size=3), max_size=3)
GIVEN = st.lists(st.text("a1:|", max_size=3), min_size=4, max_size=4)


@example(one=([], ["a|", "b", "", ""]), other=([], ["a", "|b", "", ""]))
@example(one=([], ["1:a", "", "", ""]), other=([], ["1", ":a", "", ""]))
@given(one=st.tuples(TEXTS, GIVEN), other=st.tuples(TEXTS, GIVEN))
def test_ids_of_transactions_are_the_same_for_the_same_and_for_no_others(
    one: tuple[list[str], list[str]], other: tuple[list[str], list[str]]
) -> None:
    """Also where the texts run into one another, as `a`, `1` and `a1`, ``: they are measured."""
    assert (payment_id(*one) == payment_id(*other)) == (one == other)
    assert is_id(payment_id(*one))


@given(one=IDS, other=IDS)
def test_ids_of_openings_are_the_same_for_the_same_and_for_no_others(one: str, other: str) -> None:
    """Of accounts with the longest ids, too."""
    assert (opening_id(one) == opening_id(other)) == (one == other)
    assert is_id(opening_id(one))


ROWS = st.lists(
    st.tuples(IDS, IDS, IDS, AMOUNTS, CURRENCIES, st.booleans(), WORDS).filter(
        lambda row: row[1] != row[2] and not row[0].startswith(("screening", "expire"))
    ),
    max_size=8,
    unique_by=lambda row: row[0],
)


@given(rows=ROWS, mark=st.booleans())
def test_payments_that_are_written_as_csv_are_read_back(
    rows: list[tuple[str, str, str, int, str, bool, str]], mark: bool
) -> None:
    """Ids, accounts, exact amounts in either unit, and text with commas and quotes; none twice."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ("id", "source", "destination", "amount", "amount_minor", "currency", "description")
    )
    for command_id, source, destination, minor, currency, in_minor, words in rows:
        amount = ("", str(minor)) if in_minor else (decimal_text(minor, currency), "")
        writer.writerow((command_id, source, destination, *amount, currency, words))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "payments.csv"
        path.write_text(text.getvalue(), encoding="utf-8-sig" if mark else "utf-8", newline="")
        judged = judge(PaymentsCsv(path, TIMES))
        assert judged.faults.kept == []
        commands = [decode_command(one.body) for one in judged.sendable()]
    found = [
        (c.id, p.source, p.destination, p.amount_minor, p.currency, c.description)
        for c in commands
        if isinstance(c, PostPayment)
        for p in c.postings
    ]
    assert found == [(*row[:5], row[6]) for row in rows]


@given(
    country=st.from_regex("[A-Z]{2}", fullmatch=True),
    account=st.from_regex("[A-Z0-9]{11,30}", fullmatch=True),
    place=st.integers(0, 29),
)
def test_an_iban_passes_by_its_check_digits_alone(country: str, account: str, place: int) -> None:
    """The right two pass; with one character of the account changed, they are wrong."""
    digits = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    iban = f"{country}{98 - int(digits) % 97:02}{account}"
    assert is_iban(iban)
    at = 4 + place % len(account)
    changed = "7" if iban[at] != "7" else "8"
    assert not is_iban(iban[:at] + changed + iban[at + 1 :])
    with pytest.raises(AmountError):
        minor_of(iban, "EUR")
