"""Striped accounts over REST: what answers say of stripes, and of accounts that have none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.entrypoints_api.driving import Api, Reply, assert_problem


@pytest.fixture
def api() -> Api:
    """A bank without limits, and an account of three stripes with 90 on the first."""
    made = Api()
    assert opened(made, "bank", account_type="asset", min_balance_minor=None)[0] == 201
    assert opened(made, "s", stripes=3)[0] == 201
    assert paid(made, "fund", "bank", "s", 90)[0] == 201
    return made


def opened(api: Api, account: str, **fields: Any) -> Reply:
    """The answer to an opening."""
    body = {"type": "account.open", "v": 1, "id": f"open:{account}", "account": account}
    return api.send(
        "POST", "/accounts", {**body, "currency": "EUR", "account_type": "liability", **fields}
    )


def paid(api: Api, id_: str, source: str, destination: str, minor: int) -> Reply:
    """The answer to a payment."""
    leg = {"source": source, "destination": destination, "amount_minor": minor, "currency": "EUR"}
    return api.send(
        "POST", "/payments", {"type": "payment.post", "v": 1, "id": id_, "postings": [leg]}
    )


def striped(api: Api, stripes: object, id_: str = "stripes") -> Reply:
    """The answer to a change of stripes."""
    body = {"type": "account.set_stripes", "v": 1, "id": id_, "account": "s", "stripes": stripes}
    return api.send("POST", "/stripes", body)


def test_an_opening_says_how_many_stripes_there_are(api: Api) -> None:
    """And each of them; an account of one item says 1, and nothing of a stripe."""
    _, _, body = opened(api, "t", stripes=2)
    assert body["stripes"] == 2
    assert [one["stripe"] for one in body["accounts"]] == [0, 1]
    _, _, body = opened(api, "u")
    assert body["stripes"] == 1
    assert "stripe" not in body["accounts"][0]


def test_a_change_is_answered_with_every_stripe(api: Api) -> None:
    """Whichever change it is: their versions, and what the account is from then on."""
    status, headers, body = striped(api, 5)
    assert (status, body["status"], body["stripes"]) == (201, "stripes_set", 5)
    assert headers["Location"] == "accounts/s/limits"
    assert [(one["stripe"], one["version"]) for one in body["accounts"]] == [
        *((0, 3), (1, 2), (2, 2)),
        *((3, 1), (4, 1)),
    ]
    freeze = {"type": "account.freeze", "v": 1, "id": "f", "account": "s", "sides": "both"}
    _, _, body = api.send("POST", "/freezes", {**freeze, "reason": "asked to"})
    assert (body["stripes"], len(body["accounts"])) == (5, 5)


def test_a_payment_shows_the_stripes_that_it_touched(api: Api) -> None:
    """The one that it is on, then the one that gave up a lease: balances are those of stripes."""
    assert striped(api, 2)[0] == 201
    _, _, body = paid(api, "p", "s", "bank", 60)
    shown = [(one["id"], one.get("stripe"), one["balance_minor"]) for one in body["accounts"]]
    assert shown == [("s", 0, 30), ("s", 1, 0), ("bank", None, 30)]
    assert body["accounts"][0]["version"] == 4


def test_limits_say_how_many_stripes_are_in_use(api: Api) -> None:
    """Of any account."""
    for account, stripes in (("s", 3), ("bank", 1)):
        _, _, body = api.send("GET", "/accounts/{id}/limits", id=account)
        assert body["stripes"] == stripes


def test_refusals_name_the_account_with_its_sums(api: Api) -> None:
    """And every further stripe behind it."""
    _, _, body = paid(api, "p", "s", "bank", 91)
    assert [(one.get("kind"), one["id"]) for one in body["causes"]] == [
        (None, "s"),
        ("stripe", "s/1"),
        ("stripe", "s/2"),
    ]
    assert body["causes"][0]["values"]["available_minor"] == 90


@pytest.mark.parametrize("stripes", [0, 33, -1, "4", 1.5, None])
def test_there_are_1_to_32_stripes(api: Api, stripes: object) -> None:
    """Anything else is malformed, and nothing is recorded."""
    assert_problem(striped(api, stripes), 400, "invalid_choice", "stripes")
    assert striped(api, 32)[0] == 201
