"""`ledger verify`, as operators run it after a restore, and whoever wants to be sure."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from simulation.kernel.hub import SECOND
from simulation.operations.operator import deployed

if TYPE_CHECKING:
    from simulation.world import World

_AGAIN: Final = 10 * SECOND
#: An operator's command fails as a whole at an outage, and is given again.
_TRIES_MAX: Final = 50
#: What an outage ends it with. By name, as each release has classes of its own.
_GIVEN_AGAIN: Final = ("StoreError", "TransientStoreError")
_OF_PROJECTIONS: Final = frozenset({"balances_equal", "history_equal", "payments_equal"})


class DifferenceError(Exception):
    """`ledger verify` names something that is not as it must be."""


def verify(world: World, *, projections: bool) -> None:
    """Verifies the ledger. In a task of its own. Raises DifferenceError.

    Without `projections` nothing is made of what these lack: it may be on its way, or lie in dead
    letters.
    """
    for _ in range(_TRIES_MAX):
        try:
            report = _verified(world)
        except Exception as error:
            if not any(cls.__name__ in _GIVEN_AGAIN for cls in type(error).__mro__):
                raise
            world.hub.sleep(_AGAIN)
            continue
        found = [
            f"{one.check}: {one.subject}: {one.detail}"
            for one in report.findings
            if projections or one.check not in _OF_PROJECTIONS
        ]
        world.trace.add("operator", "verifies", *found)
        if found:
            raise DifferenceError("; ".join(found))
        return
    raise AssertionError("the ledger could not be verified in all that time")


def _verified(world: World) -> Any:
    return world.release.module("ledger.upkeep.verification").verified(
        deployed(world),
        wait_seconds=0,
        monotonic=lambda: world.hub.now / SECOND,
        step=lambda _: nullcontext(),
    )
