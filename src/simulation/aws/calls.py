"""The boundary: what a boto3 client does between being called and answering.

A call travels, takes effect at an instant of the service's own, and its answer travels back; on
each way it may be lost, and the caller may die. What has arrived takes effect whether or not
anyone is left to be told. The SDK's own retries are here too, with its back-off.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from math import log
from random import Random
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError, ReadTimeoutError

from simulation.aws.errors import ServiceError
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, SECOND, Hub, Task

Request = dict[str, Any]
Answer = dict[str, Any]
Doing = Generator[int, None, Answer]
"""An operation that takes effect in several instants: it yields microseconds to let pass."""
Operation = Callable[[Request], "Answer | Doing"]

#: As `ledger.runtime.clients` sets it for every client.
READ_TIMEOUT: Final = 3 * SECOND
#: What boto3 waits where nobody says: for the tools of operators, and whoever is outside.
_READ_TIMEOUT_USUAL: Final = 60 * SECOND
_BACKOFF_SECONDS_MAX: Final = 20.0
#: Microseconds one way: at least, and on average in addition.
_LATENCY_MIN: Final = MILLISECOND // 2
_LATENCY_MEAN: Final = 2 * MILLISECOND
#: How many times as long as usual a slow call takes to arrive.
_SLOWNESS: Final = 100
#: How long after its caller has given it up a call may still arrive: behind its own repetitions,
#: and behind what the caller did instead.
_OVERTAKEN_MAX: Final = 8 * SECOND
#: Of what services say of a request that can never be right: whoever sends one is mistaken.
_MISTAKES: Final = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "AccessDeniedException",
        "IdempotentParameterMismatchException",
        "InvalidMessageContents",
        "InvalidParameter",
        "InvalidParameterValue",
        "MissingParameter",
        "NotFound",
        "ValidationException",
    }
)
#: What may happen to any call; at most one of them does.
_STRIKING: Final = (
    Fault.CALL_REFUSED,
    Fault.CALL_TIMED_OUT_BEFORE,
    Fault.CALL_SLOW,
    Fault.CALL_TIMED_OUT_AFTER,
    Fault.CALL_OVERTAKEN,
    Fault.CALL_ANSWER_LOST,
)
#: What services with quotas of requests say beyond these. The SDK tries again, but not for SNS: its
#: model has the error, and does not call it retryable (botocore.retries.standard).
_THROTTLING: Final[Mapping[str, ServiceError]] = {
    "events": ServiceError("ThrottlingException", "Rate exceeded"),
    "sns": ServiceError("Throttled", "Rate exceeded", status=429),
    "sqs": ServiceError("RequestThrottled", "The request was throttled."),
}
_INTERNAL: Final = ServiceError("InternalServerError", status=500)
_UNAVAILABLE: Final = ServiceError("ServiceUnavailable", status=503)
#: Of an operation that is still under way when its caller gives it up.
_TOO_LATE: Final = ServiceError("TooLate", status=504)
_RETRYABLE_STATUS: Final = frozenset({500, 502, 503, 504})
#: Of what botocore's "standard" mode retries, the codes that we meet.
_RETRYABLE: Final = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


CallObserver = Callable[[str, str, Request, "Answer | Exception"], object]
"""Is told of each call when its answer is there: who called, `service.operation`, what was asked,
and the answer or what was raised instead of one."""


class Service(Protocol):
    """A simulated service: its operations by the name of the client's method."""

    @property
    def name(self) -> str:
        """As boto3 names it."""

    @property
    def operations(self) -> Mapping[str, Operation]:
        """What can be asked. An operation raises ServiceError."""

    def prepared(self, operation: str, request: Request) -> Request:
        """The request as the SDK sends it at each of its tries: with an idempotency token, say."""


class Mortal(Protocol):
    """Who calls: it may be made to crash around a call."""

    name: str
    task: Task[Any]

    def before_call(self, what: str) -> None:
        """It is about to call. May raise, or plan its own death."""

    def during_call(self, what: str) -> None:
        """The call is on its way. May plan the death of the caller."""

    def after_call(self, what: str) -> None:
        """The answer is there. May raise."""


