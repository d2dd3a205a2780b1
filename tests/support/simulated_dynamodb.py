"""The simulated DynamoDB, for tests that know nothing of virtual time.

A client here is one of the simulation's, with the few methods of a boto3 client beside it that
tests use: making and deleting tables, and hooks on requests. Called from outside of the simulated
world, a method runs as a task of its own, until nothing in that world is left to happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from simulation.aws.calls import Network, Paginator, SimulatedClient
from simulation.aws.dynamodb.service import DynamoDB
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND, Hub
from simulation.kernel.trace import Trace
from simulation.wiring.model import Index, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_A = TypeVar("_A")
_R = TypeVar("_R")
#: 22 November 2026, noon in UTC.
NOON = 1_795_348_800 * SECOND
#: What an index follows within, unless a fault strikes.
INDEX_SECONDS = 0.05


class SimulatedWorld:
    """A DynamoDB in a world of its own, in which nothing fails but by `rates`.

    `between`: seconds that pass after each call from outside, so that indexes can follow.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        rates: Mapping[Fault, float] | None = None,
        tables: Sequence[Table] = (),
        between: float = 0.0,
    ) -> None:
        self.hub = Hub(NOON)
        self.trace = Trace(self.hub)
        self.injector = Injector(Random(seed), rates or {}, self.trace)
        self.dynamodb = DynamoDB(self.hub, Random(seed + 1), self.injector, tables)
        self.network = Network(self.hub, Random(seed + 2), self.injector)
        self._between = between

    @property
    def client(self) -> DynamoDBClient:
        """A client for tests; the SDK does not retry."""
        return cast("DynamoDBClient", _Client(self))

    def ask(self, operation: str, *, attempts: int = 1, **request: Any) -> Any:
        """One call of a client whose SDK tries so often."""
        client = SimulatedClient(self.network, None, self.dynamodb, attempts)
        return self.run(lambda: getattr(client, operation)(**request))

    def run(self, body: Callable[[], _R]) -> _R:
        """What comes of `body`, run as a task; directly, if it is asked for in one."""
        if self.hub.current is not None:
            return body()
        task = self.hub.spawn("test", body)
        self.hub.run()
        if self._between:
            self.pause(self._between)
        return task.done.result()

    def at_once(self, do: Callable[[_A], _R], each: Iterable[_A]) -> list[_R]:
        """Runs a function for all arguments side by side; answers in their order."""
        tasks = [
            self.hub.spawn(f"test {place}", partial(do, one)) for place, one in enumerate(each)
        ]
        if self.hub.current is not None:
            return [self.hub.wait(task.done) for task in tasks]
        self.hub.run()
        return [task.done.result() for task in tasks]

    def pause(self, seconds: float) -> None:
        """Lets virtual time pass."""
        duration = int(seconds * SECOND)
        if self.hub.current is not None:
            self.hub.sleep(duration)
        else:
            self.hub.run(self.hub.now + duration)

    def clock(self) -> int:
        """The virtual time, in microseconds since 1970."""
        return self.hub.now


class _Hooks:
    """The one event of botocore's that tests listen to: that a request is about to be made."""

    def __init__(self) -> None:
        self._hooks: list[Callable[..., None]] = []

    def register(self, _event: str, hook: Callable[..., None]) -> None:
        self._hooks.append(hook)

    def unregister(self, _event: str, hook: Callable[..., None]) -> None:
        self._hooks.remove(hook)

    def tell(self, operation: str, request: dict[str, Any]) -> None:
        name = "".join(part.capitalize() for part in operation.split("_"))
        for hook in self._hooks:
            hook(params=request, model=SimpleNamespace(name=name))


class _Client:
    def __init__(self, world: SimulatedWorld) -> None:
        self._world = world
        self._hooks = _Hooks()
        self.meta = SimpleNamespace(events=self._hooks)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation.startswith("_"):
            raise AttributeError(operation)

        def call(**request: Any) -> Any:
            self._hooks.tell(operation, request)
            return self._world.ask(operation, **request)

        return call

    def get_paginator(self, operation: str) -> Paginator:
        return Paginator(getattr(self, operation))

    def create_table(self, **request: Any) -> dict[str, Any]:
        self._world.dynamodb.create(table_of(request))
        return {}

    def describe_table(self, **request: Any) -> dict[str, Any]:
        # Streams go by their table here.
        return {"Table": {"LatestStreamArn": request["TableName"]}}

    def delete_table(self, **request: Any) -> dict[str, Any]:
        self._world.dynamodb.wipe(request["TableName"])
        return {}


class SimulatedStreams:
    """What tests ask of a boto3 client for streams."""

    def __init__(self, world: SimulatedWorld) -> None:
        self._dynamodb = world.dynamodb

    def describe_stream(self, StreamArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        shards = self._dynamodb.streams[StreamArn].shards
        return {"StreamDescription": {"Shards": [{"ShardId": shard.id} for shard in shards]}}

    def get_shard_iterator(self, **request: str) -> dict[str, Any]:
        return {"ShardIterator": (request["StreamArn"], request["ShardId"])}

    def get_records(self, ShardIterator: tuple[str, str]) -> dict[str, Any]:  # noqa: N803
        name, wanted = ShardIterator
        (shard,) = (one for one in self._dynamodb.streams[name].shards if one.id == wanted)
        return {"Records": list(shard.read(0, shard.end)[0])}


def table_of(request: Mapping[str, Any]) -> Table:
    """The table that a request to create one describes."""
    keys = _keys(request)
    return Table(
        name=request["TableName"],
        hash_key=keys["HASH"],
        range_key=keys.get("RANGE"),
        indexes=tuple(map(_index, request.get("GlobalSecondaryIndexes", ()))),
        streamed="StreamSpecification" in request,
    )


def _index(index: Mapping[str, Any]) -> Index:
    keys, projection = _keys(index), index["Projection"]
    return Index(
        name=index["IndexName"],
        hash_key=keys["HASH"],
        range_key=keys.get("RANGE"),
        projected=None
        if projection["ProjectionType"] == "ALL"
        else tuple(projection.get("NonKeyAttributes", ())),
    )


def _keys(described: Mapping[str, Any]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in described["KeySchema"]}
