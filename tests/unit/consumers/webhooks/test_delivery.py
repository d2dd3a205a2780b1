"""What becomes of a message of the queue of deliveries: sent once, put off, or put aside."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from consumers.webhooks.delivery import AWS_ATTEMPTS, RESERVED_MILLISECONDS
from consumers.webhooks.directory import CACHE_SECONDS, Directory
from consumers.webhooks.faults import PERMANENT, AttemptError, Fault
from consumers.webhooks.messages import delivery_of, encode_delivery, webhook_id
from consumers.webhooks.posting import TOTAL_SECONDS, HttpEndpoints
from consumers.webhooks.schedule import DELAYS_SECONDS, RECEIVES_MAX
from consumers.webhooks.signatures import new_secret
from consumers.webhooks.subscribers import Key
from ledger.contracts.primitives import instant_of_microseconds
from ledger.runtime.clients import seconds_at_most
from ledger.runtime.clock import wall_clock
from ledger.runtime.faults import StoreError
from tests.support.webhooks import (
    NOW,
    QUEUES,
    SECRET,
    URL,
    World,
    failed,
    notification,
    record,
    subscribed,
)

OTHER_SECRET = new_secret(lambda count: b"o" * count)
HOUR_US = 3_600_000_000


def raising(fault: Fault, **fields: object) -> Callable[[str], int]:
    """An endpoint that fails every attempt so."""

    def answer(_: str) -> int:
        raise AttemptError(fault, **fields)  # type: ignore[arg-type]

    return answer


def test_a_delivery_is_the_notification_byte_for_byte_under_its_id() -> None:
    """Body as notified, id derived from subscriber and event, and the message is done with."""
    world = World()
    assert failed(world.handle(record())) == []
    [(url, body, headers)] = world.endpoints.posted
    assert (url, body) == (URL, notification().encode())
    assert headers["webhook-id"] == webhook_id("shop", "payment.posted", "event-1")
    assert headers["webhook-timestamp"] == str(NOW // 1_000_000)
    assert world.delivered.statuses == {headers["webhook-id"]: 204}
    assert world.lines[0].metrics["WebhooksDelivered"] == ("Count", 1)


def test_a_signature_verifies_with_the_secret_and_with_no_other() -> None:
    """By the library that receivers use; another secret, body or id does not."""
    world = World()
    world.now = wall_clock()  # what the library compares with
    world.handle(record())
    [(_, body, headers)] = world.endpoints.posted
    assert Webhook(SECRET).verify(body, dict(headers)) == json.loads(notification())
    for secret, text, id in (
        (OTHER_SECRET, body, headers["webhook-id"]),
        (SECRET, body + b" ", headers["webhook-id"]),
        (SECRET, body, "msg_other"),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(text, {**headers, "webhook-id": id})


def test_while_a_secret_is_replaced_both_sign_and_then_only_the_new_one() -> None:
    """Two signatures during the overlap, the newest first; one after it."""
    until = instant_of_microseconds(NOW + HOUR_US)
    keys = (Key("version-2"), Key("version-1", until))
    world = World(subscribed(keys=keys))
    world.secrets.keep("shop", "version-2", OTHER_SECRET)
    world.handle(record())
    world.now += HOUR_US
    world.handle(record(event="event-2"))
    both, one = (headers["webhook-signature"] for _, _, headers in world.endpoints.posted)
    assert [len(each.split(" ")) for each in (both, one)] == [2, 1]
    assert both.split(" ")[0] != both.split(" ")[1]


def test_what_was_delivered_is_not_sent_again() -> None:
    """A duplicate of the queue is acknowledged without a request; another subscriber's is not."""
    world = World(subscribed(), subscribed("bank"))
    world.handle(record())
    assert failed(world.handle(record(received=2), record("bank"))) == []
    assert len(world.endpoints.posted) == 2
    assert world.lines[1].notes["outcomes"] == {"delivered_before": 1, "delivered": 1}


def test_duplicates_in_one_batch_are_sent_once() -> None:
    """One after another within a subscriber: the second sees the first's record."""
    world = World()
    world.handle(record(), record())
    assert len(world.endpoints.posted) == 1


