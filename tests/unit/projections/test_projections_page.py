"""The figures in docs/projections.md are those that the code answers."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ledger.runtime.telemetry import Telemetry
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project
from projections.balances.rollup import ACCOUNTS_SUMMED_MAX
from projections.generations.memory import single
from projections.history.memory import MemoryHistoryStore
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.store import SHARDS
from projections.query.handler import make_handler
from projections.query.requests import LIMIT_MAX, STATUSES
from tests.properties.projection_streams import Book

PAGE = (Path(__file__).parents[3] / "docs" / "projections.md").read_text()


def test_the_example_is_what_is_answered() -> None:
    """A customer of two accounts who has paid in and holds some of it; another one beside her."""
    book = Book()
    book.open("bank", "asset", lowest=None)
    for name in ("customers:42:wallet", "customers:42:savings:eur", "customers:420:wallet"):
        book.open(name)
    book.pay(("bank", "customers:42:wallet", 10_000), ("bank", "customers:42:savings:eur", 700))
    book.hold(("customers:42:wallet", "bank", 3_200))
    store = MemoryBalancesStore()
    project(store, book.recorded)
    handler = make_handler(
        balances=single(store),
        history=single(MemoryHistoryStore()),
        payments=single(MemoryPaymentsStore()),
        telemetry=Telemetry(lambda _: None),
    )
    query = {"under": "customers:42"}
    answer = json.loads(
        handler({"resource": "/accounts", "queryStringParameters": query}, None)["body"]
    )
    answer["accounts"] = [account["id"] for account in answer["accounts"]]
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(shown) == answer


def test_the_bounds_on_the_page_are_those_of_the_code() -> None:
    """And every status is named."""
    assert f"up to {ACCOUNTS_SUMMED_MAX:,} accounts" in PAGE
    assert f"a page has up to {LIMIT_MAX}" in PAGE.replace("\n", " ")
    assert f"{SHARDS},000 new payments a second" in PAGE
    for status in STATUSES:
        assert f"`{status}`" in PAGE
