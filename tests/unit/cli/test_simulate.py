"""`ledger simulate`: what it tells when it is interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.cli.app import app
from simulation.results import Hunt, Result
from simulation.settings import Settings
from tests.support.command_line import CliRunner


def ended(seed: int) -> Result:
    """A run that found nothing."""
    return Result(
        settings=Settings(seed=seed),
        findings=(),
        planned=1,
        commands=1,
        sent=1,
        handled=1,
        asks=1,
        outcomes={},
        occurred={},
        strikes=0,
        virtual_seconds=1.0,
        steps=1,
        entries=1,
        digest="",
    )


def interrupted(*before: object) -> Any:
    """Ends as many things, and then somebody presses Ctrl-C."""

    def iterate(*_: object, **__: object) -> Iterator[object]:
        yield from before
        raise KeyboardInterrupt

    return iterate


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_runs_that_had_ended_are_summed_up(
    monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """For people and for programs, in one value; with the exit code of an interruption."""
    monkeypatch.setattr("simulation.campaigns.run_all", interrupted(ended(1), ended(2)))
    answer = CliRunner().invoke(app, ["simulate", "--seeds", "9", *options])
    assert answer.exit_code == 130
    if options:
        told = json.loads(answer.stdout)
        assert (told["seeds"], told["interrupted"], told["ok"]) == (2, True, True)
    else:
        assert "no finding" in answer.stdout
        assert "interrupted" in answer.stdout


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_hunts_that_had_ended_are_told(monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    """Which bugs were found by then."""
    hunt = Hunt("a-bug", "It does harm.", 1, None, None)
    monkeypatch.setattr("simulation.campaigns.hunt_all", interrupted(hunt))
    answer = CliRunner().invoke(app, ["simulate", "--bug", "all", *options])
    assert answer.exit_code == 130
    if options:
        told = json.loads(answer.stdout)
        assert [one["bug"] for one in told["bugs"]] == ["a-bug"]
        assert told["interrupted"] is True
    else:
        assert "a-bug" in answer.stdout
