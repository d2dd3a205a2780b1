"""Dry runs: every verb that sends a command can be asked what it would do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger


@pytest.fixture(autouse=True)
def world(run: Run) -> None:
    """`a` has 100.00 EUR and holds 1.00 of it for `b`; `empty` has nothing; a template."""
    accounts = (("bank", "EUR", "--unbounded"), ("a", "EUR"), ("b", "EUR"), ("empty", "EUR"))
    for arguments in accounts:
        assert run("open", *arguments).code == 0
    assert run("pay", "bank", "a", 10_000, "EUR", "--id", "salary").code == 0
    assert run("authorize", "a", "b", 100, "EUR", "--id", "h").code == 0


Change = tuple[str, ...]
CHANGES: dict[str, tuple[Change, str]] = {
    "authorize": (("authorize", "a", "b", "1", "EUR"), "authorized"),
    "increase": (("increase", "h", "1"), "increased"),
    "capture": (("capture", "h", "1"), "captured"),
    "void": (("void", "h"), "voided"),
    "reverse": (("reverse", "salary", "1"), "reversed"),
    "pay": (("pay", "a", "b", "1", "EUR"), "posted"),
    "open": (("open", "c", "EUR"), "opened"),
    "freeze": (("freeze", "a", "--reason", "w"), "frozen"),
    "unfreeze": (("unfreeze", "a", "--sides", "both", "--reason", "w"), "unfrozen"),
    "close": (("close", "empty", "--reason", "w"), "closed"),
    "limits": (("limits", "a", "--max", "none"), "set"),
    "alerts": (("alerts", "a", "--below", "1"), "set"),
    "metadata": (("metadata", "account", "a", "k=v"), "set"),
    "books open": (("books", "open", "b2"), "opened"),
    "books close": (("books", "close", "2025-01-31"), "closed"),
}


@pytest.mark.parametrize(("command", "done"), CHANGES.values(), ids=CHANGES)
def test_a_dry_run_says_what_would_be_and_nothing_happens(
    run: Run, local: LocalLedger, command: Change, done: str
) -> None:
    """Of every verb that sends a command: no event, and the same command is new afterwards."""
    before = len(list(local.store.events()))
    dry = run(*command, "--dry-run", "--id", "once")
    assert (dry.code, len(list(local.store.events()))) == (0, before)
    assert f"would be {done}; a dry run" in dry.out
    earnest = run(*command, "--id", "once")
    assert (earnest.code, "before" in earnest.out) == (0, False)
    assert local.store.event("once") is not None
    again = run(*command, "--id", "once")
    assert f"{done} before" in again.out


def test_a_dry_run_that_would_be_refused_leaves_the_id_free(run: Run) -> None:
    """Refused with the causes, and told that nothing was recorded; later the same id may pass."""
    dry = run("pay", "b", "a", 1, "EUR", "--id", "p", "--dry-run")
    assert dry.code == 1
    for text in ("insufficient_funds", "available 0.00 EUR", "nothing was recorded"):
        assert text in dry.err
    run("pay", "a", "b", 1, "EUR")
    assert run("pay", "b", "a", 1, "EUR", "--id", "p").code == 0


def test_a_dry_run_of_a_file_asks_for_each_or_for_all(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """By itself each may pass, where together they may not; nothing happens either way."""
    posting = {"source": "a", "destination": "b", "amount_minor": 6_000, "currency": "EUR"}
    commands = [
        {"type": "payment.post", "v": 1, "id": f"p{number}", "postings": [posting]}
        for number in (1, 2)
    ]
    file = tmp_path / "batch.jsonl"
    file.write_text("\n".join(map(json.dumps, commands)))
    before = len(list(local.store.events()))
    each = run("batch", file, "--dry-run")
    assert (each.code, each.out.count("would be posted")) == (0, 2)
    together = run("batch", file, "--atomic", "--dry-run")
    assert together.code == 1
    assert "commands[1].postings[0].source" in together.err
    assert len(list(local.store.events())) == before
