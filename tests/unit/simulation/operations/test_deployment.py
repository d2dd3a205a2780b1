"""Deployments, and those that are taken back."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from simulation.faults.kinds import Fault
from simulation.kernel.chance import Chance
from simulation.kernel.hub import SECOND
from simulation.operations.deployment import deploy, deploy_and_regret
from simulation.world import World
from tests.unit.simulation.functions.small_world import MadeUp, SmallWorld


def release(name: str) -> MadeUp:
    """One whose functions answer its name."""
    return MadeUp(name, lambda _host: lambda _event, context: context.function_version)


def served(
    operate: Callable[[World, MadeUp, Chance], None],
) -> tuple[SmallWorld, list[tuple[str, ...]]]:
    """What two functions answered, each minute, while that was done, and for ten minutes after."""
    small = SmallWorld()
    functions = {name: small.function(lambda _event, _context: "", name=name) for name in "ab"}
    first = release("first")
    world: Any = SimpleNamespace(
        hub=small.hub,
        injector=small.injector,
        functions=functions,
        release=first,
    )
    for function in functions.values():
        function.deploy(first, 0)  # as the one that it was made with answers nothing
        function.release = first
    task = small.hub.spawn(
        "operator", lambda: operate(cast("World", world), release("second"), small.chance)
    )
    answers = []
    left = 10
    while left:
        small.hub.run(until=small.hub.now + 60 * SECOND)
        asked = [functions[name].invoke({}) for name in "ab" for _ in range(4)]
        small.hub.run(until=small.hub.now + SECOND)
        answers.append(tuple(sorted({one.result().answer for one in asked})))
        left -= task.done.done
    task.done.result()
    assert world.release.name == "second"
    return small, answers


def test_a_deployment_has_ended_when_the_new_release_is_alone() -> None:
    """Until then both serve for an hour."""
    small, answers = served(deploy)
    assert ("first", "second") in answers
    assert set(answers[-10:]) == {("second",)}
    assert small.injector.occurred == {Fault.DEPLOYMENT: 1}


def test_a_deployment_that_is_taken_back_comes_again() -> None:
    """In between the release before is alone."""
    small, answers = served(deploy_and_regret)
    both = answers.index(("first", "second"))
    assert ("first",) in answers[both:]
    assert set(answers[-10:]) == {("second",)}
    assert small.injector.occurred == {Fault.DEPLOYMENT: 2, Fault.ROLLED_BACK: 1}
