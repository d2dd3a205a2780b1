"""A world in which all has arrived everywhere, but for what a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from consumers.fraud.alerting import alert_of
from consumers.fraud.features import Features, movements, observed
from consumers.fraud.screening import Screening
from consumers.fraud.store import features_item, screening_item
from consumers.webhooks.signatures import signed_headers
from ledger.consuming.notifications import Notification, notifications_of
from ledger.contracts.commands import ScreenPayment
from ledger.contracts.events import AccountEvent, PaymentScreened, decode_event
from ledger.contracts.fraud import encode_fraud_alert
from projections.balances.project import project as project_balances
from projections.balances.store import DynamoBalancesStore
from projections.history.apply import rows_of
from projections.history.store import DynamoHistoryStore
from projections.payments.project import project as project_payments
from projections.payments.store import DynamoPaymentsStore
from simulation.auditor.delivery.consumers import matches
from simulation.auditor.recorded import Item
from tests.support.builders import holding, opening, paying, screening
from tests.unit.simulation.auditor.witness import (
    ALERTS_TOPIC,
    SECOND,
    SECRET,
    TOPIC,
    Change,
    FakeWorld,
    Lying,
    Story,
    wiring,
)

SUBSCRIBER = {
    "id": "crm",
    "url": "https://crm.example/hook",
    "filters": {"types": ["payment.posted"], "accounts": ["cust:*"]},
    "created_at": "2026-01-01T00:00:00.000000Z",
    "updated_at": "2026-01-01T00:00:00.000000Z",
}


class PlainTable:
    """As much of DynamoDB as the projections need to write; every condition holds."""

    def __init__(self, world: FakeWorld) -> None:
        self._world = world

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Sets what has a value, takes away what has none."""
        key = request["Key"]
        table: Any = self._world.tables[request["TableName"]]
        item = table.setdefault((key["pk"]["S"],), dict(key))
        values = request["ExpressionAttributeValues"]
        for place, name in request.get("ExpressionAttributeNames", {}).items():
            value = values.get(f":{place[1:]}")
            if value is None:
                item.pop(name, None)
            else:
                item[name] = value
        return {}

    def batch_write_item(self, *, RequestItems: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Puts."""
        for name, requests in RequestItems.items():
            for one in requests:
                item: Item = one["PutRequest"]["Item"]
                key = item["pk"]["S"], item["sk"]["N"]
                self._world.tables[name][key] = item
        return {}


def ledger() -> Story:
    """Some accounts, payments, a refusal and a verdict."""
    story = Story()
    subscribed(story, SUBSCRIBER)
    story.now += 300 * SECOND
    story.does(
        opening("bank", account_type="asset", min_balance_minor=None),
        opening("cust:a", account_type="liability", metadata={"vip": "yes"}),
        opening("shop", account_type="liability"),
        paying("salary", ("bank", "cust:a", 100)),
        paying("lunch", ("cust:a", "shop", 10)),
        holding("hotel", ("cust:a", "shop", 20)),
        paying("too-much", ("cust:a", "bank", 900)),
    )
    for payment in ("lunch", "hotel"):
        story.decides(screening(payment))
    return story


def subscribed(story: Story, *subscribers: Mapping[str, Any]) -> None:
    """The subscribers are these from now on."""
    data = msgspec.json.encode(subscribers).decode()
    item: Item = {"pk": {"S": "subscribers"}, "data": {"S": data}}
    story.auditor.changed([Change("webhooks", ("subscribers",), None, item)])


Filter = Callable[[str, str], bool]
"""Whether something arrives: the consumer (`balances`, `topic`, …), and the event's id."""


def rests(story: Story, arrives: Filter = lambda _, __: True) -> FakeWorld:
    """All that `arrives` has arrived."""
    world = story.world
    for event in list(story.store.events()):
        made = story.auditor.facts.events[event.id]
        for rule in wiring().rules:
            name = rule.queue.removeprefix("the-")
            if matches(rule, made) and arrives(name, event.id):
                story.auditor.handed_over("All", [record(rule.queue, event.data)], frozenset())
        for told in notifications_of(made.event, event.data.decode()):
            if arrives("topic", event.id):
                story.auditor.notified(TOPIC, told.body, attributes(told))
            if "cust:a" in told.attributes.get("account", ()) and arrives("webhook", event.id):
                bring(story, told.body.encode())
    project(story, world, arrives)
    for payment in ("lunch", "hotel"):
        command = screening(payment)
        assert isinstance(command, ScreenPayment)
        if arrives("fraud-table", payment):
            item: Any = screening_item(Screening(account="cust:a", command=command))
            world.tables["fraud"][f"screening#{payment}",] = item
        if arrives("alarm", payment) and command.id in story.auditor.facts.events:
            alarm(story, command.id)
    remember(story, world, arrives)
    story.now += 60_000_000
    return world


def alarm(story: Story, id: str, **changed: Any) -> None:
    """The topic is told of a verdict, perhaps not quite as it is recorded."""
    event = story.auditor.facts.events[id].event
    assert isinstance(event, PaymentScreened)
    body = msgspec.json.decode(encode_fraud_alert(alert_of(event, "cust:a"))) | changed
    values = {
        name: {"DataType": "String", "StringValue": str(body[name])}
        for name in ("verdict", "model", "account")
    }
    story.auditor.notified(ALERTS_TOPIC, msgspec.json.encode(body).decode(), values)


def remember(story: Story, world: FakeWorld, arrives: Filter) -> None:
    """The fraud scorer observes what arrives."""
    features: dict[str, Features] = {}
    rule = next(one for one in wiring().rules if one.queue == "the-fraud")
    for event in story.store.events():
        made = story.auditor.facts.events[event.id]
        if matches(rule, made) and arrives("scorer", event.id):
            assert isinstance(made.event, AccountEvent)
            for one in movements(made.event):
                features[one.account] = observed(features.get(one.account, Features()), one)
    for name, after in features.items():
        item: Any = features_item(name, after, 1)
        world.tables["fraud"][f"account#{name}",] = item


def bring(story: Story, body: bytes) -> None:
    """The endpoint takes what its subscriber wants."""
    if msgspec.json.decode(body)["type"] == "payment.posted":
        headers = signed_headers("msg_1", body.decode(), [SECRET], story.now)
        story.auditor.webhook(str(SUBSCRIBER["url"]), body, headers)


def project(story: Story, world: FakeWorld, arrives: Filter) -> None:
    """The projections write what arrives."""
    table: Any = PlainTable(world)
    history = DynamoHistoryStore(table, "history", random=lambda: 0.5, sleep=lambda _: None)
    for event in story.store.events():
        decoded = [decode_event(event.data)]
        if arrives("balances-table", event.id):
            project_balances(DynamoBalancesStore(table, "balances"), decoded)
        if arrives("history-table", event.id):
            history.write(rows_of(decoded[0]))
        if arrives("payments-table", event.id):
            project_payments(DynamoPaymentsStore(table, "payments"), decoded)


def finished(story: Story) -> set[str]:
    """What is found broken at the end."""
    story.auditor.finish(story.world)
    return story.broken


def envelope(data: bytes) -> str:
    """An event as EventBridge delivers it."""
    head = b'{"id":"1","source":"ledger","account":"0","detail-type":"x","detail":'
    return (head + data + b"}").decode()


def record(queue: str, data: bytes, times: int = 1) -> dict[str, Any]:
    """A message as a handler gets it."""
    return {
        "messageId": "m",
        "body": envelope(data),
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:000000000000:{queue}",
        "attributes": {"ApproximateReceiveCount": str(times)},
    }


def letter(data: bytes, **attributes: str) -> Lying:
    """A dead letter with an event."""
    named = {name: {"StringValue": value} for name, value in attributes.items()}
    return Lying(envelope(data), named)


def attributes(told: Notification) -> dict[str, dict[str, str]]:
    """What a notification is filtered by, as SNS is told."""
    return {
        name: {"DataType": "String", "StringValue": value}
        if isinstance(value, str)
        else {"DataType": "String.Array", "StringValue": msgspec.json.encode(value).decode()}
        for name, value in told.attributes.items()
    }
