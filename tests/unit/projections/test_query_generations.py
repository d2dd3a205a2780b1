"""The query API while a replay swaps generations: which one answers, and which page goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from ledger.runtime.telemetry import Telemetry
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.generations import pointer as phases
from projections.generations.memory import MemoryGenerations
from projections.generations.views import VIEW_SECONDS, Generational, Views
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project as project_history
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.project import project as project_payments
from projections.query.handler import make_handler
from tests.properties.projection_streams import Book

VIEW_MICROSECONDS = round(VIEW_SECONDS * 1_000_000)
OLD, NEW = 1, 2


@dataclass
class Answer:
    """Status and body."""

    status: int
    body: dict[str, Any]


class Api:
    """The handler over two generations: in the old one, every text and balance is wrong."""

    def __init__(self) -> None:
        self.now = 0
        self.book = Book()
        self.book.open("a", lowest=None)
        self.book.open("b")
        for name in ("c:1:x", "c:1:y", "c:1:z"):
            self.book.open(name)
        for number in range(5):
            self.book.pay(("a", "b", 1), reference=f"right-{number}")
        self.balances = MemoryGenerations(MemoryBalancesStore)
        self.history = MemoryGenerations(MemoryHistoryStore)
        self.payments = MemoryGenerations(MemoryPaymentsStore)
        project_payments(self.payments.store_of(NEW), self.book.events)
        for payment in self.payments.store_of(NEW).payments():
            assert payment.origin
            origin = msgspec.structs.replace(payment.origin, reference="wrong")
            self.payments.store_of(OLD).write(msgspec.structs.replace(payment, origin=origin))
        project_balances(self.balances.store_of(NEW), self.book.events)
        project_history(self.history.store_of(NEW), self.book.events)
        for account in self.balances.store_of(NEW).accounts():
            wrong = msgspec.structs.replace(account.totals, credits_posted_minor=999)
            self.balances.store_of(OLD).write(wrong)
        self.history.store_of(OLD).write(
            [
                msgspec.structs.replace(row, reference="wrong")
                for row in self.history.store_of(NEW).rows()
            ]
        )
        clock = lambda: self.now  # noqa: E731 - read at every call
        self.handler = make_handler(
            balances=Generational(
                Views(self.balances.pointer, clock=clock), self.balances.store_of
            ),
            history=Generational(Views(self.history.pointer, clock=clock), self.history.store_of),
            payments=Generational(
                Views(self.payments.pointer, clock=clock), self.payments.store_of
            ),
            telemetry=Telemetry(lambda _: None),
        )

    def enter(self, phase: Any) -> None:
        """All pointers move, and every view of them is old."""
        for generations in (self.balances, self.history, self.payments):
            known = generations.pointer()
            assert generations.replace(known, phase(known, "t"))
        self.now += VIEW_MICROSECONDS

    def get(self, *, history: bool = False, **query: str) -> Answer:
        """What the API answers about account b."""
        return self.ask("/accounts/{id}/history" if history else "/accounts/{id}", query)

    def ask(self, resource: str, query: dict[str, str]) -> Answer:
        """What the API answers."""
        answer = self.handler(
            {
                "resource": resource,
                "pathParameters": {"id": "b"},
                "queryStringParameters": query or None,
                "multiValueQueryStringParameters": None,
            },
            None,
        )
        return Answer(answer["statusCode"], json.loads(answer["body"]))


def texts(answer: Answer) -> set[str]:
    """What the payments of a page say."""
    assert answer.status == 200
    return {entry.get("reference", "")[:5] for entry in answer.body["entries"]}


@pytest.fixture
def api() -> Api:
    """Nothing is replayed yet."""
    return Api()


def test_each_phase_answers_from_one_generation(api: Api) -> None:
    """The old one until the new one has everything, then the new one for good."""
    seen = [(api.get().body["credits_posted_minor"], texts(api.get(history=True, limit="3")))]
    for phase in (phases.begun, phases.swapping, phases.swapped, phases.swept):
        api.enter(phase)
        seen.append(
            (api.get().body["credits_posted_minor"], texts(api.get(history=True, limit="3")))
        )
    assert seen == [
        (999, {"wrong"}),
        (999, {"wrong"}),
        (5, {"right"}),
        (5, {"right"}),
        (5, {"right"}),
    ]


def test_pages_go_on_in_the_generation_that_they_began_in(api: Api) -> None:
    """Also while new sequences begin in the other one: no sequence has pages of both."""
    api.enter(phases.begun)
    first = api.get(history=True, limit="2")
    api.enter(phases.swapping)
    second = api.get(history=True, limit="2", cursor=first.body["next_cursor"])
    assert (texts(first), texts(second)) == ({"wrong"}, {"wrong"})
    assert [entry["version"] for entry in second.body["entries"]] == [4, 3]
    fresh = api.get(history=True, limit="2")
    api.enter(phases.swapped)
    assert texts(fresh) == {"right"}
    assert texts(api.get(history=True, limit="2", cursor=fresh.body["next_cursor"])) == {"right"}


def test_pages_of_a_retired_generation_are_refused_by_their_cursor(api: Api) -> None:
    """Rather than continued with rows of another one: the reader begins again."""
    first = api.get(history=True, limit="2")
    for phase in (phases.begun, phases.swapping, phases.swapped):
        api.enter(phase)
    gone = api.get(history=True, limit="2", cursor=first.body["next_cursor"])
    assert (gone.status, gone.body["reason"], gone.body["field"]) == (
        400,
        "invalid_query",
        "cursor",
    )
    again = api.get(history=True, limit="2")
    assert texts(again) == {"right"}


UNDER, POSTED = {"under": "c:1", "limit": "1"}, {"status": "posted", "limit": "1"}


def test_lists_are_of_one_generation_each(api: Api) -> None:
    """Of accounts and of payments: which one answers, which one a cursor goes on in, and that it is
    refused once that is gone."""

    def shown() -> tuple[Answer, Answer]:
        return api.ask("/accounts", UNDER), api.ask("/payments", POSTED)

    seen = []
    old = shown()
    for phase in (phases.begun, phases.swapping, phases.swapped):
        accounts, payments = shown()
        seen.append((sums_of(accounts), payments.body["payments"][0]["reference"][:5]))
        api.enter(phase)
        followed = followed_by(api, old)
        if phase is not phases.swapped:
            assert followed[0].body["accounts"][0]["credits_posted_minor"] == 999
            assert followed[1].body["payments"][0]["reference"] == "wrong"
        else:
            assert {(one.status, one.body["field"]) for one in followed} == {(400, "cursor")}
    accounts, payments = shown()
    seen.append((sums_of(accounts), payments.body["payments"][0]["reference"][:5]))
    assert seen == [(2997, "wrong"), (2997, "wrong"), (0, "right"), (0, "right")]


def sums_of(answer: Answer) -> int:
    """What the accounts of an answer come to."""
    (only,) = answer.body["sums"]["by_currency_and_type"]
    credits_minor: int = only["credits_posted_minor"]
    return credits_minor


def followed_by(api: Api, answers: tuple[Answer, Answer]) -> tuple[Answer, Answer]:
    """The pages behind these."""
    accounts, payments = (answer.body["next_cursor"] for answer in answers)
    return (
        api.ask("/accounts", UNDER | {"cursor": accounts}),
        api.ask("/payments", POSTED | {"cursor": payments}),
    )


def test_a_new_generation_that_is_behind_is_not_answered_from(api: Api) -> None:
    """While swapping: 503, safe to repeat, until an event on its way is in both."""
    api.enter(phases.begun)
    api.enter(phases.swapping)
    payment = api.book.pay(("a", "b", 1), reference="right-6")
    project_balances(api.balances.store_of(OLD), [payment])
    project_history(api.history.store_of(OLD), [payment])
    for history in (False, True):
        answer = api.get(history=history)
        assert (answer.status, answer.body["reason"]) == (503, "store_unavailable")
    project_balances(api.balances.store_of(NEW), [payment])
    project_history(api.history.store_of(NEW), [payment])
    assert api.get(min_version="7").body["version"] == 7
    assert api.get(history=True, min_version="7").body["complete_to"] == 7


def test_the_pointers_are_read_once_in_a_while(api: Api) -> None:
    """However many requests there are: one small read for each table every five seconds."""
    for _ in range(3):
        before = api.balances.reads, api.history.reads
        for _ in range(20):
            api.get()
            api.get(history=True)
        assert (api.balances.reads, api.history.reads) == (before[0] + 1, before[1] + 1)
        api.now += VIEW_MICROSECONDS
