"""The query API: what it answers, and what it refuses and how."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from moto import mock_aws
from typing_extensions import override

from ledger.runtime.faults import StoreError
from ledger.runtime.telemetry import Line, Telemetry
from projections.balances.apply import Account
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.generations.memory import single
from projections.history.apply import Row
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project as project_history
from projections.payments.memory import MemoryPaymentsStore
from projections.query import handler as module
from projections.query.cursor import cursor_of
from projections.query.handler import make_handler
from tests.properties.projection_streams import Book
from tests.support.consuming import function_environment
from tests.unit.projections.fakes import create_tables

WALLET = "customers:42:wallet"
FAR = 2**63 - 1


def request(
    account: str, *, history: bool = False, query: dict[str, str | list[str]] | None = None
) -> dict[str, Any]:
    """A proxy request as API Gateway's REST APIs make it."""
    several = {
        name: value if isinstance(value, list) else [value] for name, value in (query or {}).items()
    }
    return {
        "resource": "/accounts/{id}/history" if history else "/accounts/{id}",
        "httpMethod": "GET",
        "pathParameters": {"id": account},
        "queryStringParameters": {n: values[-1] for n, values in several.items()} or None,
        "multiValueQueryStringParameters": several or None,
    }


class Api:
    """The handler over stores in memory, with one account of some history."""

    def __init__(self, payments: int = 3) -> None:
        self.book = Book()
        self.book.open("bank", "asset", lowest=None)
        self.book.open(WALLET, lowest=-50, highest=10_000)
        for number in range(payments):
            self.book.pay(("bank", WALLET, 10 + number), reference=f"r{number}")
        self.balances, self.history = MemoryBalancesStore(), MemoryHistoryStore()
        self.payments = MemoryPaymentsStore()
        self.lines: list[Line] = []
        project_balances(self.balances, self.book.events)
        project_history(self.history, self.book.events)

    def get(
        self, account: str = WALLET, *, history: bool = False, **query: str | list[str]
    ) -> tuple[int, dict[str, Any]]:
        """Status and body of an answer."""
        status, body, _ = self.answer(request(account, history=history, query=query))
        return status, body

    def answer(self, event: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers of an answer."""
        handler = make_handler(
            balances=single(self.balances),
            history=single(self.history),
            payments=single(self.payments),
            telemetry=Telemetry(self.lines.append),
        )
        answer = handler(event, None)
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


@pytest.fixture
def api() -> Api:
    """An account with four versions."""
    return Api()


def test_an_account_is_shown_with_every_version_it_reflects(api: Api) -> None:
    """Balance, totals, profile, and the event behind them."""
    last = api.book.events[-1]
    assert api.get() == (
        200,
        {
            "id": WALLET,
            "currency": "EUR",
            "account_type": "liability",
            "balance_minor": 33,
            "available_minor": 33,
            "debits_posted_minor": 0,
            "credits_posted_minor": 33,
            "debits_pending_minor": 0,
            "credits_pending_minor": 0,
            "version": 4,
            "event": last.id,
            "recorded_at": last.recorded_at,
            "effective_at": last.effective_at,
            "profile_version": 1,
            "status": "open",
            "book": "main",
            "opened_at": api.book.events[1].effective_at,
            "limits": {
                "min_balance_minor": -50,
                "max_balance_minor": 10_000,
                "min_balance_basis": "available",
                "max_balance_basis": "available",
                "velocity": [],
            },
            "metadata_version": 0,
            "metadata": {},
        },
    )


def test_all_that_can_become_of_an_account_is_shown() -> None:
    """Frozen sides, bases, velocity limits, what is held; metadata and the version of these."""
    api = Api()
    api.book.limit(WALLET, -7, velocity=True)
    api.book.freeze(WALLET, "debits")
    api.book.hold((WALLET, "bank", 30))
    api.book.describe("account", WALLET, {"name": "Ann"})
    project_balances(api.balances, api.book.recorded)
    status, body = api.get()
    assert status == 200
    assert {name: body[name] for name in ("status", "frozen", "version", "profile_version")} == {
        "status": "frozen",
        "frozen": "debits",
        "version": 7,
        "profile_version": 6,
    }
    assert body["limits"] == {
        "min_balance_minor": -7,
        "max_balance_minor": 10_000,
        "min_balance_basis": "posted",
        "max_balance_basis": "available",
        "velocity": [
            {
                "name": "daily",
                "window": "day",
                "direction": "debits",
                "currency": "EUR",
                "max_amount_minor": 9,
            }
        ],
    }
    assert (body["balance_minor"], body["available_minor"]) == (33, 3)
    assert (body["debits_pending_minor"], body["credits_pending_minor"]) == (30, 0)
    assert (body["metadata_version"], body["metadata"]) == (1, {"name": "Ann"})


def test_a_history_tells_what_was_held_and_whose_it_is() -> None:
    """Of a hold, its capture and a freeze; each row of a payment says of which."""
    api = Api(payments=0)
    held = api.book.hold(("bank", WALLET, 30))
    api.book.capture(held.id, (10,), final=True)
    api.book.freeze(WALLET, "debits")
    project_history(api.history, api.book.recorded)
    _, body = api.get(history=True)
    assert [
        (
            entry["type"],
            entry.get("payment"),
            entry["credits_pended_minor"],
            entry["credited_minor"],
            entry.get("reason"),
        )
        for entry in body["entries"]
    ] == [
        ("account.frozen", None, 0, 0, "doubtful"),
        ("payment.captured", held.id, -30, 10, None),
        ("payment.authorized", held.id, 30, 0, None),
        ("account.opened", None, 0, 0, None),
    ]


def test_an_account_whose_opening_is_on_its_way_is_shown_without_its_profile(api: Api) -> None:
    """`profile_version` 0 says so, and nothing is made up."""
    api.balances = MemoryBalancesStore()
    project_balances(api.balances, api.book.events[2:])
    status, body = api.get()
    assert (status, body["version"], body["profile_version"]) == (200, 4, 0)
    assert not {"status", "frozen", "book", "opened_at", "limits"} & set(body)


def test_a_limit_that_is_not_set_is_null(api: Api) -> None:
    """As against a profile that is not there."""
    limits = api.get("bank")[1]["limits"]
    assert (limits["min_balance_minor"], limits["max_balance_minor"]) == (None, None)


def test_a_history_is_shown_newest_first(api: Api) -> None:
    """Each entry with what it moved, the balance after it and the way back."""
    status, body = api.get(history=True)
    entries = body.pop("entries")
    assert status == 200
    assert body == {"account": WALLET, "version": 4, "complete_to": 4, "complete_to_exact": True}
    assert [entry["version"] for entry in entries] == [4, 3, 2, 1]
    assert [entry["balance_minor"] for entry in entries] == [33, 21, 10, 0]
    first, second = api.book.events[3], api.book.events[2]
    assert entries[1] == {
        "version": 3,
        "event": first.id,
        "type": "payment.posted",
        "recorded_at": first.recorded_at,
        "effective_at": first.effective_at,
        "currency": "EUR",
        "debited_minor": 0,
        "credited_minor": 11,
        "debits_pended_minor": 0,
        "credits_pended_minor": 0,
        "balance_minor": 21,
        "debits_posted_minor": 0,
        "credits_posted_minor": 21,
        "debits_pending_minor": 0,
        "credits_pending_minor": 0,
        "legs": [{"counterparty": "bank", "side": "credit", "amount_minor": 11}],
        "legs_count": 1,
        "payment": first.id,
        "prev": second.id,
        "reference": "r1",
    }
    assert "prev" not in entries[3]


@pytest.mark.parametrize(("limit", "pages"), [("1", 8), ("3", 3), ("8", 1), ("100", 1)])
def test_cursors_lead_through_the_whole_history(limit: str, pages: int) -> None:
    """Every page but the last has a `next_cursor`; together they show each version once."""
    api = Api(payments=7)
    shown: list[int] = []
    cursor: dict[str, str] = {}
    for number in range(1, pages + 1):
        status, body = api.get(history=True, limit=limit, **cursor)
        assert (status, body["version"], body["complete_to"]) == (200, 8, 8)
        assert ("next_cursor" in body) == (number < pages)
        shown += [entry["version"] for entry in body["entries"]]
        cursor = {"cursor": body.get("next_cursor", "")}
    assert shown == [8, 7, 6, 5, 4, 3, 2, 1]


def test_the_default_page_has_fifty_entries() -> None:
    """And the largest a hundred."""
    api = Api(payments=120)
    assert len(api.get(history=True)[1]["entries"]) == 50
    assert len(api.get(history=True, limit="100")[1]["entries"]) == 100


@pytest.mark.parametrize("history", [False, True])
def test_a_version_that_is_not_there_yet_is_waited_for(api: Api, history: bool) -> None:
    """`min_version` is answered once it is reached, and 503 with Retry-After before."""
    assert api.get(history=history, min_version="4")[0] == 200
    status, body, headers = api.answer(request(WALLET, history=history, query={"min_version": "5"}))
    assert (status, body["reason"], body["retry"]) == (503, "not_yet_projected", "same_request")
    assert headers["retry-after"] == "1"
    assert headers["content-type"] == "application/problem+json"


def test_a_history_with_a_gap_has_not_reached_what_lies_above_it(api: Api) -> None:
    """The newest version may have arrived before others: a caller who asks for at least version 4
    must not be shown a history without version 3."""
    api.history = MemoryHistoryStore()
    project_history(api.history, [event for event in api.book.events if event.id != "payment-3"])
    status, body = api.get(history=True)
    assert (status, body["version"], body["complete_to"]) == (200, 4, 2)
    assert api.get(history=True, min_version="2")[0] == 200
    assert api.get(history=True, min_version="3")[0] == 503
    assert api.get(history=True, min_version="4")[0] == 503


@pytest.mark.parametrize("history", [False, True])
def test_an_unknown_account_is_404_and_503_for_who_knows_that_it_exists(
    api: Api, history: bool
) -> None:
    """Whoever names a version has it from the ledger: the projection is only behind."""
    status, body = api.get("nobody", history=history)
    assert (status, body["reason"]) == (404, "account_unknown")
    assert body["type"] == "urn:ledger:problem:account_unknown"
    assert api.get("nobody", history=history, min_version="1")[1]["reason"] == "not_yet_projected"


def test_a_page_below_every_row_is_empty_but_known(api: Api) -> None:
    """A cursor into a part that has not arrived shows no entry, and no 404."""
    api.history = MemoryHistoryStore()
    project_history(api.history, api.book.events[-1:])  # version 4 alone
    status, body = api.get(history=True, cursor=cursor_of(WALLET, 1, 3))
    assert (status, body["entries"], body["version"], body["complete_to"]) == (200, [], 4, 0)
    assert api.get("nobody", history=True, cursor=cursor_of("nobody", 1, 3))[0] == 404


BAD_ACCOUNT = [
    ("id", "", {}),
    ("id", "a b", {}),
    ("id", "a" * 65, {}),
    ("id", "a%2Fb", {}),
    ("id", "a\n", {}),
    ("id", "%ff", {}),
    ("id", "é", {}),
    ("min_version", WALLET, {"min_version": "0"}),
    ("min_version", WALLET, {"min_version": ""}),
    ("min_version", WALLET, {"min_version": "-1"}),
    ("min_version", WALLET, {"min_version": "+1"}),
    ("min_version", WALLET, {"min_version": " 1"}),
    ("min_version", WALLET, {"min_version": "1.0"}),
    ("min_version", WALLET, {"min_version": "1_0"}),
    ("min_version", WALLET, {"min_version": "\u0661"}),  # a digit, in Arabic
    ("min_version", WALLET, {"min_version": "\u00b2"}),
    ("min_version", WALLET, {"min_version": str(2**63)}),
    ("min_version", WALLET, {"min_version": "9" * 5_000}),
    ("min_version", WALLET, {"min_version": ["1", "1"]}),
    ("colour", WALLET, {"colour": "red"}),
    ("(unprintable)", WALLET, {"4111 1111 1111 1111": "x"}),
]
BAD_HISTORY = [
    *BAD_ACCOUNT,
    ("limit", WALLET, {"limit": "0"}),
    ("limit", WALLET, {"limit": "101"}),
    ("limit", WALLET, {"limit": "ten"}),
    ("cursor", WALLET, {"cursor": ""}),
    ("cursor", WALLET, {"cursor": "not a cursor"}),
    ("cursor", WALLET, {"cursor": "é"}),
    ("cursor", WALLET, {"cursor": "A" * 20}),
    ("cursor", WALLET, {"cursor": cursor_of("bank", 1, 3)}),
    ("cursor", WALLET, {"cursor": cursor_of(WALLET, 1, 3)[:-1]}),
    ("cursor", WALLET, {"cursor": cursor_of(WALLET, 1, 3) + "AAAA"}),
    ("cursor", WALLET, {"cursor": cursor_of(WALLET, 1, 3)[:9] + "!" + cursor_of(WALLET, 1, 3)[9:]}),
]


def described(value: object) -> str:
    """A short name for a case."""
    return ascii(value)[:40]


@pytest.mark.parametrize(
    ("history", "field", "account", "query"),
    [
        *((False, *case) for case in BAD_ACCOUNT),
        (False, "limit", WALLET, {"limit": "5"}),  # of the history only
        *((True, *case) for case in BAD_HISTORY),
    ],
    ids=described,
)
def test_a_bad_parameter_is_refused_by_its_name(
    api: Api, history: bool, field: str, account: str, query: dict[str, str | list[str]]
) -> None:
    """400 `invalid_query` with the field, for anything unknown, repeated or not of its form."""
    status, body, headers = api.answer(request(account, history=history, query=query))
    assert (status, body["reason"], body["field"]) == (400, "invalid_query", field)
    assert headers["content-type"] == "application/problem+json"


def test_ids_may_come_percent_encoded_or_not(api: Api) -> None:
    """Gateways differ in whether they decode path parameters."""
    assert api.get(quote(WALLET, safe=""))[1] == api.get(WALLET)[1]


def test_a_request_without_parameters_at_all_names_the_id(api: Api) -> None:
    """As a hand-made test event may be."""
    status, body, _ = api.answer({"resource": "/accounts/{id}"})
    assert (status, body["field"]) == (400, "id")


def test_parameters_count_where_a_gateway_gives_them_only_once(api: Api) -> None:
    """Without the multi-value form the single one is read."""
    event = request(WALLET, history=True, query={"limit": "2"})
    del event["multiValueQueryStringParameters"]
    assert len(api.answer(event)[1]["entries"]) == 2


def test_answers_are_json_and_never_cached(api: Api) -> None:
    """A balance is out of date at once."""
    _, _, headers = api.answer(request(WALLET))
    assert headers == {"content-type": "application/json", "cache-control": "no-store"}


def test_a_table_that_does_not_answer_is_503(api: Api) -> None:
    """With Retry-After, and AWS's code in the log alone."""

    class Out(MemoryBalancesStore):
        @override
        def account(self, account: str) -> Account | None:
            raise StoreError("ThrottlingException")

    class OutToo(MemoryHistoryStore):
        @override
        def before(self, account: str, version: int | None, limit: int) -> tuple[Row, ...]:
            raise StoreError("ThrottlingException")

    api.balances, api.history = Out(), OutToo()
    for history in (False, True):
        status, body, headers = api.answer(request(WALLET, history=history))
        assert (status, body["reason"]) == (503, "store_unavailable")
        assert headers["retry-after"] == "1"
        assert "Throttling" not in json.dumps(body)
    assert [line.level for line in api.lines] == ["warning", "warning"]
    assert api.lines[0].notes["store_error"] == "ThrottlingException"


def test_every_answer_leaves_one_line_of_codes(api: Api) -> None:
    """Route, status and reason; neither the account nor what was found."""
    api.get()
    api.get("nobody", history=True)
    api.get(limit="1")
    assert [
        {name: line.notes.get(name) for name in ("route", "status", "reason")} for line in api.lines
    ] == [
        {"route": "/accounts/{id}", "status": 200, "reason": None},
        {"route": "/accounts/{id}/history", "status": 404, "reason": "account_unknown"},
        {"route": "/accounts/{id}", "status": 400, "reason": "invalid_query"},
    ]
    assert WALLET not in repr(api.lines)


def test_the_function_is_built_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployed entry point, with tables: importing it created nothing, calling it answers."""
    for name, value in function_environment(
        "Query",
        BALANCES_TABLE="balances",
        HISTORY_TABLE="history",
        PAYMENTS_TABLE="payments",
    ).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        create_tables(boto3.client("dynamodb"))
        for history in (False, True):
            assert module.handler(request("nobody", history=history), None)["statusCode"] == 404
        for resource, query in (("/accounts", {"under": "a:b"}), ("/payments", {"status": "held"})):
            event = {"resource": resource, "queryStringParameters": query}
            assert module.handler(event, None)["statusCode"] == 200
