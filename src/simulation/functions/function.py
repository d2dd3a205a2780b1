"""A Lambda function: its workers, warm and cold, of one release or two, and its limits."""

from __future__ import annotations

import traceback
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from simulation.faults.kinds import Fault
from simulation.functions.platform import Event, Platform
from simulation.functions.worker import Killed, Worker
from simulation.kernel.hub import MILLISECOND, SECOND, Future, StuckError, Task
from simulation.releases.release import Release
from simulation.wiring.model import Function

THROTTLED: Final = "TooManyRequestsException"
#: Of an account, unless AWS was asked for more.
_CONCURRENCY_MAX: Final = 1_000
#: Measured: a lean handler starts in 213 ms, one with everything in 445.
_COLD_START_MIN: Final = 200 * MILLISECOND
_COLD_START_SPREAD: Final = 300 * MILLISECOND
_WARM_START_SPREAD: Final = 4 * MILLISECOND
#: AWS says only that it takes idle workers away; minutes to an hour are what people measure.
_IDLE_MIN: Final = 300 * SECOND
_IDLE_SPREAD: Final = 3_300 * SECOND
#: Errors that a handler may let through: AWS did not do what it was asked, and this is tried again.
#: By name, as each release has classes of its own.
_FROM_OUTSIDE: Final = frozenset(
    {"BotoCoreError", "ClientError", "OutageError", "StoreError", "TransientStoreError"}
)
#: The codes of AWS's that say so. Any other speaks of the request, a grant, or what is not there.
_CODES_FROM_OUTSIDE: Final = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestThrottled",
        "ServiceUnavailable",
        "Throttled",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_CANCELLED: Final = "TransactionCanceledException"
#: Of a cancelled transaction's reasons, those that are nobody's mistake.
_REASONS_FROM_OUTSIDE: Final = frozenset(
    {"None", "ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)
#: Mistakes of the simulation, not of what it simulates.
_OURS: Final = (NotImplementedError, StuckError)


class Outcome(Struct, frozen=True):
    """How an invocation ended: with an answer, or with an error of that name."""

    answer: Any = None
    error: str | None = None

    @property
    def throttled(self) -> bool:
        """Whether no worker was found, so that nothing has happened."""
        return self.error == THROTTLED


_THROTTLED: Final = Outcome(error=THROTTLED)


class LambdaFunction:
    """Invoke it; each worker handles one event at a time."""

    def __init__(self, platform: Platform, spec: Function, release: Release) -> None:
        self.name = spec.name
        self.release = release
        self.spec = spec
        self._platform = platform
        self._hub = platform.hub
        self._random = platform.stream(f"function/{spec.name}")
        self._limit = _CONCURRENCY_MAX
        self._busy = 0
        self._born = 0
        self._invoked = 0
        self._before: Release | None = None
        self._before_until = 0
        self._warm: dict[str, list[Worker]] = {release.name: []}

    def invoke(self, event: Event) -> Future[Outcome]:
        """The answer to `event`, which must be as JSON has it, and not be changed any more."""
        answered: Future[Outcome] = Future()
        injector = self._platform.injector
        if self._busy >= self._limit:
            injector.note(Fault.FUNCTION_THROTTLED, self.name)
            throttled = True
        else:
            throttled = injector.strikes(Fault.FUNCTION_THROTTLED, self.name)
        if throttled:
            delay = int(self._random.random() * _WARM_START_SPREAD)
            self._hub.after(delay, partial(answered.resolve, _THROTTLED))
            return answered
        self._busy += 1
        self._invoked += 1
        request_id = f"{self.name}-{self._invoked}"
        worker, delay = self._worker()
        self._platform.trace.add(worker.name, "is invoked", request_id)
        task = self._hub.spawn(worker.name, partial(worker.handle, event, request_id), delay=delay)
        worker.task = task
        began = self._hub.now + delay
        task.done.then(partial(self._ended, worker, task, request_id, began, answered))
        return answered

    def deploy(self, release: Release, duration: int) -> None:
        """Another release; for so many microseconds the one before serves as well."""
        if release.name == self.release.name:
            return
        self._before, self._before_until = self.release, self._hub.now + duration
        self.release = release
        self._warm = {
            release.name: self._warm.get(release.name, []),
            self._before.name: self._warm[self._before.name],
        }
        self._platform.trace.add(self.name, f"gets release {release.name}")

    def limit(self, concurrency: int | None) -> None:
        """Reserved concurrency: so many workers at a time, of what begins from now on (0: none).
        None takes the reservation away."""
        self._limit = _CONCURRENCY_MAX if concurrency is None else concurrency
        self._platform.trace.add(self.name, f"is limited to {concurrency}")

    @property
    def busy(self) -> int:
        """How many invocations are under way."""
        return self._busy

    def _worker(self) -> tuple[Worker, int]:
        """Who takes the next event, and after how many microseconds."""
        release = self._next_release()
        warm, random = self._warm[release.name], self._random
        while warm:
            # Any of them: a rarely used worker is one with old caches.
            place = int(random.random() * len(warm))
            worker = warm[place]
            warm[place] = warm[-1]
            del warm[-1]
            idle_max = _IDLE_MIN + int(random.random() * _IDLE_SPREAD)
            if self._hub.now - worker.idle_from > idle_max:
                continue  # as is usual: no fault
            if not self._platform.injector.strikes(Fault.WORKER_RECYCLED, worker.name):
                return worker, int(random.random() * _WARM_START_SPREAD)
        self._born += 1
        name = f"{self.name}#{self._born}"
        worker = Worker(name, self._platform, self.spec, release)
        return worker, _COLD_START_MIN + int(random.random() * _COLD_START_SPREAD)

    def _next_release(self) -> Release:
        before = self._before
        if before is None:
            return self.release
        if self._hub.now >= self._before_until:
            self._before = None
            self._warm = {self.release.name: self._warm[self.release.name]}
            return self.release
        return before if self._random.random() < 0.5 else self.release

    def _ended(
        self,
        worker: Worker,
        task: Task[Any],
        request_id: str,
        began: int,
        answered: Future[Outcome],
    ) -> None:
        self._busy -= 1
        for observer in self._platform.on_invocation:
            observer(self.name, self._hub.now - began, worker.invocations == 1)
        outcome = self._outcome(worker, task)
        warm = self._warm.get(worker.release.name)
        if warm is not None and not worker.is_dead:
            worker.idle_from = self._hub.now
            warm.append(worker)
        self._platform.trace.add(worker.name, outcome.error or "has answered", request_id)
        answered.resolve(outcome)

    def _outcome(self, worker: Worker, task: Task[Any]) -> Outcome:
        try:
            return Outcome(task.done.result())
        except Killed as death:
            return Outcome(error=death.how)
        except _OURS:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its answer
            name = type(error).__name__
            if not _is_from_outside(error):
                self._platform.failed(self.name, name, "".join(traceback.format_exception(error)))
            self._platform.trace.add(worker.name, f"raised {name}")
            return Outcome(error=name)


def _is_from_outside(error: Exception) -> bool:
    """Whether AWS's weather explains it: the error, and what it was raised from."""
    if not any(cls.__name__ in _FROM_OUTSIDE for cls in type(error).__mro__):
        return False
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ClientError):
        cause = cause.__cause__
    return cause is None or _is_weather(cause)


def _is_weather(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    if code != _CANCELLED:
        return code in _CODES_FROM_OUTSIDE
    reasons: Any = error.response.get("CancellationReasons", ())
    return all(reason["Code"] in _REASONS_FROM_OUTSIDE for reason in reasons)
