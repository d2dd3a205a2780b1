"""Ids, balances and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts.primitives import (
    available_minor,
    balance_minor,
    canonical_instant,
    instant_of_microseconds,
    is_id,
    is_stored_instant,
    microseconds_of_instant,
)
from tests.properties.command_bodies import instants

FIRST = -62_135_596_800_000_000  # 0001-01-01T00:00:00Z
LAST = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z


@pytest.mark.parametrize("text", ["a", "A-Z.a:z_0-9", "x" * 64, "customers:42:wallet", "-", "."])
def test_ids_are_1_to_64_of_the_alphabet(text: str) -> None:
    """Letters, digits, dot, underscore, colon, hyphen."""
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "x" * 65, "a b", "a\n", "\na", "ä", "a/b", "a%3Ab", "٣", "~"])
def test_nothing_else_is_an_id(text: str) -> None:
    """Not even with a line break at the end, which Python's `$` would let through."""
    assert not is_id(text)


@given(st.integers(FIRST, LAST))
def test_microseconds_and_instants_are_inverse(microseconds: int) -> None:
    """Every microsecond has one stored form, which is canonical already."""
    instant = instant_of_microseconds(microseconds)
    assert microseconds_of_instant(instant) == microseconds
    assert canonical_instant(instant) == instant
    assert len(instant) == 27


@given(st.integers(FIRST, LAST), st.integers(FIRST, LAST))
def test_text_order_is_time_order(one: int, other: int) -> None:
    """Stored instants compare as text as they do as times."""
    assert (instant_of_microseconds(one) < instant_of_microseconds(other)) == (one < other)


@given(instants)
def test_the_canonical_instant_is_the_same_instant(text: str) -> None:
    """Normalising changes the notation and never the time (an independent parser agrees)."""
    as_read = datetime.fromisoformat(text)
    since_epoch = as_read.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert microseconds_of_instant(canonical_instant(text)) == since_epoch // timedelta(
        microseconds=1
    )


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-11-21T23:10:05Z", "2026-11-21T23:10:05.000000Z"),
        ("2026-11-21T23:10:05.1Z", "2026-11-21T23:10:05.100000Z"),
        ("2026-11-22T00:10:05+01:00", "2026-11-21T23:10:05.000000Z"),
        ("2026-11-21T23:10:05-00:00", "2026-11-21T23:10:05.000000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_times_are_stored_in_one_form(text: str, canonical: str) -> None:
    """UTC, six fraction digits, Z."""
    assert canonical_instant(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21T23:10:05",
        "2026-11-21 23:10:05Z",
        "2026-11-21t23:10:05z",
        "2026-11-21T23:10Z",
        "2026-11-21T23:10:05.1234567Z",
        "2026-11-21T23:10:05,1Z",
        "2026-11-21T23:10:05.Z",
        "2026-11-21T23:10:05Z\n",
        " 2026-11-21T23:10:05Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T23:60:00Z",
        "2026-11-21T23:59:60Z",
        "2026-11-21T23:10:05+24:00",
        "2026-11-21T23:10:05+00:60",
        "2026-11-21T23:10:05+0100",
        "2026-11-21T23:10:05+01:00:30",
        "2026-W47-6T23:10:05Z",
        "٢٠٢٦-11-21T23:10:05Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_nothing_else_is_a_time(text: str) -> None:
    """Whatever Python's own parser would take besides, on any version of it."""
    with pytest.raises(ValueError, match=r"."):
        canonical_instant(text)


def test_the_balance_is_on_the_normal_side() -> None:
    """Debits count up for assets and expenses, credits for the others."""
    assert balance_minor("asset", 5, 3) == balance_minor("expense", 5, 3) == 2
    assert [balance_minor(kind, 5, 3) for kind in ("liability", "equity", "income")] == [-2] * 3


def test_pending_amounts_that_lower_the_balance_are_not_available() -> None:
    """Held debits of a liability and held credits of an asset; never what may yet come in."""
    totals = {
        "debits_posted_minor": 10,
        "credits_posted_minor": 100,
        "debits_pending_minor": 7,
        "credits_pending_minor": 50,
    }
    assert available_minor("liability", **totals) == 90 - 7
    assert available_minor("asset", **totals) == -90 - 50


@given(instants)
def test_only_the_canonical_form_is_stored(text: str) -> None:
    """What is in the stored form is its own canonical form, and nothing else is."""
    assert is_stored_instant(canonical_instant(text))
    assert is_stored_instant(text) == (canonical_instant(text) == text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T12:00:00.000000Z",
        "2026-06-01T24:00:00.000000Z",
        "2026-06-01T12:00:00Z",
        "2026-06-01T12:00:00.000000+00:00",
        "2026-06-01T12:00:00.000000Z\n",
        "0000-01-01T00:00:00.000000Z",
        "",
    ],
)
def test_what_is_no_stored_instant(text: str) -> None:
    """A day or an hour that there is not, or another form."""
    assert not is_stored_instant(text)
