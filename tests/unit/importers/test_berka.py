"""The Berka importer: rows to payments, on made-up files (the real one is in tests/golden_data)."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ledger.contracts.commands import OpenAccount, PostPayment, decode_command
from ledger.importers import berka
from ledger.importers.instructions import POSTED, SourceError

HEADER = ",".join(berka.COLUMNS)
DEPOSIT = "1,11,5,1993-01-01,0,PRIJEM,VKLAD,700.00,700.00,,,,0.00"


def written(directory: Path, *rows: str, header: str = HEADER) -> Path:
    """A directory with the file of these rows."""
    with gzip.open(directory / "trans_1993.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join([header, *rows]) + "\n")
    return directory


def only_payment(directory: Path, row: str) -> PostPayment:
    """The payment of a file's one row."""
    statement = berka.read(written(directory, row))
    (instruction,) = statement.source().phases[1].instructions
    command = decode_command(instruction.body)
    assert isinstance(command, PostPayment)
    return command


def moved(payment: PostPayment) -> list[tuple[str, str, int]]:
    """The postings, without their currency (always CZK)."""
    assert {posting.currency for posting in payment.postings} == {"CZK"}
    return [(p.source, p.destination, p.amount_minor) for p in payment.postings]


MAPPING = {
    "cash in": ("PRIJEM,VKLAD,9.90,9.90,,,,0.00", "berka:bank:cash", True),
    "cash out": ("VYDAJ,VYBER,9.90,9.90,,,,0.00", "berka:bank:cash", False),
    "cash out, type VYBER": ("VYBER,VYBER,9.90,9.90,,,,0.00", "berka:bank:cash", False),
    "cash out, blank symbol": ("VYDAJ,VYBER,9.90,9.90, ,,,0.00", "berka:bank:cash", False),
    "cash out, symbol SIPO": ("VYDAJ,VYBER,9.90,9.90,SIPO,,,0.00", "berka:bank:cash", False),
    "card": ("VYDAJ,VYBER KARTOU,9.90,9.90,,,,0.00", "berka:bank:card-settlement", False),
    "pension": (
        "PRIJEM,PREVOD Z UCTU,9.90,9.90,DUCHOD,ST,77,0.00",
        "berka:external:ST:77",
        True,
    ),
    "transfer in": ("PRIJEM,PREVOD Z UCTU,9.90,9.90,,ST,77,0.00", "berka:external:ST:77", True),
    "household": (
        "VYDAJ,PREVOD NA UCET,9.90,9.90,SIPO,YZ,87144583,0.00",
        "berka:external:YZ:87144583",
        False,
    ),
    "transfer out, blank symbol": (
        "VYDAJ,PREVOD NA UCET,9.90,9.90, ,YZ,8,0.00",
        "berka:external:YZ:8",
        False,
    ),
    "interest, no operation": ("PRIJEM,,9.90,9.90,UROK,,,0.00", "berka:bank:interest", True),
    "fee": ("VYDAJ,VYBER,9.90,9.90,SLUZBY,,,0.00", "berka:bank:fees", False),
    "penalty": ("VYDAJ,VYBER,9.90,9.90,SANKC. UROK,,,0.00", "berka:bank:penalties", False),
}


@pytest.mark.parametrize(("row", "other", "into"), MAPPING.values(), ids=MAPPING)
def test_each_kind_of_row_moves_between_the_customer_and_its_counterpart(
    tmp_path: Path, row: str, other: str, into: bool
) -> None:
    """k_symbol decides first, stripped of blanks, then operation; type gives the direction."""
    payment = only_payment(tmp_path, f"1,11,5,1993-02-03,0,{row}")
    customer = "berka:account:5"
    expected = (other, customer, 990) if into else (customer, other, 990)
    assert moved(payment) == [expected]
    assert payment.id == "berka:trans:11"
    assert payment.effective_at == "1993-02-03T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("rounding", "posting"),
    [
        ("0.10", ("berka:bank:rounding", "berka:account:5", 10)),
        ("-0.10", ("berka:account:5", "berka:bank:rounding", 10)),
    ],
)
@pytest.mark.parametrize("row", ["PRIJEM,,28.20,28.10,UROK,,,", "VYDAJ,VYBER,5.00,1.00,,,,"])
def test_a_rounding_is_a_second_posting_in_its_own_direction(
    tmp_path: Path, row: str, rounding: str, posting: tuple[str, str, int]
) -> None:
    """What the balance moved beyond the amount: positive is to the customer, whatever the row."""
    payment = only_payment(tmp_path, f"1,11,5,1993-01-31,0,{row}{rounding}")
    assert moved(payment)[1:] == [posting]


def test_accounts_open_once_on_the_day_of_their_first_row_with_their_floors(tmp_path: Path) -> None:
    """A customer's floor is 0, or the lowest balance in the whole file even if loaded in part."""
    directory = written(
        tmp_path,
        DEPOSIT,
        "2,12,6,1993-01-02,0,PRIJEM,VKLAD,50.00,50.00,,,,0.10",
        "3,13,6,1993-01-03,0,VYDAJ,VYBER,100.00,-49.90,,,,0.00",
        "4,14,5,1993-01-04,0,VYDAJ,PREVOD NA UCET,1.00,699.00,,AB,1,0.00",
    )
    whole, part = berka.read(directory), berka.read(directory, rows_max=2)
    openings = {
        opening.account: opening
        for instruction in whole.source().phases[0].instructions
        if isinstance(opening := decode_command(instruction.body), OpenAccount)
    }
    assert {
        a: (o.account_type, o.min_balance_minor, str(o.effective_at)[:10])
        for a, o in openings.items()
    } == {
        "berka:account:5": ("liability", 0, "1993-01-01"),
        "berka:account:6": ("liability", -4990, "1993-01-02"),
        "berka:bank:cash": ("asset", None, "1993-01-01"),
        "berka:bank:rounding": ("expense", None, "1993-01-02"),
        "berka:external:AB:1": ("liability", None, "1993-01-04"),
    }
    every = {one.command_id: one for one in whole.source()}
    assert len(part.rows) == 2
    assert all(every[one.command_id] == one for one in part.source())


