"""Webhooks: subscribed by REST, paid for, received and verified; and what goes wrong on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

from consumers.webhooks.directory import CACHE_SECONDS
from consumers.webhooks.messages import delivery_of, encode_delivery
from ledger.cli.app import app
from ledger.cli.up.local import config_of
from ledger.client.answers import Accepted, Refused
from ledger.client.config import Config
from ledger.client.receiver import Received, receiving
from ledger.client.rest import LedgerApi
from sandbox.endpoint import Deployment
from tests.end_to_end.driving import client, eventually, opening, paying, posted, unique
from tests.support.command_line import CliRunner

SECRET_OF_NOBODY = "whsec_" + "QUJD" * 8


class Shop:
    """A subscriber of its own accounts, with a receiver on this machine that answers as told."""

    def __init__(self, api: LedgerApi, id: str) -> None:
        self.api = api
        self.id = id
        self.account = f"{id}:till"
        self.answer: Callable[[Received], int] = lambda _: HTTPStatus.NO_CONTENT
        self.received: list[Received] = []
        self.secrets: list[str] = []
        self._lock = Lock()

    def take(self, received: Received) -> None:
        """As the receiver hands it over."""
        with self._lock:
            self.received.append(received)

    def put(self, url: str) -> Accepted:
        """Subscribes to what touches the shop's accounts."""
        body = {"url": url, "filters": {"accounts": [f"{self.id}:*"]}}
        return accepted(self.api.put_webhook(self.id, json.dumps(body).encode()))

    def of(self, id: str) -> list[Received]:
        """The requests about an event."""
        return [each for each in self.received if each.notification.get("id") == id]

    def open(self) -> None:
        """Opens the shop's account."""
        accepted(posted(self.api, opening(self.account)))

    def paid(self, amount_minor: int) -> str:
        """The id of a payment to the shop that was made just now."""
        bank, payment = unique("bank"), unique("payment")
        for command in (
            opening(bank, min_balance_minor=None, account_type="asset"),
            paying(payment, bank, self.account, amount_minor),
        ):
            accepted(posted(self.api, command))
        return payment


def accepted(reply: object) -> Accepted:
    """The reply, which is no refusal."""
    assert isinstance(reply, Accepted), reply
    return reply


@pytest.fixture(scope="module")
def shop(api: LedgerApi) -> Iterator[Shop]:
    """Subscribed, with the secret that the first answer showed, and known to every function."""
    shop = Shop(api, unique("shop"))
    shop.open()
    secrets: list[str] = []

    def judged(received: Received) -> int:
        return shop.answer(received)

    # The secret is known only after the URL is: a receiver with another secret lends its port.
    with receiving([SECRET_OF_NOBODY], shop.take, judge=judged) as first:
        secrets.append(shop.put(first).body["secret"])
        port = int(first.rstrip("/").rpartition(":")[2])
    with receiving(secrets, shop.take, port=port, judge=judged):
        shop.secrets = secrets
        time.sleep(CACHE_SECONDS)
        yield shop


def dead_letters(config: Config) -> list[dict[str, Any]]:
    """What lies in the dead letters of deliveries, looked at and left there."""
    received = client(config, "sqs").receive_message(
        QueueUrl=config.outputs["WebhookDeliveriesDlqUrl"],
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageAttributeNames=["All"],
    )
    return [dict(each) for each in received.get("Messages", [])]


def test_a_payment_is_received_signed_and_once(shop: Shop) -> None:
    """As published, verified by the library; what touches nobody of the shop's is not sent."""
    payment = shop.paid(420)
    assert eventually(lambda: bool(shop.of(payment)))
    [received] = shop.of(payment)
    assert not received.fault
    assert received.notification["type"] == "payment.posted"
    assert received.notification["postings"][0]["amount_minor"] == 420
    assert received.webhook_id.startswith("msg_")
    later = shop.paid(1)
    assert eventually(lambda: bool(shop.of(later)))
    assert len(shop.of(payment)) == 1
    for each in shop.received:
        if each.notification.get("type") in {"payment.posted", "account.opened"}:
            assert shop.account in {account["id"] for account in each.notification["accounts"]}


def test_an_endpoint_that_is_down_gets_it_when_it_is_up_again(shop: Shop) -> None:
    """After the first wait of the schedule, under the same id."""
    refusals = iter([HTTPStatus.SERVICE_UNAVAILABLE])
    shop.answer = lambda _: next(refusals, HTTPStatus.OK)
    payment = shop.paid(5)
    assert eventually(lambda: len(shop.of(payment)) == 2)
    first, second = shop.of(payment)
    assert (first.status, second.status) == (503, 200)
    assert first.webhook_id == second.webhook_id


