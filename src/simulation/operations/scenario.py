"""When, in a run, what operators do is done."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from simulation.kernel.chance import Chance
from simulation.kernel.hub import SECOND, Task
from simulation.operations.deployment import deploy, deploy_and_regret
from simulation.operations.replay import replay
from simulation.operations.restore import Items, backup, restore_states
from simulation.releases.release import Release

if TYPE_CHECKING:
    from simulation.world import World

#: The share of a run's commands after which each begins: in turn, as people do them one by one.
_BACKUP: Final = (0.1, 0.2)
_IN_TURN: Final = ((0.25, 0.4), (0.45, 0.6), (0.7, 0.85))
#: In other runs they fall together, which no document forbids: all begin within so long of one
#: moment, of which this is the share.
_TOGETHER: Final = 0.5
_MOMENT: Final = (0.25, 0.8)
_TOGETHER_WITHIN: Final = 3_600 * SECOND
#: Of the deployments, those that are taken back for a while.
_REGRETTED: Final = 0.4
PROJECTIONS: Final = ("balances", "history", "payments")


class Restored(Protocol):
    """Is told of a restore, in which states are not what they should be."""

    def restoring(self) -> None:
        """The states table is about to be lost."""

    def restored(self) -> None:
        """It is whole again."""


class Operations(Struct, frozen=True):
    """What operators do in a run: each is left out where it is false, or None."""

    restore: bool = True
    replay: bool = True
    deploy: Release | None = None


def begin(
    world: World,
    operations: Operations,
    instants: list[int],
    listener: Restored,
    chance: Chance,
) -> list[Task[object]]:
    """Plans the operations by the `instants` at which commands are asked for, in rising order;
    their tasks. `chance` says when each begins, and how a deployment goes."""
    tasks: list[Task[object]] = []
    if not instants:
        return tasks
    random = chance.stream("scenario")
    kept: list[Items] = []
    from_backup = random.random() < 0.5  # else the table is lost altogether
    backed_up = _planned(random, _BACKUP, instants, world.hub.now)
    delays = _delays(random, instants, world.hub.now)
    projection = random.choice(PROJECTIONS)
    deploying = deploy_and_regret if random.random() < _REGRETTED else deploy
    if operations.restore:
        world.hub.after(backed_up, lambda: kept.append(backup(world)))

        def restored() -> None:
            items = kept[0] if from_backup else []
            restore_states(world, items, begun=listener.restoring, ended=listener.restored)

        tasks.append(world.hub.spawn("operator/restore", restored, delay=delays[0]))
    if operations.replay:
        replayed = partial(replay, world, projection)
        tasks.append(world.hub.spawn("operator/replay", replayed, delay=delays[1]))
    if operations.deploy is not None:
        deployed = partial(deploying, world, operations.deploy, chance)
        tasks.append(world.hub.spawn("operator/deploy", deployed, delay=delays[2]))
    return tasks


def _delays(random: Random, instants: list[int], now: int) -> list[int]:
    """How long from now until each of three begins: in turn, in any order, or all at about once."""
    if random.random() < _TOGETHER:
        moment = _planned(random, _MOMENT, instants, now)
        return [moment + random.randrange(_TOGETHER_WITHIN) for _ in _IN_TURN]
    delays = [_planned(random, share, instants, now) for share in _IN_TURN]
    random.shuffle(delays)
    return delays


def _planned(random: Random, share: tuple[float, float], instants: list[int], now: int) -> int:
    """How long from now until so many of the commands were asked for."""
    place = int(random.uniform(*share) * len(instants))
    return max(0, instants[min(place, len(instants) - 1)] - now)
