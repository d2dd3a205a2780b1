"""A ledger behind HTTP on loopback: the real handlers, on the adapters in memory."""

from __future__ import annotations

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from typing_extensions import override

from consumers.fraud.features import movements
from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.reviews import make_handler as make_reviews
from ledger.adapters.dynamodb.event_store import Meter
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands
from ledger.application.expiry import release_due
from ledger.application.group_commit import GroupCommit
from ledger.application.publication import Published
from ledger.application.state_cache import StateCache
from ledger.client.config import Config, Credentials
from ledger.contracts.events import PaymentAuthorized, PaymentPosted, decode_event
from ledger.contracts.subjects import account_key
from ledger.domain.accounts import AccountState
from ledger.entrypoints.api.routes import make_handler as make_api
from ledger.runtime.telemetry import Line, Telemetry
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.generations.memory import single
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project as project_history
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.project import project as project_payments
from projections.query.handler import make_handler as make_query
from publishing.webhooks import webhooks_handler
from tests.support.builders import NOON_MICROSECONDS, screening

NOW = NOON_MICROSECONDS  # later than all effective times in tests and documents
#: What of an account the function that decides commands answers itself.
_OF_THE_STORE = frozenset({"alerts", "limits", "metadata"})


class LocalLedger(ThreadingHTTPServer):
    """Answers as the deployed API does. Every event is projected before its answer.

    `project` off holds projections back; `failing` answers that many requests with 503 first;
    `unscreened` leaves that many payments without a verdict. `now` is its clock, which moves by
    `tick` microseconds at every look; with `sweeping`, holds that are due are released at every
    request.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = MemoryEventStore()
        self.balances = MemoryBalancesStore()
        self.history = MemoryHistoryStore()
        self.payments = MemoryPaymentsStore()
        self.project = True
        self.failing = 0
        self.unscreened = 0
        self.requests: list[tuple[str, str]] = []
        self.lines: list[Line] = []
        self._projected = 0
        self.lock = Lock()
        self.now = NOW
        self.tick = 1
        self.sweeping = False
        silent = Telemetry(lambda _: None)
        self.commands = Commands(
            self.store, clock=self._clock, pause=lambda _: None, chance=lambda: 0.0
        )
        self.cache = StateCache(0)
        self.group = GroupCommit(
            self.commands,
            self.store,
            clock=self._clock,
            pause=lambda _: None,
            chance=lambda: 0.0,
            cache=self.cache,
        )
        self._api = make_api(
            commands=self.commands,
            group=self.group,
            cache=self.cache,
            store=self.store,
            clock=self._clock,
            meter=Meter(),
            telemetry=Telemetry(self.lines.append),
        )
        self._webhooks = webhooks_handler()
        self.fraud = MemoryFraudStore()
        self._reviews = make_reviews(store=self.fraud, telemetry=silent)
        self._query = make_query(
            balances=single(self.balances),
            history=single(self.history),
            payments=single(self.payments),
            telemetry=silent,
        )

    @property
    def config(self) -> Config:
        """How to reach it."""
        return Config(
            region="eu-central-1",
            endpoint_url=f"http://127.0.0.1:{self.server_port}",
            api_url=f"http://127.0.0.1:{self.server_port}/v1/",
            outputs={},
            credentials=Credentials(access_key_id="000000000000", secret_access_key="test"),
        )

    def answer(self, method: str, target: str, body: str | None) -> dict[str, Any]:
        """What API Gateway does with a request: route it, and hand it to a function."""
        url = urlsplit(target)
        parts = [unquote(part) for part in url.path.removeprefix("/v1/").split("/")]
        event: dict[str, Any] = {
            "httpMethod": method,
            "headers": {"content-type": "application/json"},
            "queryStringParameters": dict(parse_qsl(url.query)) or None,
            "multiValueQueryStringParameters": None,
            "pathParameters": {"id": parts[1]} if len(parts) > 1 else None,
            "resource": "/"
            + "/".join(["{id}" if place == 1 else p for place, p in enumerate(parts)]),
            "requestContext": {"identity": {"userArn": "arn:aws:iam::000000000000:root"}},
            "body": body,
            "isBase64Encoded": False,
        }
        with self.lock:
            self.requests.append((method, target))
            if self.sweeping:
                release_due(self.store, self.commands, self._clock, 100, lambda: True)
            if self.failing:
                self.failing -= 1
                return {"statusCode": 503, "body": '{"reason":"contention","retry":"same_request"}'}
            if parts[0] == "reviews":
                return self._reviews(
                    event | {"multiValueQueryStringParameters": parse_qs(url.query)}, None
                )
            if parts[0] == "webhooks":
                return self._webhooks(event, None)
            query = method == "GET" and (
                parts == ["payments"]
                or (parts[0] == "accounts" and _OF_THE_STORE.isdisjoint(parts[2:]))
            )
            context = SimpleNamespace(aws_request_id=f"rest {len(self.requests)}")
            answer = (self._query if query else self._api)(event, context)
            self.catch_up()
            return answer

    def state(self, account: str) -> AccountState:
        """An account as it is."""
        return self.store.load([account_key(account)]).accounts[account]

    def _clock(self) -> int:
        self.now += self.tick
        return self.now

    def publish(self, events: Sequence[Published]) -> frozenset[int]:
        """A Publisher: the bus, with the projections behind it."""
        decoded = [decode_event(event.data) for event in events]
        project_balances(self.balances, decoded)
        project_history(self.history, decoded)
        project_payments(self.payments, decoded)
        return frozenset()

    def catch_up(self) -> None:
        """Projects what is new in the store, if it shall be projected."""
        new = list(self.store.events())[self._projected :]
        self._projected += len(new)
        events = [decode_event(event.data) for event in new]
        for event in events:
            if not isinstance(event, PaymentPosted | PaymentAuthorized):
                continue
            if not any(each.sent_minor for each in movements(event)):
                continue
            if self.unscreened:
                self.unscreened -= 1
            else:
                self.commands.handle(screening(event.id), "the scorer")
        if self.project:
            project_balances(self.balances, events)
            project_history(self.history, events)
            project_payments(self.payments, events)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for the acknowledgement of its head

    def do_GET(self) -> None:
        self._answer(None)

    def do_DELETE(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length", 0))).decode())

    def do_PUT(self) -> None:
        self.do_POST()

    def _answer(self, body: str | None) -> None:
        assert isinstance(self.server, LocalLedger)
        assert self.headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
        answer = self.server.answer(self.command, self.path, body)
        content = answer["body"].encode()
        self.send_response(answer["statusCode"])
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, *_: object) -> None:
        """Quiet."""
