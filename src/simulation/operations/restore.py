"""The states table lost, or restored from the past, and rebuilt: as docs/operations.md says.

The functions that decide are stopped first, and given time to end what they had begun. Then what
the table had goes, or an earlier backup takes its place; the ledger's own procedure recomputes it
from the events, its verification finds nothing, and the functions may work again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from simulation.operations.operator import deployed
from simulation.operations.verification import verify

if TYPE_CHECKING:
    from simulation.world import World

#: The functions that write states.
DECIDING: Final = ("Api", "Commands", "Expiry")
#: A running invocation has ended by then: docs/operations.md.
_ENDING: Final = 120 * SECOND
_AGAIN_SECONDS: Final = 5
#: An operator's command fails as a whole at an outage, and is given again.
_TRIES_MAX: Final = 50

Items = list[dict[str, Any]]


def backup(world: World) -> Items:
    """The states table as it is now."""
    return list(world.dynamodb.peek(_states(world)).values())


def restore_states(
    world: World, backed_up: Items, *, begun: Callable[[], object], ended: Callable[[], object]
) -> int:
    """Loses the states table, puts in its place what was backed up, and rebuilds it; how many
    states that wrote. In a task of its own.

    `begun` is called when the table is about to go, `ended` when it is whole again.
    """
    for name in DECIDING:
        world.functions[name].limit(0)
    world.hub.sleep(_ENDING)
    begun()
    world.injector.note(Fault.STATES_RESTORED, "operator")
    world.dynamodb.wipe(_states(world))
    world.dynamodb.load(_states(world), backed_up)
    restored = _rebuilt(world)
    ended()
    verify(world, projections=False)
    for name in DECIDING:
        world.functions[name].limit(None)
    return restored


def _rebuilt(world: World) -> int:
    restored = 0
    for _ in range(_TRIES_MAX):
        release = world.release
        store_error = release.module("ledger.application.ports").TransientStoreError
        rebuild = release.module("ledger.application.rebuild").rebuild_states
        try:
            restored += int(rebuild(deployed(world).events()).restored)
        except store_error:
            world.hub.sleep(_AGAIN_SECONDS * SECOND)
        else:
            return restored
    raise AssertionError("the states could not be rebuilt in all that time")


def _states(world: World) -> str:
    return world.wiring.variable("STATES_TABLE")
