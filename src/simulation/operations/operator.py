"""The ledger as its operators reach it, by the outputs of its stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulation.kernel.hub import SECOND

if TYPE_CHECKING:
    from simulation.world import World


def deployed(world: World) -> Any:
    """A `ledger.upkeep.deployed.Deployed` of the release that is deployed now."""
    base = world.release.module("ledger.upkeep.deployed").Deployed

    class SimulatedDeployed(base):  # type: ignore[misc,valid-type]  # known at run time only
        outputs: Mapping[str, str] = world.wiring.outputs
        dynamodb = world.client(world.dynamodb)
        eventbridge = world.client(world.events)
        s3 = world.client(world.buckets)
        sqs = world.client(world.sqs)

        def output(self, key: str) -> str:
            return self.outputs[key]

        def chance(self) -> float:
            return world.operator_chance.random()

        def pause(self, seconds: float) -> None:
            world.hub.sleep(int(seconds * SECOND))

    return SimulatedDeployed()
