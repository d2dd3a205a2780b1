"""A projection replayed while events come, as `ledger replay` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from simulation.operations.operator import deployed

if TYPE_CHECKING:
    from simulation.world import World

#: As the command line waits for an event on its way.
_PATIENCE_SECONDS: Final = 60.0
_AGAIN: Final = 10 * SECOND
_TRIES_MAX: Final = 50
#: What `ledger replay` ends with and an operator answers with `--resume`: an outage, or events that
#: have not arrived yet. By name, as each release has classes of its own.
_GIVEN_AGAIN: Final = ("StoreError", "TransientStoreError", "IncompleteError")


def replay(world: World, projection: str) -> None:
    """Rebuilds a projection from the events beside the live one, and swaps. In a task of its own.

    Interrupted by an outage it goes on where it was, as often as it takes; and by the release that
    is deployed, if that has come meanwhile and written what the tool of the one before cannot read.
    """
    world.injector.note(Fault.PROJECTION_REPLAYED, "operator", projection)
    resume = False
    for _ in range(_TRIES_MAX):
        release = world.release
        replaying = _replaying(world, projection)
        try:
            _through(world, replaying.run(resume=resume))
        except Exception as error:
            if not _is_given_again(error) and world.release is release:
                raise
            world.hub.sleep(_AGAIN)
            resume = _is_under_way(world, projection)
        else:
            return
    raise AssertionError(f"{projection} could not be replayed in all that time")


def _replaying(world: World, projection: str) -> Any:
    ledger = deployed(world)
    replays = world.release.module("ledger.upkeep.replays")
    found = replays.projection_of(ledger, projection)
    instant = world.release.module("ledger.contracts.primitives").instant_of_microseconds
    return world.release.module("projections.replay.replaying").Replay(
        found.replayable,
        generations=found.generations,
        store_of=found.store_of,
        source=replays.StoredEvents(ledger.events()),
        patience_seconds=_PATIENCE_SECONDS,
        now=lambda: instant(world.hub.now),
    )


def _is_under_way(world: World, projection: str) -> bool:
    """Whether an interrupted replay left something to resume; asked until there is an answer."""
    error_type = world.release.module("ledger.runtime.faults").StoreError
    for _ in range(_TRIES_MAX):
        try:
            found = world.release.module("ledger.upkeep.replays").projection_of(
                deployed(world), projection
            )
            return bool(found.generations.pointer().phase != "steady")
        except error_type:
            world.hub.sleep(_AGAIN)
    raise AssertionError(f"{projection} could not be looked at in all that time")


def _through(world: World, steps: Any) -> None:
    """Takes a replay through its steps, and waits where they say so."""
    for step in steps:
        if step.wait_seconds:
            world.hub.sleep(int(step.wait_seconds * SECOND))


def _is_given_again(error: Exception) -> bool:
    return any(cls.__name__ in _GIVEN_AGAIN for cls in type(error).__mro__)
