"""Requests and the answers that the real handlers give to them, on stores in memory.

The examples of the OpenAPI description are these exchanges, so they cannot promise what the code
does not do. The clock is set by hand: the same code gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from ledger.adapters.dynamodb.event_store import Meter
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands
from ledger.application.ports import Appended, Refused, Transaction, TransientStoreError
from ledger.contracts import examples
from ledger.contracts.events import Event, decode_event
from ledger.contracts.primitives import microseconds_of_instant
from ledger.entrypoints.api.routes import make_handler as make_api_handler
from ledger.runtime.telemetry import Telemetry
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project as project_history
from projections.query.handler import make_handler as make_query_handler

ACTOR: Final = "arn:aws:sts::111122223333:assumed-role/checkout/i-0a1b2c3d"
#: The function's published version, as an example of what `GET /health` says.
_VERSION: Final = "7"


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
        self._decide = make_api_handler(
            commands=commands, store=self.store, meter=Meter(), telemetry=silent
        )
        self._query = make_query_handler(
            balances=self.balances, history=self.history, telemetry=silent
        )

    def events(self) -> list[Event]:
        """Everything recorded so far, in order."""
        return [decode_event(stored.data) for stored in self.store.events()]

    def project(self) -> None:
        """Brings the projections up to what is recorded."""
        project_balances(self.balances, self.events())
        project_history(self.history, self.events())

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
        reads_projections = resource.startswith("/accounts/{id}")
        answer = (self._query if reads_projections else self._decide)(
            {
                "httpMethod": method,
                "resource": resource,
                "path": resource.replace("{id}", id),
                "headers": {"content-type": "application/json"},
                "pathParameters": {"id": id} if id else None,
                "queryStringParameters": query,
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


def _queries(world: World) -> Iterator[Exchange]:
    wallet = "customers:42:wallet"
    account, history = ("GET", "/accounts/{id}"), ("GET", "/accounts/{id}/history")
    yield world.ask("account", *account, id=wallet)
    yield world.ask("unknown", *account, id="customers:43:wallet")
    yield world.ask("behind", *account, id=wallet, query={"min_version": "3"})
    yield world.ask("history", *history, id=wallet)
    yield world.ask("page", *history, id=wallet, query={"limit": "1"})
    yield world.ask("invalid", *history, id=wallet, query={"limit": "0"})
    yield world.ask("healthy", "GET", "/health")


def exchanges(world: World | None = None) -> tuple[Exchange, ...]:
    """Every exchange shown, in the order in which they happen."""
    world = world or World()
    first = (*_accounts(world), *_payments(world))
    world.project()
    return (*first, *_queries(world))
