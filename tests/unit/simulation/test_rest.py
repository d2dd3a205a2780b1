"""What is left when a world should rest is found, and so is what the ledger finds itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulation.auditor.auditor import Auditor
from simulation.campaigns import run_of
from simulation.faults.profiles import Profile
from simulation.functions.mappings.stream import StreamMapping
from simulation.kernel.hub import Task
from simulation.load.callers import Callers
from simulation.operations.verification import DifferenceError
from simulation.settings import Settings
from simulation.world import World

ROOT = Path(__file__).resolve().parents[3]
CALM = Settings(
    seed=1,
    commands=15,
    faults=Profile.NONE,
    deployment=False,
    restore=False,
    replay=False,
    redrive=False,
)


def found() -> list[tuple[str, str]]:
    """The findings of a short run in which nothing fails."""
    return [(one.property, one.message) for one in run_of(ROOT, CALM).findings]


def test_a_calm_world_leaves_nothing() -> None:
    """Its ledger verifies, its streams are read, its clients have ended."""
    assert found() == []


def test_a_client_that_never_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for what never comes, and the world rests all the same."""

    class Waiting(Callers):
        def __init__(self, world: World, *others: Any) -> None:
            super().__init__(world, *others)
            self.hub = world.hub

        def start(self) -> list[Task[None]]:
            return [*super().start(), self.hub.spawn("client", self.hub.park)]

    monkeypatch.setattr("simulation.run.Callers", Waiting)
    assert found() == [("retries_end", "client never came to its end.")]


@pytest.mark.parametrize("something", [True, False])
def test_an_auditor_that_cannot_go_on_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, something: bool
) -> None:
    """What was found before is told; if nothing was, it is the simulation that is broken."""

    def finish(self: Auditor, world: World) -> None:
        del world
        if something:
            self._found.report("events_stay", "One is gone.", "it")
        raise LookupError("what never was")

    monkeypatch.setattr(Auditor, "finish", finish)
    if something:
        assert found() == [("events_stay", "One is gone.")]
    else:
        with pytest.raises(LookupError):
            found()


def test_records_that_nobody_dealt_with_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping that forgets what it has read would leave them for ever."""
    monkeypatch.setattr(StreamMapping, "backlog", 3)
    assert {promise for promise, _ in found()} == {"retries_end"}


def test_what_the_ledgers_own_verification_finds_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When all is at rest there is nothing that could be late."""

    def verify(_world: World, *, projections: bool) -> None:
        assert projections
        raise DifferenceError("zero_sum: EUR: 1")

    monkeypatch.setattr("simulation.run.verify", verify)
    message = "operator/verify: DifferenceError: zero_sum: EUR: 1"
    assert found() == [("procedures_succeed", message)]
