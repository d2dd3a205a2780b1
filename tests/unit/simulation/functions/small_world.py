"""A small world for tests of functions: handlers made up on the spot, and one service, an echo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from ledger.runtime import telemetry
from ledger.runtime.host import Host
from simulation.aws.calls import Network
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.functions.function import LambdaFunction, Outcome
from simulation.functions.platform import Platform
from simulation.kernel.chance import Chance
from simulation.kernel.hub import Hub
from simulation.kernel.trace import Trace
from simulation.releases.release import Release
from simulation.wiring import model

Handler = Callable[[dict[str, Any], Any], Any]
Build = Callable[[Host], Handler]
NOON = 1_800_000_000_000_000


class Echo:
    """A service that answers what it was asked, and remembers it."""

    name = "sqs"

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.operations = {"echo": self._echo}

    def prepared(self, _operation: str, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def _echo(self, request: dict[str, Any]) -> dict[str, Any]:
        self.heard.append(request)
        return request


class MadeUp(Release):
    """A release of one handler."""

    def __init__(self, name: str, build: Build) -> None:
        super().__init__(name)
        self._build = build

    def module(self, dotted: str) -> ModuleType:
        if dotted == "ledger.runtime.telemetry":
            return telemetry
        return cast("ModuleType", SimpleNamespace(build=self._build))


class SmallWorld:
    """Time, faults at `rates`, and functions."""

    def __init__(self, rates: Mapping[Fault, float] | None = None, seed: int = 1) -> None:
        self.hub = Hub(NOON)
        self.chance = Chance(seed)
        self.trace = Trace(self.hub, kept=True)
        self.injector = Injector(Random(seed), rates or {}, self.trace)
        self.network = Network(self.hub, Random(seed), self.injector)
        self.echo = Echo()
        self.platform = Platform(
            self.hub,
            self.chance,
            self.injector,
            self.trace,
            network=self.network,
            services={"sqs": self.echo},
        )
        self.failures: list[tuple[str, str]] = []
        self.platform.on_failure.append(
            lambda function, error, _text: self.failures.append((function, error))
        )
        self.batches: list[tuple[int, frozenset[int] | None]] = []
        self.platform.on_batch.append(
            lambda _function, records, failed: self.batches.append((len(records), failed))
        )

    def function(self, handler: Handler, *, name: str = "F", timeout: int = 30) -> LambdaFunction:
        """A function with that handler, whatever its host."""
        return self.built(lambda _: handler, name=name, timeout=timeout)

    def built(self, build: Build, *, name: str = "F", timeout: int = 30) -> LambdaFunction:
        """A function that is built so."""
        spec = model.Function(name, "made.up.handler", timeout, {"COLOUR": "red"})
        return LambdaFunction(self.platform, spec, MadeUp("first", build))

    def outcome(self, function: LambdaFunction, event: dict[str, Any] | None = None) -> Outcome:
        """What comes of one invocation, when everything has come to rest."""
        invoked = function.invoke(event or {})
        self.hub.run()
        return invoked.result()
