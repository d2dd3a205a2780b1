"""Watches a world and counts what its owner would be billed for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.aws.dynamodb.table import Change
from simulation.costs.capacity import index_units, read_units, size, write_units
from simulation.costs.usage import Usage, chunks
from simulation.functions.platform import Record
from simulation.kernel.hub import MILLISECOND
from simulation.world import World

#: Messages of one ReceiveMessage, and of one DeleteMessageBatch.
_AT_ONCE: Final = 10
#: DynamoDB stores so much with each item, and with each entry of an index.
_ITEM_OVERHEAD: Final = 100
#: What CloudWatch adds to each event of a log that it is sent.
_LOG_EVENT_OVERHEAD: Final = 26
_GB: Final = 1e9
#: Of the length that AWS gives them; those of a simulated world are short.
_REQUEST_ID: Final = "00000000-0000-0000-0000-000000000000"
_LEVELS: Final = {"info": "INFO", "warning": "WARNING", "error": "ERROR"}


class Meter:
    """Counts from its making on; `begin` starts anew. Everything is by name, without the stage."""

    def __init__(self, world: World) -> None:
        self._world = world
        wiring = world.wiring
        self._tables = {table.name: table for table in wiring.tables}
        self._queues = {queue.name: queue for queue in wiring.queues}
        self._memory_mb = {function.name: function.memory_mb for function in wiring.functions}
        # What comes in by a service's delivery, not by somebody's call.
        self._fed = {rule.queue for rule in wiring.rules} | {
            subscription.queue for subscription in wiring.subscriptions
        }
        self._prefix = wiring.variable("EVENTS_TABLE").removesuffix("events")
        self.usage = Usage()
        self.invocations: Counter[str] = Counter()
        self.waited_ms: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.metrics: set[tuple[str, str]] = set()
        self._stored: dict[str, int] = {}
        world.network.on_call.append(self._called)
        world.dynamodb.observers.append(self._changed)
        world.events.observers.append(self._put)
        world.platform.on_batch.append(self._handed_over)
        world.platform.on_line.append(self._logged)
        world.platform.on_invocation.append(self._invoked)

    def begin(self) -> None:
        """What was counted so far is forgotten."""
        self.usage.clear()
        for counts in (self.invocations, self.waited_ms, self.calls, self.records):
            counts.clear()
        self._stored = dict(self._sizes())

    def stored_bytes(self) -> dict[str, int]:
        """What each table has grown by since `begin`, indexes and overhead included."""
        return {
            self._short(table): now - self._stored.get(table, 0)
            for table, now in self._sizes()
            if now != self._stored.get(table, 0)
        }

    def requested(self) -> None:
        """A request of the REST API."""
        self.usage.add("api_request", "REST API")

    def _sizes(self) -> Iterator[tuple[str, int]]:
        for name, table in self._tables.items():
            items = self._world.dynamodb.peek(name).values()
            each = (size(item) + _ITEM_OVERHEAD * (1 + len(table.indexes)) for item in items)
            yield name, sum(each)

    def _called(self, who: str, what: str, request: Mapping[str, Any], answer: object) -> None:
        service, _, operation = what.partition(".")
        function = who.partition("#")[0]
        self.calls[function] += 1
        if service == "dynamodb":
            for table, units in write_units(operation, request, self._look):
                self.usage.add("write_unit", f"{self._short(table)} table", units)
            if isinstance(answer, dict):
                for table, share in read_units(operation, request, answer):
                    self.usage.add("read_unit", f"{self._short(table)} table", share)
        elif service == "sqs":
            queue = request["QueueUrl"].rpartition("/")[2]
            entries = request.get("Entries", [request])
            total = sum(len(entry.get("MessageBody", "").encode()) for entry in entries)
            self._queue_requests(queue, chunks(total))
        elif service == "sns":
            entries = request.get("PublishBatchRequestEntries", [request])
            topic = request["TopicArn"].rpartition(":")[2]
            total = sum(chunks(len(entry["Message"].encode())) for entry in entries)
            self.usage.add("topic_publish", f"{self._short(topic)} topic", total)

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            table = self._tables[change.table]
            if table.indexes:
                units = index_units(table, change.old, change.new)
                if units:
                    self.usage.add("write_unit", f"{self._short(table.name)} indexes", units)

    def _put(self, bus: str, envelope: str) -> None:
        length = len(envelope.encode())
        name = self._short(bus)
        self.usage.add("bus_entry", name, chunks(length))
        if bus != self._ingress:
            self.usage.add("archive_processing", f"archive of {name}", length / _GB)
            self.usage.add("archived_bytes", name, length)
            self.usage.add("bus_event", name, _events_in(envelope))

    @property
    def _ingress(self) -> str:
        url = self._world.wiring.variable("COMMANDS_QUEUE_URL")
        fed = next(queue.name for queue in self._queues.values() if queue.url == url)
        return next(rule.bus for rule in self._world.wiring.rules if rule.queue == fed)

    def _handed_over(
        self, function: str, records: Sequence[Record], failed: frozenset[int] | None
    ) -> None:
        self.records[function] += len(records)
        queue = str(records[0]["eventSourceARN"]).rpartition(":")[2]
        if queue not in self._queues:
            return  # a stream: Lambda reads it free of charge
        for start in range(0, len(records), _AT_ONCE):
            some = records[start : start + _AT_ONCE]
            total = sum(len(record["body"].encode()) for record in some)
            self._queue_requests(queue, chunks(total))
            done = failed is not None and len(failed) < len(records)
            self._queue_requests(queue, 1 if done else 0)
        if queue in self._fed:
            sent = (
                chunks(len(record["body"].encode()))
                for record in records
                if record["attributes"]["ApproximateReceiveCount"] == "1"
            )
            self._queue_requests(queue, sum(sent))
            events = sum(_events_in(record["body"]) for record in records)
            self.usage.add("queue_event", self._short(queue), events)

    def _queue_requests(self, queue: str, count: int) -> None:
        price = "fifo_request" if self._queues[queue].fifo else "queue_request"
        self.usage.add(price, f"{self._short(queue)} queue", count)

    def _logged(self, function: str, line: Mapping[str, Any]) -> None:
        self.usage.add("log_ingestion", f"{function} log", _line_bytes(function, line) / _GB)
        self.metrics.update((function, name) for name in line if name[:1].isupper())

    def _invoked(self, function: str, took: int, cold: bool) -> None:
        del cold
        self.invocations[function] += 1
        self.waited_ms[function] += took // MILLISECOND

    def _look(self, table: str, item: Mapping[str, Mapping[str, Any]]) -> Any:
        spec = self._tables[table]
        names = [name for name in (spec.hash_key, spec.range_key) if name]
        key = tuple(str(next(iter(item[name].values()))) for name in names)
        return self._world.dynamodb.peek(table).get(key)

    def _short(self, name: str) -> str:
        return name.removeprefix(self._prefix).removesuffix(".fifo")


def _events_in(body: str) -> int:
    """How many events an entry of the bus, or a message made of one, has in it."""
    detail = json.loads(body).get("detail", {})
    return len(detail.get("events", (None,)))


def _line_bytes(function: str, line: Mapping[str, Any]) -> int:
    """The bytes of a line as it is written, see `ledger.runtime.telemetry`."""
    metrics = {name: [float(value)] for name, value in line.items() if name[:1].isupper()}
    notes = {name: value for name, value in line.items() if name not in metrics}
    notes |= {"level": _LEVELS[notes.get("level", "info")], "request_id": _REQUEST_ID}
    written: dict[str, Any] = {
        "message": "invocation",
        "timestamp": "2026-11-22T12:00:00.000+00:00",
        "service": function,
        **notes,
    }
    if metrics:
        described = [{"Name": name, "Unit": "Count"} for name in metrics]
        directive = {
            "Namespace": "Ledger/prod",
            "Dimensions": [["service"]],
            "Metrics": described,
        }
        written["_aws"] = {"Timestamp": 1_780_261_200_000, "CloudWatchMetrics": [directive]}
        written.update(metrics)
    return len(json.dumps(written, separators=(",", ":"))) + _LOG_EVENT_OVERHEAD
