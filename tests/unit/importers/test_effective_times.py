"""Times that the ledger would refuse for ever are told before anything is sent."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.contracts.commands import OpenAccount, PostPayment, decode_command
from ledger.contracts.primitives import instant_of_microseconds
from ledger.domain.effective_time import FUTURE_TOLERANCE
from ledger.importers import berka, oxford
from ledger.importers.effective_times import AHEAD_MICROSECONDS_MAX, Times
from ledger.importers.instructions import Source
from ledger.importers.iso20022 import pain001
from ledger.importers.payment_file import Judged, judge
from ledger.importers.payments_csv import AccountsCsv, PaymentsCsv
from tests.support.importing import TIMES
from tests.support.messages import usual

LATEST = instant_of_microseconds(TIMES.now + AHEAD_MICROSECONDS_MAX)
TOO_LATE = instant_of_microseconds(TIMES.now + AHEAD_MICROSECONDS_MAX + 1)
#: The day of `usual` messages, as noon; and the evening before it.
DAY_BEFORE = round(datetime(2026, 1, 1, 18, tzinfo=UTC).timestamp()) * 1_000_000


def payments(directory: Path, *times: str, known: Times = TIMES) -> Judged:
    """A file of payments from a to b, effective then, judged."""
    path = directory / "payments.csv"
    rows = [f"p{number},a,b,1,EUR,{time}" for number, time in enumerate(times)]
    path.write_text("\n".join(["id,source,destination,amount,currency,effective_at", *rows]))
    return judge(PaymentsCsv(path, known))


def openings(directory: Path, *rows: str) -> AccountsCsv:
    """A file of accounts to open."""
    path = directory / "accounts.csv"
    path.write_text("\n".join(["account,currency,account_type,effective_at", *rows]))
    return AccountsCsv(path, TIMES)


def faults(found: Judged) -> list[tuple[str, str, str]]:
    """Place, field and reason of all that is wrong."""
    return [(fault.place, fault.field, fault.reason) for fault in found.faults.kept]


def test_the_tolerance_is_the_ledgers() -> None:
    """Else files would be refused that it takes, or sent to be refused for ever."""
    assert AHEAD_MICROSECONDS_MAX == FUTURE_TOLERANCE


def test_what_is_to_come_is_a_fault(tmp_path: Path) -> None:
    """From five minutes ahead on, to the microsecond; in a date that is to come, too."""
    found = payments(tmp_path, LATEST, TOO_LATE, "", "2026-11-22", "2026-11-21T13:05:00+01:00")
    assert faults(found) == [
        ("row 3", "effective_at", "effective_in_future"),
        ("row 5", "effective_at", "effective_in_future"),
    ]
    assert [one.command_id for one in found.sendable()] == ["p0", "p2", "p4"]
    found = judge(openings(tmp_path, f"a,EUR,asset,{LATEST}", f"b,EUR,asset,{TOO_LATE}"))
    assert faults(found) == [("row 3", "effective_at", "effective_in_future")]


def test_a_message_to_be_executed_later_is_refused_by_its_own_words(tmp_path: Path) -> None:
    """The ledger keeps nothing back until that day, and the id is made of the message: it must not
    be used up."""
    path = tmp_path / "message.xml"
    path.write_text(usual())  # to be executed on 2 January 2026
    early = judge(pain001.read(path, Times(DAY_BEFORE)))
    assert [(field, reason) for _, field, reason in faults(early)] == [
        ("ReqdExctnDt", "effective_in_future"),
        ("ReqdExctnDt", "effective_in_future"),
    ]
    six_hours = 6 * 3_600 * 1_000_000
    assert faults(judge(pain001.read(path, Times(DAY_BEFORE + six_hours)))) == []


def test_a_payment_before_the_opening_that_comes_with_it_is_a_fault(tmp_path: Path) -> None:
    """Of either of its accounts; at the very instant it is right. What a row leaves to the ledger
    is not known here."""
    accounts = openings(
        tmp_path, "a,EUR,asset,2026-01-05", "b,EUR,liability,2026-01-07T12:00:00Z", "c,EUR,asset,"
    )
    assert accounts.opened_at() == {
        "a": "2026-01-05T00:00:00.000000Z",
        "b": "2026-01-07T12:00:00.000000Z",
        "c": None,
    }
    known = Times(TIMES.now, accounts.opened_at())
    times = ("2026-01-04", "2026-01-06", "2026-01-07T12:00:00Z", "2026-01-08", "")
    found = payments(tmp_path, *times, known=known)
    assert faults(found) == [
        *(("row 2", "effective_at", "effective_before_opening"),) * 2,
        ("row 3", "effective_at", "effective_before_opening"),
    ]
    assert found.sendable_rows == 3
    why = found.faults.kept[-1].why
    assert "opening of b" in why
    assert "2026-01-07T12:00:00.000000Z" in why
    assert faults(payments(tmp_path, "2001-01-01", known=Times(TIMES.now, {"a": None}))) == []


def berka_source(directory: Path, rows_max: int | None) -> Source:
    """Rows of which an account's later one stands first."""
    rows = (
        "1,11,5,1993-02-01,0,PRIJEM,VKLAD,700.00,700.00,,,,0.00",
        "2,12,6,1993-02-01,0,PRIJEM,VKLAD,700.00,700.00,,,,0.00",
        "3,13,5,1993-01-01,0,PRIJEM,VKLAD,700.00,700.00,,,,0.10",
    )
    with gzip.open(directory / "trans_1993.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join([",".join(berka.COLUMNS), *rows, ""]))
    return berka.read(directory, rows_max=rows_max).source()


def oxford_source(directory: Path, rows_max: int | None) -> Source:
    """The same of the other data set."""
    rows = (
        "q.csv,1,OCC,HRA,Painting,B1,2014-02-01,7_1,10.00,Revenue,5,S-1",
        "q.csv,2,OCC,HRA,Painting,B1,2014-02-01,8_1,10.00,Revenue,6,S-1",
        "q.csv,3,OCC,HRA,Painting,B1,2014-01-07,9_1,10.00,Revenue,5,S-1",
    )
    with gzip.open(directory / oxford.FILE_NAMES[0], "wt", encoding="utf-8") as file:
        file.write("\n".join([",".join(oxford.COLUMNS), *rows, ""]))
    return oxford.read(directory, rows_max=rows_max).source()


@pytest.mark.parametrize("source", [berka_source, oxford_source])
def test_data_sets_open_accounts_before_their_first_payment(
    tmp_path: Path, source: Callable[[Path, int | None], Source]
) -> None:
    """Whatever the order of the rows; and as a whole as in parts, so that a part that is loaded
    first and the whole that follows open every account alike."""
    whole, part = source(tmp_path, None), source(tmp_path, 2)
    opened_at: dict[str, str] = {}
    for instruction in whole:
        command = decode_command(instruction.body)
        if isinstance(command, OpenAccount):
            opened_at[command.account] = str(command.effective_at)
        if isinstance(command, PostPayment):
            for posting in command.postings:
                for account in (posting.source, posting.destination):
                    assert opened_at[account] <= str(command.effective_at)
    assert len(set(opened_at.values())) == 2
    bodies = {instruction.command_id: instruction.body for instruction in whole}
    assert all(bodies[instruction.command_id] == instruction.body for instruction in part)
