"""Answers to questions: current where they must be, never going back, and of what was."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.application import queries
from ledger.contracts.events import decode_event
from ledger.entrypoints.api.answers import accounts, others, payments
from projections.balances.apply import Account, coalesce
from projections.history.apply import rows_of
from projections.history.completeness import Completeness
from projections.history.reading import Page
from projections.payments.apply import coalesce as payments_of
from projections.query.payment_views import payment_view
from projections.query.views import account_view, history_view
from simulation.asks import Ask, HttpAnswer
from tests.support.builders import (
    alerting,
    capturing,
    closing_book,
    defining,
    describing,
    holding,
    limiting,
    opening,
    paying,
    screening,
)
from tests.unit.simulation.auditor.witness import Story


def bank() -> Story:
    """Accounts and payments of some history."""
    story = Story()
    story.does(
        opening("bank", min_balance_minor=None),
        opening("a", account_type="liability"),
        paying("first", ("bank", "a", 100)),
        alerting("a", ("below", 10)),
        limiting("a", max_balance_minor=5_000),
        describing("account", "a", vip="yes"),
        holding("hold", ("a", "bank", 30)),
        capturing("hold", 10, id="c"),
        closing_book("2026-11-01"),
        defining("sale", {"amount": "amount"}, ("bank", "a", "EUR", {"of": "amount"})),
        paying("too-much", ("a", "bank", 900)),
    )
    story.decides(screening("first"))
    return story


def plain(body: object) -> dict[str, Any]:
    """A body as it is sent."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return decoded


def events(story: Story, most: int = 100) -> list[Any]:
    """What was recorded, up to so many."""
    return [decode_event(one.data) for one in story.store.events()][:most]


def account_now(story: Story, most: int = 100) -> dict[str, Any]:
    """How the projection shows `a` when it has so many events."""
    writes = coalesce(events(story, most))
    account = Account(writes.totals["a"], writes.profiles.get("a"))
    return plain(account_view(account, writes.metadata.get("a")))


def history_now(story: Story, *, left_out: int = 0, below: int = 99) -> dict[str, Any]:
    """How the projection shows the history of `a`, without one version."""
    rows = [row for event in events(story) for row in rows_of(event) if row.account == "a"]
    newest = rows[-1].version
    shown = tuple(row for row in reversed(rows) if row.version != left_out and row.version < below)
    page = Page(shown, False, newest, Completeness(newest, exact=True))
    return plain(history_view("a", page, 1))


def asks(story: Story, path: str, **query: str) -> Ask:
    """A question leaves."""
    return story.ask(route="query", path=path, query=query)


def told(story: Story, ask: Ask, body: object, status: int = 200) -> set[str]:
    """What is found when this is answered."""
    story.now += 1_000
    story.auditor.read(ask, HttpAnswer(status, {}, msgspec.json.encode(body)))
    return story.broken


@pytest.mark.parametrize(
    ("path", "query", "broken"),
    [
        ("/accounts/a", {"min_version": "1"}, {"questions_are_taken"}),
        ("/accounts/a/history", {"limit": "100"}, {"questions_are_taken"}),
        (
            "/payments",
            {"status": "rejected", "from": "2026", "to": "2027"},
            {"questions_are_taken"},
        ),
        ("/accounts", {"under": "shops:EUR"}, {"questions_are_taken"}),
        ("/accounts/a", {"min_version": "0"}, set()),
        ("/accounts/a/history", {"limit": "101"}, set()),
        ("/accounts/a/history", {"cursor": "gone"}, set()),
        ("/payments", {"status": "lost"}, set()),
        ("/payments", {"status": "held", "from": "2027", "to": "2026"}, set()),
        ("/accounts", {"under": "shops"}, set()),
    ],
)
def test_only_what_is_no_question_may_be_refused_as_such(
    path: str, query: dict[str, str], broken: set[str]
) -> None:
    """By its parameters; where a cursor leads to may be gone."""
    story = bank()
    assert told(story, asks(story, path, **query), {"reason": "invalid_query"}, 400) == broken


