"""The verbs for books: opened, closed through a day, reopened, shown."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

LONG_AGO = ("--effective-at", "2024-12-01T00:00:00Z")


def test_nothing_is_booked_into_a_closed_period(run: Run) -> None:
    """Refused with the day through which its book is closed; reopened, it may be."""
    assert run("books", "open", "branch-7", "--description", "Harbour Street").code == 0
    run("open", "bank", "EUR", "--unbounded", *LONG_AGO)
    run("open", "a", "EUR", "--book", "branch-7", *LONG_AGO)
    january = ("bank", "a", 100, "EUR", "--effective-at", "2025-01-20T00:00:00Z")
    assert run("pay", *january).code == 0
    closed = run("books", "close", "2025-01-31", "--book", "branch-7", "--reason", "audited")
    assert "closed through  2025-01-31" in closed.out
    refused = run("pay", *january)
    assert refused.code == 1
    for text in ("period_closed", "book branch-7", "2025-01-31"):
        assert text in refused.err
    assert run("pay", "bank", "a", 100, "EUR").code == 0
    assert "2025-01-31" in run("books", "show", "branch-7").out
    reopened = run(
        "books", "reopen", "--through", "2024-12-31", "--book", "branch-7", "--reason", "late bill"
    )
    assert "2024-12-31" in reopened.out
    assert run("pay", *january).code == 0
    whole = run("books", "reopen", "--all", "--book", "branch-7", "--reason", "start over")
    assert "no day" in whole.out


def test_the_book_main_is_there_from_the_beginning(run: Run) -> None:
    """Named or not, it is the same one; one that was never opened is not found."""
    assert "no day" in run("books", "show").out
    assert run("books", "close", "2025-01-31", "--id", "c").code == 0
    again = run("books", "close", "2025-01-31", "--book", "main", "--id", "c")
    assert "closed before: nothing changed" in again.out
    assert "2025-01-31" in run("books", "show", "main").out
    assert run("books", "show", "nothing", "--json").value["reason"] == "book_not_found"
    assert run("books", "open", "main", "--json").value["reason"] == "book_exists"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("close", "2026-11-21"), "period_too_recent"),
        (("close", "2025-02-30"), "invalid_time"),
        (("close", "2025-01-31", "--book", "nothing"), "book_unknown"),
        (("reopen", "--all", "--reason", "w"), "not_closed"),
    ],
)
def test_a_refusal_says_why(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    """By the contracts or by the ledger."""
    refused = run("books", *arguments, "--json")
    assert (refused.code, refused.value["reason"]) == (1, reason)


@pytest.mark.parametrize("options", [(), ("--all", "--through", "2025-01-01")])
def test_what_is_reopened_must_be_said(
    run: Run, local: LocalLedger, options: tuple[str, ...]
) -> None:
    """Neither nothing nor both: a book is never opened whole by leaving something out."""
    refused = run("books", "reopen", *options, "--reason", "w", "--json")
    assert (refused.code, refused.value["reason"]) == (2, "usage")
    assert local.requests == []
