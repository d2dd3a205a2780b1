"""The verbs for holds and reversals: what they send, print and exit with."""

from __future__ import annotations

import pytest

from ledger.contracts.primitives import instant_of_microseconds
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import NOW, LocalLedger


@pytest.fixture(autouse=True)
def funded(run: Run) -> None:
    """`a` has 100.00 EUR, of `bank`, which may be overdrawn; `b` has nothing."""
    for arguments in (("bank", "EUR", "--unbounded"), ("a", "EUR"), ("b", "EUR")):
        assert run("open", *arguments).code == 0
    assert run("pay", "bank", "a", 10_000, "EUR", "--id", "salary").code == 0


def test_a_hold_is_captured_in_parts_and_its_rest_released(run: Run, local: LocalLedger) -> None:
    """Each verb shows what it moved and how the payment is; the money is there at the end."""
    held = run("authorize", "a", "b", 5_000, "EUR", "--id", "h", "--reference", "room 7")
    assert held.code == 0
    for text in ("authorized", "held: authorized 50.00 EUR", "room 7", "2026-11-28"):
        assert text in held.out
    state = local.state("a")
    assert (state.balance_minor, state.available_minor) == (10_000, 5_000)
    assert "held: authorized 60.00 EUR" in run("increase", "h", 1_000).out
    part = run("capture", "h", 2_000, "--id", "c")
    assert "partially captured: authorized 60.00 EUR, captured 20.00 EUR, held still" in part.out
    rest = run("capture", "h", 1_000, "--final")
    assert "captured: authorized 60.00 EUR, captured 30.00 EUR" in rest.out
    assert "40.00 EUR" in rest.out
    state = local.state("a")
    assert (state.balance_minor, state.available_minor) == (7_000, 7_000)
    shown = run("payment", "h")
    for text in ("captured", "60.00 EUR", "30.00 EUR", "last changed"):
        assert text in shown.out
    assert run("payment", "h", "--json").value["captured_minor"] == [3_000]


def test_a_void_releases_and_a_reversal_gives_back(run: Run, local: LocalLedger) -> None:
    """All that is held; a part of what was posted, then the rest."""
    run("authorize", "a", "b", 5_000, "EUR", "--id", "h")
    voided = run("void", "h", "--reason", "out of stock")
    assert "voided" in voided.out
    assert "out of stock" in voided.out
    assert local.state("a").available_minor == 10_000
    run("pay", "a", "b", 1_000, "EUR", "--id", "p")
    part = run("reverse", "p", 400, "--reason", "a scratch", "--id", "r")
    assert "partially reversed: captured 10.00 EUR, given back 4.00 EUR" in part.out
    again = run("reverse", "p", 400, "--reason", "a scratch", "--id", "r")
    assert "reversed before: nothing moved again" in again.out
    assert "given back 10.00 EUR" in run("reverse", "p").out
    assert local.state("b").balance_minor == 0
    assert "given back" in run("payment", "p").out


REFUSALS: dict[str, tuple[tuple[object, ...], str, str]] = {
    "beyond the hold": (("capture", "h", 5_001), "capture_exceeds_hold", "remaining 5000 minor"),
    "beyond the payment": (
        ("reverse", "salary", 10_001),
        "reversal_exceeds_payment",
        "posted 10000 minor",
    ),
    "of no payment": (("void", "nothing"), "payment_unknown", "id nothing"),
    "of no hold": (("capture", "salary"), "hold_not_open", ""),
    "too long ahead": (
        ("authorize", "a", "b", 1, "EUR", "--expires-at", "2030-01-01T00:00:00Z"),
        "expiry_out_of_range",
        "the time: expires at 2030",
    ),
}


@pytest.mark.parametrize(("command", "reason", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_why_in_words(
    run: Run, command: tuple[object, ...], reason: str, words: str
) -> None:
    """What it is about, with its values; never as raw JSON."""
    run("authorize", "a", "b", 5_000, "EUR", "--id", "h")
    refused = run(*command)
    assert refused.code == 1
    assert reason in refused.err
    assert words in refused.err
    assert '"values"' not in refused.err


def test_an_expired_hold_is_refused_and_shown_as_what_it_is(run: Run, local: LocalLedger) -> None:
    """After its expiry nothing is captured, whether a sweeper came or not."""
    run("authorize", "a", "b", 5_000, "EUR", "--id", "h", "--expires-at", _in_seconds(60))
    local.now += 61_000_000
    refused = run("capture", "h")
    assert (refused.code, "hold_expired" in refused.err) == (1, True)
    # Its money is there for a payment that needs it.
    assert run("pay", "a", "b", 10_000, "EUR").code == 0
    assert "expired" in run("payment", "h").out


def _in_seconds(seconds: int) -> str:
    return instant_of_microseconds(NOW + seconds * 1_000_000)


@pytest.mark.parametrize(
    "command",
    [
        ("capture", "h", "5.00"),
        ("reverse", "h", "1e3"),
        ("increase", "h"),
        ("authorize", "a", "b", "5.00", "EUR"),
        ("authorize", "a", "b", "5"),
        ("pay", "a", "b", "5", "EUR", "b"),
        ("pay", "a", "b", "5", "EUR", "--rate", "1.08"),
        ("pay", "a", "b", "5", "EUR", "--metadata", "novalue"),
        ("pay", "a", "b", "5", "EUR", "--metadata", "k=1", "--metadata", "k=2"),
    ],
)
def test_a_wrong_command_line_sends_nothing(
    run: Run, local: LocalLedger, command: tuple[str, ...]
) -> None:
    """Exit code 2, before any request."""
    local.requests.clear()
    assert run(*command).code == 2
    assert local.requests == []


def test_a_payment_of_several_postings_at_a_declared_rate(run: Run) -> None:
    """Fours of words; the rate is checked to the last minor unit, rounded as it says."""
    for account in ("yen", "shop:yen"):
        run("open", account, "JPY", "--unbounded")
    postings = ("a", "b", 1_000, "EUR", "yen", "shop:yen", 1_634, "JPY")
    refused = run("pay", *postings, "--rate", "0:1:163.45:half_up", "--json")
    assert (refused.value["reason"], refused.value["field"]) == ("rate_mismatch", "rates[0].rate")
    paid = run("pay", *postings, "--rate", "0:1:163.45", "--id", "fx", "--metadata", "desk=4")
    assert paid.code == 0
    for text in ("10.00 EUR", "1634 JPY", "163.45, posting 0 to 1, half_even", "desk=4"):
        assert text in paid.out
        assert text in run("payment", "fx").out


def test_a_held_payment_of_two_currencies_is_told_by_its_postings(run: Run) -> None:
    """Amounts of two currencies are never added or mistaken for each other."""
    for account in ("yen", "shop:yen"):
        run("open", account, "JPY", "--unbounded")
    run("authorize", "a", "b", 1_000, "EUR", "yen", "shop:yen", 2_000, "JPY", "--id", "h")
    captured = run("capture", "h", 500)
    assert "payment now  partially captured" in captured.out
    assert "5.00 EUR" in captured.out
    assert "1000 JPY" in captured.out
    assert run("payment", "h", "--json").value["captured_minor"] == [500, 1_000]