def test_true_answers_break_no_promise() -> None:
    """Of the event store and of the projections, wherever these are."""
    story = bank()
    store = story.store
    life = queries.payment(store, "hold")
    refused = queries.payment(store, "too-much")
    state = queries.account(store, "a")
    found = queries.metadata(store, "account", "a")
    book = queries.book(store, "main")
    assert life
    assert refused
    assert state
    assert found
    made = decode_event(story.record("define:sale"))
    verdicts = payments.screenings_now("first", queries.screenings(store, "first"))
    now = "2026-11-21T12:00:00.000000Z"
    for path, body in {
        "/payments/hold": payments.payment_now(life),
        "/payments/too-much": payments.payment_now(refused),
        "/payments/first/screening": verdicts,
        "/accounts/a/limits": accounts.limits_now(state, now),
        "/accounts/a/alerts": accounts.alerts_now(state),
        "/accounts/a/metadata": others.metadata_now("account", "a", found),
        "/templates/sale": others.template_now(made),  # type: ignore[arg-type]
        "/books/main": others.book_now("main", book),
        "/accounts/a": account_now(story),
        "/accounts/a/history": history_now(story),
        "/health": {"status": "ok"},
    }.items():
        assert told(story, asks(story, path), body) == set(), path
    for path in ("/payments/nothing", "/accounts/z", "/accounts/z/history", "/books/z"):
        assert told(story, asks(story, path), {"reason": "account_unknown"}, 404) == set()
    listed = payments_of(events(story))["hold"]
    assert listed.origin
    assert listed.progress
    shown = payment_view(listed, listed.origin, listed.progress)
    page = {"payments": [shown], "status": "partially_captured"}
    assert told(story, asks(story, "/payments", status="partially_captured"), page) == set()
    assert told(story, asks(story, "/accounts", under="a:b"), {"accounts": []}) == set()
    assert told(story, asks(story, "/accounts/a", min_version="99"), {}, 503) == set()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/payments/hold", None),
        ("/payments/too-much", None),
        ("/accounts/a/limits", None),
        ("/accounts/a/alerts", {"version": 1}),
        ("/accounts/a/metadata", None),
        ("/accounts/a/metadata", {"version": 0, "metadata": {}}),
        ("/templates/sale", None),
        ("/books/main", {"version": 0}),
        ("/books/main", None),
        ("/payments/hold/screening", None),
        ("/payments/first/screening", {"screenings": []}),
    ],
)
def test_an_old_answer_of_the_event_store_is_found(path: str, body: Any) -> None:
    """It was committed before it was asked for."""
    story = bank()
    ask = asks(story, path)
    assert told(story, ask, body or {}, 200 if body else 404) == {"reads_are_current"}


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/payments/hold", {"status": "held"}),
        ("/payments/hold", {"held_minor": [1]}),
        ("/payments/hold", {"metadata": {"x": "y"}}),
        ("/accounts/a/limits", {"max_balance_minor": None}),
        ("/accounts/a/alerts", {"alerts": []}),
        ("/accounts/a/metadata", {"metadata": {}}),
        ("/templates/sale", {"postings": []}),
        ("/templates/sale", {"event": "x"}),
        ("/books/main", {"closed_through": None}),
        ("/payments/first/screening", {"screenings": [{"id": "x", "verdict": "clear"}]}),
        ("/accounts/a", {"balance_minor": 0}),
        ("/accounts/a", {"available_minor": 0}),
        ("/accounts/a", {"event": "x"}),
        ("/accounts/a", {"version": 77}),
        ("/accounts/a", {"profile_version": 77}),
        ("/accounts/a", {"limits": {}}),
        ("/accounts/a", {"metadata": {}}),
    ],
)
def test_figures_that_never_were_are_found(path: str, changed: dict[str, Any]) -> None:
    """At the version that the answer names."""
    story = bank()
    store = story.store
    life = queries.payment(store, "hold")
    state = queries.account(store, "a")
    found = queries.metadata(store, "account", "a")
    assert life
    assert state
    assert found
    made = decode_event(story.record("define:sale"))
    true = {
        "/payments/hold": payments.payment_now(life),
        "/payments/first/screening": payments.screenings_now("first", ()),
        "/accounts/a/limits": accounts.limits_now(state, state.recorded_at),
        "/accounts/a/alerts": accounts.alerts_now(state),
        "/accounts/a/metadata": others.metadata_now("account", "a", found),
        "/templates/sale": others.template_now(made),  # type: ignore[arg-type]
        "/books/main": others.book_now("main", queries.book(store, "main")),
        "/accounts/a": account_now(story),
    }[path]
    body = plain(true) | changed
    assert "answers_are_the_fold" in told(story, asks(story, path), body)