def test_a_record_that_cannot_be_kept_does_not_send_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint has it: the message is done with, and the line says that a duplicate would not
    be known."""
    world = World()

    def add(*_: object) -> None:
        raise StoreError("ThrottlingException")

    monkeypatch.setattr(world.delivered, "add", add)
    assert failed(world.handle(record())) == []
    assert world.lines[0].notes["outcomes"] == {"delivered_unrecorded": 1}


@pytest.mark.parametrize("fault", sorted(set(Fault) - PERMANENT))
def test_what_may_mend_comes_back_by_the_schedule(fault: Fault) -> None:
    """After the step for its receive count, and it is not in the dead letters."""
    for received, wait in enumerate(DELAYS_SECONDS, start=1):
        world = World()
        world.endpoints.answer = raising(fault)
        assert failed(world.handle(record(received=received))) == ["shop/event-1"]
        assert world.sqs.waits == {"shop/event-1": wait}
        assert world.dead_letters == []
        assert world.lines[0].notes["failures"] == {str(fault): 1}
        assert world.lines[0].notes["subscribers"] == ["shop"]
        assert world.lines[0].level == "warning"


@pytest.mark.parametrize("fault", sorted(set(Fault) - PERMANENT))
def test_what_was_tried_often_enough_is_put_aside_with_its_reason(fault: Fault) -> None:
    """At the last receive: the payload as it was, and attributes that say why."""
    world = World()
    world.endpoints.answer = raising(fault, status=503)
    last = record(received=RECEIVES_MAX)
    assert failed(world.handle(last)) == []
    [(body, attributes)] = world.dead_letters
    assert body == last["body"]
    assert world.sqs.sent[0]["MessageGroupId"] == "shop"  # a redrive is fair as well
    assert attributes == {
        "reason": str(fault),
        "retry": "same_request",
        "status": "503",
        "subscriber": "shop",
        "webhook_id": webhook_id("shop", "payment.posted", "event-1"),
        "receives": str(RECEIVES_MAX),
        "source_message_id": "shop/event-1",
    }


def test_what_cannot_be_put_aside_comes_back() -> None:
    """With the dead letters out of reach nothing is lost: SQS moves the message in the end."""
    world = World()
    world.sqs.refusing = True
    world.endpoints.answer = raising(Fault.FAILED)
    assert failed(world.handle(record(received=RECEIVES_MAX))) == ["shop/event-1"]


def test_an_unknown_subscriber_is_put_aside_at_once() -> None:
    """Nobody to send to: the dead letter says so, and can be sent again when there is."""
    world = World()
    assert failed(world.handle(record("nobody"))) == []
    assert world.dead_letters[0][1]["reason"] == "subscriber_unknown"
    assert world.endpoints.posted == []


def test_a_disabled_subscriber_gets_nothing() -> None:
    """What was on its way is put aside, to be sent again once it is enabled."""
    world = World(subscribed(disabled_by="request"))
    world.handle(record())
    assert world.dead_letters[0][1]["reason"] == "subscriber_disabled"
    assert world.endpoints.posted == []


def test_a_subscriber_added_a_moment_ago_is_found() -> None:
    """The cache may not know it yet: before a message is put aside the truth is asked."""
    world = World()
    world.handle(record())
    world.secrets.keep("new", "version-1", SECRET)
    world.store.write(world.store.read().with_(subscribed("new")))
    assert failed(world.handle(record("new"))) == []
    assert len(world.endpoints.posted) == 2


@pytest.mark.parametrize("keys", [(), (Key("gone"),)])
def test_a_missing_secret_is_a_reason_of_its_own_and_nobody_elses(keys: tuple[Key, ...]) -> None:
    """Whether it was never made or was taken away: one subscriber waits, its neighbour does not."""
    world = World(subscribed(keys=keys), subscribed("bank"))
    assert failed(world.handle(record(), record("bank"))) == ["shop/event-1"]
    assert world.lines[0].notes["failures"] == {"secret_missing": 1}
    assert len(world.endpoints.posted) == 1
    world.handle(record(received=RECEIVES_MAX))
    assert world.dead_letters[0][1]["reason"] == "secret_missing"


def test_a_missing_older_secret_keeps_nothing_from_being_sent() -> None:
    """The newest is there: receivers that have it verify."""
    until = instant_of_microseconds(NOW + HOUR_US)
    world = World(subscribed(keys=(Key("version-1"), Key("gone", until))))
    assert failed(world.handle(record())) == []
    assert " " not in world.endpoints.posted[0][2]["webhook-signature"]


def test_an_endpoint_that_is_gone_is_disabled() -> None:
    """410 says so for ever: the delivery is put aside, and nothing more is sent."""
    world = World(subscribed(), subscribed("bank"))
    world.endpoints.answer = raising(Fault.GONE, status=410)
    world.handle(record())
    assert world.dead_letters[0][1]["reason"] == "gone"
    shop, bank = (world.store.read().subscribers[id] for id in ("shop", "bank"))
    assert (shop.disabled_by, bank.disabled_by) == ("gone", None)
    world.monotonic += 60
    world.handle(record(event="event-2"))
    assert len(world.endpoints.posted) == 1


def test_an_endpoint_that_was_moved_meanwhile_is_not_disabled() -> None:
    """The old URL's 410 says nothing of the new one."""
    world = World()

    def moved(_: str) -> int:
        directory = world.store.read()
        world.store.write(directory.with_(subscribed(url="https://new.example/")))
        raise AttemptError(Fault.GONE, status=410)

    world.endpoints.answer = moved
    world.handle(record())
    assert world.store.read().subscribers["shop"].enabled


