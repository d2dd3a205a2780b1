"""Our own CSV formats: what rows become, and what they are refused for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.contracts.commands import OpenAccount, PostPayment, decode_command
from ledger.importers import csv_rows
from ledger.importers.instructions import Instruction, SourceError
from ledger.importers.payment_file import Judged, judge
from ledger.importers.payments_csv import AccountsCsv, PaymentsCsv, account_map, opening_id
from tests.support.importing import TIMES

HEADER = "id,source,destination,amount,currency"
ALL = "id,source,destination,amount,amount_minor,currency,effective_at,reference,description"


def written(directory: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    """A file of these rows."""
    path = directory / "file.csv"
    path.write_bytes("\r\n".join([header, *rows, ""]).encode(encoding))
    return path


def judged(directory: Path, *rows: str, header: str = HEADER) -> Judged:
    """A file of payments, judged."""
    return judge(PaymentsCsv(written(directory, *rows, header=header), TIMES))


def faults(found: Judged) -> list[tuple[str, str, str]]:
    """Place, field and reason of all that is wrong."""
    return [(fault.place, fault.field, fault.reason) for fault in found.faults.kept]


def payment(instruction: Instruction) -> PostPayment:
    """The payment of an instruction."""
    command = decode_command(instruction.body)
    assert isinstance(command, PostPayment)
    return command


def test_a_row_becomes_a_payment(tmp_path: Path) -> None:
    """With all it says, and nothing it does not say; the source is the ordering key."""
    full = 'p1,a,b,12.50,,EUR,2026-01-02T03:04:05+01:00,INV-1,"rent, January"'
    bare = "p2,a,b,,7,JPY,,,"
    day = "p3,a,b,1,,EUR,2026-01-02,,"
    first, second, third = judged(tmp_path, full, bare, day, header=ALL).sendable()
    one, two = payment(first), payment(second)
    posting = one.postings[0]
    assert (posting.source, posting.destination, posting.amount_minor, posting.currency) == (
        "a", "b", 1250, "EUR",
    )  # fmt: skip
    assert (one.id, one.reference, one.description) == ("p1", "INV-1", "rent, January")
    assert one.effective_at == "2026-01-02T02:04:05.000000Z"
    assert two.postings[0].amount_minor == 7
    assert not any(name in second.body for name in (b"effective_at", b"reference", b"description"))
    assert payment(third).effective_at == "2026-01-02T00:00:00.000000Z"
    assert (first.ordering_key, first.origin) == ("a", "row 2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_with_and_without_a_mark(tmp_path: Path, encoding: str) -> None:
    """Excel writes a byte order mark; it is no part of the first column's name."""
    header = f"{HEADER},description"
    path = written(tmp_path, "p1,a,b,1,EUR,Grüße", header=header, encoding=encoding)
    (instruction,) = judge(PaymentsCsv(path, TIMES)).sendable()
    assert payment(instruction).description == "Grüße"


WRONG = {
    "too many decimals": ("p1,a,b,1.005,EUR", "amount", "too_many_decimals"),
    "even zeros": ("p1,a,b,1.000,EUR", "amount", "too_many_decimals"),
    "a yen has none": ("p1,a,b,1.0,JPY", "amount", "too_many_decimals"),
    "a comma": ('p1,a,b,"1,00",EUR', "amount", "invalid_amount"),
    "thousands": ('p1,a,b,"1,000.00",EUR', "amount", "invalid_amount"),
    "a sign": ("p1,a,b,+1,EUR", "amount", "invalid_amount"),
    "scientific": ("p1,a,b,1e3,EUR", "amount", "invalid_amount"),
    "zero": ("p1,a,b,0.00,EUR", "amount", "invalid_amount"),
    "negative": ("p1,a,b,-1,EUR", "amount", "invalid_amount"),
    "other digits": ("p1,a,b,\u0661,EUR", "amount", "invalid_amount"),
    "blank": ("p1,a,b, 1,EUR", "amount", "invalid_amount"),
    "too large": ("p1,a,b,92233720368547758.08,EUR", "amount", "invalid_amount"),
    "no amount": ("p1,a,b,,EUR", "amount", "missing_field"),
    "no currency": ("p1,a,b,1,", "currency", "missing_field"),
    "unknown currency": ("p1,a,b,1,EUX", "currency", "unknown_currency"),
    "no id": (",a,b,1,EUR", "id", "missing_field"),
    "no such id": ("p 1,a,b,1,EUR", "id", "invalid_id"),
    "an id of the ledger's own": ("screening:x:y,a,b,1,EUR", "id", "reserved_id"),
    "no such account": ("p1,a,b!,1,EUR", "destination", "invalid_id"),
    "to itself": ("p1,a,a,1,EUR", "destination", "same_account"),
    "too few": ("p1,a,b,1", "", "wrong_number_of_values"),
    "too many": ("p1,a,b,1,EUR,x", "", "wrong_number_of_values"),
}