def test_an_entry_that_never_was_is_found() -> None:
    """In a history."""
    story = bank()
    body = history_now(story)
    body["entries"][0]["credited_minor"] = 5
    assert told(story, asks(story, "/accounts/a/history"), body) == {"answers_are_the_fold"}


def test_a_payment_in_the_wrong_list_is_found() -> None:
    """It has another status."""
    story = bank()
    listed = payments_of(events(story))["hold"]
    assert listed.origin
    assert listed.progress
    body = {"payments": [payment_view(listed, listed.origin, listed.progress)], "status": "held"}
    assert told(story, asks(story, "/payments", status="held"), body) == {"answers_are_the_fold"}


def test_a_version_below_the_one_asked_for_is_found() -> None:
    """Of an account and of its history; also that there is no such account."""
    for path, body in (
        ("/accounts/a", account_now(bank(), 3)),
        ("/accounts/a/history", history_now(bank()) | {"complete_to": 2}),
    ):
        story = bank()
        assert told(story, asks(story, path, min_version="3"), body) == {"min_version_is_kept"}
    story = bank()
    ask = asks(story, "/accounts/a", min_version="1")
    assert told(story, ask, {"reason": "account_unknown"}, 404) == {"min_version_is_kept"}


def test_a_version_that_goes_back_is_found() -> None:
    """To whoever asked after the newer one was answered; whoever asked before may see the older."""
    story = bank()
    early = asks(story, "/accounts/a")
    late = asks(story, "/accounts/a")
    assert told(story, late, account_now(story)) == set()
    assert told(story, early, account_now(story, 3)) == set()
    after = asks(story, "/accounts/a")
    assert told(story, after, account_now(story, 3)) == {"versions_never_go_back"}


def test_a_history_that_goes_back_is_found() -> None:
    """Likewise; and an account that is there no more."""
    story = bank()
    told(story, asks(story, "/accounts/a/history"), history_now(story))
    ask = asks(story, "/accounts/a/history")
    assert told(story, ask, {"reason": "account_unknown"}, 404) == {"versions_never_go_back"}


def test_a_page_that_lacks_a_version_is_found() -> None:
    """One that is said to be there. Beyond that some may be on their way."""
    story = bank()
    body = history_now(story, left_out=3)
    ask = asks(story, "/accounts/a/history")
    assert told(story, ask, body | {"complete_to": 2}) == set()
    assert told(story, ask, body) == {"pages_are_complete"}


def test_pages_follow_each_other() -> None:
    """The next goes on where the one before ended."""
    story = bank()
    whole = history_now(story)
    first = whole | {"entries": whole["entries"][:2], "next_cursor": "abc"}
    rest = whole | {"entries": whole["entries"][2:]}
    ask = asks(story, "/accounts/a/history", limit="2")
    assert told(story, ask, first) == set()
    onward = asks(story, "/accounts/a/history", cursor="abc")
    assert told(story, onward, rest) == set()
    late = rest | {"entries": rest["entries"][1:]}
    assert told(story, onward, late) == {"pages_are_complete"}
    other = bank()
    ask = asks(other, "/accounts/a/history", limit="1")
    assert told(other, ask, first) == {"pages_are_complete"}
