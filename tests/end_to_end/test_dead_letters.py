"""A consumer breaks, its letters are listed, it is mended, and they go back: on the real stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger.client.answers import Accepted
from ledger.client.config import Config
from ledger.client.rest import LedgerApi
from tests.end_to_end.driving import (
    client,
    eventually,
    funded_pair,
    ledger,
    paying,
    posted,
    projected,
    row_at,
    unique,
)
from tests.support.bad_deploy import deploy_badly, functions_of, name_of, roll_back

RECEIVES = 2  # with the template's five, back-offs alone would take half a minute


def letters(config_file: Path, queue: str) -> list[dict[str, Any]]:
    """What `ledger dead-letters` lists of a queue."""
    code, found = ledger(config_file, "dead-letters", queue)
    assert code == 0
    return list(found["letters"])


@contextmanager
def impatient(config: Config, output: str) -> Iterator[None]:
    """The queue gives a message up after RECEIVES, until the block is left."""
    sqs, url = client(config, "sqs"), config.outputs[output]
    name = "RedrivePolicy"
    genuine = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
    hasty = json.loads(genuine) | {"maxReceiveCount": RECEIVES}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: json.dumps(hasty)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: genuine})


@contextmanager
def badly_deployed(config: Config, function: str) -> Iterator[None]:
    """The function with a wrong setting, until the block is left."""
    functions, name = functions_of(config), name_of(config, function)
    deploy_badly(functions, name)
    try:
        yield
    finally:
        roll_back(functions, name)


def test_a_poisoned_message_holds_up_nobody(
    config: Config, api: LedgerApi, config_file: Path
) -> None:
    """What is no event dies with its payload, while the events beside it are projected."""
    poison = json.dumps({"poison": unique("poison")})
    with impatient(config, "BalancesQueueUrl"):
        client(config, "sqs").send_message(
            QueueUrl=config.outputs["BalancesQueueUrl"], MessageBody=poison
        )
        payer, payee = funded_pair(api, 100)
        assert isinstance(posted(api, paying(unique("payment"), payer, payee, 7)), Accepted)
        assert projected(api, payee, 2)["balance_minor"] == 7
        assert eventually(lambda: poison in bodies(config_file, "balances"))
    [letter] = [each for each in letters(config_file, "balances") if each["of"] is None]
    assert ledger(config_file, "discard", "balances", "--only", letter["id"])[0] == 0
    assert letters(config_file, "balances") == []


def bodies(config_file: Path, queue: str) -> list[str]:
    """The bodies of a queue's dead letters."""
    code, found = ledger(config_file, "dead-letters", queue, "--show-body")
    assert code == 0
    return [letter["body"] for letter in found["letters"]]


def test_a_broken_consumer_is_mended_and_catches_up(
    config: Config, api: LedgerApi, config_file: Path
) -> None:
    """A bad deployment of balances: payments are posted and reach the history, events die with
    their payload and are listed by what they are; after the roll-back they are redriven, one by
    its id and then the rest, the projection has everything, and the ledger verifies."""
    payer, payee = funded_pair(api, 1_000)
    projected(api, payee, 1)
    payments = [unique("payment") for _ in range(4)]
    with impatient(config, "BalancesQueueUrl"), badly_deployed(config, "balances"):
        for payment in payments:
            assert isinstance(posted(api, paying(payment, payer, payee, 10)), Accepted)
        assert eventually(lambda: reached(api, payee, 5))
        stale = api.account(payee)
        assert isinstance(stale, Accepted)
        assert (stale.body["version"], stale.body["balance_minor"]) == (1, 0)

        found: dict[str, dict[str, Any]] = {}

        def all_dead() -> bool:
            dead = (each for each in letters(config_file, "balances") if each["of"] in payments)
            found.update((letter["of"], letter) for letter in dead)
            # Some may be in one pack, which is named after its first.
            return bool(sum(letter["count"] for letter in found.values()) == len(payments))

        assert eventually(all_dead)
    for letter in found.values():
        assert (letter["kind"], letter["type"]) == ("event", "payment.posted")
        assert (letter["reason"], letter["receives"]) == ("given_up", RECEIVES)
        assert letter["retry"] == "same_request"
    again = {letter["of"] for letter in letters(config_file, "balances")}
    assert again >= found.keys(), "listing takes nothing away"

    # The newest first: each event says all of the balance.
    last = max(found, key=payments.index)
    code, done = ledger(config_file, "redrive", "balances", "--only", found[last]["id"])
    assert (code, done["sent"]) == (0, [found[last]["id"]])
    projected(api, payee, payments.index(last) + 2)
    _, done = ledger(config_file, "redrive", "balances")
    assert set(done["sent"]) >= {letter["id"] for of, letter in found.items() if of != last}
    assert projected(api, payee, 5)["balance_minor"] == 40

    assert not {letter["of"] for letter in letters(config_file, "balances")} & set(payments)
    code, report = ledger(config_file, "verify")
    assert (code, report["ok"]) == (0, True), report["findings"]


