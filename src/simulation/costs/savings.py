"""What choices of design save, each against the same stack without it.

Those of a choice that can be counted from one measurement are; the others compare two.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from simulation.costs.bill import MILLION, Bill
from simulation.costs.usage import Used

#: Of one ReceiveMessage and of one DeleteMessageBatch.
_AT_ONCE = 10
#: AWS X-Ray, for each trace recorded: of active functions, one invocation in twenty.
_USD_PER_TRACE = 5 / MILLION
_TRACED = 0.05


class Saving(Struct, frozen=True):
    """What a choice saves of each million payments; below 0 if it costs something here."""

    choice: str
    usd_per_million: float


def savings(whole: Bill) -> Iterator[Saving]:
    """What can be told from one measurement."""
    measured, usd = whole.measured, whole.prices.usd
    a_million = MILLION / measured.payments
    events = measured.of("bus_event")
    packed = sum(used.amount for used in measured.used if _of_ledger_bus(used))
    unpacked = usd("bus_entry", events - packed)
    for used in measured.used:
        if used.price == "queue_event":
            alone = used.amount * (1 + 2 / _AT_ONCE)
            unpacked += usd("queue_request", alone - _requests(whole, used.where))
    yield Saving("several events in an entry of the bus", unpacked * a_million)
    compute = sum(line.amount for line in whole.lines if line.price == "compute")
    dearer = usd("compute_x86", compute) - usd("compute", compute)
    yield Saving("functions on arm64", dearer * MILLION)
    invocations = sum(function.invocations for function in measured.functions)
    records = sum(max(one.records, one.invocations) for one in measured.functions)
    lines = usd("log_ingestion", measured.of("log_ingestion")) * (records / invocations - 1)
    yield Saving("one log line an invocation, not one a record", lines * a_million)
    yield Saving("no tracing by X-Ray", invocations * _TRACED * _USD_PER_TRACE * a_million)


def compared(choice: str, whole: Bill, without: Bill) -> Saving:
    """What a choice saves, by the bill of a measurement without it."""
    return Saving(choice, without.usd_per_million - whole.usd_per_million)


def _of_ledger_bus(used: Used) -> bool:
    return used.price == "bus_entry" and not used.where.startswith("ingress")


def _requests(whole: Bill, queue: str) -> float:
    return sum(
        used.amount
        for used in whole.measured.used
        if used.price == "queue_request" and used.where == f"{queue} queue"
    )
