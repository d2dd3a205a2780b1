"""The lists of the query API: accounts under a path with their sums, payments of a status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from typing_extensions import override

from ledger.contracts.events import PaymentPosted, TemplateUse
from ledger.runtime.faults import StoreError
from ledger.runtime.telemetry import Line, Telemetry
from projections.balances import rollup
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.generations.memory import single
from projections.history.memory import MemoryHistoryStore
from projections.payments.apply import Payment, Status
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.project import project as project_payments
from projections.query.cursor import ACCOUNTS, PAYMENTS, SUMS
from projections.query.handler import make_handler
from projections.query.requests import STATUSES
from tests.properties.projection_books import EXPIRES
from tests.properties.projection_streams import Book

ANN = "customers:42"
WALLET, SAVINGS, FEES = f"{ANN}:wallet", f"{ANN}:savings:eur", f"{ANN}:fees"
NAMES = sorted([WALLET, SAVINGS, FEES])


class Api:
    """The handler over stores in memory: a customer with three accounts, and some payments."""

    def __init__(self) -> None:
        self.book = Book()
        self.book.open("bank", "asset", lowest=None)
        self.book.open("customers:420:wallet")
        self.book.open(WALLET, metadata={"name": "Ann"})
        self.book.open(SAVINGS)
        self.book.open(FEES, "income")
        self.held = self.book.hold((WALLET, "bank", 30), (WALLET, FEES, 2))
        self.paid = self.book.pay(("bank", WALLET, 100), ("bank", SAVINGS, 7), reference="r")
        self.refused = self.book.refuse("template")
        self.balances, self.payments = MemoryBalancesStore(), MemoryPaymentsStore()
        self.lines: list[Line] = []
        self.project()

    def project(self) -> None:
        """All that is recorded so far."""
        project_balances(self.balances, self.book.recorded)
        project_payments(self.payments, self.book.recorded)

    def get(self, resource: str, **query: str) -> tuple[int, dict[str, Any]]:
        """Status and body of an answer; `from_` asks for `from`."""
        given = {name.rstrip("_"): [value] for name, value in query.items()}
        handler = make_handler(
            balances=single(self.balances),
            history=single(MemoryHistoryStore()),
            payments=single(self.payments),
            telemetry=Telemetry(self.lines.append),
        )
        event = {"resource": resource, "multiValueQueryStringParameters": given}
        answer = handler(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    def accounts(self, under: str = ANN, **query: str) -> dict[str, Any]:
        """The accounts under a path."""
        status, body = self.get("/accounts", under=under, **query)
        assert status == 200
        return body

    def listed(self, status: str, **query: str) -> dict[str, Any]:
        """The payments of a status."""
        code, body = self.get("/payments", status=status, **query)
        assert code == 200
        return body


@pytest.fixture
def api() -> Api:
    """A customer with three accounts, and a payment of each kind."""
    return Api()


def test_what_lies_under_a_path_is_summed_by_currency_and_type(api: Api) -> None:
    """Posted, pending and available; each kind of account for itself; and every account is shown
    as by its own id, in the order of ids."""
    body = api.accounts()
    accounts = body.pop("accounts")
    assert body == {
        "under": ANN,
        "sums": {
            "accounts": 3,
            "complete": True,
            "by_currency_and_type": [
                {
                    "currency": "EUR",
                    "account_type": "income",
                    "accounts": 1,
                    "balance_minor": 0,
                    "available_minor": 0,
                    "debits_posted_minor": 0,
                    "credits_posted_minor": 0,
                    "debits_pending_minor": 0,
                    "credits_pending_minor": 2,
                },
                {
                    "currency": "EUR",
                    "account_type": "liability",
                    "accounts": 2,
                    "balance_minor": 107,
                    "available_minor": 75,
                    "debits_posted_minor": 0,
                    "credits_posted_minor": 107,
                    "debits_pending_minor": 32,
                    "credits_pending_minor": 0,
                },
            ],
        },
    }
    assert [account["id"] for account in accounts] == NAMES
    assert accounts[2]["metadata"] == {"name": "Ann"}
    assert accounts[2]["status"] == "open"


def test_a_path_that_is_an_account_is_among_those_under_it(api: Api) -> None:
    """And what only begins with the same letters is not."""
    assert [one["id"] for one in api.accounts(WALLET)["accounts"]] == [WALLET]
    assert api.accounts(f"{ANN}:wal")["sums"] == {
        "accounts": 0,
        "complete": True,
        "by_currency_and_type": [],
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_of_accounts_show_each_once(api: Api, limit: int) -> None:
    """The first page with the sums of all, those behind its cursor without."""
    body = api.accounts(limit=str(limit))
    shown = [one["id"] for one in body["accounts"]]
    assert body["sums"]["accounts"] == 3
    while "next_cursor" in body:
        body = api.accounts(limit=str(limit), cursor=body["next_cursor"])
        assert "sums" not in body
        assert 0 < len(body["accounts"]) <= limit
        shown += [one["id"] for one in body["accounts"]]
    assert shown == NAMES


@pytest.mark.parametrize("most", [1, 2, 3])
def test_sums_beyond_their_bound_say_so_and_go_on(
    api: Api, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Not complete, with a cursor of their own: what lies behind it is all the rest, once."""
    monkeypatch.setattr(rollup.roll_up, "__kwdefaults__", {"at_most": most})
    body = api.accounts(limit="3")
    counted, posted = 0, 0
    while True:
        sums = body["sums"]
        counted += sums["accounts"]
        posted += sum(one["credits_posted_minor"] for one in sums["by_currency_and_type"])
        # The path itself takes a place among them though it is no account.
        assert sums["accounts"] <= most
        assert sums["complete"] == ("next_cursor" not in sums)
        if sums["complete"]:
            break
        body = api.accounts(limit="3", cursor=sums["next_cursor"])
        assert body["accounts"] == []
    assert (counted, posted) == (3, 107)


