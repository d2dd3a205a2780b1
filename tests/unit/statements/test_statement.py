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
    of_all_stripes,
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


HOLD = (
    Moved((), 0, 0),
    Moved((1_000,), 5, 5),
    Moved((), 10, 10, "payment.authorized", (500, 0)),
    Moved((), 11, 11, "payment.increased", (100, 0)),
    Moved((-400,), 12, 12, "payment.captured", (-400, 0)),
    Moved((), 13, 13, "payment.voided", (-200, 0)),
    Moved((150,), 14, 14, "payment.reversed"),
)


def test_only_what_was_posted_is_an_entry() -> None:
    """Of a hold its captures, and of a payment its reversals, each under the payment's id; what is
    held and released bind the chain together, and are not shown."""
    statement = statement_of("a", "liability", history(HOLD), JANUARY, {})
    found = [(entry.event_type, entry.event, entry.payment) for entry in statement.entries]
    assert found == [
        ("payment.posted", "event-2", "event-2"),
        ("payment.captured", "event-5", "hold"),
        ("payment.reversed", "event-7", "hold"),
    ]
    assert (statement.closing_minor, statement.version) == (750, 7)


def test_what_is_held_is_part_of_the_proof() -> None:
    """A version whose pending totals do not follow from the one before contradicts itself."""
    rows = history(HOLD)
    for field in ("debits_pended_minor", "credits_pending_minor"):
        changed = [dict(row) for row in rows]
        changed[2][field] += 1
        with pytest.raises(BrokenHistoryError, match=r"version [56]"):
            statement_of("a", "liability", changed, JANUARY, {})


def test_a_reversal_says_why() -> None:
    """In the place of the description that it does not have."""
    rows = history(HOLD)
    rows[0]["reason"] = "returned"
    assert statement_of("a", "liability", rows, JANUARY, {}).entries[-1].description == "returned"


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
    assert lines[1] == "opening,,2026-01-01,,,,,,,,0.00,EUR,,"
    assert lines[4].endswith(',other:1,,0.30,7.80,EUR,r,"a ""b"", c"')
    assert lines[-2:] == ["closing,,2026-01-31,,,,,,,,7.80,EUR,,", ""]
    assert len(lines) == 7


def test_the_stripes_of_an_account_make_one_statement() -> None:
    """Sums of balances, entries in the order of booking, each with its stripe; a reader can tell
    two entries of the same version apart, and one account without stripes is as it was."""
    first, second = (
        statement_of("a", "liability", history(moves), JANUARY, {}) for moves in (MOVES, HOLD)
    )
    both = of_all_stripes([first, second])
    assert both.opening_minor == first.opening_minor + second.opening_minor
    assert both.closing_minor == first.closing_minor + second.closing_minor
    assert both.debited_minor == first.debited_minor + second.debited_minor
    assert (both.version, both.further_versions) == (first.version, (second.version,))
    assert both.as_of == f"{first.version}, {second.version}"
    booked = [(entry.booked_at, entry.stripe, entry.version) for entry in both.entries]
    assert booked == sorted(booked)
    assert len({entry.place for entry in both.entries}) == len(both.entries)
    assert len(both.entries) == len(first.entries) + len(second.entries)
    assert [entry.version for entry in both.entries if entry.stripe == 1] == [
        entry.version for entry in second.entries
    ]
    assert of_all_stripes([first]) == first
