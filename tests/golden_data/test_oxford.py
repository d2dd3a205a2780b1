"""The golden check of a city's payments: the file's totals, as commands and out of the ledger.

Every row becomes a command, and all of them add up to what the file does. One supplier in eight,
and all of whom the file tells something else than payments, go through the code that runs in the
functions, on the adapters in memory. `make run DATA=oxford` sends the whole file through the
deployed stack.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.events import PaymentPosted, decode_event
from ledger.importers import oxford
from tests.golden_data.loading import Loaded, loaded_from, sent

pytestmark = pytest.mark.data

ROWS = 57_692
REFUNDS = 71
SUPPLIERS = 3_485  # besides the rows that name none
TOTAL = Decimal("214044268.12")
SUSPENSE = "oxford:suspense:Z910198"
#: A supplier who only ever got payments is like any other: the more of them, the slower, no more.
ONE_IN = 8


class City(NamedTuple):
    """The file as it is, the file as it was read, what of it is loaded, and the ledger after it."""

    rows: list[dict[str, str]]
    expenditure: oxford.Expenditure
    part: oxford.Expenditure
    ledger: Loaded


@pytest.fixture(scope="module")
def city(shared_data: Path) -> City:
    """The whole file, and what is loaded of it into an empty ledger."""
    expenditure = oxford.read(shared_data / "oxford")
    with gzip.open(expenditure.path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    part = part_of(expenditure)
    return City(rows, expenditure, part, loaded_from(part.source()))


def part_of(expenditure: oxford.Expenditure) -> oxford.Expenditure:
    """All rows of suspense and of suppliers who paid something back, and of one in eight others."""
    peculiar = {row.other for row in expenditure.rows if row.amount_minor < 0} | {SUSPENSE}
    others = sorted({row.other for row in expenditure.rows} - peculiar)
    chosen = peculiar.union(others[::ONE_IN])
    return replace(expenditure, rows=tuple(row for row in expenditure.rows if row.other in chosen))


def file_minor(rows: list[dict[str, str]]) -> dict[str, int]:
    """What the file's rows add up to, by the account of the supplier, the council's being all."""
    sums: Counter[str] = Counter()
    for row in rows:
        account = f"oxford:supplier:{row['supplier_id']}" if row["supplier_id"] else SUSPENSE
        sums[account] += int(Decimal(row["amount"]) * 100)
    return {**sums, oxford.COUNCIL: sum(sums.values())}


def final_minor(city: City) -> dict[str, int]:
    """Every account's balance as projected."""
    return {one.totals.account: one.totals.balance_minor for one in city.ledger.balances.accounts()}


def test_every_row_but_the_zero_one_is_a_payment(city: City) -> None:
    """57,691 commands; the zero row is reported with row, field and reason, and is none."""
    openings, payments = (phase.instructions for phase in city.expenditure.source().phases)
    assert len(city.rows) == ROWS
    assert (len(openings), len(payments)) == (SUPPLIERS + 2, ROWS - 1)
    (fault,) = city.expenditure.faults
    (zero,) = (row for row in city.rows if Decimal(row["amount"]) == 0)
    assert f"{zero['source_file']}:{zero['source_line']}" in fault.place
    assert (fault.field, fault.reason) == ("amount", "invalid_amount")


def test_the_commands_add_up_to_what_the_file_does(city: City) -> None:
    """Of the whole file: to the penny in all, and supplier by supplier, corrections deducted."""
    found: Counter[str] = Counter()
    _, payments = city.expenditure.source().phases
    for instruction in payments.instructions:
        (posting,) = msgspec.json.decode(instruction.body)["postings"]
        found[posting["source"]] -= posting["amount_minor"]
        found[posting["destination"]] += posting["amount_minor"]
    assert -found.pop(oxford.COUNCIL) == TOTAL * 100 == sum(found.values())
    expected = file_minor(city.rows)
    assert expected.pop(oxford.COUNCIL) == TOTAL * 100
    assert found == expected


def test_every_command_is_posted(city: City) -> None:
    """Not one of the commands that are loaded is refused, and not one is a repeat."""
    accounts = {row.other for row in city.part.rows} | {oxford.COUNCIL}
    assert len(city.part.rows) > ROWS // 6
    assert len(accounts) > SUPPLIERS // ONE_IN
    assert city.ledger.outcomes == {"posted": len(city.part.rows), "opened": len(accounts)}


def test_every_supplier_got_what_the_file_says(city: City) -> None:
    """Supplier by supplier, out of the projected balances, corrections deducted; rows without a
    supplier, differences of a penny, are in suspense. The council has spent all of it."""
    found = final_minor(city)
    council = found.pop(oxford.COUNCIL)
    of_the_file = file_minor(city.rows)
    assert found == {account: of_the_file[account] for account in found}
    assert found[SUSPENSE] == 12
    assert council == sum(found.values()) > TOTAL // 6 * 100


def test_corrections_are_refunds_that_say_what_they_correct(city: City) -> None:
    """71 payments to the council, each with its transaction; 17 name the one payment corrected."""
    posted = {
        event.id: event
        for stored in city.ledger.store.events()
        if isinstance(event := decode_event(stored.data), PaymentPosted)
    }
    refunds = [e for e in posted.values() if e.postings[0].destination == oxford.COUNCIL]
    assert len(refunds) == REFUNDS
    named = 0
    for refund in refunds:
        description = str(refund.description)
        assert description.startswith("Correction ")
        original = posted.get(description.split()[2].rstrip(";"))
        if description.startswith("Correction of "):
            assert original is not None
            assert original.postings[0].destination == refund.postings[0].source
            named += 1
        else:
            assert description.split()[3].rstrip(";") in str(refund.reference)
    assert named == 17


def test_the_ledger_verifies(city: City) -> None:
    """Zero sum, dense versions, hash chains and totals, over all events."""
    report = Report()
    verify_store(city.ledger.store, report)
    assert report.ok, report.findings[:5]


def test_loading_again_moves_nothing(city: City) -> None:
    """Of a second load every instruction, or as many as tell (one in ten), is a repeat."""
    source = city.part.source()
    before = final_minor(city)
    assert sent(source, city.ledger.store, every=10) == {"repeat": -(-len(source) // 10)}
    assert final_minor(city) == before