@pytest.mark.parametrize(("row", "field", "reason"), WRONG.values(), ids=WRONG)
def test_a_bad_row_is_refused_by_row_field_and_reason(
    tmp_path: Path, row: str, field: str, reason: str
) -> None:
    """Exactly one fault, and the row before is sendable."""
    found = judged(tmp_path, "good,a,b,1,EUR", row)
    assert faults(found) == [("row 3", field, reason)]
    assert [one.command_id for one in found.sendable()] == ["good"]
    assert (found.rows, found.sendable_rows) == (2, 1)


def test_every_fault_of_a_row_is_told_at_once(tmp_path: Path) -> None:
    """Nobody corrects a file fault by fault: each column is named, whatever the others hold."""
    row = "p!,a b,c?,1.001,EUR,today,\t,4111111111111111"
    header = "id,source,destination,amount,currency,effective_at,reference,description"
    assert sorted(faults(judged(tmp_path, row, header=header))) == [
        ("row 2", "amount", "too_many_decimals"),
        ("row 2", "description", "card_number"),
        ("row 2", "destination", "invalid_id"),
        ("row 2", "effective_at", "invalid_time"),
        ("row 2", "id", "invalid_id"),
        ("row 2", "reference", "invalid_text"),
        ("row 2", "source", "invalid_id"),
    ]


def test_a_field_may_have_two_faults(tmp_path: Path) -> None:
    """A card number beside a control character: both are told, and neither's text is."""
    row = 'p1,a,b,1,EUR,"4111111111111111\t","\x7f 4111 1111 1111 1111"'
    found = judged(tmp_path, row, "p2,a,b,1,EUR,x,y", header=f"{HEADER},reference,description")
    assert sorted(faults(found)) == [
        ("row 2", "description", "card_number"),
        ("row 2", "description", "invalid_text"),
        ("row 2", "reference", "card_number"),
        ("row 2", "reference", "invalid_text"),
    ]
    assert "4111" not in str(found.faults.kept)
    assert [one.command_id for one in found.sendable()] == ["p2"]


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ("p1,stand-in:destination,b!,1,EUR", ["destination"]),
        ("p1,a!,stand-in:source,1,EUR", ["source"]),
        ("p1,stand-in:destination,,1,EUR", ["destination"]),
        ("p1,,stand-in:source,1,EUR", ["source"]),
        ("p1,a!,b!,1,EUR", ["source", "destination"]),
        ("p1,stand-in:source,stand-in:source,1,EUR", ["destination"]),
        ("stand-in,stand-in:source,stand-in:destination,0,EUX", ["currency"]),
    ],
)
def test_names_of_stand_ins_are_names_as_others(
    tmp_path: Path, row: str, fields: list[str]
) -> None:
    """Whatever a row calls its accounts: its own faults are told, and no others, and it ends."""
    assert [field for _, field, _ in faults(judged(tmp_path, row))] == fields


