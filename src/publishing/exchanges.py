"""Requests and the answers that the real handlers give to them, on stores in memory.

The examples of the OpenAPI description are these exchanges, so they cannot promise what the code
does not do. The clock is set by hand: the same code gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.reviews import make_handler as make_reviews_handler
from consumers.fraud.store import Review
from ledger.adapters.dynamodb.event_store import Meter
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands
from ledger.application.ports import Appended, Refused, Transaction, TransientStoreError
from ledger.contracts import examples
from ledger.contracts.commands import SYSTEM_COMMANDS, decode_command
from ledger.contracts.events import Event, PaymentScreened, decode_event
from ledger.contracts.primitives import microseconds_of_instant
from ledger.entrypoints.api.routes import make_handler as make_api_handler
from ledger.runtime.telemetry import Telemetry
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.generations.memory import single
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project as project_history
from projections.query.handler import make_handler as make_query_handler
from publishing import webhooks

ACTOR: Final = "arn:aws:sts::111122223333:assumed-role/checkout/i-0a1b2c3d"
#: The function's published version, as an example of what `GET /health` says.
_VERSION: Final = "7"
SCORER: Final = "sqs:AROAEXAMPLE:ledger-prod-fraud"
#: Whom the verdict shown is about.
PAYER: Final = "customers:42:wallet"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to one route, and the answer to it."""

    title: str
    route: tuple[str, str]
    request: dict[str, Any] | None
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


class _FailingStore(MemoryEventStore):
    """A store that can be switched off, for the answer to an outage."""

    def __init__(self) -> None:
        super().__init__()
        self.on = True

    def append(self, transaction: Transaction) -> Appended | Refused:
        if not self.on:
            raise TransientStoreError("unavailable")
        return super().append(transaction)


class World:
    """The ledger and its projections in memory, at a time that is told."""

    def __init__(self) -> None:
        self.store = _FailingStore()
        self.balances = MemoryBalancesStore()
        self.history = MemoryHistoryStore()
        self._now = 0
        silent = Telemetry(lambda _: None)
        commands = Commands(
            self.store, clock=lambda: self._now, pause=lambda _: None, chance=lambda: 0.0
        )
        self._commands = commands
        self._decide = make_api_handler(
            commands=commands, store=self.store, meter=Meter(), telemetry=silent
        )
        self._query = make_query_handler(
            balances=single(self.balances), history=single(self.history), telemetry=silent
        )
        self._reviews = MemoryFraudStore()
        self._review = make_reviews_handler(store=self._reviews, telemetry=silent)

    def events(self) -> list[Event]:
        """Everything recorded so far, in order."""
        return [decode_event(stored.data) for stored in self.store.events()]

    def project(self) -> None:
        """Brings the projections up to what is recorded."""
        project_balances(self.balances, self.events())
        project_history(self.history, self.events())

    def screen(self, *, at: str, command: dict[str, Any]) -> None:
        """Records a fraud verdict at the instant `at`, as the scorer has it done: by no route."""
        self._now = microseconds_of_instant(at)
        body = json.dumps(command).encode()
        self._commands.handle(decode_command(body, SYSTEM_COMMANDS), SCORER)
        for event in self.events():
            if isinstance(event, PaymentScreened):
                self._reviews.add_review(Review(event, PAYER))

    def _handler_of(self, resource: str) -> Callable[[dict[str, Any], object], dict[str, Any]]:
        if resource in ("/accounts/{id}", "/accounts/{id}/history"):
            return self._query
        return self._review if resource == "/reviews" else self._decide

    def ask(
        self,
        title: str,
        method: str,
        resource: str,
        *,
        at: str = "2026-11-21T23:10:09.000000Z",
        body: dict[str, Any] | None = None,
        id: str = "",
        query: dict[str, str] | None = None,
    ) -> Exchange:
        """The exchange of one request, sent at the instant `at`."""
        self._now = microseconds_of_instant(at)
        answer = self._handler_of(resource)(
            {
                "httpMethod": method,
                "resource": resource,
                "path": resource.replace("{id}", id),
                "headers": {"content-type": "application/json"},
                "pathParameters": {"id": id} if id else None,
                "queryStringParameters": query,
                "multiValueQueryStringParameters": {
                    name: [value] for name, value in (query or {}).items()
                },
                "requestContext": {"identity": {"userArn": ACTOR}},
                "body": None if body is None else json.dumps(body),
                "isBase64Encoded": False,
            },
            SimpleNamespace(function_version=_VERSION),
        )
        headers = {name.title(): value for name, value in answer["headers"].items()}
        return Exchange(
            title,
            (method, resource),
            body,
            answer["statusCode"],
            headers,
            json.loads(answer["body"]),
        )


