"""Simulated services with nothing else around them, called as if time stood still."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from simulation.aws.buckets import Buckets
from simulation.aws.calls import Network, Service, SimulatedClient
from simulation.aws.eventbridge import EventBridge
from simulation.aws.parameters import Parameters
from simulation.aws.secrets import Secrets
from simulation.aws.sns import Sns
from simulation.aws.sqs import Sqs
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.chance import Chance
from simulation.kernel.hub import MILLISECOND, SECOND, Hub
from simulation.kernel.trace import Trace
from simulation.wiring import model

ACCOUNT = "000000000000"
REGION = "eu-central-1"
DAY_SECONDS = 86_400
_BEGINNING = 1_764_000_000 * SECOND
_Made = TypeVar("_Made")


def a_queue(
    name: str,
    *,
    visibility_seconds: int = 30,
    retention_seconds: int = 4 * DAY_SECONDS,
    max_receives: int | None = None,
    dead_letters: str | None = None,
) -> model.Queue:
    """A queue; a FIFO queue if its name says so."""
    return model.Queue(
        name=name,
        url=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}",
        arn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
        fifo=name.endswith(".fifo"),
        visibility_seconds=visibility_seconds,
        retention_seconds=retention_seconds,
        max_receives=max_receives,
        dead_letters=dead_letters,
    )


class SimulatedMessaging:
    """The services beside DynamoDB, empty, with faults at the rates given."""

    def __init__(
        self, *queues: model.Queue, rates: Mapping[Fault, float] | None = None, seed: int = 1
    ) -> None:
        chance = Chance(seed)
        self.hub = Hub(_BEGINNING)
        self.trace = Trace(self.hub, kept=True)
        self.injector = Injector(chance.stream("faults"), rates or {}, self.trace)
        base = (self.hub, chance.stream("aws"), self.injector)
        self.sqs = Sqs(*base, queues)
        self.sns = Sns(*base, self.sqs, topics=(), subscriptions=())
        self.events = EventBridge(
            *base, self.sqs, buses=(), rules=(), account=ACCOUNT, region=REGION
        )
        self.secretsmanager = Secrets()
        self.ssm = Parameters({})
        self.s3 = Buckets(self.hub, ())
        self._network = Network(self.hub, chance.stream("network"), self.injector)

    def client(self, service: Service) -> Any:
        """A client whose calls come back before anything else is done. It does not retry."""
        return _Waiting(self.hub, SimulatedClient(self._network, None, service, attempts=1))

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.hub.run(until=self.hub.now + int(seconds * SECOND))


class _Waiting:
    def __init__(self, hub: Hub, client: SimulatedClient) -> None:
        self._hub = hub
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        called = getattr(self._client, operation)
        return lambda **request: finished(self._hub, lambda: called(**request))


def finished(hub: Hub, work: Callable[[], _Made]) -> _Made:
    """What came of work that waits, after as little time as it takes."""
    task = hub.spawn("work", work)
    while not task.done.done:
        hub.run(until=hub.now + MILLISECOND)
    return task.done.result()
