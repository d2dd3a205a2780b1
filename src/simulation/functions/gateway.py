"""API Gateway: a REST API with proxy integrations, whose callers IAM knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Struct

from ledger.contracts import problems, reasons
from ledger.contracts.reasons import Reason
from simulation.asks import HttpAnswer
from simulation.functions.function import LambdaFunction, Outcome
from simulation.functions.platform import Event, Platform
from simulation.kernel.hub import MILLISECOND, SECOND, Future
from simulation.wiring.model import Route

#: The longest that API Gateway waits for an integration, unless AWS was asked for more.
INTEGRATION_TIMEOUT: Final = 29 * SECOND
_BODY_BYTES_MAX: Final = 10 * 1024 * 1024
_LATENCY_MIN: Final = 2 * MILLISECOND
_LATENCY_SPREAD: Final = 6 * MILLISECOND
_ENCODE: Final = msgspec.json.Encoder().encode
_HEADERS: Final = {"Content-Type": "application/json", "Host": "simulated"}


class _Node:
    """A step of the paths: what it leads to by name, else as a parameter of some name."""

    def __init__(self) -> None:
        self.steps: dict[str, _Node] = {}
        self.parameter: str = ""
        self.parameter_node: _Node | None = None
        self.methods: dict[str, Route] = {}


class _Request(Struct, frozen=True):
    id: str
    method: str
    path: str
    caller: str
    query: Mapping[str, str | Sequence[str]]
    body: bytes | None


class _Match(Struct, frozen=True):
    route: Route
    parameters: dict[str, str]


class Gateway:
    """The API. What it answers by itself are problem details, as the stack makes it answer."""

    def __init__(
        self,
        platform: Platform,
        routes: Sequence[Route],
        functions: Mapping[str, LambdaFunction],
    ) -> None:
        self._hub = platform.hub
        self._random = platform.stream("gateway")
        self._functions = functions
        self._requests = 0
        self._root = _Node()
        for route in routes:
            self._add(route)

    def request(
        self,
        method: str,
        path: str,
        *,
        caller: str,
        query: Mapping[str, str | Sequence[str]] | None = None,
        body: bytes | None = None,
    ) -> Future[HttpAnswer]:
        """A request signed by the principal with the ARN `caller`.

        `path` is percent-encoded, `query` is not; `body` is JSON in UTF-8. It always becomes known.
        """
        answered: Future[HttpAnswer] = Future()
        self._requests += 1
        id_ = f"gateway-{self._requests}"
        request = _Request(id_, method, path, caller, query or {}, body)
        delay = _LATENCY_MIN + int(self._random.random() * _LATENCY_SPREAD)
        self._hub.after(delay, partial(self._arrive, request, answered))
        return answered

    def _arrive(self, request: _Request, answered: Future[HttpAnswer]) -> None:
        match = self._matched(request.method, request.path)
        if match is None:
            # API Gateway says of a method and path that it does not have that no token is there.
            self._answer(answered, _problem(reasons.FORBIDDEN))
        elif len(request.body or b"") > _BODY_BYTES_MAX:
            self._answer(answered, _problem(reasons.PAYLOAD_TOO_LARGE))
        else:
            event = self._event(match, request)
            invoked = self._functions[match.route.function].invoke(event)
            timed_out = partial(self._answer, answered, _problem(reasons.UNAVAILABLE))
            timer = self._hub.after(INTEGRATION_TIMEOUT, timed_out)

            def integrated() -> None:
                self._hub.cancel(timer)
                self._answer(answered, _answer_of(invoked.result()))

            invoked.then(integrated)

    def _answer(self, answered: Future[HttpAnswer], answer: HttpAnswer) -> None:
        if not answered.done:
            delay = _LATENCY_MIN + int(self._random.random() * _LATENCY_SPREAD)
            self._hub.after(delay, partial(answered.resolve, answer))

    def _add(self, route: Route) -> None:
        node = self._root
        for step in _steps(route.resource):
            if step.startswith("{"):
                node.parameter = step[1:-1]
                node.parameter_node = node.parameter_node or _Node()
                node = node.parameter_node
            else:
                node = node.steps.setdefault(step, _Node())
        node.methods[route.method] = route

    def _matched(self, method: str, path: str) -> _Match | None:
        """Where a request goes: a step that is spelt out goes before a parameter."""
        node: _Node | None = self._root
        parameters: dict[str, str] = {}
        for step in _steps(path):
            if node is None or not step:
                return None
            found = node.steps.get(step)
            if found is None and node.parameter_node is not None:
                parameters[node.parameter] = step
                found = node.parameter_node
            node = found
        if node is None or method not in node.methods:
            return None
        return _Match(node.methods[method], parameters)

    def _event(self, match: _Match, request: _Request) -> Event:
        """What a function behind a proxy integration is invoked with."""
        route, body = match.route, request.body
        several = {
            name: [given] if isinstance(given, str) else list(given)
            for name, given in request.query.items()
        }
        return {
            "resource": route.resource,
            "path": request.path,
            "httpMethod": route.method,
            "headers": _HEADERS,
            "multiValueHeaders": {name: [value] for name, value in _HEADERS.items()},
            "queryStringParameters": {name: given[-1] for name, given in several.items()} or None,
            "multiValueQueryStringParameters": several or None,
            "pathParameters": match.parameters or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": route.resource,
                "httpMethod": route.method,
                "path": request.path,
                "stage": "live",
                "requestId": request.id,
                "requestTimeEpoch": self._hub.now // MILLISECOND,
                "identity": {"userArn": request.caller, "sourceIp": "203.0.113.1"},
            },
            "body": None if body is None else body.decode(errors="replace"),
            "isBase64Encoded": False,
        }


def _steps(path: str) -> list[str]:
    return path.removeprefix("/").split("/")


def _answer_of(outcome: Outcome) -> HttpAnswer:
    """What becomes of how a function ended."""
    if outcome.throttled:
        return _problem(reasons.THROTTLED)
    answer: Any = outcome.answer
    if outcome.error is not None or not _is_proxy_answer(answer):
        return _problem(reasons.INTERNAL_ERROR)
    headers = {name.lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    return HttpAnswer(answer["statusCode"], headers, (answer.get("body") or "").encode())


def _is_proxy_answer(answer: object) -> bool:
    return (
        isinstance(answer, dict)
        and isinstance(answer.get("statusCode"), int)
        and isinstance(answer.get("headers"), dict | None)
        and isinstance(answer.get("body"), str | None)
    )


def _problem(reason: Reason) -> HttpAnswer:
    body = _ENCODE(problems.problem(reason))
    return HttpAnswer(int(reason.status), {"content-type": problems.CONTENT_TYPE}, body)
