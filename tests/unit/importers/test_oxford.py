"""The Oxford importer: rows to payments, on made-up files (tests/golden_data has the real)."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ledger.contracts.commands import OpenAccount, PostPayment, decode_command
from ledger.importers import oxford
from ledger.importers.instructions import POSTED, SourceError

HEADER = ",".join(oxford.COLUMNS)


def row(
    line: int,
    amount: str,
    *,
    trans_no: str = "46279666_1",
    supplier: str = "20000233",
    day: str = "2014-01-07",
    code: str = "B1184",
    file: str = "q1-2014.csv",
) -> str:
    """A row of the file."""
    return f"{file},{line},OCC,HRA,Painting,{code},{day},{trans_no},{amount},Revenue,{supplier},S-1"


def written(directory: Path, *rows: str, header: str = HEADER) -> Path:
    """A directory with the file of these rows."""
    with gzip.open(directory / oxford.FILE_NAMES[0], "wt", encoding="utf-8") as file:
        file.write("\n".join([header, *rows]) + "\n")
    return directory


def payments(directory: Path) -> list[PostPayment]:
    """The payments of the file in `directory`."""
    instructions = oxford.read(directory).source().phases[1].instructions
    commands = [decode_command(instruction.body) for instruction in instructions]
    return [command for command in commands if isinstance(command, PostPayment)]


def moved(payment: PostPayment) -> tuple[str, str, int, str]:
    """The payment's one posting."""
    (posting,) = payment.postings
    return posting.source, posting.destination, posting.amount_minor, posting.currency


def test_a_payment_goes_from_the_council_to_the_supplier(tmp_path: Path) -> None:
    """In pence, exactly; with what it was for, when, and an id that is file and line."""
    (payment,) = payments(written(tmp_path, row(288, "62277.16")))
    assert moved(payment) == ("oxford:council", "oxford:supplier:20000233", 6_227_716, "GBP")
    assert payment.id == "oxford:q1-2014.csv:288"
    assert payment.effective_at == "2014-01-07T00:00:00.000000Z"
    assert (payment.reference, payment.description) == ("46279666_1", "HRA: Painting (B1184)")


def test_a_correction_is_a_refund_that_names_what_it_corrects(tmp_path: Path) -> None:
    """The one payment of its transaction to the same supplier, also one that stands behind it."""
    _, refund, _ = payments(
        written(
            tmp_path,
            row(1, "100.00", trans_no="7_0"),
            row(2, "-30.50", trans_no="8 - 2"),
            row(3, "90.00", trans_no="8 - 1"),
        )
    )
    assert moved(refund) == ("oxford:supplier:20000233", "oxford:council", 3_050, "GBP")
    assert refund.description == "Correction of oxford:q1-2014.csv:3; HRA B1184"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (("8_0", "8_1"), "Correction in transaction 8 (2 payments); HRA B1184"),
        (("9_0",), "Correction in transaction 8; HRA B1184"),
    ],
)
def test_a_correction_of_no_one_payment_says_so(
    tmp_path: Path, others: tuple[str, ...], said: str
) -> None:
    """The file does not tell which of several is meant: the transaction is named."""
    rows = [row(n, "100.00", trans_no=trans_no) for n, trans_no in enumerate(others, start=1)]
    *_, refund = payments(written(tmp_path, *rows, row(9, "-1.00", trans_no="8_2")))
    assert refund.description == said


