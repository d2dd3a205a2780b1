"""Calls of clients: what takes effect, what is answered, and what a dying caller leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from simulation.aws.calls import Network, Request, SimulatedClient
from simulation.aws.errors import ServiceError
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND, Hub, Task
from simulation.kernel.trace import Trace


class Died(BaseException):
    """What kills a caller here."""


class Counting:
    """A service that counts, in one instant or in two, and refuses what it is told to refuse."""

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.count = 0
        self.prepared_requests = 0
        self.refuse: list[ServiceError] = []
        self.operations = {
            "add": self.add,
            "add_slowly": self.add_slowly,
            "add_twice": self.add_twice,
        }

    def prepared(self, _operation: str, request: Request) -> Request:
        self.prepared_requests += 1
        return request

    def add(self, _request: Request) -> dict[str, Any]:
        if self.refuse:
            raise self.refuse.pop(0)
        self.count += 1
        return {"Count": self.count}

    def add_slowly(self, request: Request) -> Any:
        yield request["seconds"] * SECOND
        self.count += 1
        return {"Count": self.count}

    def add_twice(self, _request: Request) -> Any:
        self.count += 1
        yield 1_000
        self.count += 1
        return {"Count": self.count}


class Caller:
    """A worker that dies when told to."""

    def __init__(self, hub: Hub, *, at: str = "") -> None:
        self.name = "caller"
        self.task: Task[Any]
        self._hub = hub
        self._at = at

    def before_call(self, _what: str) -> None:
        if self._at == "before":
            raise Died

    def during_call(self, _what: str) -> None:
        if self._at == "during":
            self._hub.kill(self.task, Died())

    def after_call(self, _what: str) -> None:
        if self._at == "after":
            raise Died


class World:
    """A hub, a service, and a client of it that meets the faults given."""

    def __init__(
        self, *faults: Fault, attempts: int = 1, dies: str = "", service: str = "counting"
    ) -> None:
        self.hub = Hub(0)
        self.service = Counting(service)
        rates: Mapping[Fault, float] = dict.fromkeys(faults, 1.0)
        self.injector = Injector(Random(1), rates, Trace(self.hub))
        self.network = Network(self.hub, Random(2), self.injector)
        self.caller = Caller(self.hub, at=dies)
        self.client = SimulatedClient(self.network, self.caller, self.service, attempts)

    def do(self, body: Callable[[], Any]) -> Task[Any]:
        task = self.hub.spawn("caller", body)
        self.caller.task = task
        self.hub.run()
        return task


@pytest.mark.parametrize(("operation", "count"), [("add", 1), ("add_twice", 2)])
def test_a_call_takes_effect_and_is_answered_later(operation: str, count: int) -> None:
    """Its answer is the service's, and time has passed."""
    world = World()
    task = world.do(getattr(world.client, operation))
    assert task.done.result() == {"Count": count}
    assert world.hub.now > 0


@pytest.mark.parametrize(
    ("fault", "took_effect", "error", "code"),
    [
        (Fault.CALL_REFUSED, False, ClientError, "InternalServerError"),
        (Fault.CALL_ANSWER_LOST, True, ClientError, "InternalServerError"),
        (Fault.CALL_TIMED_OUT_BEFORE, False, ReadTimeoutError, ""),
        (Fault.CALL_TIMED_OUT_AFTER, True, ReadTimeoutError, ""),
    ],
)
def test_what_a_fault_leaves_done_and_what_it_says(
    fault: Fault, took_effect: bool, error: type[Exception], code: str
) -> None:
    """A refused call has no effect, a lost answer's has; both are told in boto3's words."""
    world = World(fault)
    task = world.do(world.client.add)
    assert world.service.count == took_effect
    with pytest.raises(error) as raised:
        task.done.result()
    if isinstance(raised.value, ClientError):
        assert raised.value.response["Error"]["Code"] == code
        assert raised.value.operation_name == "Add"


def test_a_time_out_takes_as_long_as_the_client_waits() -> None:
    """Three seconds, as the clients of functions are set."""
    world = World(Fault.CALL_TIMED_OUT_BEFORE)
    world.do(world.client.add)
    assert world.hub.now >= 3 * SECOND


def test_a_call_may_arrive_when_its_caller_has_gone_on() -> None:
    """It timed out and takes effect all the same, once, behind what the caller did instead."""
    world = World(Fault.CALL_OVERTAKEN)
    counts: list[int] = []

    def body() -> None:
        with pytest.raises(ReadTimeoutError):
            world.client.add_twice()
        counts.append(world.service.count)
        world.hub.sleep(SECOND)

    world.do(body).done.result()
    assert counts == [0]
    assert world.service.count == 2


