"""The Lambda function behind `/webhooks`: the REST API about subscribers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from msgspec import Struct

from consumers.webhooks import requests
from consumers.webhooks.directory import ConflictError, DynamoDirectory
from consumers.webhooks.management import Management
from consumers.webhooks.posting import Resolve, addresses_of
from consumers.webhooks.requests import RefusedRequestError
from consumers.webhooks.secrets import SecretsManager
from consumers.webhooks.settings import TrustedNetworks
from ledger.contracts import problems, reasons
from ledger.contracts.reasons import Kind, Reason
from ledger.runtime.faults import StoreError
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.rest import Response, response
from ledger.runtime.settings import read_settings
from ledger.runtime.telemetry import Line, Telemetry

Handler = Callable[[dict[str, Any], object], Response]

_RETRY_AFTER_SECONDS: Final = 2
_response = partial(response, retry_after_seconds=_RETRY_AFTER_SECONDS)
_Route = Callable[[Mapping[str, Any], Line], tuple[HTTPStatus, Struct]]


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    webhooks_table: str
    webhook_secrets_prefix: str
    webhook_secrets_key: str
    webhook_networks_parameter: str
    deliveries_queue_url: str


def make_handler(*, management: Management, telemetry: Telemetry) -> Handler:
    """A handler of proxy requests of an API Gateway REST API."""
    routes = _routes(management)

    def handler(event: dict[str, Any], context: object) -> Response:
        with telemetry.invocation(context) as line:
            route = f"{event['httpMethod']} {event['resource']}"
            line.note("route", route)
            try:
                requests.refuse_query_parameters(event)
                status, answer = routes[route](event, line)
            except RefusedRequestError as refusal:
                return _refused(line, refusal.reason, refusal.field)
            except StoreError as error:
                line.note("store_error", error.code)
                return _refused(line, reasons.STORE_UNAVAILABLE)
            except ConflictError:
                return _refused(line, reasons.CONTENTION)
            line.note("status", int(status))
            return _response(status, "application/json", answer)

    return handler


def _routes(management: Management) -> Mapping[str, _Route]:
    def every(_event: Mapping[str, Any], _line: Line) -> tuple[HTTPStatus, Struct]:
        return HTTPStatus.OK, management.every()

    def of_one(
        act: Callable[[str, Mapping[str, Any]], tuple[HTTPStatus, Struct]],
    ) -> _Route:
        def route(event: Mapping[str, Any], line: Line) -> tuple[HTTPStatus, Struct]:
            id = requests.id_of(event)
            line.note("webhook", id)
            return act(id, event)

        return route

    ok, accepted = HTTPStatus.OK, HTTPStatus.ACCEPTED
    return {
        "GET /webhooks": every,
        "GET /webhooks/{id}": of_one(lambda id, _: (ok, management.one(id))),
        "PUT /webhooks/{id}": of_one(
            lambda id, event: management.put(id, requests.wanted_of(event))
        ),
        "DELETE /webhooks/{id}": of_one(lambda id, _: (ok, management.remove(id))),
        "POST /webhooks/{id}/rotate": of_one(
            lambda id, event: (ok, management.rotate(id, now=requests.is_now(event)))
        ),
        "POST /webhooks/{id}/test": of_one(lambda id, _: (accepted, management.test(id))),
    }


def _refused(line: Line, reason: Reason, field: str = "") -> Response:
    line.note("status", int(reason.status))
    line.note("reason", reason.code)
    if reason.kind is Kind.OUTAGE:
        line.warn()
    return _response(reason.status, problems.CONTENT_TYPE, problems.problem(reason, field=field))


def build(host: Host, resolve: Resolve = addresses_of) -> Handler:
    """The function, which judges addresses by what `resolve` says. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    return make_handler(
        management=Management(
            store=DynamoDirectory(host.dynamodb(attempts=3), settings.webhooks_table),
            secrets=SecretsManager(
                host.secretsmanager(),
                settings.webhook_secrets_prefix,
                settings.webhook_secrets_key,
            ),
            sqs=host.sqs(),
            deliveries_queue_url=settings.deliveries_queue_url,
            trusted=TrustedNetworks(
                partial(host.ssm, attempts=2), settings.webhook_networks_parameter, host.monotonic
            ),
            resolve=resolve,
            clock=host.clock,
            random_bytes=host.random_bytes,
        ),
        telemetry=host.telemetry(),
    )


handler: Handler = on_first_call(build)
