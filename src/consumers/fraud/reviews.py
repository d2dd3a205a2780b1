"""The Lambda function behind `GET /reviews`, which only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from consumers.fraud.answers import reviews_view
from consumers.fraud.cursor import key_of
from consumers.fraud.store import DynamoFraudStore, FraudStore, ReviewKey
from ledger.contracts import problems, reasons
from ledger.contracts.reasons import Reason
from ledger.contracts.violations import shown_name
from ledger.runtime.faults import StoreError
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.rest import Response, response
from ledger.runtime.settings import read_settings
from ledger.runtime.telemetry import Line, Telemetry

Handler = Callable[[dict[str, Any], object], Response]

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 100  # reviews of up to 1 KB: answers stay far below Lambda's 6 MB
_RETRY_AFTER_SECONDS: Final = 1
_response = partial(response, retry_after_seconds=_RETRY_AFTER_SECONDS)


class InvalidQueryError(ValueError):
    """A parameter is unknown, repeated or not of its form; `field` names it."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    fraud_table: str


def make_handler(*, store: FraudStore, telemetry: Telemetry) -> Handler:
    """A handler of proxy requests of an API Gateway REST API."""

    def handler(event: dict[str, Any], context: object) -> Response:
        with telemetry.invocation(context) as line:
            line.note("route", event["resource"])
            try:
                after, limit = _asked(event)
                answer = reviews_view(store.reviews(after, limit))
            except InvalidQueryError as refusal:
                return _refused(line, reasons.INVALID_QUERY, refusal.field)
            except StoreError as error:
                line.note("store_error", error.code)
                line.warn()
                return _refused(line, reasons.STORE_UNAVAILABLE)
            line.note("status", int(HTTPStatus.OK))
            return _response(HTTPStatus.OK, "application/json", answer)

    return handler


def _asked(event: Mapping[str, Any]) -> tuple[ReviewKey | None, int]:
    """Behind which review, and how many. Raises InvalidQueryError."""
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    for name, values in given.items():
        if name not in ("cursor", "limit") or len(values) != 1:
            raise InvalidQueryError(shown_name(name))
    [limit_text] = given.get("limit", [str(LIMIT_DEFAULT)])
    # Decimal digits alone: int() takes blanks, signs and underscores.
    digits = limit_text.isascii() and limit_text.isdigit()
    limit = int(limit_text) if digits and len(limit_text) <= len(str(LIMIT_MAX)) else 0
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidQueryError("limit")
    if "cursor" not in given:
        return None, limit
    try:
        return key_of(given["cursor"][0]), limit
    except ValueError:
        raise InvalidQueryError("cursor") from None


def _refused(line: Line, reason: Reason, field: str = "") -> Response:
    line.note("status", int(reason.status))
    line.note("reason", reason.code)
    return _response(reason.status, problems.CONTENT_TYPE, problems.problem(reason, field=field))


def build(host: Host) -> Handler:
    """The function. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    return make_handler(
        store=DynamoFraudStore(host.dynamodb(attempts=2), settings.fraud_table),
        telemetry=host.telemetry(),
    )


handler = on_first_call(build)