def test_payments_are_listed_by_where_they_stand(api: Api) -> None:
    """Whole: what they are, what of each posting is held, posted and given back."""
    body = api.listed("held")
    assert body == {
        "status": "held",
        "payments": [
            {
                "id": api.held.id,
                "status": "held",
                "version": 1,
                "type": "payment.authorized",
                "recorded_at": api.held.recorded_at,
                "effective_at": api.held.effective_at,
                "event": api.held.id,
                "changed_at": api.held.recorded_at,
                "postings": [
                    {
                        "source": WALLET,
                        "destination": "bank",
                        "amount_minor": 30,
                        "currency": "EUR",
                    },
                    {"source": WALLET, "destination": FEES, "amount_minor": 2, "currency": "EUR"},
                ],
                "authorized_minor": [30, 2],
                "held_minor": [30, 2],
                "captured_minor": [0, 0],
                "reversed_minor": [0, 0],
                "over_capture_bps": 0,
                "expires_at": EXPIRES,
                "metadata_version": 0,
                "metadata": {"made": "so"},
            }
        ],
    }
    captured = api.book.capture(api.held.id, (10, 1))
    api.book.describe("payment", api.held.id, {"room": "7"})
    api.book.reverse(api.paid.id, (40, 0))
    api.project()
    assert api.listed("held")["payments"] == []
    (payment,) = api.listed("partially_captured")["payments"]
    assert (payment["version"], payment["event"]) == (2, captured.id)
    assert (payment["held_minor"], payment["captured_minor"]) == ([20, 1], [10, 1])
    assert (payment["metadata_version"], payment["metadata"]) == (1, {"room": "7"})
    (reversed_,) = api.listed("partially_reversed")["payments"]
    assert (reversed_["captured_minor"], reversed_["reversed_minor"]) == ([100, 7], [40, 0])
    assert reversed_["held_minor"] == [0, 0]


