"""The verbs for accounts and payments: what they send, print and exit with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.client.config import ENVIRONMENT_VARIABLE, load
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger


@pytest.fixture
def accounts(run: Run) -> None:
    """`a` may be overdrawn, `b` may not."""
    assert run("open", "a", "EUR", "--unbounded").code == 0
    assert run("open", "b", "EUR").code == 0


def test_an_account_opens_with_what_was_asked_for(run: Run) -> None:
    """Type, bounds and effective time go into the command; what is left out stays out."""
    opened = run(
        "open", "v:1", "JPY", "--type", "asset", "--min-balance-minor", -5, "--max-balance-minor",
        70, "--effective-at", "2025-01-01T00:00:00+01:00", "--id", "o1", "--json",
    )  # fmt: skip
    assert opened.code == 0
    assert {
        name: opened.value[name]
        for name in ("id", "account", "account_type", "min_balance_minor", "effective_at")
    } == {
        "id": "o1",
        "account": "v:1",
        "account_type": "asset",
        "min_balance_minor": -5,
        "effective_at": "2024-12-31T23:00:00.000000Z",
    }
    assert "lowest -5 JPY, highest 70 JPY" in run("balance", "v:1").out
    assert run("open", "v:2", "EUR", "--json").value["min_balance_minor"] == 0
    assert run("open", "v:3", "EUR", "--unbounded", "--json").value["min_balance_minor"] is None
    assert run("open", "v:4", "EUR", "--unbounded", "--min-balance-minor", 0).code == 2


@pytest.mark.usefixtures("accounts")
def test_a_payment_is_posted_once_under_its_id(run: Run, local: LocalLedger) -> None:
    """The second run with the id says that nothing moved again; without one, an id is printed."""
    first = run("pay", "a", "b", 1250, "EUR", "--id", "p1", "--reference", "rent")
    again = run("pay", "a", "b", 1250, "EUR", "--id", "p1", "--reference", "rent")
    assert (first.code, again.code) == (0, 0)
    assert "12.50 EUR" in first.out
    assert "before" not in first.out
    assert "posted before: nothing moved again" in again.out
    assert local.state("b").balance_minor == 1250
    unnamed = run("pay", "a", "b", 1, "EUR", "--json")
    assert unnamed.value["repeat"] is False
    assert run("payment", unnamed.value["id"], "--json").value["status"] == "posted"


@pytest.mark.usefixtures("accounts")
def test_a_refusal_is_one_block_on_standard_error(run: Run) -> None:
    """Exit code 1, nothing on standard output, reason, field and what a retry would need."""
    refused = run("pay", "b", "a", 1, "EUR", "--id", "p1")
    assert (refused.code, refused.out) == (1, "")
    reason, field = "insufficient_funds", "postings[0].source"
    for text in (reason, field, "under a new id", "available 0.00 EUR"):
        assert text in refused.err
    shown = run("payment", "p1")
    assert shown.code == 0
    assert "rejected" in shown.out
    assert "insufficient_funds" in shown.out


@pytest.mark.usefixtures("accounts")
def test_a_refusal_with_json_is_the_problem_on_standard_output(run: Run) -> None:
    """One JSON value, and nothing on standard error."""
    refused = run("pay", "b", "a", 1, "EUR", "--json")
    assert refused.code == 1
    assert refused.err == ""
    assert (refused.value["reason"], refused.value["retry"]) == ("insufficient_funds", "new_id")


@pytest.mark.parametrize(
    ("arguments", "reason", "field"),
    [
        (("pay", "a", "b", 0, "EUR"), "invalid_amount", "postings[0].amount_minor"),
        (("pay", "a", "a", 1, "EUR"), "same_account", "postings[0].destination"),
        (("pay", "a", "b", 1, "EUX"), "unknown_currency", "postings[0].currency"),
        (("pay", "a", "b!", 1, "EUR"), "invalid_id", "postings[0].destination"),
        (("pay", "a", "b", 1, "EUR", "--id", "x" * 65), "invalid_id", "id"),
        (("pay", "a", "b", 1, "EUR", "--effective-at", "now"), "invalid_time", "effective_at"),
        (("pay", "a", "b", 1, "EUR", "--reference", ""), "invalid_text", "reference"),
        (
            ("pay", "a", "b", 1, "EUR", "--description", "4111 1111 1111 1111"),
            "card_number",
            "description",
        ),
        (("open", "a", "EUR", "--min-balance-minor", 1), "invalid_limits", "min_balance_minor"),
    ],
)
def test_a_malformed_command_is_refused_before_it_is_sent(
    run: Run, local: LocalLedger, arguments: tuple[object, ...], reason: str, field: str
) -> None:
    """By the contracts' own check: the same reason and field as the API's, and no request."""
    refused = run(*arguments, "--json")
    assert refused.code == 1
    assert (refused.value["reason"], refused.value["field"]) == (reason, field)
    assert local.requests == []


@pytest.mark.usefixtures("accounts")
def test_the_same_id_for_another_payment_names_the_fields(run: Run) -> None:
    """idempotency_mismatch, with every field that differs."""
    run("pay", "a", "b", 1, "EUR", "--id", "p1")
    refused = run("pay", "a", "b", 2, "EUR", "--id", "p1", "--reference", "x", "--json")
    assert refused.code == 1
    assert refused.value["reason"] == "idempotency_mismatch"
    assert set(refused.value["fields"]) == {"postings[0].amount_minor", "reference"}


@pytest.mark.usefixtures("accounts")
def test_a_history_longer_than_a_page_is_read_whole(run: Run, local: LocalLedger) -> None:
    """Pages of 100 are joined, newest first, up to the limit; no entry twice, none left out."""
    posting = {"source": "a", "destination": "b", "amount_minor": 1, "currency": "EUR"}
    for number in range(130):
        command = {"type": "payment.post", "v": 1, "id": f"p{number}", "postings": [posting]}
        assert local.answer("POST", "/v1/payments", json.dumps(command))["statusCode"] == 201
    local.requests.clear()
    whole = run("history", "b", "-n", 500, "--json").value
    assert [entry["version"] for entry in whole["entries"]] == list(range(131, 0, -1))
    assert "next_cursor" not in whole
    assert len(local.requests) == 2
    part = run("history", "b", "-n", 101, "--json").value
    assert [entry["version"] for entry in part["entries"]] == list(range(131, 30, -1))
    assert "next_cursor" in part
    assert "complete to version 131 of 131" in run("history", "b").out
    assert "credit 0.01 EUR" in run("history", "b").out


@pytest.mark.usefixtures("accounts")
def test_a_history_that_is_replayed_between_two_pages_is_read_anew(
    run: Run, local: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cursor is of a generation that is gone: whole again, all of one generation."""
    posting = {"source": "a", "destination": "b", "amount_minor": 1, "currency": "EUR"}
    for number in range(130):
        command = {"type": "payment.post", "v": 1, "id": f"p{number}", "postings": [posting]}
        assert local.answer("POST", "/v1/payments", json.dumps(command))["statusCode"] == 201
    answer, asked = local.answer, []

    def gone_once(method: str, target: str, body: str | None) -> dict[str, Any]:
        asked.append("cursor=" in target)
        if asked == [False, True]:
            problem = {"reason": "invalid_query", "field": "cursor", "retry": "never"}
            return {"statusCode": 400, "body": json.dumps(problem)}
        return answer(method, target, body)

    monkeypatch.setattr(local, "answer", gone_once)
    whole = run("history", "b", "-n", 500, "--json").value
    assert [entry["version"] for entry in whole["entries"]] == list(range(131, 0, -1))
    assert asked == [False, True, False, True]


