"""What every store of histories does, wherever it keeps them."""

from __future__ import annotations

import pytest
from msgspec import UNSET, structs

from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from projections.history.apply import Leg, Row
from projections.history.store import HistoryStore, Versions

FIRST = Row(
    account="a",
    version=1,
    event="open:a",
    type="account.opened",
    recorded_at="2026-11-21T23:10:05.123456Z",
    effective_at="2026-11-21T23:10:05.123456Z",
    account_type="asset",
    currency="EUR",
    debits_posted_minor=0,
    credits_posted_minor=0,
)
FULL = Row(
    account="a",
    version=2,
    event="payment-1",
    type="payment.posted",
    recorded_at="2026-11-21T23:10:06.000000Z",
    effective_at="2026-11-20T00:00:00.000000Z",
    account_type="asset",
    currency="EUR",
    debits_posted_minor=AMOUNT_MINOR_MAX,
    credits_posted_minor=3,
    debits_pending_minor=4,
    credits_pending_minor=5,
    debited_minor=AMOUNT_MINOR_MAX,
    credited_minor=3,
    prev="open:a",
    legs=(
        Leg(counterparty="b", side="debit", amount_minor=AMOUNT_MINOR_MAX),
        Leg(counterparty="c", side="credit", amount_minor=3),
    ),
    legs_count=2,
    reference="invoice 7",
    description="Überweisung für März",
)


def rows(account: str, *versions: int) -> list[Row]:
    """Rows of an account at these versions."""
    return [
        structs.replace(
            FIRST,
            account=account,
            version=version,
            event=f"event-{version}",
            prev=f"event-{version - 1}" if version > 1 else UNSET,
        )
        for version in versions
    ]


def test_rows_read_back_as_written(history: HistoryStore) -> None:
    """Every field of a row comes back, set or not."""
    assert history.write([FIRST, FULL]) == {}
    assert history.before("a", None, 10) == (FULL, FIRST)
    assert list(history.rows_after("a", 0)) == [FIRST, FULL]


def test_an_account_without_rows_is_empty(history: HistoryStore) -> None:
    """Nothing is known of it, and its marker is 0."""
    history.write(rows("a", 1))
    assert history.before("nobody", None, 10) == ()
    assert history.versions_after("nobody", 0, 10) == Versions((), last=True)
    assert list(history.rows_after("nobody", 0)) == []
    assert history.marker("nobody") == 0


def test_writing_nothing_is_no_request(history: HistoryStore) -> None:
    """An empty batch is written without complaint."""
    assert history.write([]) == {}


def test_writing_twice_is_writing_once(history: HistoryStore) -> None:
    """The same rows again change nothing."""
    history.write(rows("a", 1, 2, 3))
    history.write(rows("a", 3, 2))
    assert list(history.rows_after("a", 0)) == rows("a", 1, 2, 3)


def test_rows_of_any_number_are_written_in_one_call(history: HistoryStore) -> None:
    """More rows than a request takes, and not a multiple of it, in any order."""
    versions = [*range(60, 0, -1)]
    assert history.write(rows("a", *versions) + rows("b", 5)) == {}
    assert [row.version for row in history.rows_after("a", 0)] == sorted(versions)
    assert [row.version for row in history.rows_after("b", 0)] == [5]


@pytest.mark.parametrize(
    ("below", "limit", "versions"),
    [
        (None, 3, [100, 11, 10]),
        (None, 100, [100, 11, 10, 2, 1]),
        (100, 2, [11, 10]),
        (101, 1, [100]),
        (10, 5, [2, 1]),
        (2, 5, [1]),
        (1, 5, []),
    ],
)
def test_rows_before_a_version_come_newest_first(
    history: HistoryStore, below: int | None, limit: int, versions: list[int]
) -> None:
    """`before` is exclusive, bounded, ordered by number (10 is above 2), and skips gaps."""
    history.write(rows("a", 1, 2, 10, 11, 100) + rows("b", 3))
    history.raise_marker("a", 2)
    assert [row.version for row in history.before("a", below, limit)] == versions


@pytest.mark.parametrize(
    ("above", "limit", "expected"),
    [
        (0, 10, Versions((1, 2, 10, 11), last=True)),
        (2, 10, Versions((10, 11), last=True)),
        (0, 3, Versions((1, 2, 10), last=False)),
        (11, 3, Versions((), last=True)),
    ],
)
def test_versions_after_a_version_come_oldest_first(
    history: HistoryStore, above: int, limit: int, expected: Versions
) -> None:
    """`versions_after` is exclusive and bounded, and says whether there are more."""
    history.write(rows("a", 11, 2, 10, 1) + rows("b", 3))
    history.raise_marker("a", 2)
    assert history.versions_after("a", above, limit) == expected


def test_a_walk_that_ends_at_its_limit_never_says_too_much(history: HistoryStore) -> None:
    """With exactly as many rows as the limit, the next walk tells that it was the end."""
    history.write(rows("a", 1, 2))
    found = history.versions_after("a", 0, 2)
    assert found.versions == (1, 2)  # whether it knows that it is the last may differ
    assert history.versions_after("a", 2, 2) == Versions((), last=True)


def test_rows_after_a_version_leave_it_out(history: HistoryStore) -> None:
    """`rows_after` starts behind the version, oldest first."""
    history.write(rows("a", 1, 2, 3))
    assert list(history.rows_after("a", 2)) == rows("a", 3)
    assert list(history.rows_after("a", 3)) == []


def test_the_marker_only_rises(history: HistoryStore) -> None:
    """Raising it to where it is, or lower, is answered False and does nothing."""
    assert history.raise_marker("a", 9) is True
    assert history.raise_marker("a", 9) is False
    assert history.raise_marker("a", 8) is False
    assert history.marker("a") == 9
    assert history.raise_marker("a", 10) is True  # 10 is above 9 as a number, not as a text
    assert history.marker("a") == 10
    assert history.marker("b") == 0


def test_the_marker_is_no_row(history: HistoryStore) -> None:
    """No way of reading rows shows the marker."""
    history.raise_marker("a", 5)
    assert history.before("a", None, 10) == ()
    assert history.versions_after("a", 0, 10) == Versions((), last=True)
    assert list(history.rows_after("a", 0)) == []
    assert list(history.rows()) == []


def test_all_rows_are_listed_once(history: HistoryStore) -> None:
    """A scan shows every row of every account."""
    written = rows("a", 1, 2, 3) + rows("b", 1) + rows("c", 7)
    history.write(written)
    history.raise_marker("a", 3)
    listed = sorted(history.rows(), key=lambda row: row.key)
    assert listed == sorted(written, key=lambda row: row.key)


def test_the_highest_version_can_be_written(history: HistoryStore) -> None:
    """Versions up to 2^63-1 lose no digit."""
    history.write(rows("a", AMOUNT_MINOR_MAX))
    assert [row.version for row in history.before("a", None, 1)] == [AMOUNT_MINOR_MAX]
    assert history.versions_after("a", AMOUNT_MINOR_MAX - 1, 5).versions == (AMOUNT_MINOR_MAX,)
    assert history.versions_after("a", AMOUNT_MINOR_MAX, 5) == Versions((), last=True)
