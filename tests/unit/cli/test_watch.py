"""The verb `watch`: what it subscribes to, prints and leaves behind, which is nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.cli.connection import Connection
from ledger.cli.watching.lines import line_of
from ledger.client.config import Config, Credentials, save
from ledger.contracts import examples
from ledger.contracts.notifications import NOTIFICATION_TYPES, attributes_of, decode_notification
from tests.support.records import aws_error
from tests.unit.cli.conftest import Run

TOPIC = "arn:aws:sns:eu-central-1:000000000000:ledger-dev-notifications"
PAYMENT = examples.EVENTS["payment.posted", 1]
ALERT = examples.NOTIFICATIONS["balance.alert", 1]


class Aws:
    """SNS and SQS as `watch` calls them. `arrivals` are the receives to come, each a list of
    bodies; then `when_quiet` is called at each."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.arrivals: list[list[str]] = []
        self.when_quiet: Callable[[], object] = lambda: os.kill(os.getpid(), signal.SIGINT)
        self.failing: dict[str, Exception] = {}

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        def call(**arguments: Any) -> dict[str, Any]:
            self.calls.append((name, arguments))
            if name in self.failing:
                raise self.failing[name]
            answer = getattr(self, f"_{name}", None)
            return answer() if answer else {}

        if name.startswith("_"):
            raise AttributeError(name)
        return call

    def _create_queue(self) -> dict[str, Any]:
        return {"QueueUrl": "https://queue"}

    def _get_queue_attributes(self) -> dict[str, Any]:
        return {"Attributes": {"QueueArn": "arn:queue"}}

    def _subscribe(self) -> dict[str, Any]:
        return {"SubscriptionArn": "arn:subscription"}

    def _receive_message(self) -> dict[str, Any]:
        if not self.arrivals:
            self.when_quiet()
            return {}
        return {
            "Messages": [
                {"Body": body, "ReceiptHandle": f"r{place}", "MessageAttributes": typed(body)}
                for place, body in enumerate(self.arrivals.pop(0))
            ]
        }

    def of(self, name: str) -> list[dict[str, Any]]:
        """The arguments of each call of that name."""
        return [arguments for called, arguments in self.calls if called == name]


def typed(body: str) -> dict[str, Any]:
    """The attributes of a message as SQS gives them."""
    return {
        name: {"DataType": "String", "StringValue": value}
        if isinstance(value, str)
        else {"DataType": "String.Array", "StringValue": json.dumps(value)}
        for name, value in attributes_of(decode_notification(body)).items()
    }


@pytest.fixture
def aws(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aws:
    """What the command is connected to, once `run` has said where it is configured."""
    del run
    config = Config(
        region="eu-central-1",
        endpoint_url="http://127.0.0.1:1",
        api_url="http://127.0.0.1:1/v1/",
        outputs={"NotificationsTopicArn": TOPIC},
        credentials=Credentials("x", "x"),
    )
    save(config, tmp_path / "config.json")
    fake = Aws()
    monkeypatch.setattr(Connection, "sns", fake)
    monkeypatch.setattr(Connection, "sqs", fake)
    return fake


def body(example: dict[str, object], **changes: object) -> str:
    """A notification's body."""
    return json.dumps(example | changes, separators=(",", ":"))


def test_notifications_are_shown_one_a_line_as_they_come(run: Run, aws: Aws) -> None:
    """Ctrl-C is the usual end, and no failure."""
    aws.arrivals = [[body(PAYMENT)], [], [body(ALERT), body(PAYMENT, id="other")]]
    ran = run("watch")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [line.split()[1] for line in lines] == [
        *("payment.posted", "balance.alert", "payment.posted"),
    ]
    assert [line.split()[-1] for line in lines] == [str(PAYMENT["id"]), str(ALERT["id"]), "other"]


def test_with_json_each_is_as_subscribers_get_it(run: Run, aws: Aws) -> None:
    """One line each, byte for byte; what is said besides goes to standard error."""
    bodies = [body(PAYMENT, description="ü"), body(ALERT)]
    aws.arrivals = [bodies]
    ran = run("watch", "--json")
    assert ran.out.splitlines() == bodies
    assert "watching" in ran.err


def test_what_is_delivered_twice_is_shown_once(run: Run, aws: Aws) -> None:
    """SNS and SQS deliver at least once."""
    aws.arrivals = [[body(ALERT), body(ALERT)], [body(ALERT)]]
    assert len(run("watch").out.splitlines()) == 1
    assert len(aws.of("delete_message_batch")) == 2  # what was seen does not come for ever


def test_a_queue_of_its_own_is_made_subscribed_and_removed(run: Run, aws: Aws) -> None:
    """It may be sent to by the topic alone, gets messages as they are, and is named after the
    stage; queue and subscription go, in this order: first what delivers, then where to."""
    assert run("watch").code == 0
    [created] = aws.of("create_queue")
    assert created["QueueName"].startswith("ledger-dev-watch-")
    [given] = aws.of("set_queue_attributes")
    [statement] = json.loads(given["Attributes"]["Policy"])["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "arn:queue",
        "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }
    [subscription] = aws.of("subscribe")
    assert subscription["Attributes"] == {"RawMessageDelivery": "true"}
    assert [name for name, _ in aws.calls][-2:] == ["unsubscribe", "delete_queue"]


def test_filters_are_the_subscription_s(run: Run, aws: Aws) -> None:
    """Options of one kind are alternatives, several kinds must all match."""
    run(
        "watch", "--type", "payment.posted", "--type", "command.rejected", "--account", "a",
        "--currency", "EUR", "--amount-band", "10-100", "--reason", "insufficient_funds",
    )  # fmt: skip
    [subscription] = aws.of("subscribe")
    assert json.loads(subscription["Attributes"]["FilterPolicy"]) == {
        "type": ["payment.posted", "command.rejected"],
        "account": ["a"],
        "currency": ["EUR"],
        "amount_band": ["10-100"],
        "reason": ["insufficient_funds"],
    }


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (("--account", "customers:42:wallet"), 2),
        (("--account", "income:card-fees"), 1),
        (("--account", "income:card-fees", "--account", "customers:42:wallet"), 2),
        (("--account", "income:card-fees", "--type", "balance.alert"), 0),
        (("--amount-band", "10-100"), 1),
        (("--reason", "insufficient_funds"), 0),
        (("--currency", "USD"), 0),
    ],
)
def test_what_the_filter_let_through_too_early_is_not_shown(
    run: Run, aws: Aws, options: tuple[str, ...], shown: int
) -> None:
    """A new filter policy takes minutes until it counts: until then it is judged here."""
    aws.arrivals = [[body(PAYMENT), body(ALERT)]]
    assert len(run("watch", *options).out.splitlines()) == shown


