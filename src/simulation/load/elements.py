"""What a plan is made of: who sends what, and when. Plain data, fixed before anything happens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct

from ledger.contracts.commands import Command, bulk_of
from simulation.asks import AskRoute

PlannedRoute = AskRoute | Literal["manage"]
"""`manage` is a request about subscribers of webhooks; all else as an ask has it."""
ClientKind = Literal["rest", "bus", "fifo", "reader", "manager"]


class Client(Struct, frozen=True):
    """Somebody who asks, one thing after the other."""

    name: str
    kind: ClientKind


class Planned(Struct, frozen=True, kw_only=True):
    """One request to be made. It means the same whichever others are left out."""

    place: int
    """Its number in the plan that was made, from 0, in the order of time."""
    at: int
    """Not before this instant, in microseconds since 1970."""
    client: str
    """Who makes it, as soon as what they were to ask before is done with."""
    route: PlannedRoute
    method: Literal["GET", "POST", "PUT", "DELETE"] = "POST"
    path: str = ""
    """Of the REST API; empty for `bus` and `fifo`."""
    query: Mapping[str, str] = {}
    body: bytes = b""
    """Of what is no bulk, which has bodies of its commands."""
    commands: tuple[Command | None, ...] = ()
    """What the body says; None for what is malformed on purpose."""
    bodies: tuple[bytes, ...] = ()
    """Of bulk: its commands, as they are written into the body."""
    detail_type: str = ""
    """Of `bus`: what the envelope says that the command is."""
    group: str = ""
    """Of `fifo`: the message group."""
    deduplication: str = ""
    """Of `fifo`: what SQS knows the message by for five minutes."""
    fresh: bool = False
    """Whether a question asks for no less than the version that some reply told of."""
    pages: int = 1
    """How many pages of the answer are read at most."""

    @property
    def message(self) -> bytes:
        """All that it says, as a bus or a queue is sent it."""
        return bulk_of(self.bodies) if self.bodies else self.body

    @property
    def weight(self) -> int:
        """How many commands it sends."""
        return len(self.commands)


class UnplannedError(Exception):
    """A plan was asked for an element at a place that it does not have."""


class Plan(Struct, frozen=True, kw_only=True):
    """Everything that is going to be asked, in the order of time."""

    begins: int
    elements: tuple[Planned, ...]
    clients: tuple[Client, ...]

    @property
    def commands(self) -> int:
        """How many commands are sent, each time counted."""
        return sum(one.weight for one in self.elements)

    @property
    def ends(self) -> int:
        """When the last request is to be made."""
        return self.elements[-1].at if self.elements else self.begins

    def only(self, places: Collection[int]) -> Plan:
        """The same with nothing but the elements that have these places.

        Raises UnplannedError if it has not got them all.
        """
        kept = frozenset(places)
        elements = tuple(one for one in self.elements if one.place in kept)
        if missing := sorted(kept.difference(one.place for one in elements)):
            raise UnplannedError(f"the plan has no place {missing[0]}")
        return Plan(begins=self.begins, elements=elements, clients=self.clients)
