"""The verb `load`, against the real handlers on loopback."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ledger.importers import berka, oxford
from ledger.importers.generated import generate
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

ROWS = (
    "1,11,5,1993-01-01,0,PRIJEM,VKLAD,700.00,700.00,,,,0.00",
    "2,12,5,1993-01-02,0,VYDAJ,VYBER,100.00,599.90,,,,-0.10",
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with two rows of a bank's."""
    with gzip.open(tmp_path / berka.FILE_NAMES[0], "wt", encoding="utf-8") as file:
        file.write("\n".join([",".join(berka.COLUMNS), *ROWS, ""]))
    return tmp_path


def test_generated_payments_come_to_what_is_foreseen_and_move_nothing_twice(
    run: Run, local: LocalLedger
) -> None:
    """Every outcome of the source; loaded again, all that was decided is a repeat."""
    source = generate(200, seed=7)
    loaded = run("load", "-n", 200, "--seed", 7, "--json")
    assert loaded.code == 0, loaded.value
    assert loaded.value["answered"] == dict(source.expected())
    assert loaded.value["sent"] == {"rest": len(source)}
    events = len(list(local.store.events()))
    again = run("load", "-n", 200, "--seed", 7, "--json")
    assert again.code == 0
    assert again.value["answered"]["repeat"] > 200
    assert "posted" not in again.value["answered"]
    assert len(list(local.store.events())) == events


def test_rows_of_a_bank_are_loaded_and_a_second_load_is_all_repeats(
    run: Run, local: LocalLedger, directory: Path
) -> None:
    """The balance in the ledger is the bank's; progress is on standard error, not output."""
    loaded = run("load", directory, "--format", "berka", "--json")
    assert loaded.code == 0
    assert loaded.value["answered"] == {"opened": 3, "posted": 2}
    assert local.state("berka:account:5").balance_minor == 59_990
    again = run("load", directory, "--format", "berka")
    assert again.code == 0
    assert "repeat" in again.out
    assert "5 of 5" in again.err


def test_rows_of_a_city_are_loaded_and_refused_ones_told(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """A payment, its refund, and a row of zero: foreseen, named by row, field and reason."""
    rows = (
        "f.csv,1,OCC,HRA,Paint,B1,2014-01-07,7_0,10.00,Revenue,42,S",
        "f.csv,2,OCC,HRA,Paint,B1,2014-01-07,7_1,-2.50,Revenue,42,S",
        "f.csv,3,OCC,HRA,Paint,B1,2014-01-07,7_2,0.00,Revenue,42,S",
    )
    with gzip.open(tmp_path / oxford.FILE_NAMES[0], "wt", encoding="utf-8") as file:
        file.write("\n".join([",".join(oxford.COLUMNS), *rows, ""]))
    loaded = run("load", tmp_path, "--format", "oxford", "--json")
    assert loaded.code == 0
    assert loaded.value["answered"] == {"opened": 2, "posted": 2}
    (refused,) = loaded.value["refused_rows"]
    assert (refused["place"], refused["field"], refused["reason"]) == (
        "row 4 (f.csv:3)", "amount", "invalid_amount",
    )  # fmt: skip
    assert local.state("oxford:council").balance_minor == 750
    assert "invalid_amount" in run("load", tmp_path, "--format", "oxford").out


def test_an_answer_that_is_not_foreseen_fails_and_names_its_line(run: Run, directory: Path) -> None:
    """Somebody closed the door before: the account is open already, under another command."""
    opened_then = ("--effective-at", "1992-12-31T00:00:00Z")
    assert run("open", "berka:account:5", "EUR", *opened_then).code == 0
    refused = run("load", directory, "--format", "berka", "--json")
    assert refused.code == 1
    assert refused.value["unforeseen"] == 3
    assert refused.value["first_unforeseen"][1] == {
        "origin": "trans_1993.csv.gz:2",
        "command_id": "berka:trans:11",
        "expected": "posted",
        "outcome": "currency_mismatch",
    }
    shown = run("load", directory, "--format", "berka", "-n", 1)
    assert shown.code == 1
    assert "idempotency_mismatch" in shown.out


@pytest.mark.parametrize(
    ("arguments", "reason", "why"),
    [
        (("--format", "berka"), "usage", "needs the directory"),
        (("here",), "usage", "come from no directory"),
        (("/nowhere", "--format", "berka"), "unreadable_source", "no such directory"),
    ],
)
def test_a_source_that_cannot_be_read_is_a_usage_error(
    run: Run, arguments: tuple[str, ...], reason: str, why: str
) -> None:
    """Exit code 2, and nothing was sent."""
    refused = run("load", *arguments, "--json")
    assert refused.code == 2
    assert refused.value["reason"] == reason
    assert why in refused.value["title"]


def test_order_is_not_given_to_the_bus(run: Run, directory: Path, local: LocalLedger) -> None:
    """The rows of an account must be decided in their order: refused before anything is sent."""
    refused = run("load", directory, "--format", "berka", "--through", "bus")
    assert refused.code == 2
    assert "through rest or queue" in " ".join(refused.err.split())
    assert local.requests == []


def test_an_outage_ends_the_load_and_loading_again_goes_on(run: Run, local: LocalLedger) -> None:
    """Exit code 3; what was loaded stays loaded and is a repeat the next time."""
    local.failing = 1_000_000
    assert run("load", "-n", 20, "--json").code == 3
    local.failing = 0
    assert run("load", "-n", 20).code == 0
