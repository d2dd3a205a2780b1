"""`GET /payments/{id}/screening`: what the ledger recorded of the scorer's verdicts."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.adapters.dynamodb.event_store import Meter
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands
from ledger.application.ports import TransientStoreError
from ledger.application.state_cache import StateCache
from ledger.contracts.fraud import SCREENING_MODELS
from ledger.domain.chain import StoredEvent
from ledger.entrypoints.api.routes import make_handler
from ledger.runtime.telemetry import Telemetry
from tests.support.builders import opening, paying, screening
from tests.support.grouping import group_on

LONG = "p" * 64


@pytest.fixture
def store() -> MemoryEventStore:
    """A ledger with two payments, the one with the longest id screened, and one refused."""
    store = MemoryEventStore()
    commands = Commands(
        store, clock=lambda: 1_800_000_000_000_000, pause=lambda _: None, chance=lambda: 0.0
    )
    for command in (
        opening("ann", min_balance_minor=None),
        opening("bob"),
        paying(LONG, ("ann", "bob", 5)),
        paying("later", ("ann", "bob", 5)),
        paying("refused", ("bob", "ann", 500)),
        screening(LONG, model=SCREENING_MODELS[0], score_permille=700),
        screening(LONG, model="unknown-1"),
    ):
        commands.handle(command, "tests")
    return store


def ask(store: MemoryEventStore, payment: str, **event: Any) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer."""
    handler = make_handler(
        commands=SimpleNamespace(),  # type: ignore[arg-type]
        group=group_on(store),
        cache=StateCache(0),
        store=store,
        clock=lambda: 0,
        meter=Meter(),
        telemetry=Telemetry(lambda _: None),
    )
    answer = handler(
        {
            "httpMethod": "GET",
            "resource": "/payments/{id}/screening",
            "pathParameters": {"id": payment},
        }
        | event,
        None,
    )
    return answer["statusCode"], json.loads(answer["body"])


def test_the_recorded_verdict_is_answered_with_its_reasons(store: MemoryEventStore) -> None:
    """Those of the models that are looked up, by the ids that the commands had."""
    status, body = ask(store, LONG)
    assert status == 200
    [found] = body["screenings"]
    assert body["payment"] == LONG
    assert (found["model"], found["verdict"]) == (SCREENING_MODELS[0], "review")
    assert found["score_permille"] == 700
    assert found["reasons"] == [
        {"code": "new_counterparty", "value": 1, "norm": None, "unit": "accounts"}
    ]


@pytest.mark.parametrize("payment", ["later", "refused"])
def test_a_payment_without_a_verdict_has_none(store: MemoryEventStore, payment: str) -> None:
    """Not screened yet, or refused and never to be screened: an empty list, not an error."""
    assert ask(store, payment) == (200, {"payment": payment, "screenings": []})


def test_an_unknown_payment_is_not_found(store: MemoryEventStore) -> None:
    """Neither an id of nothing nor that of an account's opening is a payment."""
    for payment in ("nothing", "open:ann"):
        status, body = ask(store, payment)
        assert (status, body["reason"]) == (404, "payment_not_found")


def test_what_is_unknown_or_ill_formed_is_refused(store: MemoryEventStore) -> None:
    """No query parameter is taken, and the id has an id's form."""
    status, body = ask(store, LONG, queryStringParameters={"model": "rules-1"})
    assert (status, body["reason"], body["field"]) == (400, "invalid_query", "model")
    assert ask(store, "Zoë")[0] == 400


def test_an_outage_is_said_to_be_one() -> None:
    """A store that does not answer leaves the question open."""

    class Out(MemoryEventStore):
        def event(self, event_id: str) -> StoredEvent | None:
            raise TransientStoreError(event_id)

    status, body = ask(Out(), LONG)
    assert (status, body["reason"]) == (503, "store_unavailable")