@pytest.mark.usefixtures("accounts")
def test_a_version_that_is_not_projected_is_an_outage(run: Run, local: LocalLedger) -> None:
    """--min-version asks again a few times, then exits with 3: later it may be there."""
    assert run("balance", "b", "--min-version", 1).code == 0
    local.requests.clear()
    late = run("balance", "b", "--min-version", 9, "--json")
    assert late.code == 3
    assert late.value["reason"] == "not_yet_projected"
    assert len(local.requests) == 6


def test_what_is_not_there_is_not_found(run: Run) -> None:
    """Exit code 1 with the reason; a path that could mean another route is a usage error."""
    assert run("payment", "absent", "--json").value["reason"] == "payment_not_found"
    assert run("balance", "absent", "--json").value["reason"] == "account_unknown"
    assert run("history", "absent").code == 1
    for verb in ("payment", "balance", "history"):
        usage = run(verb, "a/b")
        assert usage.code == 2
        assert "an id is 1 to 64 characters" in " ".join(usage.err.split())


@pytest.mark.usefixtures("accounts")
def test_an_outage_tells_the_id_to_retry_with(run: Run, local: LocalLedger) -> None:
    """Exit code 3; the made-up id is told, since the command may have been decided."""
    local.failing = 6
    outage = run("pay", "a", "b", 1, "EUR")
    assert outage.code == 3
    assert "the command had the id" in outage.err
    assert "contention" in outage.err
    local.failing = 5
    assert run("pay", "a", "b", 1, "EUR").code == 0


