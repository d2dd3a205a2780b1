"""A whole data set through the code that runs in the functions, on the adapters in memory.

Commands are decoded, decided and committed, events relayed, balances and history projected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from random import Random
from typing import Any, NamedTuple, TypeVar

import msgspec

from ledger.adapters.dynamodb.codec import event_item
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands, Decided
from ledger.application.publication import Published
from ledger.contracts.commands import decode_command
from ledger.contracts.events import CommandRejected
from ledger.entrypoints import relay
from ledger.importers.instructions import Source
from ledger.runtime.telemetry import Telemetry
from projections.balances.handler import make_handler as make_balances_handler
from projections.balances.memory import MemoryBalancesStore
from projections.generations.memory import single
from projections.history.handler import make_handler as make_history_handler
from projections.history.memory import MemoryHistoryStore

STREAM_BATCH = 100
QUEUE_BATCH = 10
NOW = 1_764_000_000_000_000  # microseconds; any instant will do
UNUSED: Any = None  # sqs is called for failed messages only, and none may fail

_T = TypeVar("_T")


class Bus:
    """A Publisher that keeps what it is given, as EventBridge would wrap it."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def publish(self, events: Sequence[Published]) -> frozenset[int]:
        for event in events:
            envelope = {
                "version": "0",
                "id": str(len(self.messages)),
                "source": "ledger",
                "account": "000000000000",
                "detail-type": event.type,
                "detail": msgspec.Raw(event.data.encode()),
            }
            self.messages.append(msgspec.json.encode(envelope).decode())
        return frozenset()


class Loaded(NamedTuple):
    """The ledger after a source: the truth, what was projected of it, and each outcome."""

    store: MemoryEventStore
    history: MemoryHistoryStore
    balances: MemoryBalancesStore
    outcomes: Counter[str]


def loaded_from(source: Source) -> Loaded:
    """An empty ledger, and then the whole of the source."""
    store = MemoryEventStore()
    outcomes = sent(source, store)
    messages = relayed(store)
    history, balances = MemoryHistoryStore(), MemoryBalancesStore()
    parts: dict[str, Any] = {
        "sqs": UNUSED,
        "queue_url": "",
        "random": lambda: 0.0,
        "clock": lambda: NOW,
        "telemetry": Telemetry(lambda _: None),
    }
    # Each queue in an order of its own, with some messages twice, as EventBridge may deliver.
    project(make_history_handler(stores=single(history), **parts), disturbed(messages, seed=1))
    project(make_balances_handler(stores=single(balances), **parts), disturbed(messages, seed=2))
    return Loaded(store, history, balances, outcomes)


def sent(source: Source, store: MemoryEventStore, *, every: int = 1) -> Counter[str]:
    """How many instructions came to each outcome, each (or one in `every`) sent after the other."""
    ticks = iter(range(NOW, 2 * NOW))
    commands = Commands(store, clock=lambda: next(ticks), pause=lambda _: None, chance=lambda: 0.0)
    outcomes: Counter[str] = Counter()
    for instruction in islice(source, None, None, every):
        outcome = commands.handle(decode_command(instruction.body), "golden")
        assert isinstance(outcome, Decided)
        if outcome.repeat:
            outcomes["repeat"] += 1
        elif isinstance(outcome.event, CommandRejected):
            outcomes[outcome.event.reason] += 1
        else:
            outcomes[instruction.expected] += 1
    return outcomes


def relayed(store: MemoryEventStore) -> list[str]:
    """The messages of all events, by way of stream records and the relay's handler."""
    bus = Bus()
    handler = relay.make_handler(publisher=bus, telemetry=Telemetry(lambda _: None))
    for batch in batches(list(store.events()), STREAM_BATCH):
        records = [
            {
                "eventName": "INSERT",
                "dynamodb": {"NewImage": event_item(event), "SequenceNumber": str(place)},
            }
            for place, event in enumerate(batch)
        ]
        assert handler({"Records": records}, None) == {"batchItemFailures": []}
    return bus.messages


def disturbed(messages: list[str], *, seed: int) -> list[str]:
    """The messages, one in twenty of them twice, all in another order."""
    chance = Random(seed)
    shuffled = messages + chance.sample(messages, len(messages) // 20)
    chance.shuffle(shuffled)
    return shuffled


def project(handler: Callable[[dict[str, Any], object], Any], messages: list[str]) -> None:
    """Hands all messages to a projection's handler, in batches as SQS gives them."""
    for batch in batches(messages, QUEUE_BATCH):
        records = [{"messageId": str(n), "body": body} for n, body in enumerate(batch)]
        assert handler({"Records": records}, None) == {"batchItemFailures": []}


def batches(items: list[_T], size: int) -> Iterator[list[_T]]:
    """`items` in lists of `size`, the last one shorter."""
    return (items[start : start + size] for start in range(0, len(items), size))