def _screenings(world: World) -> Iterator[Exchange]:
    screening, reviews = ("GET", "/payments/{id}/screening"), ("GET", "/reviews")
    payment = str(examples.COMMANDS["payment.post", 1]["id"])
    yield world.ask("screened", *screening, id=payment)
    refused = str(examples.REFUSED_COMMAND["id"])
    yield world.ask("not screened", *screening, id=refused)
    yield world.ask("unknown", *screening, id="not-decided")
    yield world.ask("reviews", *reviews)
    yield world.ask("invalid", *reviews, query={"limit": "0"})


def _accounts(world: World) -> Iterator[Exchange]:
    opening = examples.COMMANDS["account.open", 1]
    accounts = ("POST", "/accounts")
    yield world.ask("opened", *accounts, at="2026-11-21T23:10:01.000000Z", body=opening)
    yield world.ask("repeated", *accounts, body=opening)
    for second, command in enumerate(examples.OTHER_OPENINGS, start=2):
        world.ask("", *accounts, at=f"2026-11-21T23:10:{second:02}.000000Z", body=command)
    yield world.ask("malformed", *accounts, body=opening | {"id": "Zoë", "currency": "EURO"})
    yield world.ask("mismatch", *accounts, body=opening | {"currency": "USD"})
    yield world.ask("exists", *accounts, body=opening | {"id": "another-command"})


def _payments(world: World) -> Iterator[Exchange]:
    payment = examples.COMMANDS["payment.post", 1]
    payments = ("POST", "/payments")
    yield world.ask("posted", *payments, at="2026-11-21T23:10:05.123456Z", body=payment)
    yield world.ask("repeated", *payments, body=payment)
    world.screen(at="2026-11-21T23:10:06.200000Z", command=examples.COMMANDS["payment.screen", 1])
    yield world.ask(
        "refused", *payments, at="2026-11-21T23:10:07.654321Z", body=examples.REFUSED_COMMAND
    )
    yield world.ask("refused again", *payments, body=examples.REFUSED_COMMAND)
    yield world.ask(
        "malformed", *payments, body=payment | {"postings": [{"source": "a", "amount_minor": 1.5}]}
    )
    yield world.ask("mismatch", *payments, body=payment | {"reference": "order-1002"})
    world.store.on = False
    yield world.ask("outage", *payments, body=payment | {"id": "not-decided"})
    world.store.on = True
    one = ("GET", "/payments/{id}")
    yield world.ask("posted", *one, id=str(payment["id"]))
    yield world.ask("rejected", *one, id=str(examples.REFUSED_COMMAND["id"]))
    yield world.ask("unknown", *one, id="not-decided")


def _alerts(world: World) -> Iterator[Exchange]:
    command = examples.COMMANDS["account.set_alerts", 1]
    alerts = ("POST", "/alerts")
    yield world.ask("set", *alerts, at="2026-11-21T23:10:08.000000Z", body=command)
    yield world.ask("repeated", *alerts, body=command)
    twice = [{"direction": "below", "threshold_minor": 0}] * 2
    yield world.ask("malformed", *alerts, body=command | {"alerts": twice})
    unknown = command | {"id": "another-command", "account": "customers:43:wallet"}
    yield world.ask("refused", *alerts, body=unknown)
    now = ("GET", "/accounts/{id}/alerts")
    yield world.ask("alerts", *now, id="customers:42:wallet")
    yield world.ask("unknown", *now, id="customers:43:wallet")


def _queries(world: World) -> Iterator[Exchange]:
    wallet = "customers:42:wallet"
    account, history = ("GET", "/accounts/{id}"), ("GET", "/accounts/{id}/history")
    yield world.ask("account", *account, id=wallet)
    yield world.ask("unknown", *account, id="customers:43:wallet")
    yield world.ask("behind", *account, id=wallet, query={"min_version": "4"})
    yield world.ask("history", *history, id=wallet)
    yield world.ask("page", *history, id=wallet, query={"limit": "1"})
    yield world.ask("invalid", *history, id=wallet, query={"limit": "0"})
    yield world.ask("healthy", "GET", "/health")


def _webhooks() -> Iterator[Exchange]:
    handler = webhooks.webhooks_handler()
    for title, method, route, body in webhooks.requests():
        answer = handler(webhooks.event_of(method, route, body), None)
        headers = {name.title(): value for name, value in answer["headers"].items()}
        said = json.loads(answer["body"])
        yield Exchange(title, (method, route), body, answer["statusCode"], headers, said)


def exchanges(world: World | None = None) -> tuple[Exchange, ...]:
    """Every exchange shown, in the order in which they happen."""
    world = world or World()
    first = (*_accounts(world), *_payments(world), *_screenings(world), *_alerts(world))
    world.project()
    return (*first, *_queries(world), *_webhooks())