def test_a_row_longer_than_any_command_is_refused_as_a_whole(tmp_path: Path) -> None:
    """What is wrong with it is no field's: it has one fault, and the rows behind it are judged."""
    row = f"p1,a,b,1,EUR,{'é' * 40_000}"
    found = judged(tmp_path, row, "p2,a,b,1.001,EUR,", header=f"{HEADER},description")
    assert faults(found) == [
        ("row 2", "", "payload_too_large"),
        ("row 3", "amount", "too_many_decimals"),
    ]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("p1,a,b,1,1,EUR", "amount", "invalid_amount"),
        ("p1,a,b,,1.5,EUR", "amount_minor", "invalid_amount"),
        ("p1,a,b,,0,EUR", "amount_minor", "invalid_amount"),
        ("p1,a,b,,none,EUR", "amount_minor", "invalid_amount"),
        ("p1,a,b,,,EUR", "amount", "missing_field"),
        ("p1,a,b,,9223372036854775808,EUR", "amount_minor", "invalid_amount"),
    ],
)
def test_an_amount_is_given_in_one_of_two_units(
    tmp_path: Path, row: str, field: str, reason: str
) -> None:
    """In both, or in neither, or wrongly: refused under the column that was used."""
    header = "id,source,destination,amount,amount_minor,currency"
    assert faults(judged(tmp_path, row, header=header)) == [("row 2", field, reason)]


def test_an_id_twice_is_a_repeat_if_the_rows_agree_and_else_refused(tmp_path: Path) -> None:
    """Of rows that differ none is sent: which is meant, nobody knows. Order of columns is no
    difference."""
    same = "p1,a,b,1.0,EUR"
    found = judged(tmp_path, same, "p2,a,b,1,EUR", "p1,a,b,1.00,EUR")
    assert [(one.command_id, one.expected) for one in found.sendable()] == [
        ("p1", "posted"),
        ("p2", "posted"),
        ("p1", "repeat"),
    ]
    differing = judged(tmp_path, same, "p2,a,b,1,EUR", "p1,a,b,2,EUR", same)
    assert faults(differing) == [("row 4", "id", "duplicate_id")]
    assert [one.command_id for one in differing.sendable()] == ["p2"]
    assert (differing.rows, differing.sendable_rows) == (4, 1)


def test_a_file_that_changes_meanwhile_is_not_sent_on(tmp_path: Path) -> None:
    """Each row is sent only as it was judged; a row that was not judged is not sent."""
    found = judged(tmp_path, "p1,a,b,1,EUR", "p2,a,b,1,EUR")
    sending = found.sendable()
    assert next(sending).command_id == "p1"
    written(tmp_path, "p1,a,b,1,EUR", "p2,a,b,1000,EUR")
    for changed in (found.sendable(), judged(tmp_path, "p9,a,b,1,EUR").sendable()):
        written(tmp_path, "p1,a,b,1,EUR", "p2,a,b,1000,EUR")
        with pytest.raises(SourceError, match="changed") as refused:
            list(changed)
        assert refused.value.reason == "file_changed"


