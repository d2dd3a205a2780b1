"""From a notification to a delivery for each subscriber that wants it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from consumers.webhooks import fanout as module
from consumers.webhooks.directory import CACHE_SECONDS, CachedDirectory, MemoryDirectory
from consumers.webhooks.fanout import (
    FAILURES_IN_A_ROW_MAX,
    RESERVED_MILLISECONDS,
    make_handler,
)
from consumers.webhooks.messages import decode_delivery, webhook_id
from consumers.webhooks.subscribers import SUBSCRIBERS_MAX, Filters, Subscriber
from ledger.consuming.notifications import notifications_of
from ledger.contracts import examples
from ledger.contracts.events import PaymentPosted, decode_event, encode_event
from ledger.contracts.notifications import NOTIFIED_EVENTS, alerts_of
from ledger.contracts.packs import detail_of
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.settings import SettingsError
from ledger.runtime.telemetry import Line, Telemetry
from tests.properties.projection_streams import four_events
from tests.support.consuming import REJECTION
from tests.support.notifying import crossing
from tests.support.webhooks import FakeSqs, directory_of, failed, subscribed

BOOK = four_events()
PAYMENTS = [event for event in BOOK.events if isinstance(event, PaymentPosted)]
PAYMENT = PAYMENTS[0]
BODY = encode_event(PAYMENT).decode()


def message(*texts: str, id: str = "m1") -> dict[str, Any]:
    """A message of the queue with a pack of events of these texts (of PAYMENT, if none is given),
    as Lambda hands it over."""
    head = {"id": "e", "source": "ledger", "account": "1", "detail-type": "a.type"}
    detail = detail_of(texts or [BODY])
    return {
        "messageId": id,
        "receiptHandle": f"receipt of {id}",
        "body": json.dumps(head)[:-1] + f', "detail": {detail}}}',
        "attributes": {"ApproximateReceiveCount": "1"},
    }


class World:
    """The function with its queues and subscribers in memory."""

    def __init__(self, *subscribers: Subscriber) -> None:
        self.sqs = FakeSqs()
        self.store = directory_of(*subscribers)
        self.lines: list[Line] = []
        self.monotonic = 0.0
        self.cached = CachedDirectory(self.store, lambda: self.monotonic)

    def handle(self, *records: dict[str, Any], context: object = None) -> list[str]:
        """The messages that come back."""
        handler = make_handler(
            directory=self.cached,
            deliveries_queue_url="https://sqs/deliveries",
            sqs=self.sqs,  # type: ignore[arg-type]
            queue_url="https://sqs/webhooks",
            random=lambda: 0.5,
            clock=lambda: 0,
            telemetry=Telemetry(self.lines.append),
        )
        return list(failed(handler({"Records": list(records)}, context)))

    @property
    def deliveries(self) -> list[tuple[str, str]]:
        """Subscriber and event of every delivery, in order."""
        found = [decode_delivery(sent["MessageBody"]) for sent in self.sqs.sent]
        return [(each.subscriber, json.loads(bytes(each.notification))["id"]) for each in found]


def test_whoever_wants_a_notification_gets_a_delivery_of_it() -> None:
    """Each with the notification byte for byte, in the group of its subscriber."""
    world = World(
        subscribed("all"),
        subscribed("accounts", filters=Filters(accounts=(PAYMENT.accounts[0].id,))),
        subscribed("dollars", filters=Filters(currencies=("USD",))),
        subscribed("off", disabled_by="request"),
    )
    spaced = BODY.replace(":", " : ", 1)
    assert world.handle(message(spaced)) == []
    assert world.deliveries == [("all", PAYMENT.id), ("accounts", PAYMENT.id)]
    [first, second] = world.sqs.sent
    delivery = decode_delivery(first["MessageBody"])
    assert bytes(delivery.notification) == spaced.encode()
    assert delivery.message == webhook_id("all", "payment.posted", PAYMENT.id)
    assert [first["MessageGroupId"], second["MessageGroupId"]] == ["all", "accounts"]
    assert world.lines[0].metrics["DeliveriesQueued"] == ("Count", 2)


def test_refusals_are_filtered_by_their_reason() -> None:
    """A subscriber to one reason gets no other, and no payment."""
    world = World(
        subscribed("these", filters=Filters(reasons=("account_exists",))),
        subscribed("others", filters=Filters(reasons=("insufficient_funds",))),
    )
    world.handle(message(encode_event(REJECTION).decode()), message(id="m2"))
    assert world.deliveries == [("these", "c")]


def test_the_whole_life_of_a_payment_can_be_asked_for() -> None:
    """Whatever is told of it, from its hold on, and of no other; a type is one more filter."""
    shown = [decode_event(json.dumps(examples.EVENTS[name, 1])) for name in NOTIFIED_EVENTS]
    world = World(
        subscribed("all"),
        subscribed("booking", filters=Filters(payments=("booking-*",))),
        subscribed("captures", filters=Filters(types=("payment.captured",))),
    )
    world.handle(message(*(encode_event(each).decode() for each in shown)))
    by_subscriber = {
        name: {event for subscriber, event in world.deliveries if subscriber == name}
        for name in ("all", "booking", "captures")
    }
    booking = {
        "booking-77",
        *(f"booking-77:{what}" for what in ("increase-1", "capture-1", "void")),
    }
    assert by_subscriber == {
        "all": {each.id for each in shown},
        "booking": booking,
        "captures": {"booking-77:capture-1"},
    }


def test_the_same_notification_twice_is_the_same_delivery_twice() -> None:
    """Duplicates of topic and queue have the ids by which the second is not sent."""
    world = World(subscribed())
    world.handle(message(), message(id="m2"))
    first, second = (decode_delivery(sent["MessageBody"]) for sent in world.sqs.sent)
    assert first.message == second.message


def test_as_many_subscribers_as_there_may_be_get_a_batch() -> None:
    """Ten to a request, none left out."""
    ids = [f"s{place:02}" for place in range(SUBSCRIBERS_MAX)]
    world = World(*map(subscribed, ids))
    world.handle(message(), message(id="m2"))
    assert [subscriber for subscriber, _ in world.deliveries] == ids * 2


def test_large_notifications_go_in_requests_of_bounded_bytes() -> None:
    """Ten times 64 KiB would be too much for one request."""
    long = structs.replace(PAYMENT, description="x" * 60_000)
    sizes: list[int] = []

    class Measuring(FakeSqs):
        def send_message_batch(self, **request: Any) -> dict[str, Any]:
            sizes.append(sum(len(each["MessageBody"]) for each in request["Entries"]))
            return super().send_message_batch(**request)

    world = World(*(subscribed(f"s{place}") for place in range(10)))
    world.sqs = Measuring()
    assert world.handle(message(encode_event(long).decode())) == []
    assert len(world.deliveries) == 10
    assert max(sizes) <= 256 * 1024
    assert len(sizes) > 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "malformed_message"),
        ("\ud800", "malformed_message"),
        ("{}", "corrupt_event"),
        ('{"type":"payment.posted","v":1}', "corrupt_event"),
        ('{"type":"payment.posted","v":99}', "unknown_event"),
        ('{"type":"new.type","v":1}', "unknown_event"),
    ],
)
def test_what_cannot_be_read_comes_back_alone(body: str, code: str) -> None:
    """With what shares its message, until the queue puts that aside with its payload. Its
    neighbours go on, those in its very pack included."""
    world = World(subscribed())
    assert world.handle(message(body, id="wrong"), message()) == ["wrong"]
    assert world.deliveries == [("shop", PAYMENT.id)]
    assert world.lines[0].notes["failures"] == {code: 1}
    assert set(world.sqs.waits) == {"wrong"}
    if code != "malformed_message":
        assert world.handle(message(body, BODY, id="wrong")) == ["wrong"]
        assert world.deliveries[1:] == [("shop", PAYMENT.id)]


def test_a_crossing_is_brought_beside_its_event() -> None:
    """What the topic tells of an event is what webhooks bring: the event, then its alerts."""
    crossed = crossing("p", "a", "b")
    assert len(list(alerts_of(crossed))) == 2
    text = encode_event(crossed).decode()
    alerts = Filters(types=("balance.alert",))
    world = World(subscribed("all"), subscribed("alerts", filters=alerts))
    assert world.handle(message(text)) == []
    sent = [decode_delivery(each["MessageBody"]) for each in world.sqs.sent]
    notifications = notifications_of(crossed, text)
    assert [bytes(each.notification).decode() for each in sent if each.subscriber == "all"] == [
        each.body for each in notifications
    ]
    assert [each.subscriber for each in sent].count("alerts") == len(notifications) - 1
    assert [each.message for each in sent if each.subscriber == "all"] == [
        webhook_id("all", each.type, each.id) for each in notifications
    ]


def test_a_delivery_that_is_refused_brings_back_its_notification_only() -> None:
    """The others are done with; what is sent twice then is recognised."""
    world = World(subscribed("a"), subscribed("b"))
    other = encode_event(PAYMENTS[1]).decode()
    World.handle(world, message())
    world.sqs.failing = {world.sqs.sent[1]["MessageBody"]}
    world.sqs.sent.clear()
    assert world.handle(message(), message(other, id="m2")) == ["m1"]
    assert world.deliveries == [("a", PAYMENT.id), ("a", PAYMENTS[1].id), ("b", PAYMENTS[1].id)]


def test_a_queue_that_does_not_answer_brings_back_everything() -> None:
    """Nothing is lost, and nothing raised: the batch's messages come back one by one."""
    world = World(subscribed())
    world.sqs.refusing = True
    assert world.handle(message(), message(id="m2")) == ["m1", "m2"]


