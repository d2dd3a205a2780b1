"""Questions to the event store: payments in their lives, limits, books, templates, metadata."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.application.ports import TransientStoreError
from ledger.contracts import examples
from ledger.contracts.routes import COMMAND_PATHS
from tests.unit.entrypoints_api.driving import OPENING, PAYMENT, Api, assert_problem

WALLET = str(OPENING["account"])
HELD = "booking-77"
ROUTES = (
    ("/payments/{id}", "payment_not_found"),
    ("/payments/{id}/screening", "payment_not_found"),
    ("/payments/{id}/metadata", "payment_not_found"),
    ("/accounts/{id}/alerts", "account_unknown"),
    ("/accounts/{id}/limits", "account_unknown"),
    ("/accounts/{id}/metadata", "account_unknown"),
    ("/templates/{id}", "template_not_found"),
    ("/books/{id}", "book_not_found"),
)


@pytest.fixture
def api() -> Api:
    """An API after the whole story."""
    api = Api()
    api.tell()
    return api


def ask(api: Api, resource: str, id: str, **query: str) -> dict[str, Any]:
    """The body of the answer, which is one."""
    status, headers, body = api.send("GET", resource, id=id, queryStringParameters=query or None)
    assert (status, headers["Content-Type"]) == (200, "application/json"), body
    return body


@pytest.mark.parametrize(("resource", "reason"), ROUTES)
def test_what_is_not_there_is_not_found(resource: str, reason: str) -> None:
    """404, of the kind that was asked for; an id that is none is not looked for, and a parameter of
    no meaning refused."""
    api = Api()
    assert_problem(api.send("GET", resource, id="nobody"), 404, reason, "id")
    assert_problem(api.send("GET", resource, id="no body"), 400, "invalid_query", "id")
    answer = api.send("GET", resource, id="nobody", queryStringParameters={"limit": "1"})
    assert_problem(answer, 400, "invalid_query", "limit")


@pytest.mark.parametrize("resource", dict(ROUTES))
def test_a_store_out_of_reach_leaves_the_question_open(resource: str) -> None:
    """503 with when to ask again: not found is said only of what was looked for."""

    def out_of_reach(*_: object) -> Any:
        raise TransientStoreError("throttled")

    api = Api()
    api.store.load = out_of_reach  # type: ignore[assignment]
    api.store.event = out_of_reach  # type: ignore[assignment]
    answer = api.send("GET", resource, id="nobody")
    assert_problem(answer, 503, "store_unavailable")
    assert answer[1]["Retry-After"] == "2"
    assert api.line.level == "warning"


def test_a_payment_shows_its_life() -> None:
    """Its status, what is held, posted and given back of each posting, after every step."""
    api = Api()
    lives: dict[str, dict[int, dict[str, Any]]] = {}
    for step in examples.STORY:
        api.play(step)
        for payment in (HELD, str(PAYMENT["id"]), "taxi-3"):
            status, _, body = api.send("GET", "/payments/{id}", id=payment)
            if status == 200:
                lives.setdefault(payment, {})[body["version"]] = body

    def told(payment: str, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(body[name] for name in names) for body in lives[payment].values()]

    assert told(HELD, "version", "status", "authorized_minor", "held_minor", "captured_minor") == [
        (1, "held", [20000], [20000], [0]),
        (2, "held", [25000], [25000], [0]),
        (3, "partially_captured", [25000], [7000], [18000]),
        (4, "captured", [25000], [0], [18000]),
    ]
    assert told("taxi-3", "status", "held_minor") == [("held", [3000]), ("expired", [0])]
    assert told(str(PAYMENT["id"]), "status", "reversed_minor") == [
        ("posted", [0, 0]),
        ("partially_reversed", [255, 5]),
    ]
    hold = lives[HELD][4]
    assert hold["postings"] == examples.COMMANDS["payment.authorize", 1]["postings"]
    assert (hold["expires_at"], hold["over_capture_bps"]) == ("2026-11-28T11:00:00.000000Z", 1500)
    assert hold["event"] == examples.COMMANDS["payment.void", 1]["id"]
    assert hold["changed_at"] > hold["recorded_at"]
    assert (hold["metadata"], hold["metadata_version"]) == ({"nights": "2"}, 0)
    assert [account["version"] for account in hold["accounts"]]
    posted = lives[str(PAYMENT["id"])][1]
    assert not {"expires_at", "over_capture_bps", "template"} & set(posted)


def test_a_payment_of_a_template_says_so(api: Api) -> None:
    """Which version, and of what; one that was refused too."""
    body = ask(api, "/payments/{id}", "sale-1002")
    sale = examples.COMMANDS["payment.post_template", 1]
    assert body["template"] == {
        "name": "card_sale",
        "version": 1,
        "pinned": True,
        "parameters": sale["parameters"],
    }
    refused = sale | {"id": "refused", "parameters": {"amount": 1}}
    answer = api.send("POST", COMMAND_PATHS["payment.post_template"], refused)
    assert_problem(answer, 422, "missing_parameter", answer[2]["field"])
    body = ask(api, "/payments/{id}", "refused")
    assert (body["status"], body["template"], body["parameters"]) == (
        "rejected",
        "card_sale",
        {"amount": 1},
    )
    assert body["postings"] == []


def test_limits_are_answered_with_what_is_used_of_them(api: Api) -> None:
    """Bounds and their bases, and of each velocity limit used, remaining, and when it is less."""
    body = ask(api, "/accounts/{id}/limits", WALLET)
    assert (body["account"], body["currency"], body["status"]) == (WALLET, "EUR", "open")
    assert (body["min_balance_minor"], body["max_balance_minor"]) == (-100000, None)
    assert (body["min_balance_basis"], body["book"]) == ("available", "main")
    daily, burst = body["velocity"]
    given = examples.COMMANDS["account.set_limits", 1]["velocity"]
    for limit, command in zip((daily, burst), given, strict=True):  # type: ignore[call-overload]
        assert command.items() <= limit.items()
    assert daily["used_amount_minor"] + daily["remaining_amount_minor"] == 200000
    assert daily["used_amount_minor"] > 0
    assert "remaining_count" not in daily
    assert (burst["used_count"], burst["remaining_count"]) == (5, 15)
    assert daily["resets_at"] > body["as_of"]
    api.now += 400 * 24 * 3600 * 1_000_000
    later = ask(api, "/accounts/{id}/limits", WALLET)
    assert [limit["used_count"] for limit in later["velocity"]] == [0, 0]
    assert later["version"] == body["version"]


def test_limits_are_as_of_the_latest_change_if_the_clock_is_behind(api: Api) -> None:
    """As a payment would be that is decided now."""
    api.now -= 24 * 3600 * 1_000_000
    body = ask(api, "/accounts/{id}/limits", WALLET)
    assert body["as_of"] == max(
        state.recorded_at for state in api.store.states() if state.id == WALLET
    )
    assert body["velocity"][1]["used_count"] == 5


def test_what_is_frozen_is_shown() -> None:
    """The sides, and the status."""
    api = Api()
    for step in examples.STORY:
        api.play(step)
        if step.type == "account.freeze":
            break
    body = ask(api, "/accounts/{id}/limits", WALLET)
    assert (body["status"], body["frozen"]) == ("frozen", "debits")


def test_a_book_says_through_which_day_it_is_closed() -> None:
    """Null if it is not; the main book is there before anything happened to it."""
    api, seen = Api(), []
    assert ask(api, "/books/{id}", "main") == {"book": "main", "version": 0, "closed_through": None}
    for step in examples.STORY:
        api.play(step)
        if step.type.startswith("book."):
            body = ask(api, "/books/{id}", "branch-7")
            assert body["event"] == step.command["id"]
            seen.append((body["version"], body["closed_through"]))
    assert seen == [(1, None), (2, "2026-11-20"), (3, None)]


def test_a_template_is_shown_in_any_version(api: Api) -> None:
    """The newest, or the one asked for; one that is not there is not found."""
    definition = examples.COMMANDS["template.define", 1]
    second = definition | {"id": "define:card_sale:2", "description": "The same again"}
    assert api.send("POST", "/templates", second)[0] == 201
    newest = ask(api, "/templates/{id}", "card_sale")
    assert (newest["version"], newest["description"]) == (2, "The same again")
    assert newest["event"] == second["id"]
    first = ask(api, "/templates/{id}", "card_sale", version="1")
    assert (first["version"], first["event"]) == (1, definition["id"])
    for name in ("parameters", "postings", "description"):
        assert first[name] == definition[name]
    assert ask(api, "/templates/{id}", "card_sale", version="2") == newest
    for version in ("0", "-1", "1.0", "", "01", "x", "1" * 10):
        query: dict[str, Any] = {"queryStringParameters": {"version": version}}
        answer = api.send("GET", "/templates/{id}", id="card_sale", **query)
        assert_problem(answer, 400, "invalid_query", "version")
    query = {"queryStringParameters": {"version": "3"}}
    answer = api.send("GET", "/templates/{id}", id="card_sale", **query)
    assert_problem(answer, 404, "template_not_found", "id")


def test_metadata_are_those_set_last(api: Api) -> None:
    """Of an account, and of a payment that has those it was made with until others are set."""
    body = ask(api, "/accounts/{id}/metadata", WALLET)
    given = examples.COMMANDS["metadata.set", 1]
    assert body == {
        "subject": "account",
        "subject_id": WALLET,
        "version": 1,
        "metadata": given["metadata"],
    }
    asked = ("/payments/{id}/metadata", HELD)
    assert (ask(api, *asked)["version"], ask(api, *asked)["metadata"]) == (0, {"nights": "2"})
    change = given | {"id": "m2", "subject": "payment", "subject_id": HELD, "metadata": {}}
    assert api.send("POST", "/metadata", change)[2]["version"] == 1
    assert (ask(api, *asked)["version"], ask(api, *asked)["metadata"]) == (1, {})
    assert ask(api, "/payments/{id}", HELD)["metadata_version"] == 1


def test_an_account_has_the_metadata_that_it_was_opened_with(api: Api) -> None:
    """Until others are set; one that was opened with none has none."""
    body = ask(api, "/accounts/{id}/metadata", "customers:44:wallet")
    assert (body["version"], body["metadata"]) == (1, {"invited_by": WALLET})
    body = ask(api, "/accounts/{id}/metadata", "customers:45:wallet")
    assert (body["version"], body["metadata"]) == (0, {})