@pytest.mark.parametrize(
    ("content", "reason", "why"),
    [
        (b"", "wrong_columns", "without 'id'"),
        (b"id;source;destination;amount;currency\n", "wrong_columns", "comma-separated"),
        (b"id,source,destination,amount,currency,fee\n", "wrong_columns", "unknown 'fee'"),
        (b"id,id,source,destination,amount,currency\n", "wrong_columns", "twice 'id'"),
        (HEADER.encode() + b"\np1,a,b,\xff,EUR\n", "unreadable_source", "not UTF-8"),
        (HEADER.encode("utf-16"), "unreadable_source", "not UTF-8"),
        (HEADER.encode() + b'\n"p1,a,b,1,EUR\n', "unreadable_source", "not CSV"),
        (HEADER.encode() + b'\n"p1"x,a,b,1,EUR\n', "unreadable_source", "not CSV"),
        (HEADER.encode() + b"\n" + b"x" * 70_000, "file_too_large", "longer than"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(
    tmp_path: Path, content: bytes, reason: str, why: str
) -> None:
    """By a reason of its own, with the line where it was noticed."""
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=why) as refused:
        judge(PaymentsCsv(path, TIMES))
    assert refused.value.reason == reason
    assert str(path) in str(refused.value)


def test_a_file_has_a_greatest_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row more is refused; blank lines are no rows."""
    monkeypatch.setattr(csv_rows, "ROWS_MAX", 2)
    assert judged(tmp_path, "p1,a,b,1,EUR", "p2,a,b,1,EUR").rows == 2
    with pytest.raises(SourceError, match="more than 2 rows"):
        judged(tmp_path, "p1,a,b,1,EUR", "p2,a,b,1,EUR", "p3,a,b,1,EUR")
    assert judged(tmp_path, "p1,a,b,1,EUR", "").rows == 1
    assert judged(tmp_path).rows == 0


ACCOUNTS = "account,currency,account_type,min_balance,max_balance,effective_at"


def opened(directory: Path, *rows: str, header: str = ACCOUNTS) -> list[OpenAccount]:
    """The openings of a file without faults."""
    found = judge(AccountsCsv(written(directory, *rows, header=header), TIMES))
    assert found.faults.kept == []
    commands = [decode_command(one.body) for one in found.sendable()]
    return [command for command in commands if isinstance(command, OpenAccount)]


def test_a_row_opens_an_account(tmp_path: Path) -> None:
    """Bounds in major units, `none` for no bound, the ledger's defaults for what is left out."""
    bounded, unbounded, plain = opened(
        tmp_path,
        "a,EUR,asset,-10.5,1000,2026-01-01",
        "b,JPY,liability,none,none,",
        "c,EUR,liability,,,",
    )
    assert (bounded.min_balance_minor, bounded.max_balance_minor) == (-1050, 100_000)
    assert (bounded.account_type, bounded.currency) == ("asset", "EUR")
    assert bounded.effective_at == "2026-01-01T00:00:00.000000Z"
    assert (unbounded.min_balance_minor, unbounded.max_balance_minor) == (None, None)
    assert plain.min_balance_minor is plain.max_balance_minor
    assert plain.min_balance_minor not in {None, 0}
    assert [one.id for one in (bounded, unbounded, plain)] == ["open:a", "open:b", "open:c"]
    header = "id,account,currency,account_type,min_balance_minor"
    (named,) = opened(tmp_path, "my-id,a,EUR,asset,-5", header=header)
    assert (named.id, named.min_balance_minor) == ("my-id", -5)


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("a,EUR,savings,,,", "account_type", "invalid_account_type"),
        ("a!,EUR,asset,,,", "account", "invalid_id"),
        ("a,EUX,asset,1.00,,", "currency", "unknown_currency"),
        ("a,EUR,asset,1.001,,", "min_balance", "too_many_decimals"),
        ("a,EUR,asset,5,,", "min_balance_minor", "invalid_limits"),
        ("a,EUR,asset,,all,", "max_balance", "invalid_amount"),
        ("a,EUR,asset,,,yesterday", "effective_at", "invalid_time"),
        (",EUR,asset,,,", "account", "missing_field"),
    ],
)
def test_a_bad_account_is_refused_by_row_field_and_reason(
    tmp_path: Path, row: str, field: str, reason: str
) -> None:
    """As payments are; an id that was made from the account is not blamed as well."""
    found = judge(AccountsCsv(written(tmp_path, row, header=ACCOUNTS), TIMES))
    assert ("row 2", field, reason) in faults(found)
    assert {name for _, name, _ in faults(found)} <= {field}


def test_the_id_of_an_opening_is_made_from_its_account() -> None:
    """As it is where there is room, else by a hash; always an id, and no two the same."""
    longest, almost = "x" * 64, "x" * 59
    assert opening_id(almost) == f"open:{almost}"
    assert len(opening_id(almost)) == 64
    assert opening_id(longest).startswith("open:")
    assert len(opening_id(longest)) == 45
    assert opening_id(longest) != opening_id("x" * 63)


def test_an_account_map_names_each_identification_once(tmp_path: Path) -> None:
    """Blanks in an IBAN are none, and its letters are capitals; those of another identification
    are its own. One that is there twice, or half, is refused."""
    header = "identification,account"
    iban = "de89 3704 0044 0532 0130 00"
    path = written(tmp_path, f"{iban},a", "shop-7,b", "Acc 42,c", "ACC42,d", header=header)
    assert account_map(path) == {
        "DE89370400440532013000": "a",
        "shop-7": "b",
        "Acc 42": "c",
        "ACC42": "d",
    }
    for rows, why in (
        (("x,a", "x,b"), "there already"),
        ((f"{iban},a", "DE89370400440532013000,b"), "there already"),
        (("x,",), "both values"),
        (("x",), "1 values for 2"),
    ):
        with pytest.raises(SourceError, match=why):
            account_map(written(tmp_path, *rows, header=header))
