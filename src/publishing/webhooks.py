"""Exchanges with the function that manages webhooks, on stores in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any, Final

from consumers.webhooks.directory import MemoryDirectory
from consumers.webhooks.management import Management
from consumers.webhooks.manager import make_handler
from consumers.webhooks.secrets import MemorySecrets
from ledger.contracts.primitives import microseconds_of_instant
from ledger.runtime.telemetry import Telemetry

Answer = dict[str, Any]

SHOP: Final = "shop"
WANTED: Final = {
    "url": "https://shop.example/hooks/ledger",
    "filters": {"types": ["payment.posted", "balance.alert"], "accounts": ["shops:7:*"]},
}
_AT: Final = microseconds_of_instant("2026-11-21T23:10:20.000000Z")
_PUBLIC: Final = ip_address("93.184.216.34")
_PRIVATE: Final = ip_address("10.0.0.7")
_INSIDE: Final = "https://intranet.example/"


class _Queue:
    """Takes what is sent, and forgets it."""

    def send_message(self, **_: object) -> dict[str, str]:
        return {}


def webhooks_handler() -> Callable[[dict[str, Any], object], Answer]:
    """The function, with the clock stopped and secrets that are no secrets."""
    management = Management(
        store=MemoryDirectory(),
        secrets=MemorySecrets(),
        sqs=_Queue(),  # type: ignore[arg-type]
        deliveries_queue_url="",
        trusted=lambda: (),
        resolve=lambda host, _port: [_PRIVATE if "intranet" in host else _PUBLIC],
        clock=lambda: _AT,
        random_bytes=bytes,
    )
    return make_handler(management=management, telemetry=Telemetry(lambda _: None))


def requests() -> Iterator[tuple[str, str, str, dict[str, Any] | None]]:
    """The requests shown: title, method, route, body."""
    one = "/webhooks/{id}"
    yield "unknown", "GET", one, None
    yield "added", "PUT", one, WANTED
    yield "repeated", "PUT", one, WANTED
    yield "unknown type", "PUT", one, WANTED | {"filters": {"types": ["payment.lost"]}}
    yield "not https", "PUT", one, {"url": "http://shop.example/"}
    yield "inside", "PUT", one, {"url": _INSIDE}
    yield "webhook", "GET", one, None
    yield "all", "GET", "/webhooks", None
    yield "rotated", "POST", f"{one}/rotate", None
    yield "too soon", "POST", f"{one}/rotate", None
    yield "leaked", "POST", f"{one}/rotate", {"now": True}
    yield "sent", "POST", f"{one}/test", None
    yield "disabled", "PUT", one, WANTED | {"enabled": False}
    yield "disabled", "POST", f"{one}/test", None
    yield "removed", "DELETE", one, None
    yield "unknown", "DELETE", one, None


def event_of(method: str, route: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """A request as API Gateway hands it on."""
    return {
        "httpMethod": method,
        "resource": route,
        "headers": {"content-type": "application/json"},
        "pathParameters": {"id": SHOP} if "{id}" in route else None,
        "queryStringParameters": None,
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
