"""The routes of questions to the event store itself: never behind an answer to a command."""

from __future__ import annotations

from typing import Final, Literal

from ledger.application import queries
from ledger.application.ports import Clock, EventStore
from ledger.contracts import reasons
from ledger.contracts.events import TemplateDefined
from ledger.contracts.primitives import MAIN_BOOK, instant_of_microseconds
from ledger.entrypoints.api import reading
from ledger.entrypoints.api.answers import accounts, others, payments
from ledger.entrypoints.api.answers.base import Answer, ok
from ledger.entrypoints.api.answers.decided import Health
from ledger.entrypoints.api.answers.problems import refusal_answer
from ledger.entrypoints.api.request import Request

#: No client can choose it (`~` is not of the alphabet of ids), so the read finds nothing, ever.
HEALTH_PROBE_ID: Final = "~health"


def payment(store: EventStore, request: Request) -> Answer:
    """A payment and what became of it."""
    life = queries.payment(store, _only_id(request))
    if life is None:
        return refusal_answer(reasons.PAYMENT_NOT_FOUND, "id")
    body = payments.payment_now(life)
    return ok(body, body.status)


def screening(store: EventStore, request: Request) -> Answer:
    """The fraud verdicts on a payment."""
    asked = _only_id(request)
    if queries.payment(store, asked) is None:
        return refusal_answer(reasons.PAYMENT_NOT_FOUND, "id")
    return ok(payments.screenings_now(asked, queries.screenings(store, asked)), "screenings")


def alerts(store: EventStore, request: Request) -> Answer:
    """The alerts of an account."""
    state = queries.account(store, _only_id(request))
    if state is None:
        return refusal_answer(reasons.ACCOUNT_UNKNOWN, "id")
    return ok(accounts.alerts_now(state), "alerts")


def limits(store: EventStore, clock: Clock, request: Request) -> Answer:
    """The constraints of an account, and what is used of its velocity limits now."""
    state = queries.account(store, _only_id(request))
    if state is None:
        return refusal_answer(reasons.ACCOUNT_UNKNOWN, "id")
    return ok(accounts.limits_now(state, instant_of_microseconds(clock())), "limits")


def metadata(store: EventStore, subject: Literal["account", "payment"], request: Request) -> Answer:
    """The metadata of an account or a payment."""
    asked = _only_id(request)
    found = queries.metadata(store, subject, asked)
    if found is None:
        unknown = {"account": reasons.ACCOUNT_UNKNOWN, "payment": reasons.PAYMENT_NOT_FOUND}
        return refusal_answer(unknown[subject], "id")
    return ok(others.metadata_now(subject, asked, found), "metadata")


def template(store: EventStore, request: Request) -> Answer:
    """A template, in its newest version or the one asked for."""
    version = reading.version_asked(request.event)
    found = queries.template(store, reading.id_in_path(request.event), version)
    if found is None:
        return refusal_answer(reasons.TEMPLATE_NOT_FOUND, "id")
    if not isinstance(found, TemplateDefined):
        made = queries.decided(store, found.last_event)
        assert isinstance(made, TemplateDefined)  # as the state says
        found = made
    return ok(others.template_now(found), "template")


def book(store: EventStore, request: Request) -> Answer:
    """A book, and through which day it is closed."""
    name = _only_id(request)
    state = queries.book(store, name)
    if state is None and name != MAIN_BOOK:
        return refusal_answer(reasons.BOOK_NOT_FOUND, "id")
    return ok(others.book_now(name, state), "book")


def health(store: EventStore, request: Request) -> Answer:
    """Whether the event store answers this function, by one consistent read of no item."""
    queries.decided(store, HEALTH_PROBE_ID)
    version = getattr(request.context, "function_version", "unknown")
    body = Health(status="ok", version=version, checks={"event_store": "ok"})
    return ok(body, body.status)


def _only_id(request: Request) -> str:
    """The id in the path of a request that takes no other parameter."""
    reading.refuse_query_parameters(request.event)
    return reading.id_in_path(request.event)