@pytest.mark.parametrize(
    ("fault", "status", "tried"),
    [
        (Fault.TIMED_OUT, 0, 1),
        (Fault.NOT_CONNECTED, 0, 1),
        (Fault.NAME_NOT_RESOLVED, 0, 1),
        (Fault.REFUSED, 429, 1),
        (Fault.FAILED, 500, 3),
        (Fault.REFUSED, 400, 3),
    ],
)
def test_a_dead_endpoint_is_tried_once_a_batch_and_holds_up_nobody(
    fault: Fault, status: int, tried: int
) -> None:
    """What it did to one delivery it would do to the next; what is wrong with one delivery only
    says nothing of the next. Others' are delivered."""
    world = World(subscribed(url="https://dead.example/"), subscribed("bank"))

    def answer(url: str) -> int:
        if "dead" in url:
            raise AttemptError(fault, status=status)
        return 200

    world.endpoints.answer = answer
    batch = [record(event=f"event-{place}") for place in range(3)]
    answered = world.handle(*batch, record("bank"))
    assert sorted(failed(answered)) == sorted(each["messageId"] for each in batch)
    assert sum("dead" in url for url, _, _ in world.endpoints.posted) == tried
    assert sum("shop" in url for url, _, _ in world.endpoints.posted) == 1
    assert set(world.sqs.waits) == {each["messageId"] for each in batch}


def test_an_endpoint_is_asked_no_sooner_than_it_wants() -> None:
    """`Retry-After` of 429 or 503 is honoured for the delivery and for those behind it."""
    world = World()
    world.endpoints.answer = raising(Fault.REFUSED, status=429, retry_after="3600")
    world.handle(record(), record(event="event-2"))
    assert world.sqs.waits == {"shop/event-1": 3600, "shop/event-2": 3600}


def test_no_attempt_is_begun_without_the_time_for_it() -> None:
    """The rest of the batch comes back soon, untried: a time-out of the function would fail all."""
    world = World()
    left = iter([RESERVED_MILLISECONDS, RESERVED_MILLISECONDS - 1])
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
    answered = world.handle(record(), record(event="event-2", received=3), context=context)
    assert failed(answered) == ["shop/event-2"]
    assert world.sqs.waits == {"shop/event-2": DELAYS_SECONDS[0]}
    assert world.lines[0].notes["failures"] == {"not_tried": 1}


