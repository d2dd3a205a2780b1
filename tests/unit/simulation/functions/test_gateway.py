"""The gateway: where requests go, what functions are invoked with, what callers are answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from simulation.asks import HttpAnswer
from simulation.faults.kinds import Fault
from simulation.functions.gateway import Gateway
from simulation.kernel.hub import SECOND
from simulation.wiring.model import Route
from tests.unit.simulation.functions.small_world import NOON, Handler, SmallWorld

CALLER = "arn:aws:iam::000000000000:role/shop"
ROUTES = (
    Route("POST", "/payments", "F"),
    Route("GET", "/payments", "F"),
    Route("GET", "/payments/{id}", "F"),
    Route("GET", "/payments/{id}/metadata", "F"),
    Route("GET", "/payments/summary", "F"),
)


def answering(event: dict[str, Any], _context: Any) -> Any:
    return {"statusCode": 201, "headers": {"X-Some": "header"}, "body": json.dumps(event)}


def asked(world: SmallWorld, handler: Handler, method: str, path: str, **more: Any) -> HttpAnswer:
    """What is answered in the end."""
    gateway = Gateway(world.platform, ROUTES, {"F": world.function(handler, timeout=60)})
    answered = gateway.request(method, path, caller=CALLER, **more)
    world.hub.run()
    return answered.result()


def test_a_function_gets_the_proxy_event() -> None:
    """With the resource, its parameters as they came, the query, the caller and the body."""
    query: Mapping[str, Any] = {"to": "5", "tag": ["a", "b"]}
    answer = asked(
        SmallWorld(), answering, "GET", "/payments/p%201/metadata", query=query, body="ü".encode()
    )
    event = json.loads(answer.body)
    assert (answer.status, answer.headers) == (201, {"x-some": "header"})
    assert event["httpMethod"] == "GET"
    assert event["resource"] == "/payments/{id}/metadata"
    assert event["path"] == "/payments/p%201/metadata"
    assert event["pathParameters"] == {"id": "p%201"}
    assert event["queryStringParameters"] == {"to": "5", "tag": "b"}
    assert event["multiValueQueryStringParameters"] == {"to": ["5"], "tag": ["a", "b"]}
    assert event["requestContext"]["identity"]["userArn"] == CALLER
    assert (event["body"], event["isBase64Encoded"]) == ("ü", False)


def test_what_is_absent_is_null() -> None:
    """Not an empty mapping."""
    event = json.loads(asked(SmallWorld(), answering, "GET", "/payments").body)
    absent = ("pathParameters", "queryStringParameters", "multiValueQueryStringParameters", "body")
    assert [event[name] for name in absent] == [None] * 4


def test_a_step_that_is_spelt_out_goes_before_a_parameter() -> None:
    """As API Gateway has it."""
    event = json.loads(asked(SmallWorld(), answering, "GET", "/payments/summary").body)
    assert event["resource"] == "/payments/summary"


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/payments"), ("GET", "/"), ("GET", "/payments/"), ("GET", "/payments/a/b/c")],
)
def test_an_unknown_route_is_forbidden(method: str, path: str) -> None:
    """API Gateway tells nobody what it has."""
    answer = asked(SmallWorld(), answering, method, path)
    assert (answer.status, json.loads(answer.body)["reason"]) == (403, "forbidden")


def _raise(_event: Any, _context: Any) -> Any:
    raise KeyError


@pytest.mark.parametrize("answer", [None, {"statusCode": "201"}, {"body": "text"}, "text"])
def test_without_a_proxy_answer_it_is_an_internal_error(answer: object) -> None:
    """Whatever else it is."""
    assert asked(SmallWorld(), lambda *_: answer, "POST", "/payments").status == 500


def test_an_exception_is_an_internal_error() -> None:
    """Its text is shown to nobody."""
    answer = asked(SmallWorld(), _raise, "POST", "/payments")
    assert answer.status == 500
    assert b"KeyError" not in answer.body


def test_a_crash_is_an_internal_error_and_a_throttled_function_says_so() -> None:
    """The first may have taken effect, the second has not."""
    world = SmallWorld({Fault.FUNCTION_THROTTLED: 1.0})
    assert asked(world, answering, "POST", "/payments").status == 429
    world = SmallWorld({Fault.FUNCTION_TIMED_OUT: 1.0})
    function = world.function(answering, timeout=5)
    answered = Gateway(world.platform, ROUTES, {"F": function}).request(
        "POST", "/payments", caller=CALLER
    )
    world.hub.run()
    assert answered.result().status == 500


def test_after_29_seconds_the_caller_is_answered_and_the_function_goes_on() -> None:
    """Whatever it decides later."""
    world = SmallWorld()
    done: list[int] = []

    def slow(_event: Any, _context: Any) -> Any:
        world.hub.sleep(40 * SECOND)
        done.append(world.hub.now)
        return {"statusCode": 200, "body": ""}

    function = world.function(slow, timeout=60)
    gateway = Gateway(world.platform, ROUTES, {"F": function})
    answered = gateway.request("POST", "/payments", caller=CALLER)
    world.hub.run(until=NOON + 30 * SECOND)
    assert answered.result().status == 503
    assert not done
    world.hub.run()
    assert done
    assert answered.result().status == 503


def test_a_body_that_is_too_long_gets_nowhere() -> None:
    """Ten megabytes are API Gateway's own limit."""
    answer = asked(SmallWorld(), answering, "POST", "/payments", body=b"x" * (10 << 20) + b"x")
    assert answer.status == 413
