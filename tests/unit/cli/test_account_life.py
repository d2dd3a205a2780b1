"""The verbs for the life of accounts: opened in a book, limited, frozen, closed; their metadata."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger


@pytest.fixture(autouse=True)
def accounts(run: Run) -> None:
    """`a` has 100.00 EUR, of `bank`, which may be overdrawn; `b` has nothing."""
    for arguments in (("bank", "EUR", "--unbounded"), ("a", "EUR"), ("b", "EUR")):
        assert run("open", *arguments).code == 0
    assert run("pay", "bank", "a", 10_000, "EUR").code == 0


def test_what_is_frozen_does_not_pass_until_it_is_unfrozen(run: Run) -> None:
    """Debits, credits or both; shown by every verb that shows the account."""
    frozen = run("freeze", "a", "--sides", "debits", "--reason", "card stolen")
    assert frozen.code == 0
    for text in ("frozen", "debits", "card stolen"):
        assert text in frozen.out
    refused = run("pay", "a", "b", 1, "EUR")
    assert "account a at version 3: frozen debits" in refused.err
    assert run("pay", "bank", "a", 1, "EUR").code == 0
    assert "frozen: debits" in run("balance", "a").out
    assert "frozen: debits" in run("limits", "a").out
    assert run("unfreeze", "a", "--sides", "debits", "--reason", "card found").code == 0
    assert run("pay", "a", "b", 1, "EUR").code == 0


def test_what_may_pass_again_must_be_said(run: Run, local: LocalLedger) -> None:
    """Two froze a side each, for reasons of their own: whoever lifts the one freeze without a word
    on sides lifts nothing, and with it leaves the other's."""
    run("freeze", "a", "--sides", "debits", "--reason", "card stolen")
    run("freeze", "a", "--sides", "credits", "--reason", "court order")
    unclear = run("unfreeze", "a", "--reason", "card found")
    assert (unclear.code, "--sides" in unclear.err) == (2, True)
    assert local.state("a").frozen == "both"
    run("unfreeze", "a", "--sides", "debits", "--reason", "card found")
    assert local.state("a").frozen == "credits"


def test_an_account_is_closed_when_it_is_empty(run: Run, local: LocalLedger) -> None:
    """Refused with what is on it; then for ever."""
    refused = run("close", "a", "--reason", "left")
    assert (refused.code, "balance 10000 minor units" in refused.err) == (1, True)
    run("pay", "a", "bank", 10_000, "EUR")
    assert "closed" in run("close", "a", "--reason", "left").out
    assert local.state("a").status == "closed"
    assert "account_closed" in run("pay", "bank", "a", 1, "EUR").err


def test_limits_are_set_shown_and_explained(run: Run, local: LocalLedger) -> None:
    """What is left out stays; a refusal says which limit, what is used and left, and until when."""
    first = run(
        "limits", "a", "--min", -500, "--max", 20_000, "--max-basis", "posted",
        "--velocity", "daily-out:day:debits:8000:EUR:10", "--velocity", "burst:2h:debits::EUR:2",
    )  # fmt: skip
    assert first.code == 0
    for text in (
        "lowest -5.00 EUR, highest 200.00 EUR (posted)",
        "daily-out: debits at most 80.00 EUR and 10 payments a day",
        "burst: debits at most 2 payments in 2 hours",
    ):
        assert text in first.out
        assert text in run("balance", "a").out
    assert run("pay", "a", "b", 6_000, "EUR").code == 0
    shown = run("limits", "a")
    for text in ("60.00 EUR, 1 payment", "20.00 EUR, 9 payments", "2026-11-22T00:00:00"):
        assert text in shown.out
    refused = run("pay", "a", "b", 2_001, "EUR")
    assert (
        "limit daily-out (debits a day): 60.00 EUR of 80.00 EUR used, 20.00 EUR left; 1 of 10 "
        "payments used, 9 left; less is used from 2026-11-22T00:00:00.000000Z"
    ) in refused.said
    run("pay", "a", "b", 1, "EUR")
    assert "limit burst (debits in 2 hours): 2 of 2 payments used, 0 left" in (
        run("pay", "a", "b", 1, "EUR").said
    )
    assert "lowest none, highest 200.00 EUR (posted)" in run("limits", "a", "--min", "none").out
    assert run("limits", "a", "--clear-velocity", "--json").value["velocity"] == []
    state = local.state("a")
    assert (state.min_balance_minor, state.max_balance_minor, state.velocity) == (None, 20_000, ())


