"""`GET /reviews`: pages, newest first, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from consumers.fraud.cursor import cursor_of, key_of
from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.reviews import LIMIT_DEFAULT, LIMIT_MAX, make_handler
from consumers.fraud.store import Review, ReviewKey, Reviews
from ledger.contracts.commands import ScreeningReason
from ledger.runtime.faults import StoreError
from ledger.runtime.telemetry import Line, Telemetry
from tests.support.fraud import MONDAY, instant, recorded

REASON = ScreeningReason(code="new_counterparty", value=1, norm=3, unit="accounts")


def ask(
    store: MemoryFraudStore, lines: list[Line] | None = None, **query: str | list[str]
) -> dict[str, Any]:
    """One request."""
    given = {
        name: value if isinstance(value, list) else [value] for name, value in query.items()
    } or None
    handler = make_handler(
        store=store, telemetry=Telemetry((lines if lines is not None else []).append)
    )
    return handler({"resource": "/reviews", "multiValueQueryStringParameters": given}, None)


def listed(count: int) -> MemoryFraudStore:
    """A store with that many reviews, an hour apart."""
    store = MemoryFraudStore()
    for place in range(count):
        store.add_review(
            Review(
                recorded(f"p{place}", recorded_at=instant(MONDAY + place), reasons=(REASON,)),
                "ann" if place % 2 else None,
            )
        )
    return store


def test_a_page_shows_verdicts_with_reason_and_norm() -> None:
    """Each review is the recorded verdict and the payer, if known."""
    answer = ask(listed(2))
    assert answer["statusCode"] == 200
    assert answer["headers"] == {"content-type": "application/json", "cache-control": "no-store"}
    body = json.loads(answer["body"])
    assert body == {
        "reviews": [
            {
                "id": f"screening:p{place}:rules-1",
                "recorded_at": instant(MONDAY + place),
                "payment": f"p{place}",
                **({"account": "ann"} if place else {}),
                "model": "rules-1",
                "verdict": "block",
                "score_permille": 900,
                "reasons": [
                    {"code": "new_counterparty", "value": 1, "norm": 3, "unit": "accounts"}
                ],
            }
            for place in (1, 0)
        ]
    }


def test_cursors_lead_through_all_reviews_once() -> None:
    """Following `next_cursor` to the end gives every review, newest first."""
    store = listed(7)
    found: list[str] = []
    pages = 0
    query: dict[str, str | list[str]] = {"limit": "3"}
    while pages < 9:
        pages += 1
        body = json.loads(ask(store, None, **query)["body"])
        found += [review["payment"] for review in body["reviews"]]
        if "next_cursor" not in body:
            break
        query["cursor"] = body["next_cursor"]
    assert pages == 3
    assert found == [f"p{place}" for place in range(6, -1, -1)]
    assert len(json.loads(ask(listed(60))["body"])["reviews"]) == LIMIT_DEFAULT


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": str(LIMIT_MAX + 1)}, "limit"),
        ({"limit": "1_0"}, "limit"),
        ({"limit": " 1"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"limit": "9" * 5_000}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "ü"}, "cursor"),
        ({"verdict": "block"}, "verdict"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_unknown_or_ill_formed_is_refused_by_name(
    query: dict[str, str | list[str]], field: str
) -> None:
    """Nothing is ignored and nothing guessed."""
    lines: list[Line] = []
    answer = ask(listed(1), lines, **query)
    assert answer["statusCode"] == 400
    body = json.loads(answer["body"])
    assert (body["reason"], body["field"]) == ("invalid_query", field)
    assert lines[0].notes["reason"] == "invalid_query"


def test_an_outage_may_be_asked_again() -> None:
    """A table that does not answer is a 503, with when to ask again."""

    class Out(MemoryFraudStore):
        @override
        def reviews(self, after: ReviewKey | None, limit: int) -> Reviews:
            raise StoreError("outage")

    lines: list[Line] = []
    answer = ask(Out(), lines)
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["reason"] == "store_unavailable"
    assert answer["headers"]["retry-after"] == "1"
    assert (lines[0].level, lines[0].notes["store_error"]) == ("warning", "outage")


@given(st.text(), st.text())
def test_a_cursor_gives_back_its_key(at: str, item: str) -> None:
    """Whatever the key, its token leads back to it."""
    key = ReviewKey(at.encode("utf-8", "replace").decode().replace("|", ""), item.encode(
        "utf-8", "replace").decode())  # fmt: skip
    assert key_of(cursor_of(key)) == key


def test_a_mistyped_cursor_is_none() -> None:
    """Any changed character is noticed."""
    cursor = cursor_of(ReviewKey(instant(MONDAY), "review#screening:p:rules-1"))
    for place, character in enumerate(cursor):
        changed = cursor[:place] + ("A" if character != "A" else "B") + cursor[place + 1 :]
        try:
            found = key_of(changed)
        except ValueError:
            continue
        assert found == key_of(cursor), place  # the last character's unused bits
