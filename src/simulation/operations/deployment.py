"""A release that takes the place of another while commands come, and one that is taken back."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from simulation.faults.kinds import Fault
from simulation.kernel.chance import Chance
from simulation.kernel.hub import SECOND
from simulation.releases.release import Release

if TYPE_CHECKING:
    from simulation.world import World

#: For how long workers of both releases serve, as traffic is shifted from one to the other: long,
#: so that they meet often. Functions follow one after the other.
OVERLAP: Final = 3_600 * SECOND
_BETWEEN_FUNCTIONS: Final = 60 * SECOND
#: How long after a deployment it is taken back, and how long after that it comes again.
_REGRETTED_AFTER: Final = (60 * SECOND, 5_400 * SECOND)
_AGAIN_AFTER: Final = (300 * SECOND, 2_700 * SECOND)
_BETWEEN_ALIASES: Final = 2 * SECOND


def deploy(world: World, release: Release, chance: Chance) -> None:
    """Brings `release` to every function, until no other serves. In a task of its own."""
    _bring(world, release, chance.stream("deployment"))
    world.hub.sleep(OVERLAP)


def deploy_and_regret(world: World, release: Release, chance: Chance) -> None:
    """The same, but for a while the release before is put back by its aliases. In a task of its
    own.

    docs/deploy.md warns of it: old workers are alone with what the new ones have written, must
    refuse it, and what they refuse must come right when the newer release is there again.
    """
    before, random = world.release, chance.stream("rollback")
    _bring(world, release, random)
    world.hub.sleep(random.randint(*_REGRETTED_AFTER))
    world.injector.note(Fault.ROLLED_BACK, "operator", before.name)
    for name in _names(world, random):
        world.functions[name].deploy(before, 0)
        world.hub.sleep(_BETWEEN_ALIASES)
    world.hub.sleep(random.randint(*_AGAIN_AFTER))
    deploy(world, release, chance)


def _bring(world: World, release: Release, random: Random) -> None:
    """To one function after the other, in no order that could be relied on: CloudFormation updates
    what does not depend on each other as it likes.

    Operators' tools are of the new release from the beginning: those of the old one cannot read
    what the new one writes.
    """
    world.injector.note(Fault.DEPLOYMENT, "operator", release.name)
    world.release = release
    for name in _names(world, random):
        world.functions[name].deploy(release, OVERLAP)
        world.hub.sleep(_BETWEEN_FUNCTIONS)


def _names(world: World, random: Random) -> list[str]:
    names = sorted(world.functions)
    random.shuffle(names)
    return names
