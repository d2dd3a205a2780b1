"""A small bank in a whole world, for tests of what operators do to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from simulation.asks import HttpAnswer
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, Future, Task
from simulation.operations.operator import deployed
from simulation.releases.release import Release, current
from simulation.wiring.stack import read_wiring
from simulation.world import World

ROOT = Path(__file__).resolve().parents[4]
CALLER: Final = "arn:aws:sts::000000000000:assumed-role/teller/tests"
PROJECTIONS: Final = ("balances", "history", "payments")
#: The functions that events are delivered to.
CONSUMERS: Final = ("Balances", "Fraud", "History", "Notifications", "Payments", "Webhooks")
_OPENING: Final[Mapping[str, Any]] = {
    "v": 1,
    "type": "account.open",
    "currency": "EUR",
    "account_type": "asset",
    "min_balance_minor": None,
}
_Made = TypeVar("_Made")
Table = dict[Any, Any]


class Bank:
    """A world, and those who ask things of it one after the other."""

    def __init__(
        self,
        rates: Mapping[Fault, float] | None = None,
        *,
        release: Release | None = None,
        seed: int = 1,
    ) -> None:
        self.world = World(
            read_wiring(ROOT),
            seed=seed,
            rates=rates or {},
            release=release or current(),
            keep_trace=True,
        )
        self.hub = self.world.hub

    def opened(self, *accounts: str) -> Bank:
        """Accounts that anything may be booked on."""
        for account in accounts:
            assert self.ask("/accounts", **_OPENING, id=f"open-{account}", account=account) == 201
        return self

    def paid(self, *payments: str, source: str = "a", destination: str = "b") -> Bank:
        """Payments of 5 cents each."""
        for payment in payments:
            assert self.pay(payment, source, destination) == 201
        return self

    def pay(self, payment: str, source: str = "a", destination: str = "b") -> int:
        """The status of a payment of 5 cents."""
        return self.ask("/payments", **_payment(payment, source, destination))

    def asked_to_pay(self, payment: str) -> Future[HttpAnswer]:
        """A payment that is asked for; no time passes."""
        body = json.dumps(_payment(payment, "a", "b")).encode()
        return self.world.gateway.request("POST", "/payments", caller=CALLER, body=body)

    def ask(self, path: str, **command: Any) -> int:
        """The status of a request's answer, as soon as it is there."""
        return self._asked("POST", path, body=json.dumps(command).encode()).status

    def send(self, payment: str) -> None:
        """A payment as an event of the ingress bus."""
        entry = {
            "EventBusName": self.world.wiring.outputs["IngressBusName"],
            "Source": "shop",
            "DetailType": "payment.post",
            "Detail": json.dumps(_payment(payment, "a", "b")),
        }
        client = self.world.client(self.world.events)
        assert not self.played(lambda: client.put_events(Entries=[entry]))["FailedEntryCount"]

    def send_in_order(self, payment: str) -> None:
        """A payment as a message of the FIFO queue."""
        client = self.world.client(self.world.sqs)
        request = {
            "QueueUrl": self.world.wiring.outputs["CommandsFifoQueueUrl"],
            "MessageBody": json.dumps(_payment(payment, "a", "b")),
            "MessageGroupId": "shop",
            "MessageDeduplicationId": payment,
        }
        self.played(lambda: client.send_message(**request))

    def played(self, work: Callable[[], _Made]) -> _Made:
        """What comes of work of an operator's, when it is done; nothing is waited for besides."""
        task = self.hub.spawn("operator", work)
        self.until(task)
        return task.done.result()

    def until(self, *tasks: Task[Any]) -> None:
        """Time passes until these are done."""
        while not all(task.done.done for task in tasks):
            assert self.hub.waited_for, "nothing will ever end it"
            self.hub.run(until=self.hub.now + 10 * MILLISECOND)

    def rest(self) -> Bank:
        """Time passes until nothing is left to do."""
        self.hub.run()
        return self

    def limit(self, names: tuple[str, ...], concurrency: int | None) -> None:
        """Some functions take so many events at a time; None: as many as come."""
        for name in names:
            self.world.functions[name].limit(concurrency)

    def states(self) -> Table:
        """What the states table has."""
        return dict(self.world.dynamodb.peek(self.named("states")))

    def events(self) -> Table:
        """What the events table has."""
        return dict(self.world.dynamodb.peek(self.named("events")))

    def payments(self) -> set[str]:
        """The ids of the payments that are recorded."""
        events = self.events().values()
        return {item["pk"]["S"] for item in events if item["type"]["S"] == "payment.posted"}

    def shown(self, path: str, **query: str) -> Any:
        """What the query API answers, or the status if that is none of success."""
        answer = self._asked("GET", path, query=query)
        return json.loads(answer.body) if answer.status == 200 else answer.status

    def pointer(self, projection: str) -> Any:
        """Which generation of a projection is asked, and whether a replay is under way."""
        replays = self.world.release.module("ledger.upkeep.replays")
        ledger = deployed(self.world)
        return self.played(replays.projection_of(ledger, projection).generations.pointer)

    def lying(self) -> dict[str, int]:
        """How many letters lie in each place of dead letters, without the empty ones."""
        sqs, buckets = self.world.sqs, self.world.buckets
        queues = [one.name for one in self.world.wiring.queues if "-dlq" in one.name]
        found = {name: len(sqs.peek(name)) for name in queues}
        found |= {name: len(buckets.peek(name)) for name in self.world.wiring.buckets}
        return {name.removeprefix(self._stage): count for name, count in found.items() if count}

    def named(self, name: str) -> str:
        """What a table or queue is called in full."""
        return self._stage + name

    def times(self, what: str, who: str = "") -> list[int]:
        """When something happened, by the trace: to or by a certain one, or to anybody."""
        entries = self.world.trace.entries
        return [one.at for one in entries if what in one.what and who in ("", one.who)]

    def _asked(self, method: str, path: str, **what: Any) -> HttpAnswer:
        answered = self.world.gateway.request(method, path, caller=CALLER, **what)
        return self.played(lambda: self.hub.wait(answered))

    @property
    def _stage(self) -> str:
        return self.world.wiring.variable("EVENTS_TABLE").removesuffix("events")


def _payment(id_: str, source: str, destination: str) -> dict[str, Any]:
    posting = {"source": source, "destination": destination, "amount_minor": 5, "currency": "EUR"}
    return {"v": 1, "type": "payment.post", "id": id_, "postings": [posting]}
