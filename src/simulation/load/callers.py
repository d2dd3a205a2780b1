"""The clients at work: each asks one thing after the other, as the plan has it for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import msgspec
from msgspec import Struct

from ledger.contracts.commands import bulk_of
from simulation.asks import Ask, AskRoute, HttpAnswer
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND, Task
from simulation.load.clients import Clients
from simulation.load.elements import Client, Plan, Planned
from simulation.load.messengers import feed_bus, feed_queue
from simulation.load.readers import read, read_at_rest
from simulation.load.sending import Sending
from simulation.load.wire import RETRYABLE, Wire

if TYPE_CHECKING:
    from simulation.load.listeners import Listener
    from simulation.world import World

_ACCEPTED: Final = frozenset({200, 201})
#: How long after its answer a client asks once more, at most.
_AGAIN_MAX: Final = 3 * SECOND
#: How much of what was answered is asked once more in the end.
_AGAIN_SAMPLE: Final = 50


class _One(Struct):
    status: int


class _Answers(Struct):
    answers: tuple[_One, ...]


_ANSWERS: Final = msgspec.json.Decoder(_Answers)


class Callers:
    """All clients of a plan, in a world. The listener is told of all that they ask and hear."""

    def __init__(self, world: World, plan: Plan, listener: Listener) -> None:
        self._wire = Wire(world, listener)
        self._plan = plan

    def start(self) -> list[Task[None]]:
        """A task for each client that has something to ask. What goes wrong in one is a mistake of
        the simulation; it is in the task's `done`."""
        asked: dict[str, list[Planned]] = {}
        for element in self._plan.elements:
            asked.setdefault(element.client, []).append(element)
        return [
            self._wire.hub.spawn(
                f"client/{client.name}", partial(_play, self._wire, client, asked[client.name])
            )
            for client in self._plan.clients
            if client.name in asked
        ]

    def ask_again(self) -> Task[list[str]]:
        """When all is quiet: what clients gave up, and some of what was asked otherwise, is asked
        once more by REST; and all lists are read. Once in a run. The task tells the ids of the
        commands, and the paths, to which nothing was answered even then: there should be none."""
        return self._wire.hub.spawn("client/epilogue", self._again)

    def _again(self) -> list[str]:
        asked = [
            command
            for element in self._plan.elements
            if element.route not in ("dry_run", "manage", "query")
            for command in element.commands
            if command is not None
        ]
        some = {one.id: one for one in asked[:: len(asked) // _AGAIN_SAMPLE + 1]}
        some |= {one.id: one for one in self._wire.given_up}
        sending = Sending(self._wire.stream(-1), Clients(self._plan.commands))
        behind = 1 + max((one.place for one in self._plan.elements), default=0)
        unheard = []
        for place, command in enumerate(some.values(), behind):
            element = sending.one(command, self._wire.hub.now, place=place)
            if not _submit(self._wire, element.client, element):
                unheard.append(command.id)
        reader = Clients(self._plan.commands).readers[0]
        return unheard + read_at_rest(self._wire, reader, behind + len(some))


def _play(wire: Wire, client: Client, elements: Sequence[Planned]) -> None:
    if client.kind == "bus":
        feed_bus(wire, client.name, elements)
        return
    if client.kind == "fifo":
        feed_queue(wire, client.name, elements)
        return
    for element in elements:
        wire.wait_until(element.at)
        if element.route == "query":
            read(wire, client.name, element)
        elif element.route == "manage":
            _manage(wire, client.name, element)
        else:
            _submit(wire, client.name, element)


def _submit(wire: Wire, name: str, element: Planned) -> bool:
    """Asks until it is decided, or for as long as a client does; now and then once more. Whether
    everything was answered."""
    places: Sequence[int] = range(len(element.commands))
    attempt = 0
    for attempt in wire.attempts(element.place):
        answer = _asked(wire, name, element, attempt, places)
        if answer is None or answer.status in RETRYABLE:
            continue
        places = _undecided(element, places, answer)
        if not places:
            break
    else:
        if element.route != "dry_run":
            left = (element.commands[place] for place in places)
            wire.given_up += [command for command in left if command is not None]
        return False
    if element.route != "dry_run" and wire.injector.strikes(
        Fault.CALLER_REPEATED, name, str(element.place)
    ):
        wire.hub.sleep(wire.stream(element.place).randrange(_AGAIN_MAX))
        _asked(wire, name, element, attempt + 1, range(len(element.commands)))
    return True


def _asked(
    wire: Wire, name: str, element: Planned, attempt: int, places: Sequence[int]
) -> HttpAnswer | None:
    """One attempt at the commands at these places of an element; None if nothing is heard."""
    body = element.body
    if element.bodies:
        body = bulk_of(element.bodies[place] for place in places)
    ask = Ask(
        id=f"{element.place}.{attempt}",
        at=wire.hub.now,
        route=cast("AskRoute", element.route),  # what is managed goes another way
        commands=tuple(element.commands[place] for place in places),
        body=body,
        path=element.path,
        query=element.query,
        actor=wire.arn("clients", name),
        attempt=attempt,
    )
    answer = wire.request(name, element.method, ask)
    if answer is None:
        wire.listener.unanswered(ask)
        return None
    wire.listener.answered(ask, answer)
    if answer.status in _ACCEPTED:
        wire.versions.learn(answer.body)
    return answer


def _undecided(element: Planned, places: Sequence[int], answer: HttpAnswer) -> list[int]:
    """The places of those of several commands that are to be sent again, in their order."""
    if not element.bodies or answer.status not in _ACCEPTED:
        return []
    each = _ANSWERS.decode(answer.body).answers
    return [place for place, one in zip(places, each, strict=True) if one.status in RETRYABLE]


def _manage(wire: Wire, name: str, element: Planned) -> None:
    """A request about subscribers: what it does shows in what they are sent."""
    world = wire.world
    for _ in wire.attempts(element.place):
        world.trace.add(name, f"asks {element.method} {element.path}")
        answered = world.gateway.request(
            element.method,
            element.path,
            caller=wire.arn("managers", name),
            body=element.body or None,
        )
        answer = wire.hub.wait(answered)
        world.trace.add(name, f"is answered {answer.status}")
        if answer.status not in RETRYABLE:
            return