def test_a_payment_posted_at_once_has_posted_its_postings(api: Api) -> None:
    """Nothing was ever held; of a template the parameters show."""
    posted = PaymentPosted(
        v=1,
        id="sale-1",
        recorded_at="2025-11-25T00:00:00.000000Z",
        effective_at="2025-11-25T00:00:00.000000Z",
        actor="tests",
        postings=api.paid.postings,
        accounts=(),
        template=TemplateUse(name="sale", version=2, parameters={"amount": 5, "to": "b"}),
    )
    project_payments(api.payments, [posted])
    sale, paid = api.listed("posted")["payments"]
    assert sale["template"] == {
        "name": "sale",
        "version": 2,
        "parameters": {"amount": 5, "to": "b"},
    }
    assert (paid["id"], paid["reference"]) == (api.paid.id, "r")
    assert (paid["authorized_minor"], paid["captured_minor"]) == ([0, 0], [100, 7])
    assert "expires_at" not in paid


def test_a_refused_payment_says_why(api: Api) -> None:
    """With what was asked for; of a template there are no postings."""
    (refused,) = api.listed("rejected")["payments"]
    assert refused == {
        "id": api.refused.id,
        "status": "rejected",
        "version": 1,
        "type": "command.rejected",
        "recorded_at": api.refused.recorded_at,
        "event": api.refused.id,
        "changed_at": api.refused.recorded_at,
        "postings": [],
        "authorized_minor": [],
        "held_minor": [],
        "captured_minor": [],
        "reversed_minor": [],
        "over_capture_bps": 0,
        "template": {"name": "sale", "parameters": {"amount": 5}},
        "reason": "account_not_found",
        "retry": "new_id",
        "field": "postings[0].source",
        "metadata_version": 0,
        "metadata": {},
    }


def test_every_status_can_be_asked_for(api: Api) -> None:
    """As the events name them, and `rejected`."""
    assert {
        *("held", "partially_captured", "captured", "voided", "expired"),
        *("posted", "partially_reversed", "reversed", "rejected"),
    } == STATUSES
    for status in STATUSES:
        assert api.listed(status)["status"] == status


def test_times_and_cursors_lead_through_a_list(api: Api) -> None:
    """`from` is in, `to` is out, in any offset; every page goes on where the one before ended."""
    paid = [api.paid, *(api.book.pay(("bank", WALLET, 1)) for _ in range(6))]
    api.project()
    newest_first = [event.id for event in paid][::-1]
    shown: list[str] = []
    query: dict[str, str] = {}
    while True:
        body = api.listed("posted", limit="3", **query)
        shown += [payment["id"] for payment in body["payments"]]
        if "next_cursor" not in body:
            break
        query = {"cursor": body["next_cursor"]}
    assert shown == newest_first
    between = {"from_": paid[2].recorded_at, "to": paid[5].recorded_at}
    assert [one["id"] for one in api.listed("posted", **between)["payments"]] == newest_first[2:5]
    page = api.listed("posted", limit="2", **between)
    rest = api.listed("posted", limit="2", cursor=page["next_cursor"], **between)
    assert [one["id"] for one in rest["payments"]] == newest_first[4:5]
    assert "next_cursor" not in rest
    assert api.listed("posted", to="2025-11-24T17:00:00+01:00")["payments"] == []


def test_what_has_left_a_status_is_not_shown_in_it(api: Api) -> None:
    """Though the index, which follows a moment later, still lists it; the list leads on behind."""

    class Lagging(MemoryPaymentsStore):
        @override
        def listed(self, status: Status, low: str, high: str, limit: int) -> tuple[str, ...]:
            return super().listed("posted", low, high, limit) if status == "held" else ()

    api.payments = Lagging()
    for _ in range(2):
        api.book.pay(("bank", WALLET, 1))
    api.project()
    body = api.listed("held", limit="2")
    assert body["payments"] == []
    rest = api.listed("held", limit="2", cursor=body["next_cursor"])
    assert (rest["payments"], "next_cursor" in rest) == ([], False)


