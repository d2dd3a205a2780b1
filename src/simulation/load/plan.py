"""The plan of a run: everything that is going to be asked, made up-front from a seed alone.

A plan does not know what will be answered. It is written so that most of it is accepted all the
same: money comes from accounts of the bank that have no lowest balance, and what is done to a
payment comes after it. Every element names what it means by id, and means that whatever else is
left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import structs

from ledger.contracts.commands import Command
from ledger.contracts.primitives import instant_of_microseconds
from simulation.kernel.chance import Chance
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.load.asking import questions
from simulation.load.bank import DEPOSIT, Bank, Economy
from simulation.load.clients import Clients
from simulation.load.desk import DAY, Desk
from simulation.load.elements import Plan, Planned
from simulation.load.files import Files
from simulation.load.malformed import malformed
from simulation.load.pace import Pace
from simulation.load.repeats import repeats
from simulation.load.sending import Sending
from simulation.load.stories import STORIES
from simulation.load.stories.everyday import everyday
from simulation.load.stories.templates import sale
from simulation.load.subscribers import managed
from simulation.load.words import Leg, paying

#: Parts of all commands that are sent.
_REPEATED: Final = 0.09
_MALFORMED: Final = 0.02
_DRY: Final = 0.03
#: Of what is left, the part that comes in files; of what is left then, that belongs to stories.
_FILES: Final = 0.6
_STORIES: Final = 0.56
#: Questions for each command, in addition.
_QUESTIONS: Final = 0.15
#: Until when the accounts are open, the deposits made, and the rest begins.
_FOUNDING: Final = 20 * SECOND
_OPENED: Final = 60 * DAY
_DEPOSITS_AT_ONCE: Final = 8


def plan_of(seed: int, commands: int, begins: int) -> Plan:
    """A plan of so many commands, each sending counted, that begins at an instant (microseconds
    since 1970). The same arguments make the same plan, everywhere."""
    return _Planner(seed, commands, begins).plan()


class _Planner:
    def __init__(self, seed: int, commands: int, begins: int) -> None:
        chance = Chance(seed)
        self._chance = chance
        self._random = chance.stream("plan")
        self._count = commands
        self._begins = begins
        self._bank = Bank(commands)
        self._clients = Clients(commands)
        self._sending = Sending(chance.stream("plan/sending"), self._clients)
        self._waiting = list(STORIES)  # to be told once each
        self._random.shuffle(self._waiting)
        files = chance.stream("plan/files")
        self._files = Files(files, self._sending, commands, self._waiting)
        self._pace = Pace(chance.stream("plan/pace"), commands, begins + _FOUNDING)
        self._desk = Desk(self._random, self._bank, begins, self._pace.ends)

    def plan(self) -> Plan:
        count = self._count
        repeated, dry = int(count * _REPEATED), int(count * _DRY)
        spoilt = int(count * _MALFORMED)
        own = count - repeated - dry - spoilt
        elements = list(_first(self._founding(), own))
        elements += _first(self._life(), own - _weight(elements))
        ends = self._pace.ends
        telling = list(elements)
        stream = self._chance.stream
        if telling:
            elements += repeats(stream("plan/repeats"), self._sending, telling, repeated, ends)
            elements += self._dry(telling, dry)
            elements += self._malformed(telling, spoilt)
            asked = int(count * _QUESTIONS)
            elements += questions(
                stream("plan/questions"), self._clients, self._bank, telling, asked
            )
        elements += managed(stream("plan/webhooks"), self._clients, self._begins, ends)
        return Plan(
            begins=self._begins,
            elements=_placed(elements),
            clients=self._clients.every(),
        )

    def _founding(self) -> Iterator[Planned]:
        """All accounts, in a few seconds; the template of sales; then what customers bring."""
        opened = instant_of_microseconds(self._begins - _OPENED)
        random, at = self._random, self._begins
        for economy in self._bank.economies.values():
            openings: list[Command] = list(economy.openings(opened))
            while openings:
                some, openings = openings[:10], openings[10:]
                at += random.randint(MILLISECOND, 300 * MILLISECOND)
                if random.random() < 0.3:
                    yield self._sending.several(some, at)
                else:
                    yield from (self._sending.one(one, at) for one in some)
        euro = self._bank.euro
        define = sale("card_sale:define", euro.clearing[0], euro.fees[0])
        yield self._sending.one(define, at + SECOND)
        for economy in self._bank.economies.values():
            for number, deposit in enumerate(self._deposits(economy)):
                yield self._sending.one(deposit, at + 3 * SECOND + number * 200 * MILLISECOND)

    def _deposits(self, economy: Economy) -> Iterator[Command]:
        amount = economy.price(DEPOSIT)
        wallets = economy.wallets
        for start in range(0, len(wallets), _DEPOSITS_AT_ONCE):
            clearing = self._random.choice(economy.clearing)
            legs: list[Leg] = [
                (clearing, wallet, amount, economy.currency)
                for wallet in wallets[start : start + _DEPOSITS_AT_ONCE]
            ]
            yield paying(self._desk.id("deposit"), *legs)

    def _life(self) -> Iterator[Planned]:
        """Files, stories and everyday payments without end: each story once, then as often as
        told."""
        random, desk, waiting = self._random, self._desk, self._waiting
        kinds, weights = list(STORIES), list(STORIES.values())
        filed = told = sent = 0
        while True:
            desk.at = self._pace.moment()
            if filed < (filed + sent) * _FILES:
                for element in self._files.file(desk):
                    yield element
                    filed += element.weight
                continue
            if told > sent * _STORIES and not waiting:
                yield self._sending.one(everyday(desk), desk.at, self._sending.way())
                sent += 1
                continue
            kind = waiting.pop() if waiting else random.choices(kinds, weights)[0]
            for element in self._sending.story(kind(desk), desk.at):
                yield element
                told += element.weight
                sent += element.weight

    def _dry(self, elements: list[Planned], count: int) -> Iterator[Planned]:
        """What would it do? Asked before it is done, after it, or of what is never done."""
        random = self._chance.stream("plan/dry")
        some = [one for one in elements if len(one.commands) == 1]
        for number in range(count):
            original = random.choice(some)
            command = original.commands[0]
            assert command is not None
            shift = random.choice((-SECOND, -10 * MILLISECOND, 10 * MILLISECOND, 5 * SECOND))
            if random.random() < 0.5:
                command = structs.replace(command, id=f"what-if-{number}")
            at = max(self._begins, original.at + random.randint(min(shift, 0), max(shift, 0)))
            yield self._sending.one(command, at, route="dry_run", query={"dry_run": "true"})

    def _malformed(self, elements: list[Planned], count: int) -> Iterator[Planned]:
        random = self._chance.stream("plan/malformed")
        commands = [command for one in elements for command in one.commands if command is not None]
        moments = [self._pace.moment() for _ in range(count)]
        return malformed(random, self._sending, self._clients, commands, moments)


def _weight(elements: Iterable[Planned]) -> int:
    return sum(one.weight for one in elements)


def _first(elements: Iterator[Planned], count: int) -> Iterator[Planned]:
    """Elements until they send so many commands; of the last one no more than fits."""
    left = count
    for element in elements:
        if left <= 0:
            return
        yield structs.replace(
            element, commands=element.commands[:left], bodies=element.bodies[:left]
        )
        left -= element.weight


def _placed(elements: list[Planned]) -> tuple[Planned, ...]:
    elements.sort(key=lambda one: one.at)  # stable: of one instant what was written first
    return tuple(structs.replace(one, place=place) for place, one in enumerate(elements))
