"""The golden check: a bank's own running balances, row by row, out of the ledger's projections.

All rows go through the code that runs in the functions, on the adapters in memory. `make run
DATA=berka` does the same through the deployed stack.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.importers import berka
from ledger.statements.statement import Period, statement_of
from projections.history.reading import read_page
from projections.query.views import history_view
from tests.golden_data.loading import Loaded, loaded_from, sent

pytestmark = pytest.mark.data

ROWS = 28_205
CUSTOMERS = 1_139


class Bank(NamedTuple):
    """The file, and the ledger after it."""

    statement: berka.Statement
    ledger: Loaded


@pytest.fixture(scope="module")
def bank(shared_data: Path) -> Bank:
    """The whole file, loaded into an empty ledger."""
    statement = berka.read(shared_data / "berka")
    return Bank(statement, loaded_from(statement.source()))


def test_every_row_is_posted(bank: Bank) -> None:
    """28,205 payments of 1,139 customers: not one is refused, not one is a repeat."""
    openings = len(bank.statement.source().phases[0].instructions)
    assert bank.ledger.outcomes == {"posted": ROWS, "opened": openings}
    assert len({row.customer for row in bank.statement.rows}) == CUSTOMERS


def test_the_running_balance_of_every_row_is_the_banks_own(bank: Bank) -> None:
    """Read back from the history projection, row by row, in the file's order of each account."""
    differing = []
    rows: defaultdict[str, list[berka.Row]] = defaultdict(list)
    for row in bank.statement.rows:
        rows[row.customer].append(row)
    for customer, of_customer in rows.items():
        opening, *entries = bank.ledger.history.rows_after(customer, 0)
        assert (opening.version, opening.balance_minor) == (1, 0)
        found = [(entry.event, entry.balance_minor) for entry in entries]
        expected = [(row.payment_id, row.balance_minor) for row in of_customer]
        if found != expected:
            differing.append(customer)
    assert differing == []
    assert sum(map(len, rows.values())) == ROWS


def test_the_final_balances_are_the_banks_own(bank: Bank) -> None:
    """Each customer's last row, read back from the balances projection."""
    last = {row.customer: row.balance_minor for row in bank.statement.rows}
    found = {
        account.totals.account: account.totals.balance_minor
        for account in bank.ledger.balances.accounts()
    }
    assert {customer: found[customer] for customer in last} == last


def test_what_the_data_is_known_for(bank: Bank) -> None:
    """Six customers below zero; 392 of 1,175 external counterparties negative in the end."""
    floors = sorted(lowest for lowest in bank.statement.lowest_minor.values() if lowest)
    assert floors == [-534_370, -372_470, -337_030, -316_710, -299_460, -81_500]
    external = [
        account.totals.balance_minor
        for account in bank.ledger.balances.accounts()
        if account.totals.account.startswith("berka:external:")
    ]
    assert (len(external), sum(balance < 0 for balance in external)) == (1_175, 392)


def test_accounts_open_on_the_day_that_the_bank_states(bank: Bank, shared_data: Path) -> None:
    """The first row's day, which the importer takes, is the opening day of the accounts' file."""
    with gzip.open(shared_data / "berka" / "account.csv.gz", "rt", encoding="utf-8") as file:
        stated = {row["account_id"]: f"19{row['date']}" for row in csv.DictReader(file)}
    for account in bank.ledger.balances.accounts():
        *_, kind, number = account.totals.account.split(":")
        if kind == "account":
            assert account.profile is not None
            assert account.profile.opened_at[:10].replace("-", "") == stated[number]


def test_the_ledger_verifies(bank: Bank) -> None:
    """Zero sum, dense versions, hash chains and totals, over all events."""
    report = Report()
    verify_store(bank.ledger.store, report)
    assert report.ok, report.findings[:5]
    assert report.examined["chain_links"] > 2 * ROWS


def test_loading_again_moves_nothing(bank: Bank) -> None:
    """Of a second load every instruction, or as many as tell (one in ten), is a repeat, and not one
    event is new."""
    before = Counter(event.id for event in bank.ledger.store.events())
    source = bank.statement.source()
    assert sent(source, bank.ledger.store, every=10) == {"repeat": -(-len(source) // 10)}
    assert Counter(event.id for event in bank.ledger.store.events()) == before


def test_statements_of_the_year_close_with_the_banks_own_balances(bank: Bank) -> None:
    """Of every customer and the whole year by effective time: opening 0, every row an entry, and
    the closing balance is the bank's last."""
    last = {row.customer: row.balance_minor for row in bank.statement.rows}
    rows_of = Counter(row.customer for row in bank.statement.rows)
    year = Period(date(1993, 1, 1), date(1993, 12, 31), "effective")
    found = {}
    for customer in last:
        page = read_page(bank.ledger.history, customer, limit=10_000)
        assert page is not None
        history: list[dict[str, Any]] = msgspec.to_builtins(history_view(customer, page, 0).entries)
        statement = statement_of(customer, "liability", history, year, {})
        assert (statement.opening_minor, len(statement.entries)) == (0, rows_of[customer])
        found[customer] = statement.closing_minor
    assert found == last