def test_both_secrets_sign_while_one_is_replaced(shop: Shop, api: LedgerApi) -> None:
    """A receiver with the old secret and one with the new both verify."""
    rotated = accepted(api.rotate_webhook(shop.id)).body
    before, inbox = accepted(api.webhook(shop.id)).body, Shop(api, shop.id)
    with receiving([rotated["secret"]], inbox.take) as url:
        shop.put(url)
        time.sleep(CACHE_SECONDS)
        payment = shop.paid(6)
        assert eventually(lambda: bool(inbox.of(payment)))
        assert not inbox.of(payment)[0].fault
    shop.put(before["url"])
    time.sleep(CACHE_SECONDS)
    payment = shop.paid(7)
    assert eventually(lambda: bool(shop.of(payment)))
    assert not shop.of(payment)[0].fault


def test_what_is_for_an_unknown_webhook_is_kept_and_sent_once_there_is_one(
    config: Config, api: LedgerApi, config_file: Path
) -> None:
    """Put aside at once with its reason; when it is added, `ledger redrive` delivers it."""
    shop, event = Shop(api, unique("shop")), unique("event")
    delivery = delivery_of(shop.id, "webhook.test", event, json.dumps({"id": event}))
    client(config, "sqs").send_message(
        QueueUrl=config.outputs["WebhookDeliveriesQueueUrl"], MessageBody=encode_delivery(delivery)
    )

    def letter() -> dict[str, Any] | None:
        return next((each for each in dead_letters(config) if event in each["Body"]), None)

    assert eventually(lambda: letter() is not None)
    found = letter()
    assert found is not None
    attributes = {k: v["StringValue"] for k, v in found["MessageAttributes"].items()}
    assert attributes["reason"] == "subscriber_unknown"
    assert (attributes["subscriber"], attributes["webhook_id"]) == (shop.id, delivery.message)
    with receiving([SECRET_OF_NOBODY], shop.take) as url:
        secret = shop.put(url).body["secret"]
        port = int(url.rstrip("/").rpartition(":")[2])
    with receiving([secret], shop.take, port=port):
        result = CliRunner().invoke(
            app, ["redrive", "webhook-deliveries", "--json", "--config", str(config_file)]
        )
        assert result.exit_code == 0, result.output
        assert eventually(lambda: bool(shop.of(event)))
        assert not shop.of(event)[0].fault
    accepted(api.remove_webhook(shop.id))


def test_an_endpoint_that_is_gone_is_sent_no_more(shop: Shop, api: LedgerApi) -> None:
    """410 disables it, and that is said; enabled again, it is sent to."""
    shop.answer = lambda _: HTTPStatus.GONE
    before = accepted(api.webhook(shop.id)).body
    accepted(api.test_webhook(shop.id))
    assert eventually(lambda: not accepted(api.webhook(shop.id)).body["enabled"])
    assert accepted(api.webhook(shop.id)).body["disabled_by"] == "gone"
    refused = api.test_webhook(shop.id)
    assert isinstance(refused, Refused)
    assert refused.reason == "webhook_disabled"
    shop.answer = lambda _: HTTPStatus.OK
    assert shop.put(before["url"]).body["enabled"] is True
    sent = accepted(api.test_webhook(shop.id)).body["webhook_id"]
    assert eventually(lambda: any(each.webhook_id == sent for each in shop.received))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://10.0.0.1/", "webhook_address_refused"),
        ("https://169.254.169.254/latest/meta-data/", "webhook_address_refused"),
        ("https://[::1]/", "webhook_address_refused"),
        ("http://93.184.216.34/", "webhook_url_insecure"),
        ("https://me:secret@shop.example/", "webhook_url_credentials"),
    ],
)
def test_a_webhook_cannot_be_pointed_inside(api: LedgerApi, url: str, reason: str) -> None:
    """But for this machine's own loopback, which the sandbox says it trusts."""
    refused = api.put_webhook(unique("inside"), json.dumps({"url": url}).encode())
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.field) == (reason, "url")


def test_its_functions_may_do_what_they_do(enforcing_deployment: Deployment) -> None:
    """With every call judged by policies: added, rotated, tried, delivered, removed.

    Not the fan-out: to the emulator, sending a batch is an action of its own; AWS has none such.
    """
    deployment = enforcing_deployment
    trusting = URLLib3Session(verify=str(deployment.ca_bundle), proxies={})  # type: ignore[arg-type]
    api = LedgerApi(
        config_of(deployment),
        transport=trusting,
    )
    shop = Shop(api, unique("shop"))
    with receiving([SECRET_OF_NOBODY], shop.take) as url:
        shop.put(url)
        accepted(api.rotate_webhook(shop.id))
        sent = accepted(api.test_webhook(shop.id)).body["webhook_id"]
        assert eventually(lambda: any(each.webhook_id == sent for each in shop.received))
        accepted(api.remove_webhook(shop.id))
