"""A payment from each entry to the projections, with what goes wrong on the way."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledger.client.answers import Accepted, Refused
from ledger.client.bus import BusSender
from ledger.client.config import Config
from ledger.client.fifo import FifoSender
from ledger.client.messages import Message
from ledger.client.rest import LedgerApi
from tests.end_to_end.driving import (
    client,
    eventually,
    funded_pair,
    opening,
    paying,
    posted,
    projected,
    unique,
)


@pytest.fixture(scope="module")
def bus(config: Config) -> BusSender:
    """The asynchronous entry without order."""
    return BusSender(client(config, "events"), config.outputs["IngressBusName"])


@pytest.fixture(scope="module")
def fifo(config: Config) -> FifoSender:
    """The asynchronous entry with order."""
    return FifoSender(client(config, "sqs"), config.outputs["CommandsFifoQueueUrl"])


def message(command: dict[str, Any], key: str = "any") -> Message:
    return Message(command["type"], json.dumps(command).encode(), key)


def dead_letters(config: Config, output: str) -> list[dict[str, Any]]:
    """What lies in a dead-letter queue now, looked at and left there."""
    sqs = client(config, "sqs")
    received = sqs.receive_message(
        QueueUrl=config.outputs[output],
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageAttributeNames=["All"],
    )
    return [dict(each) for each in received.get("Messages", [])]


def test_a_payment_over_rest_moves_money_once(api: LedgerApi) -> None:
    """First 201, then the same answer as a repeat; another amount under its id is a mismatch."""
    payer, payee = funded_pair(api, 1_000)
    payment = paying(unique("payment"), payer, payee, 400, reference="espresso")

    first, second = posted(api, payment), posted(api, payment)
    other = posted(api, paying(payment["id"], payer, payee, 401, reference="espresso"))

    assert isinstance(first, Accepted)
    assert not first.repeat
    assert isinstance(second, Accepted)
    assert second.repeat
    assert second.body | {"repeat": False} == first.body
    assert isinstance(other, Refused)
    assert (other.status, other.reason, other.field) == (
        409,
        "idempotency_mismatch",
        "postings[0].amount_minor",
    )
    assert projected(api, payee, 2)["balance_minor"] == 400
    assert projected(api, payer, 3)["balance_minor"] == 600


def test_one_command_through_every_entry_moves_money_once(
    api: LedgerApi, bus: BusSender, fifo: FifoSender
) -> None:
    """The same command object over queue, bus and REST is one command; the last is a repeat."""
    payer, payee = funded_pair(api, 1_000)
    payment = paying(unique("payment"), payer, payee, 250)

    fifo.send([message(payment, payer)] * 2)
    projected(api, payee, 2)
    bus.send([message(payment)] * 2)
    answer = posted(api, payment)

    assert isinstance(answer, Accepted)
    assert answer.repeat
    # What comes behind them on the same entries has been decided: so have they.
    later = [paying(unique("later"), payer, payee, 1) for _ in range(2)]
    bus.send([message(later[0])])
    fifo.send([message(later[1], payer)])
    assert projected(api, payee, 4)["balance_minor"] == 252


def test_a_refusal_is_recorded_and_stays(api: LedgerApi, bus: BusSender) -> None:
    """Refused over the bus for lack of funds; funds come; the same id answers the same for ever."""
    payer, payee = funded_pair(api, 100)
    payment = paying(unique("payment"), payer, payee, 101)
    bus.send([message(payment)])

    def recorded() -> bool:
        found = api.payment(payment["id"])
        return isinstance(found, Accepted) and found.body["status"] == "rejected"

    assert eventually(recorded)
    assert isinstance(posted(api, paying(unique("back"), payee, payer, 1)), Refused)
    donor, _ = funded_pair(api, 500)
    assert isinstance(posted(api, paying(unique("gift"), donor, payer, 500)), Accepted)

    answer = posted(api, payment)

    assert isinstance(answer, Refused)
    assert answer.repeat
    assert (answer.reason, answer.retry) == ("insufficient_funds", "new_id")
    assert answer.body["causes"][0]["values"]["available_minor"] == 100


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"amount_minor": 0}, "invalid_amount", "postings[0].amount_minor"),
        ({"amount_minor": "12"}, "invalid_amount", "postings[0].amount_minor"),
        ({"amount_minor": 12.5}, "invalid_amount", "postings[0].amount_minor"),
        ({"amount_minor": 2**63}, "invalid_amount", "postings[0].amount_minor"),
        ({"v": 2}, "unsupported_version", "v"),
        ({"colour": "red"}, "unknown_field", "colour"),
        ({"description": "my card 4111 1111 1111 1111"}, "card_number", "description"),
    ],
)
def test_a_malformed_payment_leaves_its_id_free(
    api: LedgerApi, fields: dict[str, Any], reason: str, field: str
) -> None:
    """400 naming the field, nothing recorded; corrected, the same id is accepted."""
    payer, payee = funded_pair(api, 10)
    wrong = dict(fields)
    payment = paying(unique("payment"), payer, payee, wrong.pop("amount_minor", 5), **wrong)

    answer = posted(api, payment)

    assert isinstance(answer, Refused)
    assert (answer.status, answer.reason, answer.field) == (400, reason, field)
    corrected = posted(api, paying(payment["id"], payer, payee, 5))
    assert isinstance(corrected, Accepted)
    assert not corrected.repeat


def test_malformed_messages_are_put_aside_with_their_reason(
    config: Config, api: LedgerApi, bus: BusSender, fifo: FifoSender
) -> None:
    """One bad message fails alone: its neighbours are decided, and it keeps its payload."""
    payer, payee = funded_pair(api, 100)
    marks = [unique("bad") for _ in range(3)]
    bus.send(
        [
            message(paying(marks[0], payer, payee, -1)),
            message(paying(unique("good"), payer, payee, 10)),
            Message("no.such.type", json.dumps({"mark": marks[1]}).encode(), "any"),
        ]
    )
    fifo.send([Message("payment.post", f'{{"id": "{marks[2]}", '.encode(), payer)])
    fifo.send([message(paying(unique("good"), payer, payee, 20), payer)])

    assert projected(api, payee, 3)["balance_minor"] == 30

    def found(mark: str, output: str) -> dict[str, Any] | None:
        return next((d for d in dead_letters(config, output) if mark in d["Body"]), None)

    for mark, output, reason in (
        (marks[0], "CommandsDlqUrl", "invalid_amount"),
        (marks[1], "CommandsDlqUrl", "unsupported_type"),
        (marks[2], "CommandsFifoDlqUrl", "malformed_json"),
    ):
        assert eventually(lambda m=mark, o=output: found(m, o) is not None)  # type: ignore[misc]
        letter = found(mark, output)
        assert letter is not None
        assert letter["MessageAttributes"]["reason"]["StringValue"] == reason


def test_many_writers_cannot_overdraw_together(api: LedgerApi) -> None:
    """Ten concurrent payments of 30 out of 100: three are posted, whatever the interleaving."""
    payer, payee = funded_pair(api, 100)
    payments = [paying(unique("payment"), payer, payee, 30) for _ in range(10)]

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda payment: posted(api, payment), payments))

    assert sum(isinstance(answer, Accepted) for answer in answers) == 3
    refused = {answer.reason for answer in answers if isinstance(answer, Refused)}
    assert refused == {"insufficient_funds"}
    assert projected(api, payer, 5)["balance_minor"] == 10


def test_history_is_paged_newest_first(api: LedgerApi) -> None:
    """Pages of two lead from the newest version to the opening, without a gap or a double."""
    payer, payee = funded_pair(api, 100)
    for amount in (1, 2, 3):
        assert isinstance(posted(api, paying(unique("payment"), payer, payee, amount)), Accepted)
    projected(api, payee, 4)

    versions, balances, query = [], [], {"limit": "2"}
    for _ in range(2):
        page = api.history(payee, query)
        assert isinstance(page, Accepted)
        assert page.body["complete_to"] == 4
        versions += [entry["version"] for entry in page.body["entries"]]
        balances += [entry["balance_minor"] for entry in page.body["entries"]]
        query["cursor"] = page.body.get("next_cursor", "")

    assert versions == [4, 3, 2, 1]
    assert balances == [6, 3, 1, 0]


def test_lookups_say_what_they_do_not_know(api: LedgerApi) -> None:
    """Unknown ids, unreached versions and bad parameters are told apart."""
    account = unique("account")
    assert isinstance(posted(api, opening(account)), Accepted)
    projected(api, account, 1)

    for answer, status, reason in (
        (api.account(unique("nobody")), 404, "account_unknown"),
        (api.payment(unique("nothing")), 404, "payment_not_found"),
        (api.payment(f"open-{account}"), 404, "payment_not_found"),
        (api.history(account, {"limit": "0"}), 400, "invalid_query"),
    ):
        assert isinstance(answer, Refused)
        assert (answer.status, answer.reason) == (status, reason)