def test_without_a_configuration_the_error_says_what_to_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 on every verb that needs one; --config goes before the environment."""
    path = load(Path(tmp_path / "config.json"))
    assert path.is_local
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "absent.json"))
    for arguments in (
        ("balance", "a"),
        ("verify",),
        ("repair",),
        ("load",),
        ("pay", "a", "b", 1, "EUR"),
    ):
        missing = run(*arguments, "--json")
        assert missing.code == 2
        assert missing.value["reason"] == "configuration"
        assert "make run" in missing.value["title"]
    assert run("balance", "a", "--config", tmp_path / "config.json").code == 1


def test_every_verb_has_help_and_json(run: Run) -> None:
    """`ledger VERB --help` works without a configuration and lists --json."""
    verbs = (
        "up", "load", "import", "statement", "open", "pay", "balance", "history", "payment",
        "verify", "repair", "rebuild-states", "connect", "alerts", "watch",
    )  # fmt: skip
    listed = run("--help").out
    assert "Exit codes" in listed
    for verb in verbs:
        assert verb in listed
        shown = run(verb, "--help")
        assert shown.code == 0
        assert "--json" in shown.out


@pytest.mark.parametrize("amount", ["5.00", "4.20", "1_000", " 7 ", "1e3", "٣", ""])
def test_what_is_no_integer_of_minor_units_moves_nothing(
    run: Run, local: LocalLedger, amount: str
) -> None:
    """5.00 EUR must never be taken for 0.05 EUR: a wrong command line, wherever money is named."""
    for account in ("a", "b"):
        run("open", account, "EUR", "--unbounded")
    before = len(list(local.store.events()))
    assert run("pay", "a", "b", amount, "EUR").code == 2
    assert run("alerts", "a", "--below", amount).code == 2
    assert run("open", "c", "EUR", "--max-balance-minor", amount).code == 2
    assert len(list(local.store.events())) == before


def test_an_account_is_opened_again_harmlessly(run: Run) -> None:
    """Its command's id follows from the account: a repeat, as an import's would be; with other
    terms it is another request under that id."""
    assert run("open", "a", "EUR").code == 0
    again = run("open", "a", "EUR", "--json")
    assert (again.code, again.value["id"], again.value["repeat"]) == (0, "open:a", True)
    other = run("open", "a", "USD", "--json")
    assert (other.code, other.value["reason"]) == (1, "idempotency_mismatch")
