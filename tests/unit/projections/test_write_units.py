"""What a payment costs each consumer of events, in write units, counted: docs/projections.md has
these figures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from msgspec import structs

from consumers.fraud.batch import Screener
from consumers.fraud.rules import RulesScorer
from consumers.fraud.store import REVIEWS_INDEX, DynamoFraudStore
from ledger.contracts.events import AccountEvent, Event
from projections.balances.project import project as project_balances
from projections.balances.store import DynamoBalancesStore
from projections.history.project import project as project_history
from projections.history.store import DynamoHistoryStore
from projections.payments.project import project as project_payments
from projections.payments.store import DynamoPaymentsStore
from tests.properties.projection_books import Book
from tests.support.metering import MeteredDynamo
from tests.unit.projections.fakes import create_table, create_tables

PAGE = Path(__file__).parents[3] / "docs" / "projections.md"
INDEXES = {"balances": ("root", "account"), "payments": ("listed", "created")}

#: Of a batch of so many payments, what each costs: in all, over the number of payments.
BATCHES = {
    "one payment": 1,
    "49 from one payer": 49,
    "98 between two accounts": 98,
}
UNITS: dict[str, dict[str, float]] = {
    "one payment": {
        "balances": 2,
        "history": 2,
        "payments": 1,
        "payments index": 1,
        "fraud": 2,
    },
    "49 from one payer": {
        "balances": 50 / 49,
        "history": 2,
        "payments": (49 + 4) / 49,
        "payments index": 1 / 49,
        "fraud": 50 / 49,
    },
    "98 between two accounts": {
        "balances": 2 / 98,
        "history": 2 + 2 * 1 / 98,  # a checkpoint of each account
        "payments": (98 + 7) / 98,
        "payments index": 1 / 98,
        "fraud": 2 / 98,
    },
}


def payments(batch: str) -> list[Event]:
    """The openings that the batch rests on, and the payments of it, with ids of 36 characters."""
    book = Book()
    payer = "p" * 36
    payees = [f"{number:036}" for number in range(49 if "payer" in batch else 1)]
    for name in (payer, *payees):
        book.open(name, "liability")
    paid = [
        structs.replace(book.pay((payer, payees[number % len(payees)], 100)), id=f"{number:036}")
        for number in range(BATCHES[batch])
    ]
    return [*book.events[: 1 + len(payees)], *paid]


@pytest.mark.parametrize("batch", BATCHES)
def test_a_payment_costs_what_the_page_says(batch: str) -> None:
    """Each consumer's own, as DynamoDB counts; the openings are there already."""
    count = BATCHES[batch]
    events = payments(batch)
    openings, paid = events[:-count], events[-count:]
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        create_table(client, "fraud", [("pk", "S")], {REVIEWS_INDEX: ("listed", "recorded_at")})
        _project(client, openings)
        metered = MeteredDynamo(client, INDEXES)
        _project(metered, paid)
    found = Counter({name: units for name, units in metered.units.items() if units})
    assert {name: units / count for name, units in found.items()} == pytest.approx(UNITS[batch])


def _project(client: Any, events: list[Event]) -> None:
    history = DynamoHistoryStore(client, "history", random=lambda: 0.5, sleep=lambda _: None)
    assert project_balances(DynamoBalancesStore(client, "balances"), events).failed == {}
    assert project_history(history, events).failed == {}
    assert project_payments(DynamoPaymentsStore(client, "payments"), events).failed == {}
    screener = Screener(
        DynamoFraudStore(client, "fraud"),
        RulesScorer(),
        lambda _: {},
        random=lambda: 0.5,
        pause=lambda _: None,
    )
    placed = [(place, one) for place, one in enumerate(events) if isinstance(one, AccountEvent)]
    assert screener.screen(placed)[0] == {}


def test_the_page_has_these_figures() -> None:
    """A row for each consumer, a column for each batch."""
    rows = {
        cells[0]: [float(cell) for cell in cells[1:]]
        for line in PAGE.read_text().splitlines()
        if (cells := [cell.strip() for cell in line.strip("| ").split("|")])
        and len(cells) == len(BATCHES) + 1
        and all(re.fullmatch(r"[0-9.]+", cell) for cell in cells[1:])
    }
    assert rows == {
        name: [round(UNITS[batch][name], 2) for batch in BATCHES] for name in UNITS["one payment"]
    }