def test_a_page_of_the_longest_payments_is_not_too_long_to_be_answered(api: Api) -> None:
    """It ends early, and the list leads on: every one is shown once."""
    refused = [api.refused.id]
    for _ in range(100):
        event = api.book.refuse("template")
        request = structs.replace(event.request, parameters={"to": "x" * 60_000})
        api.book.recorded[-1] = structs.replace(event, request=request)
        refused.append(event.id)
    api.project()
    shown: list[str] = []
    query: dict[str, str] = {}
    pages = 0
    while pages < 5:
        body = api.listed("rejected", limit="100", **query)
        assert len(json.dumps(body)) < 4_500_000
        shown += [payment["id"] for payment in body["payments"]]
        pages += 1
        if "next_cursor" not in body:
            break
        query = {"cursor": body["next_cursor"]}
    assert shown == refused[::-1]
    assert pages == 2


SCOPE = "held 0 ~"
BAD: list[tuple[str, str, dict[str, str]]] = [
    ("/accounts", "under", {}),
    ("/accounts", "under", {"under": ""}),
    ("/accounts", "under", {"under": "customers"}),  # its accounts lie in many places
    ("/accounts", "under", {"under": "customers:42/x"}),
    ("/accounts", "under", {"under": "customers:" + "4" * 64}),
    ("/accounts", "limit", {"under": ANN, "limit": "0"}),
    ("/accounts", "limit", {"under": ANN, "limit": "101"}),
    ("/accounts", "cursor", {"under": ANN, "cursor": "x"}),
    ("/accounts", "cursor", {"under": ANN, "cursor": ACCOUNTS.token_of(WALLET, 1, b"a")}),
    ("/accounts", "cursor", {"under": ANN, "cursor": SUMS.token_of(WALLET, 1, b"a")}),
    ("/accounts", "cursor", {"under": ANN, "cursor": ACCOUNTS.token_of(ANN, 2, b"a")}),
    ("/accounts", "status", {"under": ANN, "status": "open"}),
    ("/payments", "status", {}),
    ("/payments", "status", {"status": "lost"}),
    ("/payments", "status", {"status": "Held"}),
    ("/payments", "from", {"status": "held", "from": "2026-11-21"}),
    ("/payments", "to", {"status": "held", "to": "now"}),
    (
        "/payments",
        "to",
        {"status": "held", "from": "2026-11-21T00:00:00Z", "to": "2026-11-21T00:00:00Z"},
    ),
    ("/payments", "limit", {"status": "held", "limit": "ten"}),
    ("/payments", "cursor", {"status": "held", "cursor": ""}),
    ("/payments", "cursor", {"status": "held", "cursor": PAYMENTS.token_of("x", 1, b"a")}),
    ("/payments", "cursor", {"status": "held", "cursor": PAYMENTS.token_of(SCOPE, 3, b"a")}),
    ("/payments", "under", {"status": "held", "under": ANN}),
]


@pytest.mark.parametrize(("resource", "field", "query"), BAD, ids=str)
def test_a_bad_parameter_is_refused_by_its_name(
    api: Api, resource: str, field: str, query: dict[str, str]
) -> None:
    """400 `invalid_query` with the field: unknown, missing, not of its form, of another list."""
    status, body = api.get(resource, **query)
    assert (status, body["reason"], body["field"]) == (400, "invalid_query", field)


def test_a_table_that_does_not_answer_is_503(api: Api) -> None:
    """As everywhere."""

    class Out(MemoryBalancesStore):
        @override
        def under(self, path: str, above: str, limit: int) -> tuple[str, ...]:
            raise StoreError("ThrottlingException")

    class OutToo(MemoryPaymentsStore):
        @override
        def some(self, payments: Any) -> dict[str, Payment]:
            raise StoreError("ThrottlingException")

    api.balances, api.payments = Out(), OutToo()
    project_payments(api.payments, api.book.recorded)
    for resource, query in (("/accounts", {"under": ANN}), ("/payments", {"status": "held"})):
        status, body = api.get(resource, **query)
        assert (status, body["reason"]) == (503, "store_unavailable")
    assert [line.notes["route"] for line in api.lines] == ["/accounts", "/payments"]
    assert ANN not in repr(api.lines)
