"""`verify`, `repair` and `rebuild-states`, on stores in memory."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.application.verification import CHECKS
from ledger.cli.connection import Connection
from ledger.cli.verification import MEANINGS
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

HELD, SOLD = "hold-1", "sale-1"


@pytest.fixture(autouse=True)
def stores(local: LocalLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command would read from DynamoDB and publish to the bus."""
    for name, value in (
        ("events", local.store),
        ("balances", local.balances),
        ("history", local.history),
        ("payments", local.payments),
        ("publisher", local),
    ):
        monkeypatch.setattr(Connection, name, _returning(value))


def _returning(value: object) -> Any:
    return lambda _: value


@pytest.fixture(autouse=True)
def loaded(run: Run) -> None:
    """Some payments, projected; one that is held, and one that was reversed in part."""
    assert run("load", "-n", 20).code == 0
    for account in ("customers:a:wallet", "customers:b:wallet"):
        assert run("open", account, "EUR", "--unbounded").code == 0
    leg = ("customers:a:wallet", "customers:b:wallet", 100, "EUR")
    assert run("authorize", *leg, "--id", HELD).code == 0
    assert run("pay", *leg, "--id", SOLD).code == 0
    assert run("reverse", SOLD, "30").code == 0


def failed(value: dict[str, Any]) -> set[str]:
    """The checks of a report that found something."""
    return {check["check"] for check in value["checks"] if check["failures"]}


def test_a_sound_ledger_verifies(run: Run) -> None:
    """Exit code 0; every check is listed, each with what it holds and how much it looked at."""
    sound = run("verify", "--json")
    assert sound.code == 0
    assert sound.value["ok"] is True
    assert [check["check"] for check in sound.value["checks"]] == list(CHECKS)
    looked = {check["check"] for check in sound.value["checks"] if check["examined"]}
    # There is no batch, and no account with stripes.
    assert looked == set(CHECKS) - {"batches_whole", "leases_add_up"}
    shown = run("verify").out
    assert all(check in shown and MEANINGS[check] in shown for check in CHECKS)
    assert "FAILED" not in shown


def test_a_corruption_fails_and_is_named(run: Run, local: LocalLedger) -> None:
    """A state that differs from its events: exit code 1, the check and the account."""
    state = local.state("customers:0001:wallet")
    wrong = msgspec.structs.replace(state, credits_posted_minor=state.credits_posted_minor + 1)
    local.store._states[state.key] = wrong  # noqa: SLF001 - no port lets anyone do this
    found = run("verify", "--json")
    assert found.code == 1
    assert failed(found.value) == {"states_equal"}
    assert found.value["findings"][0]["subject"] == state.id
    shown = run("verify").out
    assert "1 FAILED" in shown
    assert "customers:0001:wallet" in shown


def test_what_the_projections_missed_is_found_and_repaired(run: Run, local: LocalLedger) -> None:
    """A batch never reached them: verify fails, repair finds the gaps, then all holds."""
    local.project = False
    assert run("load", "-n", 100, "--seed", 2).code == 0
    local.project = True
    assert run("load", "-n", 100, "--seed", 3).code == 0
    before = run("verify", "--wait", 0, "--json")
    assert before.code == 1
    assert failed(before.value) >= {"history_equal"}
    looked = run("repair", "--dry-run", "--json")
    assert looked.code == 1
    assert looked.value["published"] == 0
    assert {gap["projection"] for gap in looked.value["gaps"]} >= {"history"}
    repaired = run("repair", "--json")
    assert repaired.code == 0
    assert repaired.value["gaps"] == looked.value["gaps"]
    assert repaired.value["published"] >= 90
    assert repaired.value["left"] == 0
    assert run("verify", "--wait", 0).code == 0
    nothing = run("repair", "--json")
    assert (nothing.code, nothing.value["gaps"], nothing.value["published"]) == (0, [], 0)


def test_a_lost_tail_of_every_projection_is_repaired(run: Run, local: LocalLedger) -> None:
    """The newest events show in no row: they are found by comparing with the states."""
    local.project = False
    assert run("load", "-n", 100, "--seed", 2).code == 0
    assert {gap["projection"] for gap in run("repair", "--json").value["gaps"]} == {
        "balances",
        "history",
    }  # what these missed brings the payments too
    assert run("verify", "--wait", 0).code == 0