@pytest.mark.parametrize("fault", [Fault.GONE, None])
def test_an_attempt_begun_with_the_reserve_ends_in_time(
    fault: Fault | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call takes as long as the clients let it: the caches are empty, the directory is asked
    twice, two secrets sign, the networks are asked for, and the outcome is kept."""
    left = RESERVED_MILLISECONDS
    calls: list[str] = []

    def slow(place: object, name: str, seconds: float) -> None:
        method = getattr(place, name)

        def slowed(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= round(1_000 * seconds)
            calls.append(name)
            return method(*arguments, **named)

        monkeypatch.setattr(place, name, slowed)

    until = instant_of_microseconds(NOW + HOUR_US)
    keys = (Key("version-2"), Key("version-1", until))
    world = World(subscribed(disabled_by="request"))
    world.cached.directory()
    world.store.write(Directory(2, {"shop": subscribed(keys=keys)}))
    world.monotonic = CACHE_SECONDS
    world.secrets.keep("shop", "version-2", OTHER_SECRET)
    if fault:
        world.endpoints.answer = raising(fault)
    call_seconds = seconds_at_most(AWS_ATTEMPTS)
    for name in ("read", "write"):
        slow(world.store, name, call_seconds)
    for name in ("has", "add"):
        slow(world.delivered, name, call_seconds)
    slow(world.secrets, "get", call_seconds)
    slow(world.endpoints, "post", TOTAL_SECONDS + call_seconds)  # the networks, and the endpoint
    for name in ("send_message", "change_message_visibility_batch"):
        slow(world.sqs, name, call_seconds)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: left)
    untried = record(event="event-2")
    assert failed(world.handle(record(), untried, context=context)) == ["shop/event-2"]
    assert left >= 0
    assert ("write" in calls, "send_message" in calls) == (bool(fault), bool(fault))


def test_messages_are_put_aside_while_there_is_time() -> None:
    """What there is no time for comes back, and with it what would follow a refusal."""
    world = World()
    left = iter([RESERVED_MILLISECONDS] * 2 + [8_000, 7_999])
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))
    batch = [record("nobody"), record("nobody", event="event-2")]
    assert failed(world.handle(*batch, context=context)) == ["nobody/event-2"]
    assert len(world.dead_letters) == 1


@pytest.mark.parametrize("body", ["", "{}", "[", '{"v":2}', "\ud800"])
def test_what_is_no_delivery_is_put_aside(body: str) -> None:
    """With its payload, and without its neighbours."""
    world = World()
    wrong = record(event="wrong", body=body)
    assert failed(world.handle(wrong, record())) == []
    [(kept, attributes)] = world.dead_letters
    assert (kept, attributes["reason"]) == (body, "malformed_message")
    assert attributes["retry"] == "never"
    assert len(world.endpoints.posted) == 1


def test_a_bug_over_one_delivery_fails_that_one() -> None:
    """It is named in the line by its type, never by its text."""
    world = World(subscribed(), subscribed("bank"))

    def answer(_: str) -> int:
        if len(world.endpoints.posted) == 1:
            raise KeyError("secret text")
        return 200

    world.endpoints.answer = answer
    assert failed(world.handle(record(), record("bank"))) == ["shop/event-1"]
    assert world.lines[0].notes["exceptions"] == ["KeyError"]
    assert "secret text" not in repr(world.lines)


def test_stores_that_do_not_answer_put_deliveries_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent that could not be checked against what was."""
    world = World()

    def has(_: str) -> bool:
        raise StoreError("ThrottlingException")

    monkeypatch.setattr(world.delivered, "has", has)
    assert failed(world.handle(record())) == ["shop/event-1"]
    assert world.endpoints.posted == []
    assert world.lines[0].notes["failures"] == {"store_unavailable": 1}


def test_no_line_says_what_was_delivered_where_or_with_what() -> None:
    """Neither bodies nor URLs nor secrets nor signatures are logged or in attributes."""
    world = World()
    world.endpoints.answer = raising(Fault.FAILED, status=500)
    world.handle(record())
    world.handle(record(received=RECEIVES_MAX))
    said = repr(world.lines) + repr([attributes for _, attributes in world.dead_letters])
    for private in ("payment.posted", "shop.example", SECRET, "v1,"):
        assert private not in said
    assert world.sqs.sent[0]["QueueUrl"] == QUEUES.dead_letters


def test_a_url_that_is_no_longer_acceptable_is_put_aside() -> None:
    """Judged at every delivery: plain http without a trusted network is never sent to."""
    world = World(subscribed(url="http://93.184.216.34/"))
    world.endpoints = HttpEndpoints(trusted=lambda: ())  # type: ignore[assignment]
    world.handle(record())
    assert world.dead_letters[0][1]["reason"] == "url_refused"


def test_ids_of_deliveries_are_stable_and_never_shared() -> None:
    """One for each (subscriber, type, id), whatever the parts are made of; without dots."""
    named = [("a", "t", "i"), ("a", "t", "j"), ("a", "u", "i"), ("b", "t", "i"), ('a","t', "", "i")]
    named += [("at", "", "i"), ("a", "ti", "")]
    ids = [webhook_id(*each) for each in named]
    assert len(set(ids)) == len(ids)
    assert ids == [webhook_id(*each) for each in named]
    assert not any("." in id for id in ids)
    made = delivery_of("shop", "t", "i", notification())
    assert json.loads(encode_delivery(made))["notification"] == json.loads(notification())
