"""What a statement is made of, and what makes none."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.statements.rows import COLUMNS, csv_text
from ledger.statements.statement import (
    BrokenHistoryError,
    IncompleteHistoryError,
    Leg,
    Period,
    statement_of,
)
from tests.support.histories import Moved, history

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31), "booked")
MOVES = (Moved((), 0, 0), Moved((1_000,), 10, 10), Moved((), 20, 20), Moved((-250, 30), 30, 5))


def test_versions_that_move_nothing_are_no_entries() -> None:
    """An opening and a change of alerts bind the chain together, and are not shown."""
    statement = statement_of("a", "liability", history(MOVES), JANUARY, {})
    assert [entry.version for entry in statement.entries] == [2, 4]
    assert (statement.closing_minor, statement.version) == (780, 4)


def test_an_asset_is_owed_by_nobody() -> None:
    """Its balance is on the debit side: as credits less debits it is negative."""
    rows = history(MOVES, account_type="asset")
    statement = statement_of("a", "asset", rows, JANUARY, {})
    assert statement.closing_minor == -780
    assert statement.credit_minor(statement.closing_minor) == 780


def test_legs_that_the_history_lacks_are_given() -> None:
    """And must come to what the entry moved."""
    rows = history(MOVES)
    rows[0] = rows[0] | {"legs": rows[0]["legs"][:1]}
    legs = (Leg("debit", 250, "x"), Leg("credit", 30, "y"))
    statement = statement_of("a", "liability", rows, JANUARY, {"event-4": legs})
    assert statement.entries[-1].legs == legs
    for wrong in ({}, {"event-4": (Leg("debit", 250, "x"), Leg("credit", 31, "y"))}):
        with pytest.raises(BrokenHistoryError, match="event-4"):
            statement_of("a", "liability", rows, JANUARY, wrong)


def test_links_and_times_are_part_of_the_proof() -> None:
    """A version behind another event, or booked before the one before it, contradicts itself."""
    for change in ({"prev": "event-9"}, {"recorded_at": "2025-12-31T00:00:00.000000Z"}):
        rows = history(MOVES)
        rows[1] = rows[1] | change
        with pytest.raises(BrokenHistoryError, match="version 3"):
            statement_of("a", "liability", rows, JANUARY, {})


def test_no_history_is_no_statement() -> None:
    """Not an empty one: something is on its way."""
    with pytest.raises(IncompleteHistoryError):
        statement_of("a", "liability", [], JANUARY, {})


def test_rows_of_csv_keep_their_columns() -> None:
    """One for each posting; quotes and commas are quoted; lines end as RFC 4180 has them."""
    rows = history(MOVES)
    rows[0] = rows[0] | {"description": 'a "b", c', "reference": "r"}
    lines = csv_text(statement_of("a", "liability", rows, JANUARY, {})).split("\r\n")
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1] == "opening,,2026-01-01,,,,,,0.00,EUR,,"
    assert lines[4].endswith(',other:1,,0.30,7.80,EUR,r,"a ""b"", c"')
    assert lines[-2:] == ["closing,,2026-01-31,,,,,,7.80,EUR,,", ""]
    assert len(lines) == 7
