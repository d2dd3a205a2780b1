"""What so many payments a second ask of AWS, and which quota they meet first.

What one payment takes is counted in the simulation of the very stack (`ledger cost`), at a rate at
which batches and packs fill as they do under load, and grows in proportion. That overstates the
stages behind the stream at higher rates, where batches are fuller still.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from bench.scale.quotas import QUOTAS, Quota
from simulation.costs.bill import Cpu
from simulation.costs.measuring import Measured
from simulation.wiring.model import Wiring

#: How full a partition is on average when the fullest of many is at its limit: an assumption, as
#: keys spread over partitions by their hash, and DynamoDB splits those that are hot.
PARTITION_FILL: Final = 0.7
_MS_PER_SECOND: Final = 1_000
_EVENTS: Final = "events table"


class Demand(Struct, frozen=True):
    """One payment takes so much of what `quota` limits, at `where`."""

    quota: str
    where: str
    each: float

    @property
    def limit(self) -> Quota:
        """What AWS allows."""
        return QUOTAS[self.quota]

    @property
    def breaks_at(self) -> float:
        """The payments a second at which the quota is used up."""
        return self.limit.limit / self.each


class Size(Struct, frozen=True):
    """What a rate takes of the things that are counted: partitions by table, shards of the stream,
    functions at work, and mappings, buses and queues where one has a limit that is met."""

    payments_per_second: int
    partitions: dict[str, int]
    shards: int
    functions_at_work: dict[str, int]
    queues_of_commands: int
    buses: int
    usd_per_hour: float
    exceeded: list[str]


def demands(measured: Measured, wiring: Wiring, cpu: Cpu) -> list[Demand]:
    """What a payment takes of everything that is limited, the scarcest first."""
    found = [one for one in _demands(measured, wiring, cpu) if one.each > 0]
    return sorted(found, key=lambda one: one.breaks_at)


def size_at(rate: int, found: Sequence[Demand], usd_per_million: float) -> Size:
    """What `rate` payments a second take."""
    partitions = {
        one.where: math.ceil(rate * one.each / (QUOTAS["partition_writes"].limit * PARTITION_FILL))
        for one in found
        if one.quota == "table_writes"
    }
    at_work = {
        one.where: math.ceil(rate * one.each) for one in found if one.quota == "queue_mapping"
    }
    everything = next(one for one in found if one.quota == "concurrency")
    buses = sum(one.each for one in found if one.quota == "bus_requests")
    return Size(
        payments_per_second=rate,
        partitions=partitions,
        shards=partitions[_EVENTS],
        functions_at_work={"all": math.ceil(rate * everything.each), **at_work},
        queues_of_commands=max(
            (math.ceil(n / QUOTAS["queue_mapping"].limit) for n in at_work.values()), default=0
        ),
        buses=math.ceil(rate * buses / QUOTAS["bus_requests"].limit),
        usd_per_hour=round(rate * 3_600 * usd_per_million / 1_000_000, 2),
        exceeded=[f"{one.where}: {one.limit.unit}" for one in found if one.breaks_at < rate],
    )


def _demands(measured: Measured, wiring: Wiring, cpu: Cpu) -> Iterator[Demand]:
    payments = measured.payments
    for used in measured.used:
        each = used.amount / payments
        if used.price == "api_request":
            yield Demand("api_requests", used.where, each)
        if used.price == "write_unit":
            yield Demand("table_writes", used.where, each)
        if used.price == "read_unit":
            yield Demand("table_reads", used.where, each)
        if used.price == "fifo_request":
            yield Demand("fifo_requests", used.where, each)
    busy = {
        one.name: cpu.milliseconds(one) / _MS_PER_SECOND / payments for one in measured.functions
    }
    yield Demand("concurrency", "all functions", sum(busy.values()))
    fed = {one.function for one in wiring.queue_mappings}
    for name in sorted(fed & busy.keys()):
        yield Demand("queue_mapping", name, busy[name])
    behind_the_bus = {rule.queue for rule in wiring.rules}
    reached = {one.function for one in wiring.queue_mappings if one.queue in behind_the_bus}
    entries = sum(used.amount for used in measured.used if used.price == "bus_entry")
    # Every entry is a target's, for each queue that it goes to; the archive is one more.
    targets = entries + sum(one.records for one in measured.functions if one.name in reached)
    yield Demand("bus_invocations", "ledger bus", targets / payments)
    relays = {one.function for one in wiring.stream_mappings}
    # All that a relay calls is PutEvents.
    calls = sum(one.calls for one in measured.functions if one.name in relays)
    yield Demand("bus_requests", "ledger bus", calls / payments)