def reached(api: LedgerApi, account: str, version: int) -> bool:
    """Whether the account's history has that version."""
    page = api.history(account)
    return isinstance(page, Accepted) and page.body["entries"][0]["version"] == version


def test_a_command_that_can_never_succeed_is_not_sent_round(
    config: Config, api: LedgerApi, config_file: Path
) -> None:
    """Its letter says why; a redrive refuses it and sends its neighbour, which is decided; forced,
    it is buried anew, though FIFO queues swallow what they know."""
    payer, payee = funded_pair(api, 100)
    sqs, dead = client(config, "sqs"), config.outputs["CommandsFifoDlqUrl"]
    wrong, right = (paying(unique("payment"), payer, payee, amount) for amount in (0, 7))
    sqs.send_message(
        QueueUrl=config.outputs["CommandsFifoQueueUrl"],
        MessageBody=json.dumps(wrong),
        MessageGroupId=payer,
        MessageDeduplicationId=wrong["id"],
    )

    def buried() -> list[dict[str, Any]]:
        every = letters(config_file, "commands.fifo")
        return [letter for letter in every if letter["of"] == wrong["id"]]

    assert eventually(lambda: len(buried()) == 1)
    [letter] = buried()
    assert (letter["reason"], letter["retry"]) == ("invalid_amount", "never")
    assert (letter["group"], letter["field"]) == (payer, "postings[0].amount_minor")
    sqs.send_message(
        QueueUrl=dead,
        MessageBody=json.dumps(right),
        MessageGroupId=payer,
        MessageDeduplicationId=right["id"],
    )

    code, done = ledger(config_file, "redrive", "commands.fifo")
    assert code == 1
    assert done["refused"][letter["id"]] == "invalid_amount"
    assert projected(api, payee, 2)["balance_minor"] == 7
    assert [each["id"] for each in buried()] == [letter["id"]]

    only = ("--only", letter["id"], "--force")
    assert ledger(config_file, "redrive", "commands.fifo", *only)[1]["sent"] == [letter["id"]]
    assert eventually(lambda: [each["id"] for each in buried()] not in ([], [letter["id"]]))


def test_events_that_never_reached_the_bus_are_published_again(
    config: Config, api: LedgerApi, config_file: Path
) -> None:
    """What the bus could not pass on, and what the relay gave up, in the form in which AWS keeps
    them: redriven, both reach the projections, and nothing is left behind."""
    payer, payee = funded_pair(api, 100)
    payments = [unique("payment") for _ in range(2)]
    for payment in payments:
        assert isinstance(posted(api, paying(payment, payer, payee, 5)), Accepted)
    projected(api, payee, 3)
    dynamodb, s3 = client(config, "dynamodb"), client(config, "s3")
    first, second = (
        dynamodb.get_item(TableName=config.outputs["EventsTableName"], Key={"pk": {"S": payment}})
        for payment in payments
    )
    for version in (2, 3):
        dynamodb.delete_item(**row_at(config, payee, version))
    envelope = {
        "id": unique("envelope"),
        "source": "ledger",
        "account": "000000000000",
        "detail-type": "payment.posted",
        "detail": {"events": [json.loads(first["Item"]["data"]["S"])]},
    }
    client(config, "sqs").send_message(
        QueueUrl=config.outputs["BusDlqUrl"],
        MessageBody=json.dumps(envelope, separators=(",", ":")),
        MessageAttributes={"ERROR_CODE": {"DataType": "String", "StringValue": "KMS_DISABLED"}},
    )
    image = {name: value for name, value in second["Item"].items() if name != "hashes"}  # binary
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": image}}
    key, name = "aws/lambda/mapping/shard/2026/11/22", unique("batch")
    s3.put_object(
        Bucket=config.outputs["RelayFailuresBucketName"],
        Key=f"{key}/{name}",
        Body=json.dumps(
            {
                "requestContext": {"condition": "RetryAttemptsExhausted"},
                "payload": json.dumps({"Records": [record]}),
            }
        ).encode(),
    )

    [of_bus] = letters(config_file, "bus")
    assert (of_bus["of"], of_bus["reason"]) == (payments[0], "KMS_DISABLED")
    [of_relay] = letters(config_file, "relay")
    assert (of_relay["id"], of_relay["of"], of_relay["count"]) == (name, payments[1], 1)
    assert ledger(config_file, "redrive", "bus")[1]["sent"] == [of_bus["id"]]
    assert ledger(config_file, "redrive", "relay")[1]["sent"] == [name]

    def complete() -> bool:
        page = api.history(payee)
        return isinstance(page, Accepted) and page.body["complete_to"] == 3

    assert eventually(complete)
    assert letters(config_file, "bus") == letters(config_file, "relay") == []
    assert ledger(config_file, "verify")[0] == 0
