"""Payments that do not look like their payer's, from the posting to the alert, deployed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.cli.app import app
from ledger.client import config as configuration
from ledger.client.answers import Accepted
from ledger.client.config import Config
from ledger.client.rest import LedgerApi
from tests.end_to_end.driving import (
    client,
    eventually,
    funded_pair,
    opening,
    paying,
    posted,
    unique,
)
from tests.support.command_line import CliRunner


def screenings(api: LedgerApi, payment: str) -> list[dict[str, Any]]:
    """The verdicts recorded on a payment so far."""
    answer = api.screening(payment)
    assert isinstance(answer, Accepted), answer
    found: list[dict[str, Any]] = answer.body["screenings"]
    return found


def screened(api: LedgerApi, payments: list[str]) -> list[dict[str, Any]]:
    """The verdict on each payment, once all are recorded."""
    assert eventually(lambda: all(screenings(api, payment) for payment in payments)), payments
    return [screenings(api, payment)[0] for payment in payments]


def listening(config: Config) -> tuple[Any, str]:
    """A queue that has whatever the topic of fraud alerts publishes from now on."""
    sqs, sns = client(config, "sqs"), client(config, "sns")
    url = sqs.create_queue(QueueName=unique("alerts"))["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    sns.subscribe(
        TopicArn=config.outputs["FraudAlertsTopicArn"],
        Protocol="sqs",
        Endpoint=attributes["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    return sqs, url


def received(sqs: Any, url: str, found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Adds what lies in the queue to `found`, by payment."""
    messages = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])
    for message in messages:
        body = json.loads(message["Body"])
        values = message.get("MessageAttributes", {}).items()
        found[body["payment"]] = body | {
            "attributes": {name: value["StringValue"] for name, value in values}
        }
    return found


def test_a_burst_unlike_the_customer_is_recorded_listed_and_alerted(
    config: Config, api: LedgerApi, tmp_path: Any
) -> None:
    """A customer's usual payments are cleared; a sudden large one to a stranger is recorded with
    its reasons, listed for review and alerted under the id of its event."""
    sqs, url = listening(config)
    now = datetime.now(UTC)
    past = (now - timedelta(days=30)).isoformat()
    payer, friend = funded_pair(api, 1_000_000, effective_at=past)
    stranger = unique("stranger")
    assert isinstance(posted(api, opening(stranger)), Accepted)
    usual = [unique("usual") for _ in range(6)]
    for days, payment in enumerate(usual, start=3):
        at = (now - timedelta(days=days)).isoformat()
        command = paying(payment, payer, friend, 2_000 + 100 * days, effective_at=at)
        assert isinstance(posted(api, command), Accepted)
    assert {each["verdict"] for each in screened(api, usual)} == {"clear"}

    burst = [unique("burst") for _ in range(4)]
    for payment in burst:
        assert isinstance(posted(api, paying(payment, payer, stranger, 90_000)), Accepted)
    verdicts = screened(api, burst)
    assert {each["verdict"] for each in verdicts} <= {"review", "block"}
    assert "block" in {each["verdict"] for each in verdicts}
    reasons = {reason["code"]: reason for each in verdicts for reason in each["reasons"]}
    assert {"amount_above_norm", "new_counterparty", "counterparty_repeated"} <= set(reasons)
    assert reasons["amount_above_norm"]["value"] == 90_000
    assert 2_000 <= reasons["amount_above_norm"]["norm"] <= 3_000

    alerts: dict[str, dict[str, Any]] = {}
    assert eventually(lambda: set(burst) <= set(received(sqs, url, alerts)))
    for payment, verdict in zip(burst, verdicts, strict=True):
        alert = alerts[payment]
        assert alert["attributes"] == {
            "verdict": verdict["verdict"],
            "model": verdict["model"],
            "account": payer,
        }
        assert {name: alert[name] for name in verdict} == verdict
    assert not set(usual) & set(alerts)

    path = tmp_path / "config.json"
    configuration.save(config, path)

    def listed() -> dict[str, dict[str, Any]]:
        listing = CliRunner().invoke(app, ["reviews", "--json", "--config", str(path)])
        return {each["payment"]: each for each in json.loads(listing.stdout)["reviews"]}

    assert eventually(lambda: set(burst) <= set(listed()))
    assert not set(usual) & set(listed())
    assert {listed()[payment]["account"] for payment in burst} == {payer}
