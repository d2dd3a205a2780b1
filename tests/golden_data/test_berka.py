"""The golden check: a bank's own running balances, row by row, out of the ledger's projections.

All rows go through the code that runs in the functions (commands decoded, decided and committed,
events relayed, balances and history projected) on the adapters in memory. `make run DATA=berka`
does the same through the deployed stack.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

import msgspec
import pytest

from ledger.adapters.dynamodb.codec import event_item
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands, Decided
from ledger.application.publication import Published
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import decode_command
from ledger.contracts.events import CommandRejected
from ledger.entrypoints import relay
from ledger.importers import berka
from ledger.importers.instructions import Source
from ledger.runtime.telemetry import Telemetry
from projections.balances.handler import make_handler as make_balances_handler
from projections.balances.memory import MemoryBalancesStore
from projections.history.handler import make_handler as make_history_handler
from projections.history.memory import MemoryHistoryStore

pytestmark = pytest.mark.data

ROWS = 28_205
CUSTOMERS = 1_139
STREAM_BATCH = 100
QUEUE_BATCH = 10
NOW = 1_764_000_000_000_000  # microseconds; any instant will do
UNUSED: Any = None  # sqs is called for failed messages only, and none may fail

_T = TypeVar("_T")


class Loaded(NamedTuple):
    """The ledger after the file: the truth, what was projected of it, and each outcome."""

    statement: berka.Statement
    store: MemoryEventStore
    history: MemoryHistoryStore
    balances: MemoryBalancesStore
    outcomes: Counter[str]


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


@pytest.fixture(scope="module")
def loaded(shared_data: Path) -> Loaded:
    """The whole file, loaded into an empty ledger."""
    statement = berka.read(shared_data / "berka")
    store = MemoryEventStore()
    outcomes = sent(statement.source(), store)
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
    project(make_history_handler(store=history, **parts), disturbed(messages, seed=1))
    project(make_balances_handler(store=balances, **parts), disturbed(messages, seed=2))
    return Loaded(statement, store, history, balances, outcomes)


def sent(source: Source, store: MemoryEventStore) -> Counter[str]:
    """How many instructions came to each outcome, sent one after the other."""
    ticks = iter(range(NOW, 2 * NOW))
    commands = Commands(store, clock=lambda: next(ticks), pause=lambda _: None, chance=lambda: 0.0)
    outcomes: Counter[str] = Counter()
    for instruction in source:
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


def test_every_row_is_posted(loaded: Loaded) -> None:
    """28,205 payments of 1,139 customers: not one is refused, not one is a repeat."""
    openings = len(loaded.statement.source().phases[0].instructions)
    assert loaded.outcomes == {"posted": ROWS, "opened": openings}
    assert len({row.customer for row in loaded.statement.rows}) == CUSTOMERS


def test_the_running_balance_of_every_row_is_the_banks_own(loaded: Loaded) -> None:
    """Read back from the history projection, row by row, in the file's order of each account."""
    differing = []
    rows: defaultdict[str, list[berka.Row]] = defaultdict(list)
    for row in loaded.statement.rows:
        rows[row.customer].append(row)
    for customer, of_customer in rows.items():
        opening, *entries = loaded.history.rows_after(customer, 0)
        assert (opening.version, opening.balance_minor) == (1, 0)
        found = [(entry.event, entry.balance_minor) for entry in entries]
        expected = [(row.payment_id, row.balance_minor) for row in of_customer]
        if found != expected:
            differing.append(customer)
    assert differing == []
    assert sum(map(len, rows.values())) == ROWS


def test_the_final_balances_are_the_banks_own(loaded: Loaded) -> None:
    """Each customer's last row, read back from the balances projection."""
    last = {row.customer: row.balance_minor for row in loaded.statement.rows}
    found = {
        account.totals.account: account.totals.balance_minor
        for account in loaded.balances.accounts()
    }
    assert {customer: found[customer] for customer in last} == last


def test_what_the_data_is_known_for(loaded: Loaded) -> None:
    """Six customers below zero; 392 of 1,175 external counterparties negative in the end."""
    floors = sorted(lowest for lowest in loaded.statement.lowest_minor.values() if lowest)
    assert floors == [-534_370, -372_470, -337_030, -316_710, -299_460, -81_500]
    external = [
        account.totals.balance_minor
        for account in loaded.balances.accounts()
        if account.totals.account.startswith("berka:external:")
    ]
    assert (len(external), sum(balance < 0 for balance in external)) == (1_175, 392)


def test_accounts_open_on_the_day_that_the_bank_states(loaded: Loaded, shared_data: Path) -> None:
    """The first row's day, which the importer takes, is the opening day of the accounts' file."""
    with gzip.open(shared_data / "berka" / "account.csv.gz", "rt", encoding="utf-8") as file:
        stated = {row["account_id"]: f"19{row['date']}" for row in csv.DictReader(file)}
    for account in loaded.balances.accounts():
        *_, kind, number = account.totals.account.split(":")
        if kind == "account":
            assert account.profile is not None
            assert account.profile.opened_at[:10].replace("-", "") == stated[number]


def test_the_ledger_verifies(loaded: Loaded) -> None:
    """Zero sum, dense versions, hash chains and totals, over all events."""
    report = Report()
    verify_store(loaded.store, report)
    assert report.ok, report.findings[:5]
    assert report.examined["chain_links"] > 2 * ROWS


def test_loading_again_moves_nothing(loaded: Loaded) -> None:
    """Every instruction of a second load is a repeat, and not one event is new."""
    before = Counter(event.id for event in loaded.store.events())
    source = loaded.statement.source()
    assert sent(source, loaded.store) == {"repeat": len(source)}
    assert Counter(event.id for event in loaded.store.events()) == before
