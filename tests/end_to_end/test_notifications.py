"""What the ledger tells its subscribers: what matches and no more, and each crossing once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ledger.cli.app import app
from ledger.client.answers import Accepted, Refused
from ledger.client.config import ENVIRONMENT_VARIABLE, Config, save
from ledger.client.rest import LedgerApi
from sandbox.endpoint import Deployment
from tests.end_to_end.driving import (
    client,
    eventually,
    funded_pair,
    heard,
    listening,
    opening,
    paying,
    posted,
    unique,
)
from tests.support.command_line import CliRunner


def accepted(api: LedgerApi, command: dict[str, Any]) -> str:
    """The id of a command that the ledger accepts."""
    answer = posted(api, command)
    assert isinstance(answer, Accepted), answer
    return str(command["id"])


def test_a_subscriber_gets_exactly_what_its_filter_asks_for(api: LedgerApi, config: Config) -> None:
    """Payments of one band that touch one account: neither smaller nor larger ones, nor those of
    other accounts, nor refusals, nor other facts about the account."""
    payer, payee = funded_pair(api, 100_000)
    other = unique("other")
    policy = {"type": ["payment.posted"], "account": [payee], "amount_band": ["10-100"]}
    with (
        listening(config, policy) as subscription,
        # Who hears all of it knows when all of it has been told.
        listening(config, {"account": [payer, payee, other]}) as everything,
    ):
        told = [accepted(api, opening(other))]
        for amount, destination in ((999, payee), (10_000, payee), (2_000, other)):
            told.append(accepted(api, paying(unique("unmatched"), payer, destination, amount)))
        refused = paying(unique("refused"), payee, payer, 5_000_000)
        assert isinstance(posted(api, refused), Refused)
        wanted = [
            accepted(api, paying(unique("matched"), source, destination, amount))
            for source, destination, amount in (
                *((payer, payee, 1_000), (payer, payee, 9_999)),
                (payee, payer, 1_500),
            )
        ]
        heard(everything, *told, *wanted, refused["id"])
        found = heard(subscription, *wanted)
    assert sorted(body["id"] for body in found) == sorted(wanted)
    assert {body["type"] for body in found} == {"payment.posted"}
    by_id = {body["id"]: body for body in found}
    assert by_id[wanted[0]]["postings"][0]["amount_minor"] == 1_000


def test_a_refusal_is_told_by_its_reason(api: LedgerApi, config: Config) -> None:
    """Who subscribes to a reason gets the refusals for it, of REST as of any other entry."""
    payer, payee = funded_pair(api, 100)
    with listening(config, {"reason": ["insufficient_funds"], "account": [payer]}) as subscription:
        accepted(api, paying(unique("fine"), payer, payee, 50))
        refused = paying(unique("refused"), payer, payee, 51)
        assert isinstance(posted(api, refused), Refused)
        [body] = heard(subscription, refused["id"])
    assert (body["type"], body["reason"]) == ("command.rejected", "insufficient_funds")


def test_an_alert_is_told_once_for_each_crossing(api: LedgerApi, config: Config) -> None:
    """Down across one threshold, up across the other, down again: three alerts, and none for
    payments that stay on one side or end on the threshold itself."""
    payer, payee = funded_pair(api, 1_000)
    alerts = [
        {"direction": "below", "threshold_minor": 500},
        {"direction": "above", "threshold_minor": 700},
    ]
    set_alerts = {"type": "account.set_alerts", "v": 1, "account": payer, "alerts": alerts}
    told: list[str] = []

    def pay(amount: int) -> str:
        source, destination = (payer, payee) if amount > 0 else (payee, payer)
        told.append(accepted(api, paying(unique("payment"), source, destination, abs(amount))))
        return told[-1]

    with (
        listening(config, {"type": ["balance.alert"], "account": [payer]}) as subscription,
        # Who hears all of it knows when all of it has been told.
        listening(config, {"account": [payer]}) as everything,
    ):
        told.append(accepted(api, set_alerts | {"id": unique("alerts")}))
        pay(300)  # 700
        pay(200)  # 500, which is not below 500
        down = pay(1)  # 499
        pay(99)  # 400
        up = pay(-400)  # 800
        pay(-50)  # 850
        again = pay(800)  # 50
        told.append(accepted(api, set_alerts | {"id": unique("alerts"), "alerts": []}))
        pay(-800)  # 850: above what is watched no more
        pay(800)
        heard(everything, *told)
        expected = [
            f"{down}/{payer}/below/500",
            f"{up}/{payer}/above/700",
            f"{again}/{payer}/below/500",
        ]
        found = heard(subscription, *expected)
    assert sorted(body["id"] for body in found) == sorted(expected)
    by_id = {body["id"]: body for body in found}
    alerts_in_order = [by_id[id_] for id_ in expected]
    assert [alert["balance_minor"] for alert in alerts_in_order] == [499, 800, 50]
    assert [alert["account_version"] for alert in alerts_in_order] == [6, 8, 10]
    assert [alert["event"] for alert in alerts_in_order] == [down, up, again]


def test_watching_shows_what_comes_and_leaves_nothing_behind(
    api: LedgerApi, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ledger watch` prints the one payment that it was asked for; its queue and its subscription
    are gone afterwards."""
    save(config, tmp_path / "config.json")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "config.json"))
    payer, payee = funded_pair(api, 1_000)
    sns, sqs = client(config, "sns"), client(config, "sqs")
    topic = config.outputs["NotificationsTopicArn"]
    commands = [paying(unique("watched"), payer, payee, amount) for amount in (1, 250)]

    def subscriptions() -> list[str]:
        found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        return [each["Endpoint"] for each in found if "-watch-" in each["Endpoint"]]

    def pay_once_watched() -> None:
        assert eventually(lambda: bool(subscriptions()))
        for command in commands:
            posted(api, command)

    paying_customer = Thread(target=pay_once_watched)
    paying_customer.start()
    arguments = [
        "watch",
        "--account",
        payee,
        "--amount-band",
        "1-10",
        "--count",
        "1",
        "--for",
        "90",
    ]
    ran = CliRunner().invoke(app, [*arguments, "--json"])
    paying_customer.join()

    assert ran.exit_code == 0, ran.output
    [line] = ran.stdout.splitlines()
    assert json.loads(line)["id"] == commands[1]["id"]
    assert subscriptions() == []
    queues = sqs.list_queues(QueueNamePrefix="ledger-dev-watch-")
    assert queues.get("QueueUrls", []) == []