@pytest.mark.parametrize(
    "options",
    [
        ("--min", "5.00"),
        ("--max", "all"),
        ("--velocity", "daily"),
        ("--velocity", "daily:day:debits:50.00:EUR"),
        ("--velocity", "daily:day:debits:5:EUR:1:2"),
        ("--velocity", "daily:day:debits:5:EUR:-1"),
        ("--velocity", "d:day:debits:5:EUR", "--clear-velocity"),
        ("--dry-run",),
        ("--id", "x"),
    ],
)
def test_a_limit_that_is_not_clear_is_not_sent(
    run: Run, local: LocalLedger, options: tuple[str, ...]
) -> None:
    """A wrong command line: exit code 2, no request."""
    local.requests.clear()
    assert run("limits", "a", *options).code == 2
    assert local.requests == []


@pytest.mark.parametrize(
    ("velocity", "field"),
    [
        ("D:day:debits:5:EUR", "velocity[0].name"),
        ("d:year:debits:5:EUR", "velocity[0].window"),
        ("d:200h:debits:5:EUR", "velocity[0].hours"),
        ("d:day:out:5:EUR", "velocity[0].direction"),
        ("d:day:debits:5:EUX", "velocity[0].currency"),
        ("d:day:debits::EUR", "velocity[0]"),
    ],
)
def test_a_velocity_limit_is_judged_by_the_contracts(run: Run, velocity: str, field: str) -> None:
    """Refused before it is sent, at the field that is at fault."""
    refused = run("limits", "a", "--velocity", velocity, "--json")
    assert (refused.code, refused.value["field"]) == (1, field)


def test_metadata_are_set_shown_and_cleared(run: Run) -> None:
    """Of accounts and payments, in place of those there were; with the account's balance too."""
    run("open", "c", "EUR", "--metadata", "segment=retail", "--metadata", "branch=7")
    assert "segment=retail branch=7" in run("metadata", "account", "c").out
    assert "segment=retail branch=7" in run("balance", "c").out
    changed = run("metadata", "account", "c", "segment=private", "--id", "m")
    assert "segment=private" in changed.out
    assert run("metadata", "account", "c", "--json").value["metadata"] == {"segment": "private"}
    assert "set before" in run("metadata", "account", "c", "segment=private", "--id", "m").out
    assert run("metadata", "account", "c", "--clear").code == 0
    assert "none" in run("metadata", "account", "c").out
    run("pay", "a", "b", 1, "EUR", "--id", "p", "--metadata", "channel=app")
    assert "channel=app" in run("metadata", "payment", "p").out
    assert run("metadata", "payment", "p", "channel=web").code == 0
    assert "channel=web" in run("payment", "p").out
    assert run("metadata", "account", "nobody", "k=v").code == 1
    assert run("metadata", "account", "nobody", "--json").value["reason"] == "account_unknown"


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "a", "novalue"),
        ("account", "a", "k=1", "k=2"),
        ("account", "a", "k=1", "--clear"),
        ("account", "a/b"),
        ("book", "main"),
        ("account", "a", "--dry-run"),
    ],
)
def test_metadata_that_are_not_clear_are_not_sent(
    run: Run, local: LocalLedger, arguments: tuple[str, ...]
) -> None:
    """A wrong command line: exit code 2, no request."""
    local.requests.clear()
    assert run("metadata", *arguments).code == 2
    assert local.requests == []


def test_a_card_number_is_no_metadata(run: Run) -> None:
    """Refused before it is sent, without being shown."""
    refused = run("metadata", "account", "a", "note=4111 1111 1111 1111")
    assert (refused.code, "card_number" in refused.err) == (1, True)
    assert "4111" not in refused.err


def test_an_account_is_spread_over_stripes(run: Run, local: LocalLedger) -> None:
    """At its opening or later; shown by the verbs that show the account, and of a payment which
    stripe it is on. A refusal tells of the account, once."""
    opened = run("open", "fees", "EUR", "--type", "income", "--stripes", 4)
    assert (opened.code, "stripes" in opened.out) == (0, True)
    assert local.state("fees").stripes == 4
    spread = run("set-stripes", "a", 3, "--reason", "sale")
    assert spread.code == 0
    for text in ("stripes_set", "sale", "a stripe 2"):
        assert text in spread.out
    paid = run("pay", "a", "fees", 5_000, "EUR")
    assert (paid.code, "a stripe " in paid.out, "fees stripe " in paid.out) == (0, True, True)
    assert "stripes" in run("limits", "a").out
    refused = run("pay", "a", "b", 5_001, "EUR")
    assert refused.code == 1
    assert refused.said.count("available 50.00 EUR") == 1
    assert "stripe" not in refused.said
    assert run("set-stripes", "a", 33).code == 2
