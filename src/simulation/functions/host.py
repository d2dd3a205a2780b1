"""The host of a worker: the ledger's `Host`, on virtual time and simulated services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from simulation.kernel.hub import SECOND, Future

if TYPE_CHECKING:
    from ledger.runtime.host import SideBySide
    from ledger.runtime.telemetry import Telemetry
    from simulation.functions.worker import Worker

_A = TypeVar("_A")
_R = TypeVar("_R")


class SimulatedHost:
    """See `ledger.runtime.host.Host`. Every client's calls are the worker's."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._hub = worker.platform.hub
        self._random = worker.random

    @property
    def environment(self) -> Mapping[str, str]:
        return self._worker.environment

    def clock(self) -> int:
        return self._hub.now + self._worker.skew

    def monotonic(self) -> float:
        return self._hub.now / SECOND

    def pause(self, seconds: float) -> None:
        self._hub.sleep(round(seconds * SECOND))

    def chance(self) -> float:
        return self._random.random()

    def random_bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def side_by_side(self, at_most: int) -> SideBySide:  # noqa: ARG002 - see below
        # One after the other in any order, a case of side by side. Several tasks would share the
        # locks that the code guards its threads with, and to wait for one of these would stop the
        # whole world.
        return self._one_by_one

    def _one_by_one(self, do: Callable[[_A], _R], each: Iterable[_A], /) -> Iterator[_R]:
        """As threads do it, all is done whatever fails; who asks for a result gets its error."""
        arguments = list(each)
        places = list(range(len(arguments)))
        self._random.shuffle(places)
        outcomes: dict[int, Future[_R]] = {}
        for place in places:
            outcome: Future[_R] = Future()
            outcomes[place] = outcome
            try:
                outcome.resolve(do(arguments[place]))
            except Exception as error:  # noqa: BLE001 - raised where its result is asked for
                outcome.fail(error)
        return (outcomes[place].result() for place in sorted(places))

    def telemetry(self) -> Telemetry:
        # Of the worker's own release: what it writes of another's is nothing the handlers know.
        module = self._worker.release.module("ledger.runtime.telemetry")
        telemetry: Telemetry = module.Telemetry(self._worker.write)
        return telemetry

    def dynamodb(self, *, attempts: int) -> Any:
        return self._worker.client("dynamodb", attempts)

    def events(self, *, attempts: int) -> Any:
        return self._worker.client("events", attempts)

    def sqs(self, *, attempts: int = 3) -> Any:
        return self._worker.client("sqs", attempts)

    def sns(self, *, attempts: int) -> Any:
        return self._worker.client("sns", attempts)

    def secretsmanager(self, *, attempts: int = 3) -> Any:
        return self._worker.client("secretsmanager", attempts)

    def ssm(self, *, attempts: int) -> Any:
        return self._worker.client("ssm", attempts)
