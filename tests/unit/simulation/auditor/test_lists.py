"""Lists, and sums of them: in order, of all that was there some minutes before, and no older."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from ledger.contracts.events import decode_event
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.balances.rollup import page_under, roll_up
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.project import project as project_payments
from projections.payments.reading import read_page
from projections.query.payment_views import payments_view
from projections.query.views import accounts_view
from simulation.asks import Ask, HttpAnswer
from tests.support.builders import capturing, holding, opening, paying, screening
from tests.unit.simulation.auditor.resting import record
from tests.unit.simulation.auditor.witness import SECOND, Change, Story

_LONG: Final = 300 * SECOND  # by then indexes have followed
_UNDER: Final = "shops:1"


def bank() -> Story:
    """A shop with three accounts, and some payments; nothing is projected."""
    story = Story()
    story.does(
        opening("bank", account_type="asset", min_balance_minor=None),
        opening("shops:1"),
        opening("shops:1:a"),
        opening("shops:1:b"),
        opening("shops:10:c"),
        paying("p1", ("bank", "shops:1:a", 5)),
        paying("p2", ("bank", "shops:1:b", 6)),
        paying("p3", ("bank", "shops:1", 7)),
        holding("h1", ("shops:1:a", "bank", 2)),
        holding("h2", ("shops:1:a", "bank", 1)),
        capturing("h1"),
        paying("too-much", ("shops:1", "bank", 900)),
    )
    return story


def project(story: Story, *left_out: str) -> None:
    """The projections are done with all events but these."""
    for event in list(story.store.events()):
        if event.id not in left_out:
            for queue in ("the-balances", "the-payments"):
                story.auditor.handed_over("All", [record(queue, event.data)], frozenset())


def settled(*left_out: str) -> Story:
    """All but these was projected minutes ago."""
    story = bank()
    project(story, *left_out)
    story.now += _LONG
    return story


def events(story: Story, *left_out: str) -> list[Any]:
    """What was recorded, but for these."""
    return [decode_event(one.data) for one in story.store.events() if one.id not in left_out]


def accounts(story: Story, *left_out: str, limit: int = 50, above: str = "") -> dict[str, Any]:
    """What is answered of the shop, by a projection that has all but these events."""
    store = MemoryBalancesStore()
    project_balances(store, events(story, *left_out))
    sums = None if above else roll_up(store, _UNDER)
    page = page_under(store, _UNDER, above, limit=limit)
    return plain(accounts_view(_UNDER, sums, page, 1))


def payments(story: Story, status: Any, *left_out: str, limit: int = 50) -> dict[str, Any]:
    """Likewise the first page of the payments of a status."""
    store = MemoryPaymentsStore()
    project_payments(store, events(story, *left_out))
    page = read_page(store, status, "0", "~", limit=limit)
    return plain(payments_view(status, page, status, 1))


def plain(answer: object) -> dict[str, Any]:
    """A body as it is sent."""
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(answer))
    return body


def asks(story: Story, path: str, **query: str) -> Ask:
    """A question leaves."""
    return story.ask(route="query", path=path, query=query)


def told(story: Story, ask: Ask, body: object) -> set[str]:
    """What is found when this is answered."""
    story.now += 1_000
    story.auditor.read(ask, HttpAnswer(200, {}, msgspec.json.encode(body)))
    return story.broken


def lists(story: Story, body: object, **query: str) -> set[str]:
    """What is found when the shop is asked for and this is answered."""
    return told(story, asks(story, "/accounts", under=_UNDER, **query), body)


def test_whole_lists_break_no_promise() -> None:
    """Of accounts, and of payments of every status, in one page or in several."""
    story = settled()
    assert lists(story, accounts(story)) == set()
    for status in ("posted", "held", "captured", "rejected", "voided"):
        ask = asks(story, "/payments", status=status)
        assert told(story, ask, payments(story, status)) == set()
    first = accounts(story, limit=1)
    assert lists(story, first, limit="1") == set()
    rest = accounts(story, above=_UNDER)
    assert lists(story, rest, cursor=first["next_cursor"]) == set()


@pytest.mark.parametrize("left_out", ["shops:1", "shops:1:a", "shops:1:b"])
def test_an_account_that_is_on_no_page_is_found(left_out: str) -> None:
    """It was projected, or shown, minutes ago; what is newer may not be there yet."""
    story = settled()
    body = accounts(story)
    body["accounts"] = [one for one in body["accounts"] if one["id"] != left_out]
    assert lists(story, body) == {"pages_are_complete"}
    fresh = bank()
    project(fresh)
    assert lists(fresh, body) == set()
    shown = bank()
    lists(shown, accounts(shown))
    shown.now += _LONG
    assert lists(shown, body) == {"pages_are_complete"}


@pytest.mark.parametrize(
    ("status", "left_out"), [("posted", "p1"), ("held", "h2"), ("captured", "h1"), ("rejected", "")]
)
def test_a_payment_that_is_on_no_page_is_found(status: str, left_out: str) -> None:
    """It has had its status for minutes."""
    story = settled()
    body = payments(story, status)
    body["payments"] = [one for one in body["payments"] if left_out and one["id"] != left_out]
    assert told(story, asks(story, "/payments", status=status), body) == {"pages_are_complete"}
    fresh = bank()
    project(fresh)
    assert told(fresh, asks(fresh, "/payments", status=status), body) == set()


def test_a_payment_that_has_changed_since_may_be_in_either_list() -> None:
    """Of the old status it is no more; of the new one it may not be yet."""
    story = settled("capture:h1")
    project(story)
    nothing = {"payments": [], "status": "captured"}
    assert told(story, asks(story, "/payments", status="captured"), nothing) == set()
    held = payments(story, "held")
    assert told(story, asks(story, "/payments", status="held"), held) == set()


def test_a_payment_outside_what_was_asked_for_is_not_missed() -> None:
    """By when it was made; one that does not belong there is found."""
    story = settled()
    when = {"from": "2030-01-01T00:00:00Z", "to": "2031-01-01T01:00:00+01:00"}
    ask = asks(story, "/payments", status="posted", **when)
    assert told(story, ask, {"payments": [], "status": "posted"}) == set()
    assert told(story, ask, payments(story, "posted")) == {"pages_are_complete"}


def test_a_page_goes_on_where_the_one_before_ended() -> None:
    """What lies between them is on neither; an empty page carries over where it began."""
    story = settled()
    first = payments(story, "posted", limit=1) | {"next_cursor": "on"}
    last = payments(story, "posted")
    last["payments"] = last["payments"][2:]
    lists_posted = {"status": "posted", "limit": "1"}
    for before in (first, first | {"payments": []}):
        story = settled()
        assert told(story, asks(story, "/payments", **lists_posted), before) == set()
        onward = asks(story, "/payments", status="posted", cursor="on")
        assert told(story, onward, last) == {"pages_are_complete"}
    story = settled()
    unknown = asks(story, "/payments", status="posted", cursor="somebody-else's")
    assert told(story, unknown, last) == set()


def test_a_page_out_of_order_is_found() -> None:
    """Twice the same, the wrong way round, longer than was asked for, or of another path."""
    story = settled()
    right = accounts(story)["accounts"]
    for wrong, limit in (
        ([*right, right[-1]], "50"),
        (right[::-1], "50"),
        (right, "2"),
        ([*right, right[-1] | {"id": "shops:10:c"}], "50"),
    ):
        story = settled()
        body = accounts(story) | {"accounts": wrong}
        assert "pages_are_complete" in lists(story, body, limit=limit)


def test_nothing_is_missed_while_generations_change() -> None:
    """The index of the new one may be a moment behind."""
    story = settled()
    key = ("#generations",)
    story.auditor.changed([Change("balances", key, None, {"pk": {"S": "#generations"}})])
    nothing = accounts(story) | {"accounts": [], "sums": {"complete": True}}
    assert lists(story, nothing) == set()


def test_a_list_that_shows_what_is_older_is_found() -> None:
    """Than what was there when it was asked for."""
    story = settled()
    assert "versions_never_go_back" in lists(story, accounts(story, "p2"))
    story = settled()
    body = payments(story, "held", "capture:h1")
    assert "versions_never_go_back" in told(story, asks(story, "/payments", status="held"), body)


def test_sums_may_be_of_any_time_since_they_were_asked_for() -> None:
    """Of each account by itself."""
    for left_out in ((), ("p2",), ("capture:h1",), ("p2", "capture:h1")):
        story = settled("p2", "capture:h1")
        assert lists(story, accounts(story, *left_out)) == set()
    story = bank()
    empty = {"accounts": 0, "complete": True, "by_currency_and_type": []}
    assert lists(story, {"sums": empty, "accounts": []}) == set()


@pytest.mark.parametrize(
    "changed",
    [
        {"accounts": 2},
        {"balance_minor": 8},
        {"available_minor": 8},
        {"debits_posted_minor": 3},
        {"credits_posted_minor": 17},
        {"debits_pending_minor": 2},
        {"currency": "USD"},
    ],
)
def test_sums_that_cannot_be_are_found(changed: dict[str, Any]) -> None:
    """Of all that was projected long ago."""
    story = settled()
    body = accounts(story)
    (one,) = body["sums"]["by_currency_and_type"]
    body["sums"]["by_currency_and_type"] = [one | changed]
    assert lists(story, body) == {"sums_are_of_all"}


def test_sums_of_one_kind_twice_or_of_none_are_found() -> None:
    """Also how many accounts there are in all."""
    for times in (0, 2):
        story = settled()
        body = accounts(story)
        body["sums"]["by_currency_and_type"] *= times
        assert lists(story, body) == {"sums_are_of_all"}


def reviewed(projected: bool = True) -> tuple[Story, dict[str, Any]]:
    """Two verdicts that were recorded, and the list of them."""
    story = bank()
    shown = []
    for payment in ("p1", "p2"):
        story.decides(screening(payment))
        event = story.store.stored(screening(payment).id)
        if projected:
            story.auditor.handed_over("Fraud", [record("the-fraud", event.data)], frozenset())
        shown.append(msgspec.json.decode(event.data))
    story.now += _LONG
    return story, {"reviews": shown[::-1]}


def test_reviews_are_all_there_as_they_were_recorded() -> None:
    """Minutes after they were."""
    for projected in (True, False):
        story, body = reviewed(projected)
        assert told(story, asks(story, "/reviews"), body) == set()
        missing = {"reviews": body["reviews"][:1]}
        broken = {"pages_are_complete"} if projected else set()
        assert told(story, asks(story, "/reviews"), missing) == broken
        story, body = reviewed(projected)
        body["reviews"][0]["score_permille"] = 1
        assert told(story, asks(story, "/reviews"), body) == {"answers_are_the_fold"}
    story, body = reviewed()
    body["reviews"].append(body["reviews"][-1] | {"id": "p1", "recorded_at": "2020"})
    assert told(story, asks(story, "/reviews"), body) == {"answers_are_the_fold"}


def test_a_version_that_is_there_must_be_answered() -> None:
    """Who asks for it is not put off."""
    for version, broken in (("2", set()), ("1", {"min_version_is_kept"})):
        story = settled("p1", "h1", "h2", "capture:h1")
        ask = asks(story, "/accounts/shops:1:a", min_version=version)
        body = msgspec.json.encode({"reason": "not_yet_projected"})
        story.auditor.read(ask, HttpAnswer(503, {}, body))
        assert story.broken == broken
