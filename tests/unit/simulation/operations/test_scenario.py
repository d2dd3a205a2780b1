"""When operators do what they do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simulation.kernel.chance import Chance
from simulation.kernel.hub import SECOND, Hub
from simulation.operations import scenario
from simulation.operations.scenario import Operations, begin
from simulation.releases.release import Release
from tests.unit.simulation.functions.small_world import NOON

DAY = 86_400 * SECOND
NAMES = ("restore", "replay", "deploy")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What was begun, and at which share of a day of even load."""
    seen: list[tuple[str, float]] = []

    def noting(name: str) -> Any:
        return lambda world, *_, **__: seen.append((name, (world.hub.now - NOON) / DAY))

    monkeypatch.setattr(scenario, "backup", lambda _: [])
    monkeypatch.setattr(scenario, "restore_states", noting("restore"))
    monkeypatch.setattr(scenario, "replay", noting("replay"))
    monkeypatch.setattr(scenario, "deploy", noting("deploy"))
    monkeypatch.setattr(scenario, "deploy_and_regret", noting("deploy"))
    return seen


def play(seed: int, release: Release) -> None:
    world: Any = SimpleNamespace(hub=Hub(NOON))
    instants = [NOON + place * DAY // 1_000 for place in range(1_000)]
    listener: Any = SimpleNamespace(restoring="lost", restored="whole")
    begin(world, Operations(deploy=release), instants, listener, Chance(seed))
    world.hub.run()


def test_operations_begin_in_turn_or_together_in_any_order(begun: list[tuple[str, float]]) -> None:
    """Each once in a run, between a quarter of it and an hour behind four fifths."""
    orders, together = set(), 0
    for seed in range(60):
        begun.clear()
        play(seed, Release("next"))
        assert sorted(name for name, _ in begun) == sorted(NAMES)
        at = [when for _, when in begun]
        assert 0.24 < min(at) <= max(at) < 0.86
        if max(at) - min(at) <= 1 / 24:
            together += 1
        else:
            orders.add(tuple(name for name, _ in begun))
    assert len(orders) == 6
    assert 15 < together < 45


def test_each_is_done_in_all_its_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """From run to run: with the backup of before or with none, of any projection, and a deployment
    kept or regretted. Who is told of a restore is told at its two ends."""
    seen: set[tuple[str, object]] = set()

    def restored(_: object, items: object, *, begun: object, ended: object) -> None:
        seen.update({("restore", str(items)), ("begun", begun), ("ended", ended)})

    def noting(name: str) -> Any:
        return lambda _, what, *__: seen.add((name, what))

    monkeypatch.setattr(scenario, "backup", lambda _: ["kept"])
    monkeypatch.setattr(scenario, "restore_states", restored)
    for name in ("replay", "deploy", "deploy_and_regret"):
        monkeypatch.setattr(scenario, name, noting(name))
    following = Release("next")
    for seed in range(30):
        play(seed, following)
    assert seen == {
        *(("restore", "[]"), ("restore", "['kept']"), ("begun", "lost"), ("ended", "whole")),
        *(("replay", name) for name in scenario.PROJECTIONS),
        *(("deploy", following), ("deploy_and_regret", following)),
    }
