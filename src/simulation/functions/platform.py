"""What the functions of a world have in common: where they run, and who is told of what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from simulation.aws.calls import Network, Service
from simulation.faults.injector import Injector
from simulation.kernel.chance import Chance
from simulation.kernel.hub import Hub
from simulation.kernel.trace import Trace

if TYPE_CHECKING:
    from simulation.functions.worker import Worker

Event = dict[str, Any]
Record = Mapping[str, Any]
Arguments = Callable[["Worker"], Mapping[str, Any]]
"""What a `build` is given beside its host, for the worker that it is handed."""


FailureObserver = Callable[[str, str, str], object]
"""Is told of a function's failure that nothing outside explains: its name, the error's, a text."""
LineObserver = Callable[[str, Mapping[str, Any]], object]
"""Is told of each line that a function logs: its name, and the line's members."""
InvocationObserver = Callable[[str, int, bool], object]
"""Is told of each invocation that ended: the function's name, how long it took in microseconds, and
whether its worker was a new one."""
BatchObserver = Callable[[str, Sequence[Record], "frozenset[int] | None"], object]
"""Is told of each batch that a mapping handed to a function: its name, the records, and the places
of those that are not done with (of a stream's: the first that failed and all behind it). None: all
of it failed."""


class Platform:
    """The world around all functions. `services` are by the names that boto3 has for them."""

    def __init__(
        self,
        hub: Hub,
        chance: Chance,
        injector: Injector,
        trace: Trace,
        *,
        network: Network,
        services: Mapping[str, Service],
        arguments: Mapping[str, Arguments] | None = None,
    ) -> None:
        """`arguments`, by the name of a handler's module, are what its `build` takes besides."""
        self.hub = hub
        self.injector = injector
        self.trace = trace
        self.network = network
        self.services = services
        self.arguments = arguments or {}
        self.on_failure: list[FailureObserver] = []
        self.on_line: list[LineObserver] = []
        self.on_batch: list[BatchObserver] = []
        self.on_invocation: list[InvocationObserver] = []
        self._chance = chance

    def stream(self, name: str) -> Random:
        """Chance of the one that is called so."""
        return self._chance.stream(name)

    def failed(self, function: str, error: str, text: str) -> None:
        """A function failed, and nothing outside of it explains why."""
        for observer in self.on_failure:
            observer(function, error, text)

    def handed_over(
        self, function: str, records: Sequence[Record], failed: frozenset[int] | None
    ) -> None:
        """A function has dealt with a batch of a mapping."""
        for observer in self.on_batch:
            observer(function, records, failed)