class Network:
    """How long calls take, and which are lost."""

    def __init__(self, hub: Hub, random: Random, injector: Injector) -> None:
        self.hub = hub
        self.draw = random.random
        self.injector = injector
        self._out_until: dict[str, int] = {}
        self.on_mistake: list[Callable[[str, str, str], object]] = []
        """Told of a request that no service could ever take: who sent it, what, and why not."""
        self.on_call: list[CallObserver] = []

    def out(self, service: str, duration: int) -> None:
        """A service answers nothing but 503 for so many microseconds."""
        self._out_until[service] = self.hub.now + duration

    def is_out(self, service: str) -> bool:
        """Whether a service answers nothing but 503 now."""
        return self._out_until.get(service, 0) > self.hub.now

    def latency(self) -> int:
        """One way, in microseconds: 0.5 to some 10 ms, mostly short."""
        return _LATENCY_MIN - int(log(1.0 - self.draw()) * _LATENCY_MEAN)


class _Method:
    """One method of one client."""

    __slots__ = (
        *("_attempts", "_do", "_name", "_network", "_operation"),
        *("_patience", "_service", "_striking", "_what", "_who"),
    )

    def __init__(
        self,
        network: Network,
        who: Mortal | None,
        service: Service,
        operation: str,
        attempts: int,
    ) -> None:
        self._network = network
        self._who = who
        self._service = service
        self._operation = operation
        self._do = service.operations.get(operation)
        self._attempts = attempts
        self._name = who.name if who is not None else "outside"
        self._what = f"{service.name}.{operation}"
        self._patience = READ_TIMEOUT if who is not None else _READ_TIMEOUT_USUAL
        throttles = service.name in _THROTTLING
        self._striking = (*_STRIKING, Fault.CALL_THROTTLED) if throttles else _STRIKING

    def call(self, **request: Any) -> Answer:
        """What a client's method does, from the task that is running. Raises what boto3 raises."""
        who, service, operation = self._who, self._service, self._operation
        if self._do is None:
            raise NotImplementedError(f"{self._what} is not simulated: add it, and a check of it")
        if who is not None:
            who.before_call(self._what)
        request = service.prepared(operation, request)
        outcome = self._tried(request)
        if isinstance(outcome, Exception):
            outcome = self._retried(request, outcome)
        if who is not None:
            who.after_call(self._what)
        for observer in self._network.on_call:
            observer(self._name, self._what, request, outcome)
        if isinstance(outcome, ServiceError):
            if outcome.code in _MISTAKES:
                for told in self._network.on_mistake:
                    told(self._name, self._what, f"{outcome.code}: {outcome.message}")
            raise _client_error(outcome, operation)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _retried(self, request: Request, outcome: Answer | Exception) -> Answer | Exception:
        for retry in range(self._attempts - 1):
            if not isinstance(outcome, Exception) or not _is_retryable(outcome):
                break
            self._network.hub.sleep(self._backoff(retry))
            outcome = self._tried(request)
        return outcome

    def _tried(self, request: Request) -> Answer | Exception:
        network, what, do = self._network, self._what, self._do
        hub, latency = network.hub, network.latency
        assert do is not None, "it is simulated: see call"
        if network.is_out(self._service.name):
            hub.sleep(latency())
            return _UNAVAILABLE
        struck = network.injector.one_of(self._striking, self._name, what)
        if struck is Fault.CALL_REFUSED:
            hub.sleep(latency())
            return _INTERNAL
        if struck is Fault.CALL_THROTTLED:
            hub.sleep(latency())
            return _THROTTLING[self._service.name]
        if struck is Fault.CALL_TIMED_OUT_BEFORE:
            hub.sleep(READ_TIMEOUT)
            return ReadTimeoutError(endpoint_url=self._service.name)
        if struck is Fault.CALL_OVERTAKEN:
            late = READ_TIMEOUT + int(network.draw() * _OVERTAKEN_MAX)
            hub.at(hub.now + late, _Visit(hub, do, request, None).arrive)
            hub.sleep(READ_TIMEOUT)
            return ReadTimeoutError(endpoint_url=self._service.name)
        there = latency() * (_SLOWNESS if struck is Fault.CALL_SLOW else 1)
        back = READ_TIMEOUT if struck is Fault.CALL_TIMED_OUT_AFTER else latency()
        visit = _Visit(hub, do, request, back, self._patience)
        hub.at(hub.now + there, visit.arrive)
        if self._who is not None:
            self._who.during_call(what)
        hub.park()
        outcome = visit.outcome
        if outcome is _TOO_LATE:
            return ReadTimeoutError(endpoint_url=self._service.name)
        if struck is None or isinstance(outcome, ServiceError):
            return outcome
        if struck is Fault.CALL_TIMED_OUT_AFTER:
            return ReadTimeoutError(endpoint_url=self._service.name)
        return _INTERNAL if struck is Fault.CALL_ANSWER_LOST else outcome

    def _backoff(self, retry: int) -> int:
        # botocore.retries.standard: full jitter of 2**retry seconds.
        return int(self._network.draw() * min(2.0**retry, _BACKOFF_SECONDS_MAX) * SECOND)