def test_an_operation_may_take_longer_than_its_caller_waits() -> None:
    """The caller is told nothing after three seconds, as if it were lost; it takes effect."""
    world = World()
    assert world.do(lambda: world.client.add_slowly(seconds=2)).done.result() == {"Count": 1}
    begun, counts = world.hub.now, []

    def body() -> None:
        with pytest.raises(ReadTimeoutError):
            world.client.add_slowly(seconds=5)
        counts.append(world.service.count)
        assert world.hub.now == begun + 3 * SECOND

    world.do(body).done.result()
    assert counts == [1]
    assert world.service.count == 2


@pytest.mark.parametrize(
    ("service", "code", "tries"),
    [("events", "ThrottlingException", 3), ("sqs", "RequestThrottled", 3), ("sns", "Throttled", 1)],
)
def test_some_services_throttle_calls_each_by_its_code(service: str, code: str, tries: int) -> None:
    """Nothing takes effect. The SDK tries again, as far as it knows the code."""
    world = World(Fault.CALL_THROTTLED, attempts=3, service=service)
    with pytest.raises(ClientError) as raised:
        world.do(world.client.add).done.result()
    assert raised.value.response["Error"]["Code"] == code
    assert world.service.count == 0
    assert world.injector.occurred[Fault.CALL_THROTTLED] == tries


def test_other_services_throttle_by_themselves() -> None:
    """DynamoDB throttles tables and partitions, no calls."""
    world = World(Fault.CALL_THROTTLED)
    assert world.do(world.client.add).done.result() == {"Count": 1}


def test_a_request_that_can_never_be_right_is_told_of() -> None:
    """Whoever sent it may go on as if nothing were: it is a mistake."""
    world = World()
    told: list[tuple[str, str, str]] = []
    world.network.on_mistake.append(lambda *said: told.append(said))
    world.service.refuse = [ServiceError("ConditionalCheckFailedException")]
    world.do(world.client.add)
    assert not told
    world.service.refuse = [ServiceError("ValidationException", "too many")]
    world.do(world.client.add)
    assert told == [("caller", "counting.add", "ValidationException: too many")]


@pytest.mark.parametrize(("dies", "count"), [("before", 0), ("during", 1), ("after", 1)])
def test_a_caller_that_dies_has_done_what_had_left_it(dies: str, count: int) -> None:
    """Before a call it has done nothing; during and after it the service has, all the same."""
    world = World(dies=dies)
    task = world.do(world.client.add)
    assert world.service.count == count
    with pytest.raises(Died):
        task.done.result()


def test_an_error_of_the_service_is_raised_with_all_it_says() -> None:
    """Code, message and further fields are where boto3 has them."""
    world = World()
    world.service.refuse = [ServiceError("Conditional", "no", fields={"Item": {"a": 1}})]
    with pytest.raises(ClientError) as raised:
        world.do(world.client.add).done.result()
    assert raised.value.response["Error"] == {"Code": "Conditional", "Message": "no"}
    assert dict(raised.value.response)["Item"] == {"a": 1}


def test_the_sdk_tries_again_what_is_worth_it_and_nothing_else() -> None:
    """Internal errors and throttling are tried again, as one request; a refusal is not, and after
    the last try the error stands."""
    throttled = ServiceError("ThrottlingException")
    for attempts, errors, count in [
        (3, [throttled, ServiceError("InternalServerError", status=500)], 1),
        (2, [throttled, throttled], 0),
        (3, [ServiceError("ValidationException")], 0),
    ]:
        world = World(attempts=attempts)
        world.service.refuse = list(errors)
        task = world.do(world.client.add)
        assert task.done.done
        assert world.service.count == count
        assert world.service.prepared_requests == 1


def test_a_service_that_is_out_answers_nothing_until_it_is_back() -> None:
    """During an outage no call has an effect."""
    world = World()
    world.network.out("counting", SECOND)
    task = world.do(world.client.add)
    with pytest.raises(ClientError):
        task.done.result()
    assert world.service.count == 0
    world.hub.run(until=2 * SECOND)
    assert world.do(world.client.add).done.result() == {"Count": 1}


def test_what_is_not_simulated_says_so() -> None:
    """An operation that the service lacks is an error that names it, in the caller's task."""
    world = World()
    with pytest.raises(NotImplementedError, match=r"counting\.subtract"):
        world.do(world.client.subtract).done.result()