def test_a_row_without_supplier_is_kept_in_suspense(tmp_path: Path) -> None:
    """By expenditure code, in both directions, on an account without a lowest balance."""
    directory = written(
        tmp_path,
        row(1, "-0.01", supplier="", code="Z910198"),
        row(2, "0.01", supplier="", code="Z910198"),
    )
    first, second = payments(directory)
    suspense = "oxford:suspense:Z910198"
    assert moved(first) == (suspense, "oxford:council", 1, "GBP")
    assert moved(second) == ("oxford:council", suspense, 1, "GBP")
    openings = [
        decode_command(one.body) for one in oxford.read(directory).source().phases[0].instructions
    ]
    assert {
        opening.account: (opening.account_type, opening.min_balance_minor)
        for opening in openings
        if isinstance(opening, OpenAccount)
    } == {oxford.COUNCIL: ("expense", 0), suspense: ("liability", None)}


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("0.00", "invalid_amount"), ("1.005", "too_many_decimals"), ("1,00", "invalid_amount")],
)
def test_a_row_that_is_no_payment_is_reported(tmp_path: Path, amount: str, reason: str) -> None:
    """With row, field and reason; the others are loaded. It is no exception."""
    quoted = amount if "," not in amount else f'"{amount}"'
    expenditure = oxford.read(written(tmp_path, row(7, quoted), row(8, "1.00")))
    (fault,) = expenditure.faults
    assert (fault.place, fault.field, fault.reason) == ("row 2 (q1-2014.csv:7)", "amount", reason)
    assert [one.payment_id for one in expenditure.rows] == ["oxford:q1-2014.csv:8"]
    assert expenditure.source().faults == (fault,)


def test_a_part_of_the_file_is_a_part_of_the_whole(tmp_path: Path) -> None:
    """Same ids, same commands: the rest can be loaded later. Faults count as rows."""
    directory = written(
        tmp_path, row(1, "0.00"), row(2, "5.00"), row(3, "-1.00"), row(4, "2.00", supplier="9")
    )
    whole, part = oxford.read(directory), oxford.read(directory, rows_max=3)
    every = {one.command_id: one for one in whole.source()}
    assert [one.payment_id for one in part.rows] == ["oxford:q1-2014.csv:2", "oxford:q1-2014.csv:3"]
    assert len(part.faults) == 1
    assert all(every[one.command_id] == one for one in part.source())
    assert oxford.read(directory, rows_max=1_000).rows == whole.rows


def test_rows_become_ordered_instructions_with_their_balances(tmp_path: Path) -> None:
    """The supplier is the ordering key: a refund comes behind what was paid. The totals are what
    every account must have in the end."""
    directory = written(
        tmp_path, row(1, "5.00"), row(2, "-1.25"), row(3, "2.00", supplier="20000000_46283876")
    )
    source = oxford.read(directory).source()
    accounts, found = source.phases
    assert (accounts.ordered, found.ordered) == (False, True)
    assert [one.ordering_key for one in found.instructions] == [
        "oxford:supplier:20000233",
        "oxford:supplier:20000233",
        "oxford:supplier:20000000_46283876",
    ]
    assert {one.expected for one in found.instructions} == {POSTED}
    assert source.balances_minor == {
        "oxford:council": 575,
        "oxford:supplier:20000233": 375,
        "oxford:supplier:20000000_46283876": 200,
    }


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((row(1, "1.00"), row(1, "2.00")), "occur twice"),
        ((row(1, "1.00", day="2014-02-30"),), "paid_date"),
        ((row(1, "1.00", trans_no="x"),), "trans_no"),
        ((row(1, "1.00", supplier="a b"),), "supplier_id"),
        ((row(1, "1.00", code="-"),), "expenditure_code"),
        ((row(1, "1.00", file="a:b"),), "source_file"),
        ((row(0, "1.00"),), "source_line"),
        (("too,few",), "2 values instead of 12"),
        ((row(1, "0.00"),), "no rows that are payments"),
    ],
)
def test_a_file_that_is_not_as_it_was_is_refused(
    tmp_path: Path, rows: tuple[str, ...], why: str
) -> None:
    """With the line and what is wrong there."""
    with pytest.raises(SourceError, match=why):
        oxford.read(written(tmp_path, *rows))


def test_a_file_that_is_not_there_or_another_is_refused(tmp_path: Path) -> None:
    """No directory, no file, other columns, or cut off."""
    for directory, why in ((tmp_path / "no", "no such directory"), (tmp_path, "holds neither")):
        with pytest.raises(SourceError, match=why):
            oxford.read(directory)
    with pytest.raises(SourceError, match="the columns must be"):
        oxford.read(written(tmp_path, header="a,b"))
    path = written(tmp_path, row(1, "1.00")) / oxford.FILE_NAMES[0]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SourceError, match="cannot be read"):
        oxford.read(tmp_path)
