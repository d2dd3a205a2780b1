"""The Lambda function behind every question that the projections answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

from ledger.contracts import problems, reasons
from ledger.contracts.reasons import Reason
from ledger.runtime.faults import StoreError
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.rest import Response, response
from ledger.runtime.settings import read_settings
from ledger.runtime.telemetry import Line, Telemetry
from projections.balances.apply import Account, Metadata
from projections.balances.apply import reach as account_reach
from projections.balances.rollup import Page as AccountsPage
from projections.balances.rollup import RollUp, page_under, roll_up
from projections.balances.store import BalancesStore, DynamoBalancesStore
from projections.balances.store import generations as balances_generations
from projections.generations.views import Generational, GenerationGoneError, Reach, Read, Views
from projections.history.reading import Page, read_page
from projections.history.store import DynamoHistoryStore, HistoryStore
from projections.history.store import generations as history_generations
from projections.lanes import lane_of
from projections.payments.reading import read_page as read_payments
from projections.payments.store import DynamoPaymentsStore, PaymentsStore
from projections.payments.store import generations as payments_generations
from projections.query.answers import (
    AccountAnswer,
    AccountsAnswer,
    HistoryAnswer,
    PaymentsAnswer,
)
from projections.query.payment_views import payments_view
from projections.query.requests import (
    AccountsQuery,
    InvalidQueryError,
    account_query,
    accounts_query,
    history_query,
    payments_query,
)
from projections.query.views import account_view, accounts_view, history_view

Handler = Callable[[dict[str, Any], object], Response]
_Answer = AccountAnswer | AccountsAnswer | HistoryAnswer | PaymentsAnswer | Reason
_S = TypeVar("_S")
_T = TypeVar("_T")
_Found = tuple[Account | None, Metadata | None]
_Listed = tuple[RollUp | None, AccountsPage | None]

_RETRY_AFTER_SECONDS: Final = 1  # projections follow within a second or two
_response = partial(response, retry_after_seconds=_RETRY_AFTER_SECONDS)


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    balances_table: str
    history_table: str
    payments_table: str


def make_handler(
    *,
    balances: Generational[BalancesStore],
    history: Generational[HistoryStore],
    payments: Generational[PaymentsStore],
    telemetry: Telemetry,
) -> Handler:
    """A handler of proxy requests of an API Gateway REST API, which only reads."""
    routes: Mapping[str, Callable[[Mapping[str, Any]], _Answer]] = {
        "/accounts": lambda event: _accounts(balances, event),
        "/accounts/{id}": lambda event: _account(balances, event),
        "/accounts/{id}/history": lambda event: _history(history, event),
        "/payments": lambda event: _payments(payments, event),
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

    def found(store: BalancesStore) -> _Found:
        return store.account(query.account), store.metadata([query.account]).get(query.account)

    account, metadata = stores.read(found, lambda one: account_reach(*one)).value
    if account and query.stripe >= account.width:
        return reasons.ACCOUNT_UNKNOWN if not query.min_version else reasons.NOT_YET_PROJECTED
    if (account.version_of(query.stripe) if account else 0) < query.min_version:
        return reasons.NOT_YET_PROJECTED
    return account_view(account, metadata) if account else reasons.ACCOUNT_UNKNOWN


def _accounts(stores: Generational[BalancesStore], event: Mapping[str, Any]) -> AccountsAnswer:
    query = accounts_query(event)
    read = _listing(stores, partial(_under, query), query.generation)
    sums, page = read.value
    return accounts_view(query.path, sums, page, read.generation)


def _under(query: AccountsQuery, store: BalancesStore) -> _Listed:
    return (
        roll_up(store, query.path, query.above) if query.summing else None,
        page_under(store, query.path, query.above, limit=query.limit) if query.listing else None,
    )


def _history(
    stores: Generational[HistoryStore], event: Mapping[str, Any]
) -> HistoryAnswer | Reason:
    query = history_query(event)
    lane = lane_of(query.account, query.stripe)
    read = _of_generation(
        stores,
        lambda store: read_page(store, lane, below=query.below, limit=query.limit),
        _page_reach,
        query.generation,
    )
    page = read.value
    # Not the newest version: that one may have arrived before others below it.
    reached = page.completeness.complete_to if page else 0
    if reached < query.min_version:
        return reasons.NOT_YET_PROJECTED
    if page is None:
        return reasons.ACCOUNT_UNKNOWN
    return history_view(query.account, page, read.generation, query.stripe)


def _page_reach(page: Page | None) -> Reach:
    return (0, 0) if page is None else (page.newest, page.completeness.complete_to)


def _payments(stores: Generational[PaymentsStore], event: Mapping[str, Any]) -> PaymentsAnswer:
    query = payments_query(event)
    read = _listing(
        stores,
        lambda store: read_payments(store, query.status, query.low, query.high, limit=query.limit),
        query.generation,
    )
    return payments_view(query.status, read.value, query.scope, read.generation)


def _listing(
    stores: Generational[_S], read: Callable[[_S], _T], generation: int | None
) -> Read[_T]:
    """A page of a list. Its index follows a moment later: it has no version to be held to."""
    return _of_generation(stores, read, lambda _: (), generation)


def _of_generation(
    stores: Generational[_S],
    read: Callable[[_S], _T],
    reach: Callable[[_T], Reach],
    generation: int | None,
) -> Read[_T]:
    """A page, of the generation that a cursor names, if any. Raises InvalidQueryError once that is
    gone."""
    try:
        return stores.read(read, reach, generation)
    except GenerationGoneError:
        raise InvalidQueryError("cursor") from None


def _refused(line: Line, reason: Reason, field: str = "") -> Response:
    line.note("status", int(reason.status))
    line.note("reason", reason.code)
    if reason is reasons.STORE_UNAVAILABLE:
        line.warn()
    return _response(reason.status, problems.CONTENT_TYPE, problems.problem(reason, field=field))


def build(host: Host) -> Handler:
    """The function. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    client = host.dynamodb(attempts=2)
    balances, history = settings.balances_table, settings.history_table
    payments = settings.payments_table
    return make_handler(
        balances=Generational(
            Views(balances_generations(client, balances).pointer, clock=host.clock),
            partial(DynamoBalancesStore, client, balances),
        ),
        history=Generational(
            Views(history_generations(client, history).pointer, clock=host.clock),
            partial(DynamoHistoryStore, client, history, random=host.chance, sleep=host.pause),
        ),
        payments=Generational(
            Views(payments_generations(client, payments).pointer, clock=host.clock),
            partial(DynamoPaymentsStore, client, payments),
        ),
        telemetry=host.telemetry(),
    )


handler = on_first_call(build)
