"""From what was measured, and a price table, to a bill: line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from simulation.costs.measuring import FunctionUse, Measured
from simulation.costs.prices import Prices
from simulation.wiring.model import Wiring

MILLION: Final = 1_000_000
SECONDS_A_MONTH: Final = 730 * 3_600
_GB: Final = 1e9
_MS_PER_SECOND: Final = 1_000
_MB_PER_GB: Final = 1_024
#: Lambda keeps so many long polls of 20 s open for each queue while it has nothing.
_POLLS_A_MONTH: Final = 5 * 3 * 60 * 730
#: SQS, SNS and DynamoDB keep a data key for five minutes, for whoever sends and who receives.
_KEY_REQUESTS_A_MONTH: Final = 2 * 12 * 730
#: What is counted while payments are made.
_MEASURED: Final = frozenset(
    {
        "api_request",
        "write_unit",
        "read_unit",
        "bus_entry",
        "archive_processing",
        "queue_request",
        "fifo_request",
        "topic_publish",
        "log_ingestion",
    }
)
_AREAS: Final[Mapping[str, str]] = {
    "api_request": "REST API",
    "write_unit": "DynamoDB",
    "read_unit": "DynamoDB",
    "bus_entry": "EventBridge",
    "archive_processing": "EventBridge",
    "queue_request": "SQS",
    "fifo_request": "SQS",
    "topic_publish": "SNS",
    "log_ingestion": "Logs",
}


class Line(Struct, frozen=True):
    """One line of a bill.

    `amount` is how much of `price` a payment takes; of what is paid by the month, how much of it
    there is, and `usd_per_million` is None. What is kept costs that much for each month that it is.
    """

    area: str
    item: str
    price: str
    amount: float
    usd_per_million: float | None
    usd_per_month: float
    by: Literal["payment", "kept", "month"] = "payment"


class Cpu(Struct, frozen=True, forbid_unknown_fields=True):
    """What handlers compute, in milliseconds of one CPU; `memory_mb_of_one_cpu` is how much memory
    a function needs to be given a whole one."""

    date: str
    source: str
    cpu_ms_per_invocation: float
    cpu_ms_per_call: float
    cpu_ms_per_record: float
    memory_mb_of_one_cpu: int

    def milliseconds(self, function: FunctionUse) -> float:
        """How long all its invocations took, waiting and computing."""
        computed = (
            self.cpu_ms_per_invocation * function.invocations
            + self.cpu_ms_per_call * function.calls
            + self.cpu_ms_per_record * function.records
        )
        share = min(1.0, function.memory_mb / self.memory_mb_of_one_cpu)
        return function.waited_ms + computed / share


class Bill(Struct, frozen=True):
    """What so many payments a second cost, by the month and by the million."""

    measured: Measured
    prices: Prices
    lines: tuple[Line, ...]

    @property
    def usd_per_million(self) -> float:
        """What a million payments cost to make, each by each; neither what is paid whether or not
        there are any, nor what it costs to keep them."""
        return sum(line.usd_per_million or 0.0 for line in self.lines if line.by == "payment")

    @property
    def usd_to_keep(self) -> float:
        """What it costs to keep a million payments for a month."""
        return sum(line.usd_per_million or 0.0 for line in self.lines if line.by == "kept")

    @property
    def usd_per_month(self) -> float:
        """What a month at that rate costs, all in all, with what it brought kept for a month."""
        return sum(line.usd_per_month for line in self.lines)

    @property
    def payments_per_month(self) -> float:
        """How many payments a month at that rate has."""
        return self.measured.workload.tps * SECONDS_A_MONTH


def read_cpu() -> Cpu:
    """The measured CPU of handlers."""
    path = Path(__file__).with_name("cpu.json")
    return msgspec.json.decode(path.read_bytes(), type=Cpu)


def bill(measured: Measured, prices: Prices, wiring: Wiring, cpu: Cpu) -> Bill:
    """The bill of a month of such payments. Raises PricesError for what has no price."""
    maker = _Maker(measured, prices, cpu)
    return Bill(measured, prices, (*maker.by_payment(), *maker.stored(), *maker.by_month(wiring)))


class _Maker:
    def __init__(self, measured: Measured, prices: Prices, cpu: Cpu) -> None:
        self._measured = measured
        self._prices = prices
        self._cpu = cpu
        self._payments = measured.payments
        self._a_month = measured.workload.tps * SECONDS_A_MONTH

    def by_payment(self) -> Iterator[Line]:
        """What each payment takes."""
        for used in self._measured.used:
            if used.price in _MEASURED:
                yield self._line(_AREAS[used.price], used.where, used.price, used.amount)
        for function in self._measured.functions:
            yield self._line(
                "Lambda", f"{function.name}, calls", "invocation", function.invocations
            )
            gb_s = self._cpu.milliseconds(function) / _MS_PER_SECOND * function.memory_mb
            name = f"{function.name}, {function.memory_mb} MB"
            yield self._line("Lambda", name, "compute", gb_s / _MB_PER_GB)

    def stored(self) -> Iterator[Line]:
        """What a month's payments take to be kept for one month."""
        for table, size in sorted(self._measured.stored_bytes.items()):
            for price in ("table_storage", "point_in_time_recovery"):
                yield self._kept(f"{table} table", price, size)
        archived = sum(u.amount for u in self._measured.used if u.price == "archived_bytes")
        yield self._kept("archive of events", "archive_storage", archived)
        logged = self._measured.of("log_ingestion") * _GB
        yield self._kept("logs", "log_storage", logged)

    def by_month(self, wiring: Wiring) -> Iterator[Line]:
        """What the stack costs though nobody pays."""
        counts: Counter[str] = Counter(wiring.resources)
        active = len(wiring.queue_mappings)
        runs = sum(SECONDS_A_MONTH / one.every_seconds for one in wiring.schedules)
        encrypted = len(wiring.queues) + len(wiring.tables) + len(wiring.topics)
        yield self._monthly("CloudWatch", "alarms", "alarm", counts["AWS::CloudWatch::Alarm"])
        dashboards = counts["AWS::CloudWatch::Dashboard"]
        yield self._monthly("CloudWatch", "dashboards", "dashboard", dashboards)
        yield self._monthly("CloudWatch", "metrics", "custom_metric", self._measured.metrics)
        yield self._monthly("KMS", "keys", "key", counts["AWS::KMS::Key"])
        requests = encrypted * _KEY_REQUESTS_A_MONTH
        yield self._monthly("KMS", "data keys", "key_request", requests)
        yield self._monthly("SQS", "polls of idle queues", "queue_request", active * _POLLS_A_MONTH)
        # One version of each: those of releases before cost as much for as long as they are kept.
        kept = sum(one.memory_mb for one in wiring.functions if one.snapped) / _MB_PER_GB
        yield self._monthly("Lambda", "snapshots", "snapshot", kept * SECONDS_A_MONTH)
        yield self._monthly("Scheduler", "sweeps", "schedule", runs)

    def _line(self, area: str, item: str, price: str, amount: float) -> Line:
        usd = self._prices.usd(price, amount / self._payments)
        each = amount / self._payments
        return Line(area, item, price, each, usd * MILLION, usd * self._a_month)

    def _kept(self, item: str, price: str, size: float) -> Line:
        gb = size / self._payments / _GB
        usd = self._prices.usd(price, gb)
        return Line("Storage", item, price, gb, usd * MILLION, usd * self._a_month, by="kept")

    def _monthly(self, area: str, item: str, price: str, amount: float) -> Line:
        usd = self._prices.usd(price, amount)
        return Line(area, item, price, amount, None, usd, by="month")


def by_area(lines: tuple[Line, ...]) -> dict[str, dict[str, Any]]:
    """The sums of each area, in the order of their weight."""
    areas: dict[str, dict[str, float]] = {}
    for line in lines:
        sums = areas.setdefault(line.area, {"usd_per_million": 0.0, "usd_per_month": 0.0})
        sums["usd_per_million"] += line.usd_per_million or 0.0
        sums["usd_per_month"] += line.usd_per_month
    return dict(sorted(areas.items(), key=lambda one: -one[1]["usd_per_month"]))
