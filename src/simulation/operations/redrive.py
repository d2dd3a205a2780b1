"""Dead letters sent back as `ledger redrive` does it, once what killed them has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from simulation.kernel.hub import SECOND, Task
from simulation.operations.operator import deployed

if TYPE_CHECKING:
    from simulation.world import World

#: Of somebody who sends dead letters back all day long, whether or not the cause is gone.
_PAUSES: Final = (600 * SECOND, 14_400 * SECOND)
#: Who has given up waiting for it by then.
_PATIENCE: Final = 5 * SECOND
_IMPATIENT: Final = 0.3
_AGAIN: Final = 10 * SECOND
_TRIES_MAX: Final = 20
#: Another try may hold letters for two minutes. What is not seen after that lies behind letters of
#: its group that never succeed: `ledger redrive` says how many, and that they must be discarded.
_BLIND_MAX: Final = 15


def redrive(world: World) -> int:
    """Sends back every dead letter that there is a way back for; how many went. In a task of its
    own. What can never succeed stays where it is, with its reason."""
    names = [place.name for place in _places(world) if place.back_to]
    return sum(_redriven(world, name) for name in names)


def redrive_now_and_then(world: World, until: int) -> None:
    """Sends dead letters back every few hours, while all that kills them goes on. Sometimes it is
    interrupted anywhere, as by Ctrl-C: what was done till then stays done. In a task of its own."""
    random = world.chance.stream("redrive")
    while True:
        world.hub.sleep(random.randint(*_PAUSES))
        if world.hub.now >= until:
            return
        task = world.hub.spawn("operator/redrive", lambda: redrive(world))
        if random.random() < _IMPATIENT:
            world.hub.sleep(random.randrange(_PATIENCE))
            world.hub.kill(task, Interrupted())
        _awaited(world, task)


class Interrupted(BaseException):
    """An operator's command was ended from outside."""


def _awaited(world: World, task: Task[int]) -> None:
    try:
        world.hub.wait(task.done)
    except (Interrupted, BotoCoreError, ClientError):
        world.trace.add("operator", "has not sent back all dead letters")


def _redriven(world: World, name: str) -> int:
    redriving = world.release.module("ledger.upkeep.dead_letters.redrive")
    retries = world.release.module("ledger.client.retries").Retries(
        pause=lambda seconds: world.hub.sleep(int(seconds * SECOND)),
        chance=world.operator_chance.random,
    )
    sent = blind = 0
    for _ in range(_TRIES_MAX):
        # A new one at each try, as each command has: a place does not show a letter twice.
        place = next(place for place in _places(world) if place.name == name)
        try:
            report = redriving.redrive(place, redriving.Orders(), retries=retries)
        except redriving.StoppedError as stopped:
            report, is_done = stopped.report, False
        else:
            blind = blind + 1 if report.unseen and not report.sent else 0
            is_done = not report.unseen or blind == _BLIND_MAX
        sent += len(report.sent)
        if report.sent or report.not_taken:
            world.trace.add("operator", f"sends {len(report.sent)} dead letters of {name}")
        if is_done:
            return sent
        world.hub.sleep(_AGAIN)
    raise AssertionError(f"{name} could not be redriven in all that time")


def _places(world: World) -> list[Any]:
    """Every place of dead letters, as if nobody had looked into it yet."""
    directory = world.release.module("ledger.upkeep.dead_letters.directory")
    return list(directory.places(deployed(world)))
