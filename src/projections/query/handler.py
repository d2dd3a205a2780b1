"""The Lambda function behind `GET /accounts/{id}` and `GET /accounts/{id}/history`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from random import SystemRandom
from typing import Any, Final

from ledger.contracts import problems, reasons
from ledger.contracts.reasons import Reason
from ledger.runtime.clients import dynamodb_client
from ledger.runtime.faults import StoreError
from ledger.runtime.lazy import on_first_call
from ledger.runtime.rest import Response, response
from ledger.runtime.settings import read_settings
from ledger.runtime.telemetry import Line, Telemetry, powertools_telemetry
from projections.balances.apply import Account
from projections.balances.store import BalancesStore, DynamoBalancesStore
from projections.balances.store import generations as balances_generations
from projections.generations.views import Generational, GenerationGoneError, Reach, Views
from projections.history.reading import Page, read_page
from projections.history.store import DynamoHistoryStore, HistoryStore
from projections.history.store import generations as history_generations
from projections.query.answers import AccountAnswer, HistoryAnswer
from projections.query.requests import InvalidQueryError, account_query, history_query
from projections.query.views import account_view, history_view

Handler = Callable[[dict[str, Any], object], Response]
_Answer = AccountAnswer | HistoryAnswer | Reason

_RETRY_AFTER_SECONDS: Final = 1  # projections follow within a second or two
_response = partial(response, retry_after_seconds=_RETRY_AFTER_SECONDS)


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    balances_table: str
    history_table: str


def make_handler(
    *,
    balances: Generational[BalancesStore],
    history: Generational[HistoryStore],
    telemetry: Telemetry,
) -> Handler:
    """A handler of proxy requests of an API Gateway REST API, which only reads."""
    routes: Mapping[str, Callable[[Mapping[str, Any]], _Answer]] = {
        "/accounts/{id}": lambda event: _account(balances, event),
        "/accounts/{id}/history": lambda event: _history(history, event),
    }

    def handler(event: dict[str, Any], context: object) -> Response:
        with telemetry.invocation(context) as line:
            route = event["resource"]
            line.note("route", route)
            try:
                answer = routes[route](event)
            except InvalidQueryError as refusal:
                return _refused(line, reasons.INVALID_QUERY, refusal.field)
            except StoreError as error:
                line.note("store_error", error.code)
                return _refused(line, reasons.STORE_UNAVAILABLE)
            if isinstance(answer, Reason):
                return _refused(line, answer)
            line.note("status", int(HTTPStatus.OK))
            return _response(HTTPStatus.OK, "application/json", answer)

    return handler


def _account(
    stores: Generational[BalancesStore], event: Mapping[str, Any]
) -> AccountAnswer | Reason:
    query = account_query(event)
    account = stores.read(lambda store: store.account(query.account), _account_reach).value
    reached = account.totals.version if account else 0
    if reached < query.min_version:
        return reasons.NOT_YET_PROJECTED
    return account_view(account) if account else reasons.ACCOUNT_UNKNOWN


def _account_reach(account: Account | None) -> Reach:
    if account is None:
        return (0, 0)
    return (account.totals.version, account.profile.profile_version if account.profile else 0)


def _history(
    stores: Generational[HistoryStore], event: Mapping[str, Any]
) -> HistoryAnswer | Reason:
    query = history_query(event)
    try:
        read = stores.read(
            lambda store: read_page(store, query.account, below=query.below, limit=query.limit),
            _page_reach,
            query.generation,
        )
    except GenerationGoneError:
        raise InvalidQueryError("cursor") from None
    page = read.value
    # Not the newest version: that one may have arrived before others below it.
    reached = page.completeness.complete_to if page else 0
    if reached < query.min_version:
        return reasons.NOT_YET_PROJECTED
    if page is None:
        return reasons.ACCOUNT_UNKNOWN
    return history_view(query.account, page, read.generation)


def _page_reach(page: Page | None) -> Reach:
    return (0, 0) if page is None else (page.newest, page.completeness.complete_to)


def _refused(line: Line, reason: Reason, field: str = "") -> Response:
    line.note("status", int(reason.status))
    line.note("reason", reason.code)
    if reason is reasons.STORE_UNAVAILABLE:
        line.warn()
    return _response(reason.status, problems.CONTENT_TYPE, problems.problem(reason, field=field))


def _build() -> Handler:
    settings = read_settings(Settings)
    client = dynamodb_client(attempts=2)
    balances, history = settings.balances_table, settings.history_table
    return make_handler(
        balances=Generational(
            Views(balances_generations(client, balances).pointer),
            partial(DynamoBalancesStore, client, balances),
        ),
        history=Generational(
            Views(history_generations(client, history).pointer),
            partial(
                DynamoHistoryStore, client, history, random=SystemRandom().random, sleep=time.sleep
            ),
        ),
        telemetry=powertools_telemetry(),
    )


handler = on_first_call(_build)
