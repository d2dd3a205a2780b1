"""Subscribers of webhooks, and what their manager does with them in the course of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from simulation.kernel.hub import SECOND
from simulation.load.clients import Clients
from simulation.load.elements import Planned
from simulation.load.sending import UNPLACED

#: What each wants: narrow, since each notification that one gets is a delivery of its own.
FILTERS: Final[dict[str, dict[str, list[str]]]] = {
    "partner": {"types": ["payment.reversed", "payment.voided", "payment.expired"]},
    "support": {"types": ["balance.alert", "account.frozen", "account.unfrozen"]},
    "auditors": {"types": ["command.rejected"], "reasons": ["insufficient_funds", "hold_expired"]},
    "guests": {"accounts": ["guests:guest-1*", "guests:guest-2*"]},
    "wholesale": {"amount_bands": ["1000-10000"], "currencies": ["EUR"]},
}


def managed(random: Random, clients: Clients, begins: int, ends: int) -> Iterator[Planned]:
    """All are put in place at the beginning; later they are looked at, tried, changed, removed."""

    def request(method: Any, path: str, at: int, body: object = None) -> Planned:
        return Planned(
            place=UNPLACED,
            at=at,
            client=clients.manager,
            route="manage",
            method=method,
            path=path,
            body=b"" if body is None else json.dumps(body).encode(),
        )

    def wanted(name: str, **more: object) -> object:
        url = f"https://{name}.example.com/hooks"
        return {"url": url, "filters": FILTERS[name], **more}

    for number, name in enumerate(FILTERS):
        yield request("PUT", f"/webhooks/{name}", begins + number * SECOND, wanted(name))
    first, second, *_, last = FILTERS
    times = sorted(random.randint(begins + (ends - begins) // 10, ends) for _ in range(8))
    yield request("GET", "/webhooks", times[0])
    yield request("GET", f"/webhooks/{first}", times[1])
    yield request("POST", f"/webhooks/{second}/test", times[2])
    yield request("POST", f"/webhooks/{first}/rotate", times[3], {"now": random.random() < 0.5})
    yield request("PUT", f"/webhooks/{last}", times[4], wanted(last, enabled=False))
    yield request("PUT", f"/webhooks/{last}", times[5], wanted(last))
    yield request("PUT", "/webhooks/inside", times[6], {"url": "https://localhost/hooks"})
    yield request("DELETE", f"/webhooks/{last}", times[7])
