"""The routes: each reads its request, makes one call inwards and maps the answer.

API Gateway has routed already, and its `resource` says where to: `/payments/{id}` whatever stage,
domain or base path the caller used. So a table is all that is left to do: a routing library would
match the path again, and lengthen every cold start by a sixth of its CPU time.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

from msgspec import Struct

from ledger.adapters.dynamodb.event_store import Meter
from ledger.application import queries
from ledger.application.commit import Commands, Mismatch, Outcome
from ledger.application.outages import OutageError
from ledger.application.ports import EventStore
from ledger.contracts import reasons
from ledger.contracts.events import CommandRejected
from ledger.contracts.reasons import InvalidCommandError
from ledger.entrypoints.api import answers, reading
from ledger.entrypoints.api.answers import Answer
from ledger.entrypoints.api.reading import RefusedRequestError
from ledger.runtime.telemetry import Line, Telemetry, named

Response = dict[str, Any]
Handler = Callable[[dict[str, Any], object], Response]

#: No client can choose it (`~` is not of the alphabet of ids), so the read finds nothing, ever.
HEALTH_PROBE_ID: Final = "~health"
_PLACES_MAX: Final = 5


class _Request(Struct, frozen=True):
    """A proxy event of API Gateway, its Lambda context, and the line of its invocation."""

    event: Mapping[str, Any]
    context: object
    line: Line


_Route = Callable[[_Request], Answer]


def make_handler(
    *, commands: Commands, store: EventStore, meter: Meter, telemetry: Telemetry
) -> Handler:
    """The handler of the REST API's proxy integrations that decide commands or read the store.

    It answers every request, whatever fails; why it answered 500 or 503 is in the line it logs.
    """
    routes: Mapping[tuple[str, str], _Route] = {
        ("POST", "/accounts"): lambda request: _decide(commands, "account.open", request),
        ("POST", "/alerts"): lambda request: _decide(commands, "account.set_alerts", request),
        ("POST", "/payments"): lambda request: _decide(commands, "payment.post", request),
        ("GET", "/payments/{id}"): lambda request: _payment(store, request),
        ("GET", "/payments/{id}/screening"): lambda request: _screening(store, request),
        ("GET", "/accounts/{id}/alerts"): lambda request: _alerts(store, request),
        ("GET", "/health"): lambda request: _health(store, request),
    }

    def handler(event: dict[str, Any], context: object) -> Response:
        with telemetry.invocation(context) as line:
            route = (str(event.get("httpMethod")), str(event.get("resource")))
            if route in routes:
                line.note("route", " ".join(route))
                answer = _answered(routes[route], _Request(event, context, line))
            else:
                answer = answers.refusal_answer(reasons.UNKNOWN_ROUTE)
            line.note("status", int(answer.status))
            line.note("code", answer.code)
            usage = meter.take()
            line.note("requests", usage.requests)
            line.note("write_units", round(usage.write_units))
            if usage.cancelled:
                line.note("cancelled", usage.cancelled)
            return _response(answer)

    return handler


def _decide(commands: Commands, command_type: str, request: _Request) -> Answer:
    actor = reading.actor_of(request.event)
    reading.refuse_query_parameters(request.event)
    command = reading.read_command(reading.body_of(request.event), command_type)
    request.line.note("command_id", command.id)
    outcome = commands.handle(command, actor)
    _report(outcome, request.line)
    if isinstance(outcome, Mismatch):
        return answers.mismatch_answer(outcome)
    return answers.decided_answer(outcome.event, repeat=outcome.repeat)


def _payment(store: EventStore, request: _Request) -> Answer:
    reading.refuse_query_parameters(request.event)
    return answers.payment_answer(queries.payment(store, reading.id_in_path(request.event)))


def _screening(store: EventStore, request: _Request) -> Answer:
    reading.refuse_query_parameters(request.event)
    payment = reading.id_in_path(request.event)
    if queries.payment(store, payment) is None:
        return answers.refusal_answer(reasons.PAYMENT_NOT_FOUND, "id")
    return answers.screenings_answer(payment, queries.screenings(store, payment))


def _alerts(store: EventStore, request: _Request) -> Answer:
    reading.refuse_query_parameters(request.event)
    return answers.alerts_answer(queries.account(store, reading.id_in_path(request.event)))


def _health(store: EventStore, request: _Request) -> Answer:
    """Whether the event store answers this function, by one consistent read of no item."""
    queries.decided(store, HEALTH_PROBE_ID)
    return answers.health_answer(getattr(request.context, "function_version", "unknown"))


def _answered(route: _Route, request: _Request) -> Answer:
    """The answer of `route`, or of what it raised."""
    line = request.line
    try:
        return route(request)
    except InvalidCommandError as error:
        line.note("outcomes", {"malformed": 1})
        line.count("CommandsMalformed", 1)
        return answers.invalid_answer(error)
    except RefusedRequestError as error:
        return answers.refusal_answer(error.reason, error.field)
    except OutageError as error:
        line.warn()
        line.note("outcomes", {error.reason.code: 1})
        _report_causes(error.causes, line)
        return answers.outage_answer(error)
    except Exception as error:  # noqa: BLE001 - a caller is owed an answer, even to a bug
        line.level = "error"
        line.count("UnforeseenErrors", 1)
        line.note("exception", named(error))
        line.note("raised_at", _places(error))
        return answers.refusal_answer(reasons.INTERNAL_ERROR)


def _report(outcome: Outcome, line: Line) -> None:
    """What became of the command, in the words of the queue's handler: `ledger up` sums both."""
    if isinstance(outcome, Mismatch):
        line.note("outcomes", {"mismatch": 1})
        line.count("CommandsMismatched", 1)
        return
    line.note("attempts", outcome.attempts)
    _report_causes(outcome.causes or {}, line)
    if outcome.repeat:
        line.note("outcomes", {"repeat": 1})
        return
    line.count("CommandsDecided", 1)
    if isinstance(outcome.event, CommandRejected):
        line.note("outcomes", {"rejected": 1})
        line.note("rejections", {outcome.event.reason: 1})
        line.count("CommandsRejected", 1)
    else:
        line.note("outcomes", {"accepted": 1})


def _report_causes(causes: Mapping[str, int], line: Line) -> None:
    """What stood in a commit's way, counted by attempt."""
    if causes:
        line.note("causes", dict(causes))
    if conflicts := causes.get("stale", 0) + causes.get("conflict", 0):
        line.count("CommitConflicts", conflicts)
    if skewed := causes.get("skewed", 0):
        line.count("ClockSkewRefused", skewed)


def _places(error: Exception) -> list[str]:
    """Where an exception was raised, the innermost place last: code only, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES_MAX:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


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
