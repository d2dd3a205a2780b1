"""Beyond one machine: what rates up to a million payments a second take of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from bench.hot.latency import PUBLISHED_MS, Latency
from bench.scale.demand import demands, size_at
from bench.scale.measured import POSTINGS
from bench.scale.quotas import QUOTAS
from simulation.costs.bill import bill, read_cpu
from simulation.costs.measuring import measure
from simulation.costs.prices import SHIPPED, read_prices
from simulation.costs.workload import Pattern, Way, Workload
from simulation.kernel.hub import MILLISECOND
from simulation.wiring.stack import read_wiring

ROOT: Final = Path(__file__).resolve().parents[2]
RATES: Final = (1_000, 10_000, 100_000, 1_000_000)
#: Payments a second while one payment's share is counted: the simulation takes minutes for more.
_COUNTED_AT: Final = 2_000


class Form(Struct, frozen=True):
    """A way in which payments come."""

    name: str
    workload: Workload


def forms(payments: int) -> tuple[Form, ...]:
    """Those that are compared, counted by so many payments."""

    def form(name: str, way: Way, batch: int, pattern: Pattern) -> Form:
        return Form(
            name,
            Workload(tps=_COUNTED_AT, batch=batch, way=way, pattern=pattern, payments=payments),
        )

    return (
        form("REST, one by one", Way.REST, 1, Pattern.TRANSFERS),
        form("queue, one by one", Way.QUEUE, 1, Pattern.TRANSFERS),
        form("REST, 49 of one payer", Way.REST, 49, Pattern.PAYOUTS),
        form("queue, 49 of one payer", Way.QUEUE, 49, Pattern.PAYOUTS),
    )


def at_rates(payments: int) -> Iterator[dict[str, Any]]:
    """Each form at each rate: what it takes, what it costs, and which quotas it meets, the first
    first."""
    wiring, cpu, prices = read_wiring(ROOT), read_cpu(), read_prices(SHIPPED)
    for form in forms(payments):
        measured = measure(wiring, form.workload)
        cost = bill(measured, prices, wiring, cpu).usd_per_million
        found = demands(measured, wiring, cpu)
        yield {
            "form": form.name,
            "usd_per_million": round(cost, 2),
            "quotas": [
                {
                    "quota": one.quota,
                    "where": one.where,
                    "unit": one.limit.unit,
                    "limit": one.limit.limit,
                    "can_be_raised": one.limit.can_be_raised,
                    "each": round(one.each, 5),
                    "breaks_at": round(one.breaks_at),
                }
                for one in found
            ],
            "rates": [msgspec.to_builtins(size_at(rate, found, cost)) for rate in RATES],
        }


def quotas() -> dict[str, Any]:
    """The quotas and where AWS states them."""
    told: dict[str, Any] = msgspec.to_builtins(dict(QUOTAS))
    return told


def latency_by_postings() -> Iterator[dict[str, Any]]:
    """What DynamoDB would take for a payment of so many postings, by the curve of the model: a
    batched read of its accounts, and a transaction of its event and its accounts."""
    for level in (20.0, PUBLISHED_MS):
        latency = Latency(level)
        for postings in POSTINGS:
            read = latency.read_mean(postings + 1)
            write = latency.transaction_mean(postings + 2)
            yield {
                "full_ms": level,
                "postings": postings,
                "mean_ms": round((read + write) / MILLISECOND, 1),
            }
