"""The golden check of a city's payments: every total of the file, out of the ledger's projections.

All rows go through the code that runs in the functions, on the adapters in memory. `make run
DATA=oxford` does the same through the deployed stack.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

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


class City(NamedTuple):
    """The file as it is, the file as it was read, and the ledger after it."""

    rows: list[dict[str, str]]
    expenditure: oxford.Expenditure
    ledger: Loaded


@pytest.fixture(scope="module")
def city(shared_data: Path) -> City:
    """The whole file, loaded into an empty ledger."""
    expenditure = oxford.read(shared_data / "oxford")
    with gzip.open(expenditure.path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return City(rows, expenditure, loaded_from(expenditure.source()))


def final_minor(city: City) -> dict[str, int]:
    """Every account's balance as projected."""
    return {one.totals.account: one.totals.balance_minor for one in city.ledger.balances.accounts()}


def test_every_row_but_the_zero_one_is_posted(city: City) -> None:
    """57,691 payments; the zero row is reported with row, field and reason, and is none."""
    assert len(city.rows) == ROWS
    assert city.ledger.outcomes == {"posted": ROWS - 1, "opened": SUPPLIERS + 2}
    (fault,) = city.expenditure.faults
    (zero,) = (row for row in city.rows if Decimal(row["amount"]) == 0)
    assert f"{zero['source_file']}:{zero['source_line']}" in fault.place
    assert (fault.field, fault.reason) == ("amount", "invalid_amount")


def test_the_council_has_spent_what_the_file_adds_up_to(city: City) -> None:
    """To the penny, from the projected balance; and the ledger's own sum is zero."""
    assert sum(Decimal(row["amount"]) for row in city.rows) == TOTAL
    balances = final_minor(city)
    assert Decimal(balances[oxford.COUNCIL]) / 100 == TOTAL
    assert sum(balances.values()) == 2 * balances[oxford.COUNCIL]


def test_every_supplier_got_what_the_file_says(city: City) -> None:
    """Supplier by supplier, corrections deducted; penny differences without one are in suspense."""
    expected: Counter[str] = Counter()
    for row in city.rows:
        account = f"oxford:supplier:{row['supplier_id']}" if row["supplier_id"] else "suspense"
        expected[account] += int(Decimal(row["amount"]) * 100)
    found = final_minor(city)
    council, suspense = found.pop(oxford.COUNCIL), found.pop("oxford:suspense:Z910198")
    assert found | {"suspense": suspense} == dict(expected)
    assert (council, suspense, len(found)) == (int(TOTAL * 100), 12, SUPPLIERS)


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
    source = city.expenditure.source()
    before = final_minor(city)
    assert sent(source, city.ledger.store, every=10) == {"repeat": -(-len(source) // 10)}
    assert final_minor(city) == before
