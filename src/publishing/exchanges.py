"""Requests and the answers that the real handlers give to them, on stores in memory.

The examples of the OpenAPI description are these exchanges, so they cannot promise what the code
does not do. The clock is set by hand: the same code gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Final

from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.reviews import make_handler as make_reviews_handler
from consumers.fraud.store import Review
from ledger.adapters.dynamodb.event_store import Meter
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands
from ledger.application.group_commit import GroupCommit
from ledger.application.ports import Appended, Refused, Transaction, TransientStoreError
from ledger.application.state_cache import StateCache
from ledger.contracts import examples
from ledger.contracts.commands import SYSTEM_COMMANDS, decode_command
from ledger.contracts.events import Event, PaymentScreened, decode_event
from ledger.contracts.primitives import microseconds_of_instant
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from ledger.entrypoints.api.routes import make_handler as make_api_handler
from ledger.runtime.telemetry import Telemetry
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.generations.memory import single
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project as project_history
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.project import project as project_payments
from projections.query.handler import make_handler as make_query_handler
from publishing import webhooks

#: The function's published version, as an example of what `GET /health` says.
_VERSION: Final = "7"
#: Whom the verdict shown is about.
WALLET: Final = "customers:42:wallet"
_HELD: Final = str(examples.COMMANDS["payment.authorize", 1]["id"])
_POSTED: Final = str(examples.COMMANDS["payment.post", 1]["id"])
#: What projections answer; all else the REST API's own function does, or a consumer's.
_PROJECTED: Final = frozenset(
    {
        ("GET", "/accounts"),
        ("GET", "/accounts/{id}"),
        ("GET", "/accounts/{id}/history"),
        ("GET", "/payments"),
    }
)


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
        self.payments = MemoryPaymentsStore()
        self._now = 0
        silent = Telemetry(lambda _: None)
        commands = Commands(
            self.store, clock=lambda: self._now, pause=lambda _: None, chance=lambda: 0.0
        )
        self._commands = commands
        cache = StateCache(0)
        self._decide = make_api_handler(
            commands=commands,
            group=GroupCommit(
                commands,
                self.store,
                clock=lambda: self._now,
                pause=lambda _: None,
                chance=lambda: 0.0,
                cache=cache,
            ),
            cache=cache,
            store=self.store,
            clock=lambda: self._now,
            meter=Meter(),
            telemetry=silent,
        )
        self._query = make_query_handler(
            balances=single(self.balances),
            history=single(self.history),
            payments=single(self.payments),
            telemetry=silent,
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
        project_payments(self.payments, self.events())

    def record(self, step: examples.Step) -> None:
        """Records a step of the ledger's own, as its functions have it done: by no route."""
        self._now = microseconds_of_instant(step.at)
        body = json.dumps(step.command).encode()
        self._commands.handle(decode_command(body, SYSTEM_COMMANDS), step.actor)
        for event in self.events():
            if isinstance(event, PaymentScreened) and event.id == step.command["id"]:
                self._reviews.add_review(Review(event, WALLET))

    def _handler_of(self, route: tuple[str, str]) -> Callable[[dict[str, Any], object], Any]:
        if route in _PROJECTED:
            return self._query
        return self._review if route == ("GET", "/reviews") else self._decide

    def ask(
        self,
        title: str,
        method: str,
        resource: str,
        *,
        at: str = "",
        body: Any = None,
        id: str = "",
        query: dict[str, str] | None = None,
    ) -> Exchange:
        """The exchange of one request, sent at the instant `at` (as before, if left out)."""
        self._now = microseconds_of_instant(at) if at else self._now
        answer = self._handler_of((method, resource))(
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
                "requestContext": {"identity": {"userArn": examples.ACTOR}},
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


def _story(world: World) -> Iterator[Exchange]:
    """Every command of the examples, each with a repeat, and what else is worth showing of it."""
    shown = [*examples.COMMANDS.values(), examples.REFUSED_COMMAND]
    for step in examples.STORY:
        if step.type in SYSTEM_COMMANDS:
            world.record(step)
            continue
        route = ("POST", COMMAND_PATHS[step.type])
        if step.type in _DRY_RUNS and step.command == examples.COMMANDS[step.type, 1]:
            dry = {"dry_run": "true"}
            yield world.ask("dry run", *route, at=step.at, body=step.command, query=dry)
        done = world.ask("", *route, at=step.at, body=step.command)
        if step.command not in shown:
            continue
        refused = done.status >= HTTPStatus.BAD_REQUEST
        title = "refused" if refused else str(done.body["status"])
        yield replace(done, title=title)
        again = "refused again" if refused else "repeated"
        yield world.ask(again, *route, body=step.command)
        if not refused and step.type in _BESIDE:
            yield from _BESIDE[step.type](world, *route)


def _beside_openings(world: World, *route: str) -> Iterator[Exchange]:
    opening = examples.COMMANDS["account.open", 1]
    yield world.ask("malformed", *route, body=opening | {"id": "Zoë", "currency": "EURO"})
    yield world.ask("mismatch", *route, body=opening | {"currency": "USD"})
    yield world.ask("exists", *route, body=opening | {"id": "another-command"})


def _beside_payments(world: World, *route: str) -> Iterator[Exchange]:
    payment = examples.COMMANDS["payment.post", 1]
    wrong = [{"source": "a", "amount_minor": 1.5}]
    yield world.ask("malformed", *route, body=payment | {"postings": wrong})
    yield world.ask("mismatch", *route, body=payment | {"reference": "order-1002"})
    world.store.on = False
    yield world.ask("outage", *route, body=payment | {"id": "not-decided"})
    world.store.on = True


def _beside_alerts(world: World, *route: str) -> Iterator[Exchange]:
    command = examples.COMMANDS["account.set_alerts", 1]
    wrong = [{"direction": "under", "threshold_minor": "0"}]
    yield world.ask("malformed", *route, body=command | {"alerts": wrong})
    unknown = command | {"id": "alerts:nobody", "account": "customers:43:wallet"}
    yield world.ask("refused", *route, body=unknown)


def _beside_captures(world: World, *route: str) -> Iterator[Exchange]:
    capture = examples.COMMANDS["payment.capture", 1]
    more = capture | {"id": f"{_HELD}:capture-2", "amount_minor": 90000}
    yield world.ask("refused", *route, body=more)


def _beside_batches(world: World, *route: str) -> Iterator[Exchange]:
    batch = examples.COMMANDS["batch.atomic", 1]
    yield world.ask("refused", *route, body=batch | {"id": "onboard-44-again"})


_DRY_RUNS: Final = frozenset({"payment.post", "payment.capture"})
_BESIDE: Final[Mapping[str, Callable[..., Iterator[Exchange]]]] = {
    "account.open": _beside_openings,
    "account.set_alerts": _beside_alerts,
    "batch.atomic": _beside_batches,
    "payment.capture": _beside_captures,
    "payment.post": _beside_payments,
}


def _several(world: World) -> Iterator[Exchange]:
    coffee = {
        "type": "payment.post",
        "v": 1,
        "id": "coffee-7",
        "postings": [
            {
                "source": WALLET,
                "destination": "merchants:7:settlement",
                "amount_minor": 420,
                "currency": "EUR",
            }
        ],
    }
    route = ("POST", INDEPENDENT_PATH)
    several = [coffee, {"type": "payment.post", "v": 1, "id": "tea-8"}, examples.REFUSED_COMMAND]
    yield world.ask("answers", *route, body={"commands": several})
    yield world.ask("none", *route, body={"commands": []})


def _of_the_store(world: World) -> Iterator[Exchange]:
    """Questions to the event store, after all that happened."""
    payment, screening = ("GET", "/payments/{id}"), ("GET", "/payments/{id}/screening")
    refused, unknown = str(examples.REFUSED_COMMAND["id"]), "not-decided"
    yield world.ask("partially reversed", *payment, id=_POSTED)
    yield world.ask("captured", *payment, id=_HELD)
    yield world.ask("rejected", *payment, id=refused)
    yield world.ask("unknown", *payment, id=unknown)
    yield world.ask("screened", *screening, id=_POSTED)
    yield world.ask("not screened", *screening, id=refused)
    yield world.ask("unknown", *screening, id=unknown)
    for resource, title, asked in (
        ("/payments/{id}/metadata", "metadata", _HELD),
        ("/accounts/{id}/alerts", "alerts", WALLET),
        ("/accounts/{id}/limits", "limits", WALLET),
        ("/accounts/{id}/metadata", "metadata", WALLET),
        ("/templates/{id}", "template", "card_sale"),
        ("/books/{id}", "book", "branch-7"),
    ):
        yield world.ask(title, "GET", resource, id=asked)
        yield world.ask("unknown", "GET", resource, id="nothing")
    yield world.ask("healthy", "GET", "/health")
    yield world.ask("reviews", "GET", "/reviews")
    yield world.ask("invalid", "GET", "/reviews", query={"limit": "0"})


def _of_projections(world: World) -> Iterator[Exchange]:
    account, history = ("GET", "/accounts/{id}"), ("GET", "/accounts/{id}/history")
    yield world.ask("account", *account, id=WALLET)
    yield world.ask("unknown", *account, id="customers:43:wallet")
    yield world.ask("behind", *account, id=WALLET, query={"min_version": "1000"})
    yield world.ask("history", *history, id=WALLET, query={"limit": "3"})
    yield world.ask("page", *history, id=WALLET, query={"limit": "1"})
    yield world.ask("invalid", *history, id=WALLET, query={"limit": "0"})
    accounts, payments = ("GET", "/accounts"), ("GET", "/payments")
    yield world.ask("accounts", *accounts, query={"under": "customers:42"})
    yield world.ask("invalid", *accounts)
    yield world.ask("captured", *payments, query={"status": "captured"})
    yield world.ask("invalid", *payments, query={"status": "lost"})


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
    told = (*_story(world), *_several(world), *_of_the_store(world))
    world.project()
    return (*told, *_of_projections(world), *_webhooks())
