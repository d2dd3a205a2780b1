"""What the query API answers of a striped account."""

from __future__ import annotations

import pytest

from ledger.contracts.commands import OpenAccount, PostPayment, SetStripes
from ledger.contracts.events import decode_event
from projections.balances.project import project as project_balances
from projections.history.project import project as project_history
from tests.properties.striped_twins import Sent, Side
from tests.support.builders import posting
from tests.unit.projections.test_query import Api


def opening(account: str, stripes: int = 1) -> OpenAccount:
    """The opening of an account without bounds."""
    return OpenAccount(
        v=1,
        id=f"open:{account}",
        account=account,
        currency="EUR",
        account_type="liability",
        min_balance_minor=None,
        max_balance_minor=None,
        stripes=stripes,
    )


@pytest.fixture
def api() -> Api:
    """The account `fees`: at first with four stripes, on each of which two payments came; now with
    two."""
    side = Side()
    side.decide(Sent(opening("payer"), 0, 0))
    side.decide(Sent(opening("fees", 4), 0, 0))
    for number in range(8):
        payment = PostPayment(v=1, id=f"p{number}", postings=(posting("payer", "fees", 10),))
        side.decide(Sent(payment, 1 + number, number))
    side.decide(Sent(SetStripes(v=1, id="fewer", account="fees", stripes=2), 20, 0))
    made = Api(payments=0)
    events = [decode_event(stored.data) for stored in side.store.events()]
    project_balances(made.balances, events)
    project_history(made.history, events)
    return made


def test_an_account_is_the_sum_of_its_stripes(api: Api) -> None:
    """Those given up included; each is shown with its version."""
    status, body = api.get("fees")
    assert (status, body["balance_minor"], body["stripes"]) == (200, 80, 2)
    shown = [(one["stripe"], one["version"], one["balance_minor"]) for one in body["by_stripe"]]
    assert shown == [(0, 4, 20), (1, 4, 20), (2, 4, 20), (3, 4, 20)]
    assert (body["version"], body["event"]) == (4, "fewer")
    assert "by_stripe" not in api.get("payer")[1]
    assert "stripes" not in api.get("payer")[1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"min_version": "4"}, 200),
        ({"min_version": "5"}, 503),
        ({"min_version": "4", "stripe": "3"}, 200),
        ({"min_version": "5", "stripe": "3"}, 503),
        ({"min_version": "1", "stripe": "4"}, 503),  # more may have been made
        ({"stripe": "4"}, 404),
        ({"stripe": "32"}, 400),
        ({"stripe": "-1"}, 400),
        ({"stripe": "03"}, 200),
    ],
)
@pytest.mark.parametrize("history", [False, True])
def test_a_version_is_one_of_a_stripe(
    api: Api, query: dict[str, str], status: int, history: bool
) -> None:
    """Who was told of a version was told of the stripe: both together say what must be there."""
    assert api.get("fees", history=history, **query)[0] == status


def test_each_stripe_has_a_history_of_its_own(api: Api) -> None:
    """With its balances; page by page, and a page of one leads to no other's."""
    status, body = api.get("fees", history=True, stripe="3")
    assert (status, body["stripe"], body["version"], body["complete_to"]) == (200, 3, 4, 4)
    assert [entry["balance_minor"] for entry in body["entries"]] == [20, 20, 10, 0]
    _, page = api.get("fees", history=True, stripe="3", limit="2")
    cursor = page["next_cursor"]
    _, older = api.get("fees", history=True, stripe="3", limit="2", cursor=cursor)
    assert [entry["version"] for entry in older["entries"]] == [2, 1]
    assert api.get("fees", history=True, cursor=cursor)[0] == 400
    assert "stripe" not in api.get("payer", history=True)[1]
    assert api.get("fees", history=True)[1]["stripe"] == 0
