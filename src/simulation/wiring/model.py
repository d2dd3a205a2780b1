"""The parts of the stack that the simulated world is built of. Names are those of this world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Index(Struct, frozen=True):
    """A global secondary index. It has the keys, its own and the table's, and the attributes that
    are `projected`; all of them if that is None."""

    name: str
    hash_key: str
    range_key: str | None = None
    projected: tuple[str, ...] | None = None


class Table(Struct, frozen=True):
    """A DynamoDB table."""

    name: str
    hash_key: str
    range_key: str | None = None
    indexes: tuple[Index, ...] = ()
    streamed: bool = False
    expires_by: str | None = None
    """The attribute that its time to live goes by."""


class Queue(Struct, frozen=True):
    """An SQS queue."""

    name: str
    url: str
    arn: str
    fifo: bool
    visibility_seconds: int
    retention_seconds: int
    max_receives: int | None = None
    dead_letters: str | None = None
    """The name of the queue of its dead letters."""


class Rule(Struct, frozen=True):
    """A rule of an event bus, with its one target."""

    name: str
    bus: str
    pattern: Mapping[str, Any]
    queue: str
    dead_letters: str
    """The name of the queue of what could not be delivered."""
    retries: int
    age_seconds: int


class Subscription(Struct, frozen=True):
    """A queue that is subscribed to a topic, with raw delivery."""

    topic_arn: str
    queue: str
    dead_letters: str | None


class Function(Struct, frozen=True):
    """A Lambda function. `name` is the one that it logs under."""

    name: str
    handler: str
    """As Lambda is told it: `package.module.handler`."""
    timeout_seconds: int
    environment: Mapping[str, str]
    memory_mb: int = 128
    snapped: bool = False
    """Whether its published versions start from a snapshot."""


class QueueMapping(Struct, frozen=True):
    """An event source mapping from a queue, with `ReportBatchItemFailures` if `partial`."""

    function: str
    queue: str
    batch: int
    window_seconds: int
    concurrency: int | None
    partial: bool


class StreamMapping(Struct, frozen=True):
    """An event source mapping from a table's stream."""

    function: str
    table: str
    batch: int
    window_seconds: int
    parallel: int
    bisect: bool
    partial: bool
    retries: int
    age_seconds: int
    failures: str
    """The bucket of the batches that were given up."""


class Schedule(Struct, frozen=True):
    """A schedule of EventBridge Scheduler."""

    function: str
    every_seconds: int
    retries: int


class Route(Struct, frozen=True):
    """A method of the REST API."""

    method: str
    resource: str
    function: str


class Wiring(Struct, frozen=True):
    """The whole stack."""

    tables: tuple[Table, ...]
    queues: tuple[Queue, ...]
    buses: tuple[str, ...]
    rules: tuple[Rule, ...]
    topics: tuple[str, ...]
    """Their ARNs."""
    subscriptions: tuple[Subscription, ...]
    functions: tuple[Function, ...]
    queue_mappings: tuple[QueueMapping, ...]
    stream_mappings: tuple[StreamMapping, ...]
    schedules: tuple[Schedule, ...]
    routes: tuple[Route, ...]
    parameters: Mapping[str, str] = {}
    """Of Systems Manager, by name."""
    buckets: tuple[str, ...] = ()
    resources: Mapping[str, int] = {}
    """How many there are of each type, whatever this world makes of them."""
    outputs: Mapping[str, str] = {}
    """Of the stacks, by their keys: what people and their tools reach the ledger by."""
    account: str = "000000000000"
    region: str = "eu-central-1"

    def function(self, name: str) -> Function:
        """A function by the name it logs under. Raises LookupError."""
        return next(one for one in self.functions if one.name == name)

    def variable(self, name: str) -> str:
        """What the functions that have this environment variable are given in it (some name the
        same table or queue). Raises LookupError unless they agree."""
        values = {one.environment[name] for one in self.functions if name in one.environment}
        if len(values) != 1:
            raise LookupError(f"{name}: {sorted(values)}")
        return values.pop()
