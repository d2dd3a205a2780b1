"""Statements: opening + entries = closing for any history and period, or there is no statement."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts.primitives import ACCOUNT_TYPES, AccountType, balance_minor
from ledger.statements.statement import (
    Basis,
    BrokenHistoryError,
    IncompleteHistoryError,
    Period,
    statement_of,
)
from tests.support.histories import Moved, history

DAY = 86_400
AMOUNTS = st.integers(-(10**6), 10**6).filter(bool)
PENDED = st.one_of(st.just((0, 0)), st.tuples(st.integers(-50, 50), st.integers(-50, 50)))
DAYS = st.integers(0, 9)
BASES: st.SearchStrategy[Basis] = st.sampled_from(["booked", "effective"])
TYPES: st.SearchStrategy[AccountType] = st.sampled_from(ACCOUNT_TYPES)


@st.composite
def moves(draw: st.DrawFn) -> list[Moved]:
    """What the versions of an account did: booked in order, effective whenever; some hold and some
    release."""
    booked = sorted(draw(st.lists(st.integers(0, 10 * DAY - 1), min_size=1, max_size=12)))
    return [
        Moved(
            tuple(draw(st.lists(AMOUNTS, max_size=3))) if number else (),
            at,
            draw(st.integers(0, 10 * DAY - 1)),
            pended=draw(PENDED) if number else (0, 0),
        )
        for number, at in enumerate(booked)
    ]


def day(number: int) -> date:
    """A day of January."""
    return date(2026, 1, 1) + timedelta(days=number)


@given(found=moves(), account_type=TYPES, by=BASES, first=DAYS, length=DAYS)
def test_opening_and_entries_make_the_closing(
    found: list[Moved], account_type: AccountType, by: Basis, first: int, length: int
) -> None:
    """And each is what the versions say: the sums of all before, in and up to the period."""
    period = Period(day(first), day(first + length), by)
    rows = history(found, account_type=account_type)
    statement = statement_of("a", account_type, rows, period, {})

    def sum_of(chosen: list[Moved]) -> int:
        return balance_minor(account_type, 0, sum(sum(move.amounts) for move in chosen))

    def at(move: Moved) -> date:
        return day((move.booked if by == "booked" else move.effective) // DAY)

    assert statement.opening_minor == sum_of([m for m in found if at(m) < period.first])
    assert statement.closing_minor == sum_of([m for m in found if at(m) <= period.last])
    inside = [m for m in found if period.first <= at(m) <= period.last and m.amounts]
    assert len(statement.entries) == len(inside)
    moved = balance_minor(account_type, statement.debited_minor, statement.credited_minor)
    assert statement.opening_minor + moved == statement.closing_minor
    versions = [entry.version for entry in statement.entries]
    assert versions == sorted(versions)


@given(found=moves(), by=BASES, cut=DAYS)
def test_a_period_begins_with_what_the_one_before_ended_with(
    found: list[Moved], by: Basis, cut: int
) -> None:
    """Two statements of adjoining periods are the statement of both."""
    rows = history(found)
    before = statement_of("a", "liability", rows, Period(day(-1), day(cut), by), {})
    after = statement_of("a", "liability", rows, Period(day(cut + 1), day(30), by), {})
    whole = statement_of("a", "liability", rows, Period(day(-1), day(30), by), {})
    assert before.closing_minor == after.opening_minor
    assert (whole.opening_minor, whole.closing_minor) == (
        before.opening_minor,
        after.closing_minor,
    )
    assert {e.version for e in whole.entries} == {
        e.version for e in (*before.entries, *after.entries)
    }


@given(found=moves(), first=DAYS)
def test_no_more_is_read_than_down_to_an_entry_before_the_period(
    found: list[Moved], first: int
) -> None:
    """By booking, the balance of the last entry before the period stands for all below it; one
    entry less is refused."""
    rows = history(found)
    period = Period(day(first), day(30), "booked")
    whole = statement_of("a", "liability", rows, period, {})
    before = [row["version"] for row in rows if period.place_of(row["recorded_at"]) < 0]
    lowest = max(before, default=1)
    read = [row for row in rows if row["version"] >= lowest]
    assert statement_of("a", "liability", read, period, {}) == whole
    if len(read) > 1:
        with pytest.raises(IncompleteHistoryError):
            statement_of("a", "liability", read[:-1], period, {})


@given(found=moves(), data=st.data(), by=BASES)
def test_a_history_with_a_gap_makes_no_statement(
    found: list[Moved], data: st.DataObject, by: Basis
) -> None:
    """Whichever version is not there, but for the newest: who asks for that knows its number."""
    rows = history(found)
    place = data.draw(st.integers(0, len(rows) - 1))
    period = Period(day(0), day(30), by)
    if place == 0 and len(rows) > 1:
        assert statement_of("a", "liability", rows[1:], period, {}).version == len(rows) - 1
    else:
        with pytest.raises(IncompleteHistoryError):
            statement_of("a", "liability", rows[:place] + rows[place + 1 :], period, {})


CHANGED = (
    *("debited_minor", "credited_minor", "balance_minor"),
    *("debits_posted_minor", "credits_posted_minor"),
    *("debits_pended_minor", "credits_pended_minor"),
    *("debits_pending_minor", "credits_pending_minor"),
)


@given(found=moves(), data=st.data(), field=st.sampled_from(CHANGED), by=BASES)
def test_a_figure_that_is_off_by_one_makes_no_statement(
    found: list[Moved], data: st.DataObject, field: str, by: Basis
) -> None:
    """In any version and field: it contradicts the version before, or its own legs."""
    rows = history(found)
    row: dict[str, Any] = rows[data.draw(st.integers(0, len(rows) - 1))]
    row[field] += 1
    with pytest.raises(BrokenHistoryError):
        statement_of("a", "liability", rows, Period(day(0), day(30), by), {})
