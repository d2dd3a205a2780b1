"""Drives the REST edge's handler on a store in memory, as API Gateway would."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ledger.adapters.dynamodb.event_store import Meter
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands, Outcome
from ledger.application.group_commit import GroupCommit
from ledger.application.state_cache import StateCache
from ledger.contracts import examples
from ledger.contracts.commands import SYSTEM_COMMANDS, Command, decode_command
from ledger.contracts.primitives import microseconds_of_instant
from ledger.contracts.routes import COMMAND_PATHS
from ledger.entrypoints.api.routes import make_handler
from ledger.runtime.telemetry import Line, Telemetry
from tests.support.grouping import OneByOne

Reply = tuple[int, dict[str, str], dict[str, Any]]

CALLER = "arn:aws:iam::111122223333:role/checkout"
OPENING = examples.COMMANDS["account.open", 1]
PAYMENT = examples.COMMANDS["payment.post", 1]


class Api:
    """The handler on a store in memory, and the lines it logs."""

    def __init__(
        self,
        decide: Callable[[Command, str], Outcome] | None = None,
        store: MemoryEventStore | None = None,
    ) -> None:
        self.store = store or MemoryEventStore()
        self.lines: list[Line] = []
        self.meter = Meter()
        self.now = microseconds_of_instant("2026-11-21T23:10:00.000000Z")
        world: Any = {
            "clock": lambda: self.now,
            "pause": lambda _: None,
            "chance": lambda: 0.0,
        }
        decider: Any = (
            SimpleNamespace(handle=decide, preview=decide)
            if decide
            else Commands(self.store, **world)
        )
        self.commands: Commands = decider
        cache = StateCache(0)
        self._handler = make_handler(
            commands=self.commands,
            group=OneByOne(self.store, decide)
            if decide
            else GroupCommit(self.commands, self.store, cache=cache, **world),
            cache=cache,
            store=self.store,
            clock=lambda: self.now,
            meter=self.meter,
            telemetry=Telemetry(self.lines.append),
        )

    def play(self, step: examples.Step, *, dry_run: bool = False) -> Reply | None:
        """Sends one step of the examples' story at its time or, if that is past, now; None for the
        ledger's own commands, which have no route."""
        self.now = max(self.now, microseconds_of_instant(step.at))
        if step.type in SYSTEM_COMMANDS:
            if not dry_run:
                body = json.dumps(step.command).encode()
                self.commands.handle(decode_command(body, SYSTEM_COMMANDS), step.actor)
            return None
        query: dict[str, Any] = {"queryStringParameters": {"dry_run": "true"}} if dry_run else {}
        return self.send("POST", COMMAND_PATHS[step.type], step.command, **query)

    def tell(self) -> None:
        """The whole story."""
        for step in examples.STORY:
            self.play(step)

    def send(
        self,
        method: str,
        resource: str,
        body: object = None,
        *,
        id: str | None = None,
        left_ms: Callable[[], int] = lambda: 20_000,
        **event: Any,
    ) -> Reply:
        """Status, headers and body of the answer to one proxy event, as API Gateway makes them."""
        answer = self._handler(
            {
                "httpMethod": method,
                "resource": resource,
                "path": "/ignored",
                "headers": {"Content-Type": "application/json"},
                "multiValueHeaders": {},
                "queryStringParameters": None,
                "pathParameters": None if id is None else {"id": id},
                "requestContext": {"identity": {"userArn": CALLER}},
                "body": body if isinstance(body, str | None) else json.dumps(body),
                "isBase64Encoded": False,
            }
            | event,
            SimpleNamespace(
                aws_request_id="r", function_version="7", get_remaining_time_in_millis=left_ms
            ),
        )
        assert set(answer) == {"statusCode", "headers", "body"}
        assert answer["headers"]["Cache-Control"] == "no-store"
        return answer["statusCode"], answer["headers"], json.loads(answer["body"])

    @property
    def line(self) -> Line:
        """The line of the last invocation."""
        return self.lines[-1]

    def open_accounts(self) -> None:
        """Those that the payment of the examples is between, when it is effective."""
        self.now = microseconds_of_instant("2026-11-21T23:10:04.000000Z")
        for command in (OPENING, *examples.OTHER_OPENINGS):
            assert self.send("POST", "/accounts", command)[0] == 201


def assert_problem(answer: Reply, status: int, reason: str, field: str = "") -> dict[str, Any]:
    """The answer is the problem of that reason, at that field; returns its body."""
    code, headers, body = answer
    assert (code, body["status"]) == (status, status)
    assert headers["Content-Type"] == "application/problem+json"
    assert body["reason"] == reason
    assert body["type"] == f"urn:ledger:problem:{reason}"
    assert body.get("field", "") == field
    return body
