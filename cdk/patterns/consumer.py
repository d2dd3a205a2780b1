"""A consumer of published events: rule, queue with dead-letter queue, function, mapping."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import get_args

import aws_cdk as core
from constructs import Construct

from cdk.config import Batching
from cdk.patterns.bus import Bus
from cdk.patterns.python_function import FunctionDefaults, PythonFunction
from cdk.patterns.queues import RECEIVES_MAX, BufferedQueue, Delivery, drain


def types_of(events: UnionType) -> tuple[str, ...]:
    """The types, as published, of a union of events: what is in the union is forgotten by none."""
    return tuple(sorted(str(event.__struct_config__.tag) for event in get_args(events)))


class Consumer(Construct):
    """Subscribes a function to some types of events of the ledger bus, behind a queue of its own.

    A slow or poisoned consumer holds up nobody, a batch costs one invocation, and redriving is the
    same operation for all. The function finds its queue's URL in `QUEUE_URL`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        defaults: FunctionDefaults,
        bus: Bus,
        event_types: Sequence[str],
        handler: str,
        environment: Mapping[str, str],
        timeout: core.Duration,
        batching: Batching,
        concurrency_max: int,
        receives_max: int = RECEIVES_MAX,
    ) -> None:
        super().__init__(scope, f"{id}Consumer")
        config, name = defaults.config, id.lower()
        self.queue = BufferedQueue(
            self,
            "Queue",
            config=config,
            key=defaults.key,
            name=name,
            handled_within=timeout,
            receives_max=receives_max,
        )
        self.delivery = Delivery(
            self,
            "Delivery",
            config=config,
            bus=bus,
            name=name,
            description=f"Published events for {name}",
            pattern={"source": ["ledger"], "detail-type": list(event_types)},
            to=self.queue,
        )
        self.function = PythonFunction(
            self,
            id,
            defaults=defaults,
            handler=handler,
            environment={**environment, "QUEUE_URL": self.queue.queue.queue_url},
            timeout=timeout,
        )
        drain(
            self.function, "Mapping", self.queue, batching=batching, concurrency_max=concurrency_max
        )
