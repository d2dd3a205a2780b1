"""The verb `alerts`: what it sends, prints and refuses."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger


@pytest.fixture(autouse=True)
def account(run: Run) -> None:
    """`a`, in EUR, which may be overdrawn."""
    assert run("open", "a", "EUR", "--unbounded").code == 0


def test_alerts_take_the_place_of_those_there_were(run: Run, local: LocalLedger) -> None:
    """Each run sets the whole set, and shows what was set."""
    first = run("alerts", "a", "--below", 0, "--below", -40_000, "--above", 1_000_000)
    assert first.code == 0
    assert "below 0.00 EUR, below -400.00 EUR, above 10000.00 EUR" in first.out
    second = run("alerts", "a", "--above", 5, "--json")
    assert second.value["alerts"] == [{"direction": "above", "threshold_minor": 5}]
    [alert] = local.state("a").alerts
    assert (alert.direction, alert.threshold_minor) == ("above", 5)


def test_alerts_are_cleared_by_asking_for_it(run: Run, local: LocalLedger) -> None:
    """--clear leaves none."""
    run("alerts", "a", "--below", 0)
    cleared = run("alerts", "a", "--clear")
    assert cleared.code == 0
    assert "none" in cleared.out
    assert local.state("a").alerts == ()


def test_the_same_id_sets_them_once(run: Run) -> None:
    """The second run with the id says that nothing changed."""
    first = run("alerts", "a", "--below", 0, "--id", "once")
    again = run("alerts", "a", "--below", 0, "--id", "once")
    assert "before" not in first.out
    assert "set before: nothing changed" in again.out


def test_without_options_the_alerts_are_shown(run: Run) -> None:
    """Those that the account has now; of an unknown account the reason."""
    run("open", "a", "EUR")
    assert "none" in run("alerts", "a").out
    run("alerts", "a", "--below", 500)
    assert "below 5.00 EUR" in run("alerts", "a").out
    shown = run("alerts", "a", "--json").value
    assert shown["alerts"] == [{"direction": "below", "threshold_minor": 500}]
    assert run("alerts", "nobody", "--json").value["reason"] == "account_unknown"


@pytest.mark.parametrize("options", [("--clear", "--below", 1), ("--clear", "--above", 0)])
def test_what_is_wanted_must_be_said(
    run: Run, local: LocalLedger, options: tuple[object, ...]
) -> None:
    """Neither nothing nor both: alerts are never cleared by leaving something out."""
    local.requests.clear()
    refused = run("alerts", "a", *options, "--json")
    assert (refused.code, refused.value["reason"]) == (2, "usage")
    assert local.requests == []


def test_too_many_alerts_and_unknown_accounts_are_refused(run: Run) -> None:
    """By the contracts' own check before anything is sent, or else by the ledger."""
    many = [option for minor in range(5) for option in ("--below", minor)]
    assert run("alerts", "a", *many, "--json").code == 1
    assert run("alerts", "a", "--below", 1, "--below", 1, "--json").code == 1
    unknown = run("alerts", "nobody", "--below", 1, "--json")
    assert (unknown.code, unknown.value["reason"]) == (1, "account_not_found")