def test_a_queue_out_of_reach_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some requests in a row that failed the rest comes back untried; one that passed in
    between begins the count anew."""
    world = World(*(subscribed(f"s{place}") for place in range(10)))
    answers = iter([False, False, True, *[False] * FAILURES_IN_A_ROW_MAX])
    send = world.sqs.send_message_batch

    def sometimes(**request: Any) -> dict[str, Any]:
        world.sqs.refusing = not next(answers)
        return send(**request)

    monkeypatch.setattr(world.sqs, "send_message_batch", sometimes)
    messages = [message(id=f"m{place}") for place in range(8)]
    assert world.handle(*messages) == ["m0", "m1", "m3", "m4", "m5", "m6", "m7"]
    assert world.lines[0].notes["failures"] == {"not_sent": 5, "not_tried": 2}


def test_no_request_is_begun_without_the_time_for_it() -> None:
    """What is left comes back untried: a time-out of the function would fail all."""
    world = World(*(subscribed(f"s{place}") for place in range(10)))
    left = iter(
        [0, RESERVED_MILLISECONDS, RESERVED_MILLISECONDS - 1]
    )  # whether it begins is all one
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
    assert world.handle(message(), message(id="m2"), context=context) == ["m2"]
    assert world.lines[0].notes["failures"] == {"not_tried": 1}


@pytest.mark.parametrize("error", [StoreError("ThrottlingException"), BrokenItemError("x")])
def test_without_subscribers_known_nothing_is_decided(error: Exception) -> None:
    """Everything comes back: an unread directory is not an empty one."""
    world = World(subscribed())

    def read() -> Any:
        raise error

    world.store.read = read  # type: ignore[method-assign]
    assert world.handle(message(), message(id="m2")) == ["m1", "m2"]
    assert world.sqs.sent == []


def test_a_change_is_in_force_after_some_seconds() -> None:
    """The directory is read once for as long, and then again."""
    world = World(subscribed("old"))
    reads = 0
    real = world.store.read

    def read() -> Any:
        nonlocal reads
        reads += 1
        return real()

    world.store.read = read  # type: ignore[method-assign]
    world.handle(message())
    world.store.write(real().with_(subscribed("new")))
    world.monotonic += CACHE_SECONDS - 0.1
    world.handle(message())
    assert (reads, [subscriber for subscriber, _ in world.deliveries]) == (1, ["old"] * 2)
    world.monotonic += 0.1
    world.handle(message())
    assert (reads, [subscriber for subscriber, _ in world.deliveries][2:]) == (2, ["old", "new"])


def test_no_subscribers_is_no_work() -> None:
    """A ledger without webhooks acknowledges everything."""
    world = World()
    world.cached = CachedDirectory(MemoryDirectory(), lambda: 0.0)
    assert world.handle(message()) == []
    assert world.sqs.sent == []


def test_the_function_names_what_it_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its environment it raises at the first call, naming every variable."""
    for name in ("WEBHOOKS_TABLE", "QUEUE_URL", "DELIVERIES_QUEUE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError) as raised:
        module.handler({"Records": []}, None)
    assert raised.value.names == ("WEBHOOKS_TABLE", "QUEUE_URL", "DELIVERIES_QUEUE_URL")
