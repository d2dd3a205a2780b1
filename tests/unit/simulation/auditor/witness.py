"""A ledger whose every step an auditor is told of, truly or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.application.commit import EXPIRY_ACTOR
from ledger.application.group_commit import Asked
from ledger.application.ports import Appended, EventStore, Refused, Transaction
from ledger.contracts.commands import Command, encode_command
from ledger.contracts.events import decode_event
from ledger.contracts.notifications import NOTIFIED_EVENTS
from ledger.contracts.reasons import InvalidCommandError
from ledger.domain.chain import StoredEvent
from ledger.domain.states import State
from ledger.entrypoints.api.answers.decided import outcome_answer
from ledger.entrypoints.api.answers.problems import invalid_answer
from simulation.asks import Ask, AskRoute, HttpAnswer
from simulation.auditor.auditor import Auditor
from simulation.auditor.recorded import Item
from simulation.wiring.model import (
    Function,
    Queue,
    QueueMapping,
    Rule,
    StreamMapping,
    Table,
    Wiring,
)
from tests.support.builders import NOON_MICROSECONDS
from tests.support.grouping import group_on
from tests.support.stores import OpenStore
from tests.support.worlds import World

SECOND = 1_000_000
TOPIC = "arn:aws:sns:eu-central-1:000000000000:notifications"
ALERTS_TOPIC = "arn:aws:sns:eu-central-1:000000000000:fraud-alerts"
BUCKET = "relay-failures"
SECRET = "whsec_" + "c2VjcmV0" * 4  # the one subscriber's
_CONSUMERS = {
    "balances": ["account.opened", "payment.posted", "payment.authorized", "metadata.set"],
    "history": ["account.opened", "payment.posted", "payment.authorized"],
    "payments": ["payment.posted", "payment.authorized", "command.rejected"],
    "notifications": ["account.opened", "payment.posted"],
    "fraud": ["account.opened", "payment.posted"],
    "webhooks": list(NOTIFIED_EVENTS),
}


class Change(Struct, frozen=True):
    """An item that was written."""

    table: str
    key: tuple[str, ...]
    old: Item | None
    new: Item | None


Tampering = Callable[[list[Change]], list[Change]]


def wiring() -> Wiring:
    """A stack with one of everything that the auditor asks for."""
    names = [*_CONSUMERS, "commands", "commands.fifo", "system-commands", "deliveries"]
    queues = []
    for name in names:
        dead = f"{name.removesuffix('.fifo')}-dlq{'.fifo' if name.endswith('.fifo') else ''}"
        queues += [_queue(name, dead), _queue(dead, None)]
    environment = {
        "EVENTS_TABLE": "events",
        "STATES_TABLE": "states",
        "BALANCES_TABLE": "balances",
        "HISTORY_TABLE": "history",
        "PAYMENTS_TABLE": "payments",
        "FRAUD_TABLE": "fraud",
        "WEBHOOKS_TABLE": "webhooks",
        "LEDGER_BUS": "bus",
        "TOPIC_ARN": TOPIC,
        "FRAUD_ALERTS_TOPIC_ARN": ALERTS_TOPIC,
        "COMMANDS_DLQ_URL": "https://sqs/0/commands-dlq",
        "COMMANDS_FIFO_DLQ_URL": "https://sqs/0/commands-dlq.fifo",
        "SYSTEM_COMMANDS_QUEUE_URL": "https://sqs/0/system-commands",
        "WEBHOOK_SECRETS_PREFIX": "ledger/",
        "DELIVERIES_QUEUE_URL": "https://sqs/0/deliveries",
    }
    return Wiring(
        tables=tuple(Table(name, "pk") for name in ("events", "states")),
        queues=tuple(queues),
        buses=("bus",),
        rules=tuple(
            Rule(
                f"to-{name}",
                "bus",
                {"source": ["ledger"], "detail-type": kinds},
                f"the-{name}",
                f"the-{name}-dlq",
                3,
                60,
            )
            for name, kinds in _CONSUMERS.items()
        ),
        topics=(TOPIC, ALERTS_TOPIC),
        subscriptions=(),
        functions=(Function("All", "a.handler", 30, environment),),
        queue_mappings=tuple(
            QueueMapping("All", f"the-{name}", 10, 0, None, partial=True) for name in _CONSUMERS
        ),
        stream_mappings=(StreamMapping("Relay", "events", 10, 0, 1, True, True, 3, 60, BUCKET),),
        schedules=(),
        routes=(),
        buckets=(BUCKET,),
    )


def _queue(name: str, dead: str | None) -> Queue:
    plain = name if name.startswith(("commands", "system", "deliveries")) else f"the-{name}"
    letters = dead
    if dead is not None and not dead.startswith(("commands", "system", "deliveries")):
        letters = f"the-{dead}"
    return Queue(
        plain,
        f"https://sqs/0/{plain}",
        f"arn:aws:sqs:eu-central-1:000000000000:{plain}",
        name.endswith(".fifo"),
        30,
        3_600,
        None if dead is None else 5,
        letters,
    )


class _WatchedStore(OpenStore):
    """A store that tells of every commit."""

    def __init__(self, tell: Callable[[list[Change]], None]) -> None:
        super().__init__()
        self._tell = tell

    def append(self, transaction: Transaction) -> Appended | Refused:
        before = {write.key: self._states.get(write.key) for write in transaction.writes}
        result = super().append(transaction)
        if isinstance(result, Appended):
            changes = [change_of_event(event) for event in transaction.events]
            changes += [change_of_state(before[one.key], one.state) for one in transaction.writes]
            self._tell(changes)
        return result


def change_of_event(event: StoredEvent) -> Change:
    """The write of an event."""
    return Change("events", (event.id,), None, event_item(event))


def change_of_state(before: State | None, after: State) -> Change:
    """The write of a state."""
    item = state_item(after)
    old = None if before is None else state_item(before)
    return Change("states", (item["pk"]["S"],), old, item)


class Lying(Struct, frozen=True):
    """A message in a queue."""

    body: str
    attributes: Mapping[str, Mapping[str, Any]] = {}
    moved_from: str = ""


class FakeWorld:
    """A world at rest, of which everything may be set."""

    def __init__(self) -> None:
        self.tables: defaultdict[str, dict[tuple[str, ...], Item]] = defaultdict(dict)
        self.letters: defaultdict[str, list[Lying]] = defaultdict(list)
        self.waiting: dict[str, int] = {}
        self.objects: dict[str, bytes] = {}
        self.written: dict[str, list[str]] = {"ledger/crm": [SECRET]}

    @property
    def dynamodb(self) -> _Tables:
        return _Tables(self)

    @property
    def sqs(self) -> _Queues:
        return _Queues(self)

    @property
    def buckets(self) -> _Buckets:
        return _Buckets(self)

    @property
    def secrets(self) -> _Secrets:
        return _Secrets(self)


class _Secrets(Struct):
    world: FakeWorld

    def peek(self, name: str) -> Sequence[str]:
        return self.world.written[name]


class _Tables(Struct):
    world: FakeWorld

    def peek(self, table: str) -> Mapping[tuple[str, ...], Item]:
        return self.world.tables[table]


class _Queues(Struct):
    world: FakeWorld

    def peek(self, queue_name: str) -> Sequence[Lying]:
        return self.world.letters[queue_name]

    def depth(self, queue_name: str) -> tuple[int, int, int]:
        return self.world.waiting.get(queue_name, 0), 0, 0

    def expired(self, queue_name: str) -> int:
        return 0 * len(queue_name)


class _Buckets(Struct):
    world: FakeWorld

    def peek(self, bucket: str) -> Mapping[str, bytes]:
        return self.world.objects if bucket == BUCKET else {}


class Story:
    """A ledger, its clients, and the auditor that hears them."""

    def __init__(self) -> None:
        self.now = NOON_MICROSECONDS
        self.auditor = Auditor(wiring(), None, lambda: self.now)
        self.store = _WatchedStore(self._committed)
        self.world = FakeWorld()
        self.tampering: Tampering | None = None
        self.asks = 0
        self.seed = 0
        """Of the chance by which whoever decides comes to a stripe."""
        self.committed: list[StoredEvent] = []

    @property
    def broken(self) -> set[str]:
        """The promises that were found broken."""
        return {one.property for one in self.auditor.findings}

    def _committed(self, changes: list[Change]) -> None:
        self.now += 1_000
        if self.tampering is not None:
            tampering, self.tampering = self.tampering, None
            changes = tampering(changes)
        self.auditor.changed(changes)

    def ask(self, *commands: Command | None, route: AskRoute = "rest", **fields: Any) -> Ask:
        """A request leaves."""
        self.asks += 1
        self.now += SECOND
        bodies = [encode_command(one) for one in commands if one is not None]
        fields.setdefault("body", bodies[0] if bodies else b"")
        ask = Ask(f"ask-{self.asks}", self.now, route, commands, actor="someone", **fields)
        self.auditor.asked(ask)
        return ask

    def answer_to(
        self, command: Command, *, dry: bool = False, store: EventStore | None = None
    ) -> HttpAnswer:
        """What the ledger answers."""
        self.now += 10_000
        commands = World(now=self.now, tick=0, seed=self.seed).commands(store or self.store)
        try:
            outcome = (commands.preview if dry else commands.handle)(command, "someone")
            answer = outcome_answer(outcome, dry_run=dry)
        except InvalidCommandError as error:
            answer = invalid_answer(error)
        self.now += 10_000
        return HttpAnswer(int(answer.status), answer.headers, answer.body)

    def does(self, *commands: Command) -> None:
        """Clients ask for commands one after the other, and are answered."""
        for command in commands:
            ask = self.ask(command)
            self.auditor.answered(ask, self.answer_to(command))

    def is_told(self, command: Command, **changed: Any) -> None:
        """A client asks, and what it is answered is not quite so; a status goes by `_status`."""
        ask = self.ask(command)
        self.auditor.answered(ask, altered(self.answer_to(command), **changed))

    def decides(self, command: Command) -> None:
        """The ledger decides a command; nobody is told."""
        self.now += SECOND
        World(now=self.now, tick=0, seed=self.seed).commands(self.store).handle(
            command, "sqs:somebody"
        )

    def decides_together(self, *commands: Command) -> None:
        """The ledger decides commands as a group; nobody is told."""
        self.now += SECOND
        world = World(now=self.now, tick=0, seed=self.seed)
        asked = [Asked(one, "sqs:somebody") for one in commands]
        group_on(self.store, world=world).handle(asked, lambda: True)

    def sweeps(self, payment: str, *, at: int) -> None:
        """The ledger itself releases a hold."""
        self.now = at
        commands = World(now=self.now, tick=0, seed=self.seed).commands(self.store)
        decided = commands.expire(payment)
        assert decided is not None
        assert decided.event.actor == EXPIRY_ACTOR

    def record(self, id: str) -> bytes:
        """The bytes of an event."""
        return self.store.stored(id).data


def altered(answer: HttpAnswer, **changed: Any) -> HttpAnswer:
    """An answer with other values in its body; the status of HTTP goes by `_status`."""
    status = changed.pop("_status", answer.status)
    body = msgspec.json.decode(answer.body) | changed
    return HttpAnswer(status, answer.headers, msgspec.json.encode(body))


def event_with(change: Change, **fields: Any) -> Change:
    """The write of an event that says something else."""
    assert change.new is not None
    data = msgspec.json.decode(change.new["data"]["S"]) | fields
    item = dict(change.new) | {"data": {"S": msgspec.json.encode(data).decode()}}
    decode_event(item["data"]["S"])
    return Change(change.table, change.key, change.old, item)


def state_with(change: Change, **fields: Any) -> Change:
    """The write of a state whose body says something else; `_attribute` names one beside it."""
    assert change.new is not None
    beside = {name[1:]: value for name, value in fields.items() if name.startswith("_")}
    inside = {name: value for name, value in fields.items() if not name.startswith("_")}
    data = msgspec.json.decode(change.new["data"]["S"]) | inside
    item = dict(change.new) | {"data": {"S": msgspec.json.encode(data).decode()}} | beside
    return Change(change.table, change.key, change.old, item)
