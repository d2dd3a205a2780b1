"""The verb `simulate`, from its options to its exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ledger.cli.app import app

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def simulate(*options: object) -> Result:
    """Runs `ledger simulate`."""
    arguments: Sequence[str] = ["simulate", *map(str, options)]
    return CliRunner().invoke(app, arguments)


def test_a_run_is_reported() -> None:
    """As one JSON value, with the faults by kind and those that never struck."""
    ended = simulate("--seed", 3, "--commands", 30, "--faults", "none", "--json")
    assert ended.exit_code == 0
    value = json.loads(ended.stdout)
    assert value["ok"]
    assert value["settings"]["seed"] == 3
    assert value["asks"] >= value["commands"] > 0
    assert "CALL_REFUSED" in value["faults_missed"]


def test_a_run_is_repeated() -> None:
    """By its line, to the same digest."""
    first = json.loads(simulate("--seed", 4, "--commands", 20, "--json").stdout)
    again = json.loads(simulate("--again", first["settings"]["again"], "--json").stdout)
    assert again["trace"] == first["trace"]
    assert again["history"]


def test_several_seeds_are_summed_up() -> None:
    """One after the other."""
    ended = simulate("--seeds", 2, "--commands", 20, "--faults", "none", "--json")
    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["seeds"] == 2


def test_planted_bugs_are_listed() -> None:
    """Each with what it does."""
    bugs = json.loads(simulate("--bugs", "--json").stdout)["bugs"]
    assert len(bugs) >= 20
    assert all(one["name"] and one["what"] for one in bugs)


@pytest.mark.parametrize(
    "options",
    [
        ("--bug", "no-such-bug"),
        ("--hours", 1, "--seeds", 2),
        ("--hours", 0),
        ("--bug", "all", "--commands", 9),
        ("--again", '{"seed":1}', "--seeds", 2),
        ("--again", '{"seed":1}', "--commands", 9),
        ("--again", '{"seed":1}', "--seed", 0),
        ("--again", '{"seed":1}', "--faults", "heavy"),
        ("--again", '{"seed":1}', "--jobs", 1),
        ("--again", '{"seed":1,"commands":9,"only":[0,9999]}'),
        ("--bug", "all", "--faults", "none"),
        ("--bug", "stale-balance", "--faults", "none"),
        ("--bug", "stale-balance", "--jobs", 2),
        ("--again", '{"seed":1,"bug":"no-such-bug"}'),
        ("--again", "{}"),
        ("--faults", "some"),
    ],
    ids=[
        "unknown bug",
        "hours and seeds",
        "no hours",
        "all bugs and commands",
        "again and seeds",
        "again and commands",
        "again and seed",
        "again and faults",
        "again and jobs",
        "again beyond the plan",
        "all bugs and faults",
        "bug and faults",
        "bug and jobs",
        "again with an unknown bug",
        "no settings",
        "no profile",
    ],
)
def test_what_does_not_go_together_is_refused(options: tuple[object, ...]) -> None:
    """Exit code 2, before anything runs."""
    assert simulate(*options).exit_code == 2


def test_it_needs_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere there is no stack to simulate."""
    monkeypatch.chdir(tmp_path)
    ended = simulate("--commands", 10, "--json")
    assert ended.exit_code == 2
    assert "cdk.json" in json.loads(ended.stdout)["title"]
