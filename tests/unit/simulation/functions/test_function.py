"""Functions and their workers: answers, deaths, limits, releases."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from ledger.runtime.faults import StoreError
from ledger.runtime.host import Host
from simulation.faults.kinds import Fault
from simulation.functions.function import LambdaFunction
from simulation.kernel.hub import MILLISECOND, SECOND, StuckError
from tests.unit.simulation.functions.small_world import NOON, Handler, MadeUp, SmallWorld


def counting(host: Host) -> Handler:
    """Answers how often this worker was called; each call asks the echo once."""
    client: Any = host.sqs()
    seen: list[str] = []

    def handler(_event: dict[str, Any], context: Any) -> Any:
        seen.append(context.aws_request_id)
        client.echo(number=len(seen))
        return len(seen)

    return handler


def test_a_worker_is_built_once_and_keeps_its_memory() -> None:
    """The second event finds the worker warm; two at once take two workers."""
    world = SmallWorld()
    function = world.built(counting)
    assert world.outcome(function).answer == 1
    assert world.outcome(function).answer == 2
    both = [function.invoke({}), function.invoke({})]
    assert function.busy == 2
    world.hub.run()
    assert sorted(each.result().answer for each in both) == [1, 3]
    assert function.busy == 0


def test_a_cold_start_takes_longer_than_a_warm_one() -> None:
    """Hundreds of milliseconds before anything is called, then a few."""
    world = SmallWorld()
    began: list[int] = []
    function = world.function(lambda _event, _context: began.append(world.hub.now))
    world.outcome(function)
    again = world.hub.now
    world.outcome(function)
    assert began[0] - NOON >= 200 * MILLISECOND
    assert began[1] - again <= 4 * MILLISECOND


def test_an_idle_worker_is_taken_away_in_the_end() -> None:
    """After two hours there is none left, and the next one remembers nothing. That is no fault."""
    world = SmallWorld()
    function = world.built(counting)
    world.outcome(function)
    world.hub.run(until=world.hub.now + 7_200 * SECOND)
    assert world.outcome(function).answer == 1
    assert not world.injector.occurred


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        (Fault.CRASH_BEFORE_CALL, False),
        (Fault.CRASH_DURING_CALL, True),
        (Fault.CRASH_AFTER_CALL, True),
    ],
)
def test_a_crash_ends_the_worker_where_it_is(fault: Fault, *, arrives: bool) -> None:
    """No `except` or `finally` goes on, its memory is lost; what it sent arrives all the same."""
    world = SmallWorld({fault: 1.0})
    after: list[str] = []

    def build(host: Host) -> Handler:
        client: Any = host.sqs()

        def handler(_event: dict[str, Any], _context: Any) -> Any:
            try:
                client.echo(number=1)
            except Exception:  # noqa: BLE001 - what is asked
                after.append("handled")
            finally:
                client.echo(number=2)
            after.append("went on")

        return handler

    function = world.built(build)
    outcome = world.outcome(function)
    assert (outcome.error, outcome.answer) == ("Runtime.ExitError", None)
    assert world.echo.heard == ([{"number": 1}] if arrives else [])
    assert after == []
    assert world.failures == []
    world.injector.quieten()
    world.outcome(world.built(counting))
    assert function.busy == 0


def test_the_next_event_after_a_crash_meets_a_new_worker() -> None:
    """With the old one its caches are gone."""
    world = SmallWorld()
    function = world.built(counting)
    world.outcome(function)
    world.injector.change({Fault.CRASH_AFTER_CALL: 1.0})
    assert world.outcome(function).error == "Runtime.ExitError"
    world.injector.change({})
    assert world.outcome(function).answer == 1


def test_a_function_is_ended_when_its_time_is_over() -> None:
    """Not a moment later than its time-out after it was called."""
    world = SmallWorld()
    called: list[int] = []

    def build(host: Host) -> Handler:
        def handler(_event: dict[str, Any], context: Any) -> Any:
            called.append(world.hub.now)
            assert context.get_remaining_time_in_millis() == 3_000
            host.pause(2.5)
            assert context.get_remaining_time_in_millis() == 500
            host.pause(2.5)

        return handler

    invoked = world.built(build, timeout=3).invoke({})
    ended: list[int] = []
    invoked.then(lambda: ended.append(world.hub.now))
    world.hub.run()
    assert invoked.result().error == "Sandbox.Timedout"
    assert ended == [called[0] + 3 * SECOND]
    assert world.injector.occurred == {Fault.FUNCTION_TIMED_OUT: 1}


@pytest.mark.parametrize("seed", range(12))
def test_a_slow_invocation_times_out_for_certain(seed: int) -> None:
    """At one of its calls, or having made them all; it is counted once."""
    world = SmallWorld({Fault.FUNCTION_TIMED_OUT: 1.0}, seed)
    assert world.outcome(world.built(counting)).error == "Sandbox.Timedout"
    assert world.injector.occurred == {Fault.FUNCTION_TIMED_OUT: 1}


def test_what_a_handler_raises_is_its_outcome_and_the_worker_stays() -> None:
    """Only what AWS is not to blame for is told to whoever looks for bugs."""
    world = SmallWorld()

    class StoreError(Exception):
        """Of some release."""

    class UnavailableError(StoreError):
        """One of its kinds."""

    def handler(event: dict[str, Any], _context: Any) -> Any:
        raise UnavailableError if event else KeyError("a bug")

    function = world.function(handler)
    assert world.outcome(function, {"some": "event"}).error == "UnavailableError"
    assert world.failures == []
    assert world.outcome(function).error == "KeyError"
    assert world.failures == [("F", "KeyError")]
    assert {entry.who for entry in world.trace.entries} == {"F#1"}


@pytest.mark.parametrize("answer", [b"bytes", {"a": object()}, "x" * (6 * 1024 * 1024)])
def test_an_answer_must_be_json_of_6_mb_at_the_most(answer: object) -> None:
    """As Lambda hands back nothing else."""
    world = SmallWorld()
    assert world.outcome(world.function(lambda *_: answer)).error == "AnswerError"


def test_a_build_that_fails_is_tried_again_at_the_next_event() -> None:
    """A setting is missing: the invocation fails, and the worker lives."""
    world = SmallWorld()
    tries: list[int] = []

    def build(_host: Host) -> Handler:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("a setting is missing")
        return lambda _event, _context: "built"

    function = world.built(build)
    assert world.outcome(function).error == "ValueError"
    assert world.outcome(function).answer == "built"


def client_error(code: str, *reasons: str) -> ClientError:
    said: Any = {
        "Error": {"Code": code, "Message": ""},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(said, "Operation")


@pytest.mark.parametrize(
    ("error", "is_finding"),
    [
        (client_error("InternalServerError"), False),
        (client_error("Throttled"), False),
        (client_error("AccessDeniedException"), True),
        (client_error("ResourceNotFoundException"), True),
        (client_error("TransactionCanceledException", "None", "TransactionConflict"), False),
        (client_error("TransactionCanceledException", "None", "ValidationError"), True),
        (ReadTimeoutError(endpoint_url="x"), False),
    ],
    ids=str,
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_of_what_aws_says_only_its_weather_is_let_through(
    error: Exception, *, is_finding: bool, wrapped: bool
) -> None:
    """Internal errors, throttling, conflicts, lost answers. Any other error of AWS's is a finding,
    whatever it was made into."""
    world = SmallWorld()

    def handler(_event: dict[str, Any], _context: Any) -> None:
        if wrapped:
            raise StoreError("code") from error
        raise error

    world.outcome(world.function(handler))
    assert bool(world.failures) == is_finding


def test_a_mistake_of_the_simulation_stops_it() -> None:
    """What is not simulated is no fault that a handler could have."""

    def handler(_event: dict[str, Any], _context: Any) -> Any:
        raise NotImplementedError("sqs.dance is not simulated")

    world = SmallWorld()
    with pytest.raises(NotImplementedError):
        world.outcome(world.function(handler))
    with pytest.raises(StuckError):
        world.hub.sleep(1)


def test_throttled_by_chance_or_by_its_limit_nothing_happens() -> None:
    """Running invocations go on under a new limit; without one everything goes on."""
    world = SmallWorld({Fault.FUNCTION_THROTTLED: 1.0})
    function = world.built(counting)
    assert world.outcome(function).throttled
    world.injector.quieten()
    running = function.invoke({})
    function.limit(0)
    assert world.outcome(function).throttled
    assert running.result().answer == 1
    function.limit(1)
    first, second = function.invoke({}), function.invoke({})
    world.hub.run()
    assert (first.result().throttled, second.result().throttled) == (False, True)
    function.limit(None)
    assert world.outcome(function).answer == 3
    assert world.injector.occurred == {Fault.FUNCTION_THROTTLED: 3}


def answering(text: str) -> MadeUp:
    return MadeUp(text, lambda _host: lambda _event, context: context.function_version)


def answers(world: SmallWorld, function: LambdaFunction, count: int) -> set[str]:
    return {world.outcome(function).answer for _ in range(count)}


def test_two_releases_serve_for_a_while_after_a_deployment() -> None:
    """Both at once while it is under way, then the new one alone; and back again."""
    world = SmallWorld()
    function = world.built(lambda _host: lambda _event, context: context.function_version)
    assert answers(world, function, 20) == {"first"}
    function.deploy(answering("second"), 60 * SECOND)
    assert answers(world, function, 20) == {"first", "second"}
    world.hub.run(until=world.hub.now + 60 * SECOND)
    assert answers(world, function, 20) == {"second"}
    function.deploy(answering("second"), 60 * SECOND)
    assert answers(world, function, 20) == {"second"}
    function.deploy(answering("first"), 60 * SECOND)
    assert answers(world, function, 20) == {"first", "second"}


def story(seed: int) -> str:
    """The digest of a run with faults of all kinds."""
    rates = dict.fromkeys(
        (
            *(Fault.CRASH_BEFORE_CALL, Fault.CRASH_DURING_CALL, Fault.CRASH_AFTER_CALL),
            *(Fault.FUNCTION_TIMED_OUT, Fault.FUNCTION_THROTTLED, Fault.WORKER_RECYCLED),
            *(Fault.CALL_REFUSED, Fault.CLOCK_SKEWED),
        ),
        0.1,
    )
    world = SmallWorld(rates, seed)
    function = world.built(counting)
    for number in range(200):
        world.hub.after(number * 20 * MILLISECOND, lambda: function.invoke({}))
    world.hub.run()
    assert set(rates) == set(world.injector.occurred)
    return world.trace.digest


def test_a_seed_tells_one_story() -> None:
    """The same one each time; another seed another one."""
    assert story(1) == story(1) != story(2)
