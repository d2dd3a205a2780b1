"""What each node is on a payment's path, by its arrows alone: a new one finds its place by itself.

Six columns from left to right: entrances, those who decide, the spine (event store, relay, bus),
the queues of consumers, the consumers, and what they write to or send to. Three more for consumers
of consumers, which stand in a second line, as on a page. What watches stands apart, and keys are in
the legend.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from publishing.diagram.grants import Verb
from publishing.diagram.model import Model
from publishing.diagram.templates import Address

ENTRANCES, DECIDERS, SPINE, INTAKES, CONSUMERS, OUTLETS = range(6)
LATER_INTAKES, LATER_CONSUMERS, LATER_OUTLETS, WATCHERS = range(6, 10)
#: The arrows that are drawn as lines; keys and alarms are marks on the boxes they concern.
DRAWN: Final = frozenset(Verb) - {Verb.ENCRYPTS, Verb.USES, Verb.WATCHES}
_LEADING_TO: Final = (Verb.FEEDS, Verb.DELIVERS, Verb.MATCHES, Verb.INVOKES)

Cell = tuple[Address, ...]
"""Boxes that stand on each other: a queue between its rule and its dead letters."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The cells of each column, each in the order in which it is shown."""

    columns: tuple[tuple[Cell, ...], ...]
    keys: tuple[Address, ...]


def roles_of(model: Model) -> Roles:
    """The column and the cell of every node."""
    return _Roles(model).roles()


class _Roles:
    def __init__(self, model: Model) -> None:
        self._model = model
        self._taken: set[Address] = set()

    def roles(self) -> Roles:
        keys = self._of_kind("key")
        watchers = self._watchers()
        self._taken |= {*keys, *watchers}
        streams = [
            arrow.source
            for arrow in self._model.arrows_of(Verb.FEEDS)
            if self._kind(arrow.source) == "table"
        ]
        relays = self._after(streams, Verb.FEEDS)
        deciders = [each for each in self._before(streams, Verb.WRITES) if each not in relays]
        self._taken |= {*streams, *relays, *deciders}
        buses = self._after(relays, Verb.PUBLISHES)
        self._taken |= set(buses)
        entrances = self._entrances(deciders)
        spine = self._spine(streams, relays, deciders, buses)
        first = self._of_kind("queue", self._after(self._of_kind("rule"), Verb.DELIVERS))
        intakes = self._cells(first)
        later = self._cells(self._of_kind("queue"))
        later_consumers = self._later_consumers([each for cell in later for each in cell])
        consumers = self._taking(self._of_kind("function"))
        outlets = self._outlets(consumers)
        return Roles(
            (
                *(tuple(entrances), _singly(deciders), tuple(spine)),
                *(tuple(intakes), _singly(consumers), _singly(outlets)),
                *(tuple(later), _singly(later_consumers)),
                *(_singly(self._taking(self._model.nodes)), _singly(watchers)),
            ),
            tuple(keys),
        )

    def _later_consumers(self, queues: list[Address]) -> list[Address]:
        """Functions that such queues feed, and those that send there with no queue of their own."""
        fed = self._after(self._of_kind("queue"), Verb.FEEDS)
        senders = [each for each in self._before(queues, Verb.SENDS) if each not in fed]
        return self._taking(self._ordered([*self._after(queues, Verb.FEEDS), *senders]))

    def _outlets(self, consumers: list[Address]) -> list[Address]:
        """All that these consumers have to do with, and what stands alone."""
        known = set(consumers)
        met = {
            other
            for arrow in self._model.arrows
            if arrow.verb in DRAWN and known & {arrow.source, arrow.target}
            for other in (arrow.source, arrow.target)
        }
        touched = {end for arrow in self._model.arrows for end in (arrow.source, arrow.target)}
        return self._taking(
            each for each in self._model.nodes if each in met or each not in touched
        )

    def _watchers(self) -> list[Address]:
        """Alarms, whom they notify, and what shows them."""
        alarms = self._of_kind("alarms")
        return [
            *self._before(alarms, Verb.SHOWS),
            *alarms,
            *self._after(alarms, Verb.NOTIFIES),
        ]

    def _entrances(self, deciders: list[Address]) -> list[Cell]:
        """Everything by which a command reaches those who decide; what comes first on top."""
        upstream: list[Address] = []
        waiting = list(deciders)
        while waiting:
            found = self._before(waiting, *_LEADING_TO)
            waiting = [each for each in found if each not in self._taken and each not in upstream]
            upstream += waiting
        apis = [each for each in upstream if self._kind(each) == "REST API"]
        queues = [each for each in self._of_kind("queue") if each in upstream]
        self._taken |= set(apis)
        cells = self._cells(queues, upstream)
        rest = [(each,) for each in self._taking(upstream)]
        return [*((each,) for each in apis), *cells, *rest]

    def _spine(
        self,
        streams: list[Address],
        relays: list[Address],
        deciders: list[Address],
        buses: list[Address],
    ) -> list[Cell]:
        """The event store, the relay below it, below that the bus and what they leave behind."""
        states = [
            each for each in self._after(deciders, Verb.WRITES) if self._kind(each) == "table"
        ]
        left = [*self._after(buses, Verb.KEEPS), *self._after(buses, Verb.DEAD_LETTERS)]
        left += self._after(relays, Verb.DEAD_LETTERS)
        store = (*self._taking(states), *streams)
        return [store, tuple(relays), (*buses, *self._taking(left))]

    def _cells(self, queues: Iterable[Address], with_sources: Iterable[Address] = ()) -> list[Cell]:
        """Each queue below the rules that fill it, above its dead letters.

        Of `with_sources`, what the rules belong to stands on top.
        """
        cells = []
        for queue in self._taking(queues):
            rules = [
                each for each in self._before([queue], Verb.DELIVERS) if self._kind(each) == "rule"
            ]
            buses = [each for each in self._before(rules, Verb.MATCHES) if each in with_sources]
            dead = self._after([queue], Verb.DEAD_LETTERS)
            top, below = self._taking(buses), self._taking(rules)
            cells.append((*top, *below, queue, *self._taking(dead)))
        return cells

    # Helpers: all keep the order of the templates

    def _taking(self, addresses: Iterable[Address]) -> list[Address]:
        """Those that have no place yet; now they have."""
        found = [each for each in dict.fromkeys(addresses) if each not in self._taken]
        self._taken |= set(found)
        return found

    def _of_kind(self, kind: str, among: Iterable[Address] | None = None) -> list[Address]:
        nodes = self._model.nodes if among is None else among
        return [each for each in nodes if self._kind(each) == kind]

    def _kind(self, address: Address) -> str:
        return self._model.nodes[address].kind

    def _after(self, addresses: Iterable[Address], *verbs: Verb) -> list[Address]:
        known = set(addresses)
        return self._ordered(
            arrow.target for arrow in self._model.arrows_of(*verbs) if arrow.source in known
        )

    def _before(self, addresses: Iterable[Address], *verbs: Verb) -> list[Address]:
        known = set(addresses)
        return self._ordered(
            arrow.source for arrow in self._model.arrows_of(*verbs) if arrow.target in known
        )

    def _ordered(self, addresses: Iterable[Address]) -> list[Address]:
        found = set(addresses)
        return [each for each in self._model.nodes if each in found]


def _singly(addresses: Iterable[Address]) -> tuple[Cell, ...]:
    return tuple((each,) for each in addresses)
