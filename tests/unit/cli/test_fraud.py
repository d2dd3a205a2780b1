"""`ledger screening` and `ledger reviews`: what an analyst sees of the scorer's verdicts."""

from __future__ import annotations

import pytest

from consumers.fraud.store import Review
from ledger.cli.fraud import currency_of_payment, reason_row
from ledger.contracts.commands import ScreeningReason
from tests.support.fraud import MONDAY, instant, recorded
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger


@pytest.fixture
def payments(run: Run, local: LocalLedger) -> None:
    """A payment that is screened, and one that is not."""
    assert run("open", "a", "EUR", "--unbounded").code == 0
    assert run("open", "b", "EUR").code == 0
    assert run("pay", "a", "b", 1250, "EUR", "--id", "p1").code == 0
    local.unscreened = 1
    assert run("pay", "a", "b", 1250, "EUR", "--id", "p2").code == 0


def reviewed(local: LocalLedger, count: int) -> None:
    """That many reviews, an hour apart."""
    reason = ScreeningReason(code="amount_above_norm", value=9_000, norm=210, unit="minor")
    for place in range(count):
        event = recorded(f"p{place}", recorded_at=instant(MONDAY + place), reasons=(reason,))
        local.fraud.add_review(Review(event, "ann"))


@pytest.mark.usefixtures("payments")
def test_a_verdict_is_shown_with_what_is_usual(run: Run) -> None:
    """Verdict, score and model, and each reason with the payment's figure and the norm."""
    shown = run("screening", "p1")
    assert shown.code == 0
    for text in ("review", "700 of 1000", "rules-1", "new_counterparty", "1 accounts"):
        assert text in shown.out
    [found] = run("screening", "p1", "--json").value["screenings"]
    assert (found["verdict"], found["score_permille"]) == ("review", 700)


@pytest.mark.usefixtures("payments")
def test_a_payment_without_a_verdict_says_so(run: Run) -> None:
    """No verdict is no error; a payment that does not exist is one."""
    assert "no verdict is recorded" in run("screening", "p2").out
    assert run("screening", "p2", "--json").value == {"payment": "p2", "screenings": []}
    missing = run("screening", "p3", "--json")
    assert missing.code != 0
    assert missing.value["reason"] == "payment_not_found"


def test_amounts_are_shown_as_money_beside_the_norm() -> None:
    """An amount has the payment's currency; of a payment in several it stays in minor units."""
    reason = {"code": "amount_above_norm", "value": 9_000, "norm": 210, "unit": "minor"}
    one = {"postings": [{"currency": "EUR"}, {"currency": "EUR"}]}
    assert reason_row(reason, currency_of_payment(one)) == (
        "amount_above_norm",
        "90.00 EUR",
        "2.10 EUR",
    )
    two = {"postings": [{"currency": "EUR"}, {"currency": "USD"}]}
    assert reason_row(reason, currency_of_payment(two)) == (
        "amount_above_norm",
        "9000 minor",
        "210 minor",
    )
    count = {"code": "payments_in_a_day", "value": 9, "norm": None, "unit": "payments"}
    assert reason_row(count, "EUR") == ("payments_in_a_day", "9 payments", "")


def test_reviews_are_listed_newest_first(run: Run, local: LocalLedger) -> None:
    """As many as asked for, page by page, with payer, verdict and reasons."""
    assert "every payment was cleared" in run("reviews").out
    reviewed(local, 130)
    found = run("reviews", "--limit", 120, "--json").value
    assert [each["payment"] for each in found["reviews"]] == [
        f"p{place}" for place in range(129, 9, -1)
    ]
    assert "next_cursor" in found
    every = run("reviews", "-n", 500, "--json").value
    assert len(every["reviews"]) == 130
    assert "next_cursor" not in every
    shown = run("reviews", "-n", 1).out
    for text in ("block", "900", "p129", "ann", "amount_above_norm", "older ones: --limit"):
        assert text in shown
    assert "p128" not in shown