def test_rows_become_ordered_instructions_keyed_by_customer(tmp_path: Path) -> None:
    """File order, the customer as ordering key, the row's line as origin, all expected to post."""
    second = "2,12,6,1993-01-02,0,PRIJEM,,1.00,1.00,UROK,,,0.00"
    accounts, payments = berka.read(written(tmp_path, DEPOSIT, second)).source().phases
    assert not accounts.ordered
    assert payments.ordered
    assert [
        (one.ordering_key, one.origin, one.expected, one.command_id)
        for one in payments.instructions
    ] == [
        ("berka:account:5", "trans_1993.csv.gz:2", POSTED, "berka:trans:11"),
        ("berka:account:6", "trans_1993.csv.gz:3", POSTED, "berka:trans:12"),
    ]


BROKEN = {
    "amount": ("1,11,5,1993-01-01,0,PRIJEM,VKLAD,7e2,700.00,,,,0.00", "amount '7e2'"),
    "zero": ("1,11,5,1993-01-01,0,PRIJEM,VKLAD,0.00,0.00,,,,0.00", "not above zero"),
    "negative": ("1,11,5,1993-01-01,0,PRIJEM,VKLAD,-1.00,0.00,,,,0.00", "not above zero"),
    "one digit": ("1,11,5,1993-01-01,0,PRIJEM,VKLAD,1.0,1.00,,,,0.00", "two fraction digits"),
    "day": ("1,11,5,1993-13-01,0,PRIJEM,VKLAD,1.00,1.00,,,,0.00", "date '1993-13-01'"),
    "type": ("1,11,5,1993-01-01,0,CREDIT,VKLAD,1.00,1.00,,,,0.00", "type 'CREDIT'"),
    "operation": ("1,11,5,1993-01-01,0,PRIJEM,MAGIC,1.00,1.00,,,,0.00", "operation 'MAGIC'"),
    "no operation": ("1,11,5,1993-01-01,0,PRIJEM,,1.00,1.00,,,,0.00", "operation ''"),
    "direction": ("1,11,5,1993-01-01,0,VYDAJ,VKLAD,1.00,1.00,,,,0.00", "contradicts"),
    "bank": ("1,11,5,1993-01-01,0,PRIJEM,PREVOD Z UCTU,1.00,1.00,,,7,0.00", "bank ''"),
    "account": ("1,11,5,1993-01-01,0,PRIJEM,PREVOD Z UCTU,1.00,1.00,,AB,,0.00", "account ''"),
    "trans_id": ("1,x 1,5,1993-01-01,0,PRIJEM,VKLAD,1.00,1.00,,,,0.00", "trans_id 'x 1'"),
    "sequence": ("2,11,5,1993-01-01,0,PRIJEM,VKLAD,1.00,1.00,,,,0.00", "replay_seq"),
    "columns": ("1,11,5,1993-01-01", "4 values instead of 13"),
    "quotes": ('1,11,5,"1993-01-01', "unexpected end of data"),
}


@pytest.mark.parametrize(("row", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_row_is_refused_with_its_line(tmp_path: Path, row: str, why: str) -> None:
    """The error names the file, the line and what is wrong there; nothing is loaded."""
    with pytest.raises(SourceError) as caught:
        berka.read(written(tmp_path, row))
    assert "trans_1993.csv.gz:2: " in str(caught.value)
    assert why in str(caught.value)


def test_a_row_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    """Two rows with one trans_id would be one payment, and the second silently lost."""
    again = DEPOSIT.replace("1,11", "2,11", 1)
    with pytest.raises(SourceError, match=r":3: trans_id 11 occurs twice"):
        berka.read(written(tmp_path, DEPOSIT, again))


def test_a_file_that_is_not_one_is_refused(tmp_path: Path) -> None:
    """Absent directory, absent file, other columns, no rows, not gzip, cut short, not UTF-8."""
    with pytest.raises(SourceError, match="no such directory"):
        berka.read(tmp_path / "absent")
    with pytest.raises(SourceError, match=r"holds neither trans_1993\.csv\.gz nor"):
        berka.read(tmp_path)
    with pytest.raises(SourceError, match=":1: the columns must be replay_seq,trans_id"):
        berka.read(written(tmp_path, DEPOSIT, header="a,b"))
    with pytest.raises(SourceError, match="has no rows"):
        berka.read(written(tmp_path))
    path = tmp_path / "trans_1993.csv.gz"
    path.write_bytes(b"not gzip at all")
    with pytest.raises(SourceError, match="cannot be read"):
        berka.read(tmp_path)
    whole = gzip.compress(f"{HEADER}\n{DEPOSIT}".encode())
    path.write_bytes(whole[:-12])
    with pytest.raises(SourceError, match="cannot be read"):
        berka.read(tmp_path)
    path.write_bytes(gzip.compress(HEADER.encode() + b"\n1,\xff"))
    with pytest.raises(SourceError, match="cannot be read"):
        berka.read(tmp_path)


def test_an_unpacked_file_is_read_too(tmp_path: Path) -> None:
    """The file's name decides: `trans_1993.csv` is plain text."""
    (tmp_path / "trans_1993.csv").write_text(f"{HEADER}\n{DEPOSIT}\n", encoding="utf-8")
    assert len(berka.read(tmp_path).rows) == 1
