"""The verbs that list: payments by status, accounts under a path with their sums."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger


@pytest.fixture(autouse=True)
def accounts(run: Run) -> None:
    """Three accounts of a customer, and a bank."""
    for arguments in (
        ("bank:cash", "EUR", "--unbounded"),
        ("customers:42:wallet", "EUR"),
        ("customers:42:savings", "EUR"),
        ("customers:42:yen", "JPY"),
        ("customers:420:wallet", "EUR"),
    ):
        assert run("open", *arguments).code == 0
    run("pay", "bank:cash", "customers:42:wallet", 5_000, "EUR", "--id", "topup")
    run("pay", "bank:cash", "customers:42:savings", 700, "EUR")


def test_payments_are_listed_by_their_status(run: Run) -> None:
    """What is held and when it expires; what was refused and why; none if there is none."""
    hold = ("customers:42:wallet", "bank:cash", 1_200, "EUR")
    run("authorize", *hold, "--id", "h1", "--expires-at", "2026-11-30T00:00:00Z")
    run("authorize", *hold, "--id", "h2")
    run("void", "h2")
    held = run("payments", "--status", "held")
    assert held.code == 0
    for text in ("h1", "12.00 EUR customers:42:wallet -> bank:cash", "2026-11-30T00:00:00"):
        assert text in held.out
    assert "h2" not in held.out
    run("pay", "customers:42:wallet", "bank:cash", 999_999, "EUR", "--id", "r")
    assert "insufficient_funds" in run("payments", "--status", "rejected").out
    assert "no payment is reversed" in run("payments", "--status", "reversed").out
    span = ("--from", "2026-11-21T00:00:00Z", "--to", "2026-11-21T00:00:01Z")
    assert run("payments", "--status", "held", *span, "--json").value["payments"] == []


def test_a_list_longer_than_a_page_is_read_whole(run: Run, local: LocalLedger) -> None:
    """Pages of 100 are joined, the newest first, up to the limit."""
    posting = {
        "source": "bank:cash",
        "destination": "customers:42:wallet",
        "amount_minor": 1,
        "currency": "EUR",
    }
    for number in range(130):
        command = {"type": "payment.post", "v": 1, "id": f"p{number}", "postings": [posting]}
        assert local.answer("POST", "/v1/payments", json.dumps(command))["statusCode"] == 201
    whole = run("payments", "--status", "posted", "-n", 500, "--json").value
    assert [one["id"] for one in whole["payments"]][:130] == [f"p{n}" for n in range(129, -1, -1)]
    assert len(whole["payments"]) == 132
    assert "next_cursor" not in whole
    part = run("payments", "--status", "posted", "-n", 101, "--json").value
    assert len(part["payments"]) == 101
    assert "next_cursor" in part


def test_accounts_under_a_path_are_summed_and_listed(run: Run) -> None:
    """By currency; not those whose ids only begin alike."""
    run("authorize", "customers:42:wallet", "bank:cash", 1_000, "EUR")
    shown = run("accounts", "--under", "customers:42")
    assert shown.code == 0
    for text in ("57.00 EUR", "47.00 EUR", "customers:42:yen", "customers:42:savings"):
        assert text in shown.out
    assert "customers:420" not in shown.out
    value = run("accounts", "--under", "customers:42", "-n", 1, "--json").value
    assert value["sums"]["accounts"] == 3
    assert len(value["accounts"]) == 1
    assert "next_cursor" in value
    assert "no account is at or under" in run("accounts", "--under", "shops:none").out


def test_sums_that_come_in_parts_are_added_up(
    run: Run, local: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Part by part, until they are complete; by currency and type."""
    answer = local.answer
    row = {
        "currency": "EUR",
        "account_type": "liability",
        "accounts": 2,
        "balance_minor": 30,
        "available_minor": 20,
        "debits_posted_minor": 0,
        "credits_posted_minor": 30,
        "debits_pending_minor": 10,
        "credits_pending_minor": 0,
    }
    asset = row | {"account_type": "asset", "accounts": 1}

    def in_parts(method: str, target: str, body: str | None) -> dict[str, Any]:
        if "/accounts?" not in target:
            return answer(method, target, body)
        last = "cursor=part" in target
        sums = {
            "accounts": 3,
            "complete": last,
            "by_currency_and_type": [row, asset],
            **({} if last else {"next_cursor": "part"}),
        }
        page = {"under": "customers:42", "sums": sums, "accounts": []}
        return {"statusCode": 200, "body": json.dumps(page)}

    monkeypatch.setattr(local, "answer", in_parts)
    sums = run("accounts", "--under", "customers:42", "--json").value["sums"]
    assert (sums["accounts"], sums["complete"]) == (6, True)
    first, second = sums["by_currency_and_type"]
    assert (first["account_type"], first["accounts"]) == ("asset", 2)
    assert (second["accounts"], second["balance_minor"], second["available_minor"]) == (4, 60, 40)


def test_a_list_that_is_replayed_between_two_pages_is_read_anew(
    run: Run, local: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cursor is of a generation that is gone: whole again, all of one generation; not for
    ever."""
    answer, gone = local.answer, [2]

    def paged(method: str, target: str, body: str | None) -> dict[str, Any]:
        if "cursor=" in target and gone[0]:
            gone[0] -= 1
            problem = {"reason": "invalid_query", "field": "cursor", "retry": "never"}
            return {"statusCode": 400, "body": json.dumps(problem)}
        return answer(method, target.replace("limit=100", "limit=1"), body)

    monkeypatch.setattr(local, "answer", paged)
    whole = run("payments", "--status", "posted", "-n", 200, "--json")
    assert (whole.code, len(whole.value["payments"]), gone) == (0, 2, [0])
    gone[0] = 100
    assert run("payments", "--status", "posted", "-n", 200, "--json").code == 1


def test_a_status_or_a_path_that_is_none_is_refused(run: Run) -> None:
    """By the API, at the parameter."""
    assert run("payments", "--status", "settled", "--json").value["field"] == "status"
    assert run("accounts", "--under", "customers", "--json").value["field"] == "under"