class _Visit:
    """A request at its service. It takes effect though whoever sent it may be dead by then.

    `back` is how long the answer takes; None: nobody waits for it. `patience` is how long, from
    now on, anybody does.
    """

    __slots__ = (
        *("_back", "_doing", "_given_up_at", "_hub", "_operation", "_request", "_task"),
        "outcome",
    )

    def __init__(
        self,
        hub: Hub,
        operation: Operation,
        request: Request,
        back: int | None,
        patience: int = READ_TIMEOUT,
    ) -> None:
        assert hub.current is not None
        self._hub = hub
        self._task = hub.current
        self._operation = operation
        self._request = request
        self._back = back
        self._given_up_at = hub.now + patience
        self._doing: Doing | None = None
        self.outcome: Answer | ServiceError = {}

    def arrive(self) -> None:
        try:
            doing = self._operation(self._request)
        except ServiceError as error:
            self._leave(error)
            return
        if isinstance(doing, dict):
            self._leave(doing)
        else:
            self._doing = doing
            self._go_on()

    def _go_on(self) -> None:
        assert self._doing is not None
        try:
            delay = next(self._doing)
        except StopIteration as stop:
            self._leave(stop.value)
        except ServiceError as error:
            self._leave(error)
        else:
            due = self._hub.now + delay
            if self._back is not None and due > self._given_up_at:
                self._back, self.outcome = None, _TOO_LATE
                self._hub.at(self._given_up_at, self._task.go_on)
            self._hub.at(due, self._go_on)

    def _leave(self, outcome: Answer | ServiceError) -> None:
        if self._back is not None:
            self.outcome = outcome
            self._hub.at(self._hub.now + self._back, self._task.go_on)


class SimulatedClient:
    """A boto3 client of one worker: any method is an operation of the service."""

    def __init__(
        self, network: Network, who: Mortal | None, service: Service, attempts: int
    ) -> None:
        self._network = network
        self._who = who
        self._service = service
        self._attempts = attempts

    def __getattr__(self, operation: str) -> Callable[..., Answer]:
        if operation.startswith("_"):
            raise AttributeError(operation)
        method = _Method(self._network, self._who, self._service, operation, self._attempts)
        # From now on it is found without asking here, for each of a hundred thousand calls.
        self.__dict__[operation] = method.call
        return method.call

    def get_paginator(self, operation: str) -> Paginator:
        """Of operations that answer in pages."""
        return Paginator(getattr(self, operation))


class Paginator:
    """Page after page, as DynamoDB and S3 each go on from one to the next."""

    def __init__(self, call: Callable[..., Answer]) -> None:
        self._call = call

    def paginate(self, **request: Any) -> Iterator[Answer]:
        """The pages."""
        while True:
            page = self._call(**request)
            yield page
            if "LastEvaluatedKey" in page:
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
            elif "NextContinuationToken" in page:
                request["ContinuationToken"] = page["NextContinuationToken"]
            else:
                return


def _is_retryable(error: Exception) -> bool:
    if not isinstance(error, ServiceError):
        return True  # the connection failed
    return error.status in _RETRYABLE_STATUS or error.code in _RETRYABLE


def _client_error(error: ServiceError, operation: str) -> ClientError:
    """As boto3 raises it; the operation's name is in AWS's form."""
    response: dict[str, Any] = {
        "Error": {"Code": error.code, "Message": error.message},
        "ResponseMetadata": {"HTTPStatusCode": error.status, "RetryAttempts": 0},
        **error.fields,
    }
    name = "".join(part.capitalize() for part in operation.split("_"))
    return ClientError(response, name)  # type: ignore[arg-type]  # more than its stub knows