def test_nobody_else_speaks_on_the_topic(enforcing_deployment: Deployment) -> None:
    """With policies enforced the account's own administrator may not publish there. (That the
    function may is asserted on the template: the emulator judges its calls by an action that IAM
    does not have, `sns:PublishBatch`.)"""
    sns = enforcing_deployment.session().client("sns", **enforcing_deployment.client_arguments())
    topic = enforcing_deployment.outputs["NotificationsTopicArn"]
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=topic, Message="made up")
    assert refused.value.response["Error"]["Code"] == "AuthorizationError"


def test_the_documented_subscriber_gets_its_payment(
    api: LedgerApi,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The program in docs/notifications.md, with a topic, a queue and an account of the test's
    own, prints the payment and would go on for ever."""
    payer, payee = funded_pair(api, 1_000)
    page = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for documented, own in (
        (r"arn:aws:sns:\S*?(?=\")", config.outputs["NotificationsTopicArn"]),
        ("refunds", unique("refunds")),
        ("merchants:7:settlement", payee),
        ("while True:", "for _ in range(4):"),
    ):
        program, changed = re.subn(documented, own, program)
        assert changed == 1
    assert config.endpoint_url is not None
    assert config.credentials is not None
    monkeypatch.setenv("AWS_ENDPOINT_URL", config.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", config.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", config.credentials.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", config.credentials.secret_access_key)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    subscribing, receiving = program.split("for _ in range(4):")
    names: dict[str, Any] = {}
    exec(subscribing, names)  # noqa: S102 - our own page
    payment = accepted(api, paying(unique("payment"), payer, payee, 250))
    receiving = "for _ in range(4):" + receiving.replace("WaitTimeSeconds=20", "WaitTimeSeconds=3")

    def printed() -> bool:
        exec(receiving, names)  # noqa: S102
        return payment in capsys.readouterr().out

    assert eventually(printed)
