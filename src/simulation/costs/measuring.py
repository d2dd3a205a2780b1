"""One measurement: the stack as it is synthesised, fed by a workload, with nothing failing."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from simulation.costs.meter import Meter
from simulation.costs.usage import Used
from simulation.costs.workload import Workload, play
from simulation.kernel.memory import rarely_collected
from simulation.releases.release import current
from simulation.wiring.model import Wiring
from simulation.world import World


class FunctionUse(Struct, frozen=True):
    """What a function did while it was watched. `waited_ms` is the time from being handed an event
    to answering it, in which nothing is computed: its calls' latency."""

    name: str
    memory_mb: int
    invocations: int
    calls: int
    records: int
    waited_ms: int


class Measured(Struct, frozen=True):
    """What so many payments used, of each thing that is paid for."""

    workload: Workload
    payments: int
    used: tuple[Used, ...]
    functions: tuple[FunctionUse, ...]
    stored_bytes: Mapping[str, int]
    metrics: int

    def of(self, price: str) -> float:
        """How much of one thing in all."""
        return sum(used.amount for used in self.used if used.price == price)


def measure(
    wiring: Wiring, workload: Workload, *, environment: Mapping[str, str] | None = None
) -> Measured:
    """Plays the workload on the stack; with these environment variables instead of the template's,
    where functions have them. Raises WorkloadError."""
    wiring = _changed(wiring, environment or {})
    with rarely_collected():
        world = World(wiring, seed=1, rates={}, release=current())
        meter = Meter(world)
        payments = play(world, meter, workload)
    return Measured(
        workload=workload,
        payments=payments,
        used=tuple(meter.usage),
        functions=tuple(
            FunctionUse(
                name=function.name,
                memory_mb=function.memory_mb,
                invocations=meter.invocations[function.name],
                calls=meter.calls[function.name],
                records=meter.records[function.name],
                waited_ms=meter.waited_ms[function.name],
            )
            for function in wiring.functions
            if meter.invocations[function.name] and function.name not in _scheduled(wiring)
        ),
        stored_bytes=meter.stored_bytes(),
        metrics=len(meter.metrics),
    )


def _scheduled(wiring: Wiring) -> frozenset[str]:
    """Functions that run by the clock, whatever is paid: they are counted by the month."""
    return frozenset(schedule.function for schedule in wiring.schedules)


def _changed(wiring: Wiring, environment: Mapping[str, str]) -> Wiring:
    functions = tuple(
        replace(
            function,
            environment={
                **function.environment,
                **{
                    name: value
                    for name, value in environment.items()
                    if name in function.environment
                },
            },
        )
        for function in wiring.functions
    )
    return replace(wiring, functions=functions)
