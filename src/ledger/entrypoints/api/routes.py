"""The routes: each reads its request, makes one call inwards and maps the answer.

API Gateway has routed already, and its `resource` says where to: `/payments/{id}` whatever stage,
domain or base path the caller used. So a table is all that is left to do: a routing library would
match the path again, and lengthen every cold start by a sixth of its CPU time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.commit import Commands
from ledger.application.group_commit import GroupCommit
from ledger.application.ports import Clock, EventStore
from ledger.application.state_cache import StateCache
from ledger.contracts import reasons
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from ledger.entrypoints.api import asking
from ledger.entrypoints.api.answers.base import Answer
from ledger.entrypoints.api.answers.problems import refusal_answer
from ledger.entrypoints.api.deciding import decide, decide_each, failure_answer
from ledger.entrypoints.api.request import Request
from ledger.entrypoints.api.tally import Tally
from ledger.entrypoints.figures import report_use
from ledger.runtime.telemetry import Telemetry

Response = dict[str, Any]
Handler = Callable[[dict[str, Any], object], Response]
Route = Callable[[Request], Answer]


def make_handler(
    *,
    commands: Commands,
    group: GroupCommit,
    cache: StateCache,
    store: EventStore,
    clock: Clock,
    meter: Meter,
    telemetry: Telemetry,
) -> Handler:
    """The handler of the REST API's proxy integrations that decide commands or read the store.

    It answers every request, whatever fails; why it answered 500 or 503 is in the line it logs.
    """
    routes = {**_of_commands(commands, group), **_of_questions(store, clock)}

    def handler(event: dict[str, Any], context: object) -> Response:
        with telemetry.invocation(context) as line:
            route = (str(event.get("httpMethod")), str(event.get("resource")))
            tally = Tally()
            if route in routes:
                line.note("route", " ".join(route))
                answer = _answered(routes[route], Request(event, context, line, tally))
            else:
                answer = refusal_answer(reasons.UNKNOWN_ROUTE)
            line.note("status", int(answer.status))
            if answer.status >= HTTPStatus.BAD_REQUEST:
                line.note("code", answer.code)  # else the outcomes say as much
            causes = report_use(line, meter, group, cache, decided=tally.decided)
            tally.causes.update(causes)
            tally.report(line)
            return _response(answer)

    return handler


def _of_commands(commands: Commands, group: GroupCommit) -> Mapping[tuple[str, str], Route]:
    return {
        **{
            ("POST", path): partial(decide, commands, command_type)
            for command_type, path in COMMAND_PATHS.items()
        },
        ("POST", INDEPENDENT_PATH): partial(decide_each, group),
    }


def _of_questions(store: EventStore, clock: Clock) -> Mapping[tuple[str, str], Route]:
    return {
        ("GET", "/payments/{id}"): partial(asking.payment, store),
        ("GET", "/payments/{id}/screening"): partial(asking.screening, store),
        ("GET", "/payments/{id}/metadata"): partial(asking.metadata, store, "payment"),
        ("GET", "/accounts/{id}/alerts"): partial(asking.alerts, store),
        ("GET", "/accounts/{id}/limits"): partial(asking.limits, store, clock),
        ("GET", "/accounts/{id}/metadata"): partial(asking.metadata, store, "account"),
        ("GET", "/templates/{id}"): partial(asking.template, store),
        ("GET", "/books/{id}"): partial(asking.book, store),
        ("GET", "/health"): partial(asking.health, store),
    }


def _answered(route: Route, request: Request) -> Answer:
    """The answer of `route`, or of what it raised."""
    try:
        return route(request)
    except Exception as error:  # noqa: BLE001 - a caller is owed an answer, even to a bug
        return failure_answer(error, request)


def _response(answer: Answer) -> Response:
    return {
        "statusCode": int(answer.status),
        "headers": {
            "Content-Type": answer.media_type,
            "Cache-Control": "no-store",  # money: an answer is as of now, for its caller alone
            **answer.headers,
        },
        "body": answer.body.decode(),
    }
