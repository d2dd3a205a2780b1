"""The whole world of one run: AWS, the stack on it, and the chance that moves both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from simulation.aws.buckets import Buckets
from simulation.aws.calls import Network, Service, SimulatedClient
from simulation.aws.dynamodb.service import DynamoDB
from simulation.aws.eventbridge import EventBridge
from simulation.aws.parameters import Parameters
from simulation.aws.secrets import Secrets
from simulation.aws.sns import Sns
from simulation.aws.sqs import Sqs
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.functions.function import LambdaFunction
from simulation.functions.gateway import Gateway
from simulation.functions.internet import Internet
from simulation.functions.mappings.queue import QueueMapping
from simulation.functions.mappings.stream import StreamMapping
from simulation.functions.platform import Platform
from simulation.functions.schedule import Scheduler
from simulation.kernel.chance import Chance
from simulation.kernel.hub import SECOND, Hub
from simulation.kernel.trace import Trace
from simulation.releases.release import Release
from simulation.wiring.model import Wiring

#: 2026-05-31T21:00:00Z, when every world begins: three hours later a day, a week and a month begin
#: at once, so that even in a short run every period of limits and books comes to its end.
BEGINNING: Final = 1_780_261_200 * SECOND
_OUTAGE_LOOK: Final = 3_600 * SECOND
_OUTAGE_SECONDS: Final = (2, 40)


class World:
    """One run's world, built of the wiring. `release` is what is deployed at the beginning; then
    the newest that was ever deployed, of which operators' tools are."""

    def __init__(
        self,
        wiring: Wiring,
        *,
        seed: int,
        rates: Mapping[Fault, float],
        release: Release,
        keep_trace: bool = False,
        spares: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.wiring = wiring
        self.release = release
        self.hub = Hub(BEGINNING)
        self.chance = Chance(seed)
        self.trace = Trace(self.hub, kept=keep_trace)
        stream = self.chance.stream
        self.injector = Injector(stream("faults"), rates, self.trace, spares=spares)
        self.network = Network(self.hub, stream("network"), self.injector)
        self.network.on_mistake.append(self._mistaken)
        self.operator_chance = stream("operator")
        self.deployment_chance = stream("deployment")
        self._outages = stream("outages")
        self._make_services()
        self._make_functions()
        self.hub.after(_OUTAGE_LOOK, self._look_for_outage, daemon=True)

    def _make_services(self) -> None:
        hub, injector, wiring, stream = self.hub, self.injector, self.wiring, self.chance.stream
        self.dynamodb = DynamoDB(hub, stream("dynamodb"), injector, wiring.tables)
        self.sqs = Sqs(hub, stream("sqs"), injector, wiring.queues)
        self.sns = Sns(
            hub,
            stream("sns"),
            injector,
            self.sqs,
            topics=wiring.topics,
            subscriptions=wiring.subscriptions,
        )
        self.events = EventBridge(
            hub,
            stream("events"),
            injector,
            self.sqs,
            buses=wiring.buses,
            rules=wiring.rules,
            account=wiring.account,
            region=wiring.region,
        )
        self.secrets = Secrets()
        self.parameters = Parameters(wiring.parameters)
        self.buckets = Buckets(hub, wiring.buckets)
        self.internet = Internet(hub, stream("internet"), injector)

    def _make_functions(self) -> None:
        wiring = self.wiring
        services: tuple[Service, ...] = (
            self.dynamodb,
            self.sqs,
            self.sns,
            self.events,
            self.secrets,
            self.parameters,
        )
        self.platform = Platform(
            self.hub,
            self.chance,
            self.injector,
            self.trace,
            network=self.network,
            services={service.name: service for service in services},
            arguments=self.internet.arguments,
        )
        functions = {
            spec.name: LambdaFunction(self.platform, spec, self.release)
            for spec in wiring.functions
        }
        self.functions: Mapping[str, LambdaFunction] = functions
        queues = {queue.name: queue for queue in wiring.queues}
        self.queue_mappings = tuple(
            QueueMapping(self.platform, one, functions[one.function], self.sqs, queues[one.queue])
            for one in wiring.queue_mappings
        )
        self.stream_mappings = tuple(
            StreamMapping(
                self.platform,
                one,
                functions[one.function],
                self.dynamodb.streams[one.table],
                self.buckets,
            )
            for one in wiring.stream_mappings
        )
        self.gateway = Gateway(self.platform, wiring.routes, functions)
        self.scheduler = Scheduler(self.platform, wiring.schedules, functions)
        self.scheduler.start()

    def client(self, service: Service, *, attempts: int = 5) -> SimulatedClient:
        """A client of an operator or of a system outside the stack, which never crashes."""
        return SimulatedClient(self.network, None, service, attempts)

    def _mistaken(self, who: str, what: str, why: str) -> None:
        """A function that sends what can never be taken has failed, whatever it makes of that."""
        function = who.partition("#")[0]
        if function in self.functions:
            self.platform.failed(function, "ClientError", f"{why} ({what})")

    def _look_for_outage(self) -> None:
        """Once an hour each service may be out for a while."""
        self.hub.after(_OUTAGE_LOOK, self._look_for_outage, daemon=True)
        for service in (self.dynamodb, self.sqs, self.sns, self.events, self.secrets):
            if self.injector.strikes(Fault.SERVICE_OUTAGE, service.name):
                self.network.out(service.name, self._outages.randint(*_OUTAGE_SECONDS) * SECOND)