def test_a_gap_that_cannot_be_filled_does_not_keep_the_others_open(
    run: Run, local: LocalLedger
) -> None:
    """A state that claims a version no event made is told; everything else is repaired."""
    local.project = False
    assert run("load", "-n", 100, "--seed", 2).code == 0
    state = local.state("customers:0001:savings")
    wrong = msgspec.structs.replace(state, version=state.version + 7)
    local.store._states[state.key] = wrong  # noqa: SLF001 - no port lets anyone do this
    repaired = run("repair", "--wait", 0, "--json")
    assert repaired.code == 1
    assert repaired.value["published"] > 90
    assert "customers:0001:savings" in repaired.value["broken"][0]
    left = run("repair", "--dry-run", "--json").value["gaps"]
    assert {gap["subject"] for gap in left} == {"customers:0001:savings"}


def test_states_are_rebuilt_only_when_told_that_handlers_stopped(
    run: Run, local: LocalLedger
) -> None:
    """Without the option a usage error; with it what is missing comes back, as it was."""
    states = {state.key: state for state in local.store.states()}
    local.store._states.clear()  # noqa: SLF001 - the table was lost
    refused = run("rebuild-states", "--json")
    assert refused.code == 2
    assert "reserved concurrency" in refused.value["title"]
    assert list(local.store.states()) == []
    rebuilt = run("rebuild-states", "--handlers-stopped", "--json")
    assert rebuilt.code == 0
    accounts = sum(key.kind == "account" for key in states)
    assert rebuilt.value == {"accounts": accounts, "others": 2, "restored": accounts + 2}
    assert {state.key: state for state in local.store.states()} == states
    assert run("rebuild-states", "--handlers-stopped", "--json").value["restored"] == 0


def test_a_lost_balance_comes_back_whole(run: Run, local: LocalLedger) -> None:
    """Its totals came with the latest event, its limits with the opening: verify misses either, and
    repair publishes what has them."""
    account = "customers:0001:wallet"
    before = local.balances.account(account)
    assert before is not None
    assert before.profile is not None
    wrong = msgspec.structs.replace(before.profile, min_balance_minor=-5)
    profiles, totals = local.balances._profiles, local.balances._totals  # noqa: SLF001
    for profile, finding in ((wrong, "differs"), (None, "missing")):
        if profile is None:
            del profiles[account]
        else:
            profiles[account] = profile
        found = run("verify", "--wait", 0, "--json")
        assert failed(found.value) == {"balances_equal"}
        assert finding in found.value["findings"][0]["detail"]
    del totals[account]
    assert run("repair", "--json").value["left"] == 0
    assert local.balances.account(account) == before
    assert run("verify", "--wait", 0).code == 0


@pytest.mark.parametrize(
    ("command", "projection"),
    [
        (("capture", HELD, "40"), "payments"),
        (("void", HELD), "payments"),
        (("reverse", SOLD), "payments"),
        (("metadata", "payment", SOLD, "invoice=7"), "payments"),
        (("metadata", "account", "customers:a:wallet", "segment=retail"), "balances"),
        (("freeze", "customers:a:wallet", "--reason", "court order"), "balances"),
        (("limits", "customers:a:wallet", "--min", "-500"), "balances"),
    ],
)
def test_whatever_a_projection_missed_is_found_and_repaired(
    run: Run, local: LocalLedger, command: tuple[str, ...], projection: str
) -> None:
    """The newest event of a payment, of metadata or of what an account is never arrived: the gap is
    named with its projection, and repair closes it."""
    local.project = False
    assert run(*command).code == 0, run(*command).out
    local.project = True
    gaps = run("repair", "--dry-run", "--json").value["gaps"]
    assert projection in {gap["projection"] for gap in gaps}
    assert run("repair", "--json").value["left"] == 0
    assert run("repair", "--json").value["gaps"] == []
    assert run("verify", "--wait", 0).code == 0


def test_a_payment_that_was_never_projected_is_found_by_its_history(
    run: Run, local: LocalLedger
) -> None:
    """A payment posted at once has no state: the history knows it."""
    del local.payments._payments[SOLD]  # noqa: SLF001 - it was lost
    assert failed(run("verify", "--wait", 0, "--json").value) == {"payments_equal"}
    gaps = run("repair", "--dry-run", "--json").value["gaps"]
    assert {gap["subject"] for gap in gaps} == {f"payment {SOLD}"}
    assert run("repair", "--json").value["left"] == 0
    assert run("verify", "--wait", 0).code == 0
