"""Whatever stands in a file: it is read, or refused with reasons. Nothing else ever happens."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.contracts.reasons import BY_CODE
from ledger.importers.faults import REASONS
from ledger.importers.instructions import SourceError
from ledger.importers.iso20022 import pain001
from ledger.importers.payment_file import PaymentFile, judge
from ledger.importers.payments_csv import (
    ACCOUNT_COLUMNS,
    ACCOUNT_COLUMNS_OPTIONAL,
    PAYMENT_COLUMNS,
    PAYMENT_COLUMNS_OPTIONAL,
    AccountsCsv,
    PaymentsCsv,
)
from tests.support.importing import TIMES
from tests.support.messages import usual

KNOWN = {*REASONS, *BY_CODE}
MESSAGE = usual()
PIECES = st.sampled_from(
    ["<", ">", "</", "/>", "&", "&amp;", "&x;", "<!DOCTYPE x>", "<![CDATA[", "<?x?>", "<!-- -->",
     ' xsi:type="x:Y" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', ' Ccy="XXX"',
     ' xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', "1E999999", "NaN",
     "-0", "Infinity", "<Amt/>", "<Othr><Id/></Othr>", "9" * 400, "\ufffd", "é", "", " "]
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.integers(0, len(MESSAGE)), st.integers(0, 40), PIECES), min_size=1, max_size=3
)


def judged(file: PaymentFile) -> None:
    """Every fault has a known reason, and what is without one can be sent."""
    found = judge(file)
    assert {fault.reason for fault in found.faults.kept} <= KNOWN
    assert all(fault.place and fault.why for fault in found.faults.kept)
    assert len(list(found.sendable())) == found.sendable_rows


@given(edits=EDITS)
@example(edits=[(MESSAGE.index(">12.50"), 0, ' xsi:type="x:Y" xmlns:xsi="http://w.org/"')])
@example(edits=[(MESSAGE.index("12.50"), 5, "1E999999")])
@example(edits=[(MESSAGE.index("12.50"), 5, "9" * 400)])
@example(edits=[(MESSAGE.index("12.50"), 5, "NaN")])
@example(edits=[(MESSAGE.index("<NbOfTxs>") + 9, 1, "9" * 400)])
def test_any_message_is_read_or_refused(edits: list[tuple[int, int, str]]) -> None:
    """A message with pieces cut out and others put in."""
    content = MESSAGE
    for start, length, piece in edits:
        content = content[:start] + piece + content[start + length :]
    with TemporaryDirectory() as directory:
        path = Path(directory) / "message.xml"
        path.write_text(content, encoding="utf-8")
        try:
            message = pain001.read(path, TIMES)
        except SourceError as error:
            reason = error.reason
        else:
            reason = ""
            judged(message)
    assert reason in {"", *REASONS}


ROWS = "id,source,destination,amount,currency\np1,a,b,1.00,EUR\np2,b,a,2,EUR\n"
ACCOUNTS = "account,currency,account_type,min_balance\na,EUR,asset,none\n"
CELLS = st.sampled_from([",", '"', "\n", "\r", "\x00", "é", "1e5", "-", "none", "p1", "", "EUX"])


@given(
    edits=st.lists(st.tuples(st.integers(0, 70), st.integers(0, 9), CELLS), max_size=4),
    tail=st.binary(max_size=12),
)
def test_any_rows_are_read_or_refused(edits: list[tuple[int, int, str]], tail: bytes) -> None:
    """Files of payments and of accounts, with pieces cut out and any bytes behind them."""
    for start_content, kind in ((ROWS, PaymentsCsv), (ACCOUNTS, AccountsCsv)):
        content = start_content
        for start, length, piece in edits:
            content = content[:start] + piece + content[start + length :]
        with TemporaryDirectory() as directory:
            path = Path(directory) / "file.csv"
            path.write_bytes(content.encode() + tail)
            reason = ""
            try:
                judged(kind(path, TIMES))
            except SourceError as error:
                reason = error.reason
        assert reason in {"", *REASONS}


VALUES = st.sampled_from(
    ["", "a", "b", "p1", "EUR", "EUX", "asset", "1", "-1", "0.001", "none", "9" * 19, "2026-02-30",
     "0001-01-01T00:00:00+23:59", "stand-in", "stand-in:source", "stand-in:destination",
     "screening:", "screening:\n", "4111 1111 1111 1111", "\t4111111111111111", "\x7f", " ", "\x00",
     "\u0663", "x" * 141]
)  # fmt: skip
ROW_LENGTH = len(PAYMENT_COLUMNS + PAYMENT_COLUMNS_OPTIONAL)
FORMS = (
    (PAYMENT_COLUMNS + PAYMENT_COLUMNS_OPTIONAL, PaymentsCsv),
    (ACCOUNT_COLUMNS + ACCOUNT_COLUMNS_OPTIONAL, AccountsCsv),
)


@given(rows=st.lists(st.lists(VALUES, min_size=ROW_LENGTH, max_size=ROW_LENGTH), max_size=3))
@example(rows=[["p1", "stand-in:destination", "\x7f", "EUR", "1", "", "", "", ""]])
@example(rows=[["p1", "a", "b", "EUR", "1", "", "", "\t4111111111111111", "x"]])
@example(rows=[["p1", "a", "b", "EUR", "1", "", "", "", "\U0001f600" * 16_000 + "x" * 141]])
def test_rows_of_any_values_are_read_or_refused(rows: list[list[str]]) -> None:
    """Each column may hold what another should, several faults, and names of the reader's own."""
    for columns, kind in FORMS:
        with TemporaryDirectory() as directory:
            path = Path(directory) / "file.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([columns, *rows])
            judged(kind(path, TIMES))
