"""What clients ask through: the API, the bus and the queue of a world, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Final
from zlib import crc32

from simulation.asks import Ask, HttpAnswer
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from simulation.load.versions import Versions

if TYPE_CHECKING:
    from ledger.contracts.commands import Command
    from simulation.load.listeners import Listener
    from simulation.world import World

#: With the waits below some half a minute on average: longer than most outages.
ATTEMPTS_MAX: Final = 8
_WAIT_BASE: Final = SECOND // 4
_WAIT_CAP: Final = 20 * SECOND
#: A reply is lost with its connection, at once, or when the client waits no longer.
_LOST_AFTER: Final = (0, 3 * SECOND)

#: Worth asking again: by the status alone, as the ledger's own client goes.
RETRYABLE: Final = frozenset({429, 500, 502, 503, 504})


class Wire:
    """Shared by all clients of a world."""

    def __init__(self, world: World, listener: Listener) -> None:
        self.world = world
        self.hub = world.hub
        self.listener = listener
        self.versions = Versions()
        self.injector = world.injector
        self.account = world.wiring.account
        self.given_up: list[Command] = []
        """What was asked by REST, and asked no more though nothing was answered."""

    def stream(self, place: int) -> Random:
        """The chance of one element of the plan, whatever becomes of the others."""
        return self.world.chance.stream(f"load/{place}")

    def attempts(self, place: int) -> Iterator[int]:
        """1, 2, …, ATTEMPTS_MAX, with a wait before each but the first: full jitter, as clients
        have it."""
        random: Random | None = None
        for number in range(1, ATTEMPTS_MAX + 1):
            if number > 1:
                random = random or self.stream(place)
                ceiling = min(_WAIT_CAP, _WAIT_BASE * 2**number)
                self.hub.sleep(int(random.random() * ceiling))
            yield number

    def request(self, who: str, method: str, ask: Ask) -> HttpAnswer | None:
        """Makes an ask of the REST API, in the current task; None if the reply is lost.

        The listener is told of it before; what came of it the caller tells.
        """
        world = self.world
        self.listener.asked(ask)
        self.note(who, f"asks {method} {ask.path}", ask)
        answered = world.gateway.request(
            method, ask.path, caller=ask.actor, query=ask.query or None, body=ask.body or None
        )
        answer = self.hub.wait(answered)
        if self.injector.strikes(Fault.REPLY_LOST, who, ask.id):
            self.hub.sleep(_LOST_AFTER[crc32(ask.id.encode()) % 2])
            return None
        # The digest of the run goes by every byte that anybody was answered.
        world.trace.add(who, f"is answered {answer.status} {crc32(answer.body):08x}", ask.id)
        return answer

    def wait_until(self, instant: int) -> None:
        """Lets the current task wait for an instant, unless that is past."""
        if self.hub.now < instant:
            self.hub.sleep(instant - self.hub.now)

    def note(self, who: str, what: str, ask: Ask) -> None:
        """A line of the trace about an ask."""
        ids = (command.id for command in ask.commands if command is not None)
        self.world.trace.add(who, what, ask.id, *ids)

    def arn(self, role: str, name: str) -> str:
        """The principal that a client of the REST API signs as."""
        return f"arn:aws:sts::{self.account}:assumed-role/{role}/{name}"
