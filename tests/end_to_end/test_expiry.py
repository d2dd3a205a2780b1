"""A hold that nobody ends is ended by its time: at once for every decision, soon in the totals."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.client.answers import Accepted, Refused
from ledger.client.config import Config
from ledger.client.rest import LedgerApi
from tests.end_to_end.driving import (
    client,
    eventually,
    funded_pair,
    paying,
    posted,
    projected,
    unique,
)

HELD_SECONDS = 3.0
# A sweep a minute, which the emulator begins up to ten seconds late, and a worker that starts.
RELEASED_SECONDS_MAX = 180


def holding(payment: str, payer: str, payee: str, amount_minor: int) -> dict[str, Any]:
    """The command that holds a payment for `HELD_SECONDS` from now."""
    until = datetime.now(UTC) + timedelta(seconds=HELD_SECONDS)
    return {
        **paying(payment, payer, payee, amount_minor),
        "type": "payment.authorize",
        "expires_at": until.isoformat(),
    }


def capturing(payment: str) -> dict[str, Any]:
    """The command that captures all of a hold."""
    return {"type": "payment.capture", "v": 1, "id": unique("capture"), "payment": payment}


def status(api: LedgerApi, payment: str) -> str:
    """Where a payment is in its life."""
    found = api.payment(payment)
    assert isinstance(found, Accepted), found
    return str(found.body["status"])


def test_the_sweep_releases_a_hold_by_itself(api: LedgerApi) -> None:
    """Nothing is asked of the ledger but how the payment is; the money is free again, and the
    account's history says why."""
    payer, payee = funded_pair(api, 1_000)
    payment = unique("hold")
    held = posted(api, holding(payment, payer, payee, 700))
    assert isinstance(held, Accepted), held
    assert status(api, payment) == "held"
    before = projected(api, payer, held.body["accounts"][0]["version"])
    assert (before["balance_minor"], before["available_minor"]) == (1_000, 300)

    assert eventually(lambda: status(api, payment) == "expired", RELEASED_SECONDS_MAX)

    after = projected(api, payer, held.body["accounts"][0]["version"] + 1)
    assert (after["balance_minor"], after["available_minor"]) == (1_000, 1_000)
    assert after["entries"][0]["type"] == "payment.expired"
    assert projected(api, payee, held.body["accounts"][1]["version"] + 1)["balance_minor"] == 0


def test_no_decision_waits_for_the_sweep(api: LedgerApi) -> None:
    """A hold that has expired cannot be captured though it has not been released; and a payment
    that needs the money gets it."""
    payer, payee = funded_pair(api, 1_000)
    payment = unique("hold")
    assert isinstance(posted(api, holding(payment, payer, payee, 700)), Accepted)
    refused = posted(api, paying(unique("early"), payer, payee, 900))
    assert isinstance(refused, Refused)
    assert refused.reason == "insufficient_funds"
    time.sleep(HELD_SECONDS)

    captured = posted(api, capturing(payment))
    paid = posted(api, paying(unique("payment"), payer, payee, 900))

    assert isinstance(captured, Refused)
    assert captured.reason in {"hold_expired", "hold_not_open"}  # if a sweep was between
    assert isinstance(paid, Accepted), paid
    assert status(api, payment) == "expired"


def test_a_sweep_by_hand_says_what_it_did(api: LedgerApi, config: Config) -> None:
    """As docs/operations.md has it done; and what is released twice over is released once."""
    payer, payee = funded_pair(api, 1_000)
    payment = unique("hold")
    assert isinstance(posted(api, holding(payment, payer, payee, 700)), Accepted)
    time.sleep(HELD_SECONDS)
    functions = client(config, "lambda")

    for _ in range(2):
        answer = functions.invoke(FunctionName="ledger-dev-expiry:live", Payload=b"{}")
        assert "FunctionError" not in answer

    assert status(api, payment) == "expired"
    again = posted(api, paying(unique("payment"), payer, payee, 1_000))
    assert isinstance(again, Accepted), again