def test_it_ends_after_so_many(run: Run, aws: Aws) -> None:
    """Also in the middle of what came at once."""
    aws.arrivals = [[body(PAYMENT, id=f"p{number}") for number in range(5)]]
    assert len(run("watch", "--count", 3).out.splitlines()) == 3
    assert aws.of("delete_queue")


def test_it_ends_after_so_many_seconds(run: Run, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """It never waits longer than there is time left, nor than SQS allows."""
    now = [0.0]
    monkeypatch.setattr("ledger.cli.watching.command.time.monotonic", lambda: now[0])

    def wait() -> None:
        now[0] += aws.of("receive_message")[-1]["WaitTimeSeconds"]

    aws.when_quiet = wait
    assert run("watch", "--for", 45).code == 0
    assert [call["WaitTimeSeconds"] for call in aws.of("receive_message")] == [20, 20, 5]


@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM])
def test_however_it_is_ended_nothing_stays(run: Run, aws: Aws, signalled: signal.Signals) -> None:
    """Ctrl-C and termination alike."""
    aws.when_quiet = lambda: os.kill(os.getpid(), signalled)
    assert run("watch").code == 0
    assert aws.of("unsubscribe") == [{"SubscriptionArn": "arn:subscription"}]
    assert aws.of("delete_queue") == [{"QueueUrl": "https://queue"}]


def test_an_outage_while_watching_ends_it_and_leaves_nothing(run: Run, aws: Aws) -> None:
    """Exit code 3, as for any outage; what was made is removed."""
    aws.failing["receive_message"] = aws_error("ReceiveMessage", "InternalError")
    assert run("watch", "--json").code == 3
    assert aws.of("unsubscribe")
    assert aws.of("delete_queue")


def test_a_missing_permission_is_named_and_leaves_nothing(run: Run, aws: Aws) -> None:
    """Exit code 2; the queue that was made before is removed."""
    aws.failing["subscribe"] = aws_error("Subscribe", "AuthorizationError")
    refused = run("watch", "--json")
    assert (refused.code, refused.value["reason"]) == (2, "credentials")
    assert aws.of("delete_queue")
    assert not aws.of("unsubscribe")


def test_what_cannot_be_removed_is_told(run: Run, aws: Aws) -> None:
    """By name, so that it can be removed by hand; the rest is removed all the same."""
    aws.failing["unsubscribe"] = aws_error("Unsubscribe", "Throttled")
    ran = run("watch")
    assert ran.code == 0
    assert "could not remove the subscription arn:subscription" in ran.err
    assert aws.of("delete_queue")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--type", "payment.settled"), "--type is one of account.alerts_set"),
        (("--amount-band", "10-1000"), "--amount-band is one of 0-1, 1-10"),
        (
            tuple(option for number in range(151) for option in ("--account", f"a{number}")),
            "150 combinations",
        ),
    ],
)
def test_a_filter_that_could_never_match_is_refused(
    run: Run, aws: Aws, options: tuple[str, ...], message: str
) -> None:
    """A misspelt type or band, or more than SNS takes: said before anything is made."""
    refused = run("watch", *options, "--json")
    assert refused.code == 2
    assert message in refused.value["title"]
    assert aws.calls == []


def test_every_notification_has_a_line() -> None:
    """With what matters of it to people."""
    lines = {
        json.loads(text)["type"]: line_of(text)
        for text in (*map(body, examples.EVENTS.values()), body(ALERT))
    }
    assert set(lines) >= set(NOTIFICATION_TYPES)
    assert (
        "12.50 EUR customers:42:wallet -> merchants:7:settlement and 1 more"
        in (lines["payment.posted"])
    )
    assert "insufficient_funds at postings[0].source" in lines["command.rejected"]
    assert "customers:42:wallet below -400.00 EUR: -412.50 EUR" in lines["balance.alert"]
    assert "customers:42:wallet liability in EUR" in lines["account.opened"]
    assert "below -400.00 EUR, above 10000.00 EUR" in lines["account.alerts_set"]
    assert all(line.count("\n") == 0 for line in lines.values())


@pytest.mark.parametrize(
    "text", ["{}", "[]", "not JSON", body(PAYMENT, v=2), body(PAYMENT, type="payment.settled")]
)
def test_what_is_not_known_here_has_a_line_too(text: str) -> None:
    """A newer release's notification, with its id where it has one; or no notification at all."""
    line = line_of(text)
    assert "unknown" in line
    assert str(PAYMENT["id"]) in line or text in ("{}", "[]", "not JSON")
