"""PublishBatch: packed by count and bytes, every entry's own result looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from consumers.notifications.topic import (
    ATTRIBUTES_MAX,
    ENTRIES_MAX,
    REQUEST_BYTES_MAX,
    Topic,
    message_bytes,
)
from ledger.consuming.notifications import Notification, notifications_of
from ledger.contracts.events import encode_event
from ledger.contracts.primitives import ALERTS_MAX
from tests.support.notifying import FakeTopic, largest_payment
from tests.support.records import aws_error

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


def notification(body: str = "{}") -> Notification:
    """A message with one attribute of each kind."""
    return Notification(body, {"type": "t", "account": ("a", "b")}, "id")


def publish(topic: FakeTopic, *bodies: str) -> dict[int, str]:
    """Publish messages with these bodies; the codes of those that failed, by place."""
    client = cast("SNSClient", topic)
    return Topic(client, "arn:topic").publish([notification(body) for body in bodies])


def test_an_entry_is_the_body_and_typed_attributes() -> None:
    """One text is a String, several are a String.Array; nothing else is sent."""
    topic = FakeTopic()
    assert publish(topic, '{"a": "ü"}') == {}
    assert topic.requests == [
        [
            {
                "Id": "0",
                "Message": '{"a": "ü"}',
                "MessageAttributes": {
                    "type": {"DataType": "String", "StringValue": "t"},
                    "account": {"DataType": "String.Array", "StringValue": '["a", "b"]'},
                },
            }
        ]
    ]


def test_nothing_is_published_for_nothing() -> None:
    """No message, no request."""
    topic = FakeTopic()
    assert publish(topic) == {}
    assert topic.requests == []


@given(st.lists(st.integers(0, REQUEST_BYTES_MAX), max_size=40))
def test_requests_keep_within_sns_s_limits_and_the_order(sizes: list[int]) -> None:
    """At most ten entries and 256 KiB a request, unless one message alone is larger; ids distinct;
    nothing is left out or sent twice."""
    topic = FakeTopic()
    bodies = [f"{place}:" + "x" * size for place, size in enumerate(sizes)]
    assert publish(topic, *bodies) == {}
    for request in topic.requests:
        assert 0 < len(request) <= ENTRIES_MAX
        assert len({entry["Id"] for entry in request}) == len(request)
        total = sum(message_bytes(notification(entry["Message"])) for entry in request)
        assert total <= REQUEST_BYTES_MAX or len(request) == 1
    assert [entry["Message"] for entry in topic.entries()] == bodies


def test_the_limits_are_those_of_sns() -> None:
    """Ten entries and 262,144 bytes a request, ten attributes a message with raw delivery."""
    assert (ENTRIES_MAX, REQUEST_BYTES_MAX, ATTRIBUTES_MAX) == (10, 262_144, 10)


def test_size_counts_bytes_of_bodies_and_attributes() -> None:
    """As SNS counts: names, types and values of attributes, and UTF-8 throughout."""
    assert message_bytes(Notification("ü", {}, "id")) == 2
    assert message_bytes(Notification("", {"reason": "no"}, "id")) == len("reasonStringno")
    several = len('accountString.Array["a", "b"]')
    assert message_bytes(Notification("", {"account": ("a", "b")}, "id")) == several


def test_the_largest_event_and_its_alerts_fit() -> None:
    """45 postings of the longest ids between 90 accounts that cross all their alerts: each message
    is within SNS's limits with room to grow."""
    event = largest_payment()
    messages = notifications_of(event, encode_event(event).decode())
    assert len(messages) == 1 + 90 * ALERTS_MAX
    assert max(map(message_bytes, messages)) == message_bytes(messages[0])
    assert 64 * 1024 < message_bytes(messages[0]) < REQUEST_BYTES_MAX * 3 // 4
    assert all(len(message.attributes) <= ATTRIBUTES_MAX for message in messages)


@pytest.mark.parametrize("code", ["Throttled", "InternalError", "InvalidParameter"])
def test_entries_that_fail_alone_are_named_with_their_code(code: str) -> None:
    """A request that answers 200 is not one that was taken."""
    error = {"Code": code, "SenderFault": "false"}
    topic = FakeTopic(lambda body: error if body in ("1", "11") else None)
    assert publish(topic, *map(str, range(12))) == {1: code, 11: code}
    assert len(topic.requests) == 2  # none is tried again here: its event comes back


def test_an_entry_that_nothing_is_said_of_failed() -> None:
    """Neither among the successful nor among the failed: it may not be with its subscribers."""
    assert publish(FakeTopic(silent=True), "a", "b") == {1: "no_result"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (aws_error("PublishBatch", "Throttling"), "Throttling"),
        (aws_error("PublishBatch", "AuthorizationError"), "AuthorizationError"),
        (EndpointConnectionError(endpoint_url="https://sns"), "EndpointConnectionError"),
        (ConnectTimeoutError(endpoint_url="https://sns"), "ConnectTimeoutError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_fails_takes_its_entries_and_no_others(error: Exception, code: str) -> None:
    """What other requests carried is published."""
    topic = FakeTopic(outages={1: error})
    failed = publish(topic, *map(str, range(25)))
    assert failed == dict.fromkeys(range(10, 20), code)
    assert len(topic.requests) == 3


def test_a_topic_out_of_reach_is_not_asked_for_ever() -> None:
    """After three requests in a row that failed whole the rest is left for another time, so that
    the function still answers; a request that worked in between starts the count again."""
    error = aws_error("PublishBatch", "ServiceUnavailable")
    topic = FakeTopic(outages=dict.fromkeys((0, 1, 3, 4, 5), error))
    failed = publish(topic, *map(str, range(75)))
    assert len(topic.requests) == 6
    codes = [failed.get(place) for place in range(0, 75, 10)]
    out = "ServiceUnavailable"
    assert codes == [out, out, None, out, out, out, "not_tried", "not_tried"]


def test_a_topic_that_throttles_some_is_not_out_of_reach() -> None:
    """Requests of which a part is taken, however many, do not end the attempt."""
    topic = FakeTopic(lambda body: {"Code": "Throttled"} if body.endswith("0") else None)
    failed = publish(topic, *map(str, range(60)))
    assert failed == dict.fromkeys(range(0, 60, 10), "Throttled")
    assert len(topic.requests) == 6


def test_an_error_of_our_own_is_not_swallowed() -> None:
    """Only what AWS may answer counts as an outage."""
    with pytest.raises(KeyError):
        publish(FakeTopic(outages={0: KeyError("a bug")}), "a")
