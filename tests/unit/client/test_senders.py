"""The asynchronous senders: batches, partial failures, order, deduplication."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.client.bus import BusSender
from ledger.client.fifo import FifoSender
from ledger.client.messages import Message, NotSentError
from ledger.client.retries import ATTEMPTS_MAX, Retries

NO_WAIT = Retries(pause=lambda _: None)


def message(number: int, key: str = "k") -> Message:
    """A message whose body tells its number."""
    return Message("payment.post", json.dumps({"id": f"p{number}"}).encode(), key)


class Bus:
    """PutEvents that refuses an entry with the code that `fault` gives for it."""

    def __init__(self, fault: Callable[[dict[str, Any], int], str | None] | None = None) -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self.taken: list[str] = []
        self._fault = fault or (lambda _entry, _request: None)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.requests.append(Entries)
        codes = [self._fault(entry, len(self.requests)) for entry in Entries]
        for entry, code in zip(Entries, codes, strict=True):
            if code is None:
                self.taken.append(entry["Detail"])
        return {
            "FailedEntryCount": sum(code is not None for code in codes),
            "Entries": [{"ErrorCode": code} if code else {"EventId": "e"} for code in codes],
        }


class Queue:
    """SendMessageBatch that refuses entries as told; groups remember the order taken."""

    def __init__(self, fault: Callable[[dict[str, Any], int], str | None] | None = None) -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self.groups: dict[str, list[str]] = {}
        self._fault = fault or (lambda _entry, _request: None)

    def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        Entries: list[dict[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        assert QueueUrl == "url"
        self.requests.append(Entries)
        failed = []
        for entry in Entries:
            code = self._fault(entry, len(self.requests))
            if code:
                failed.append({"Id": entry["Id"], "Code": code, "SenderFault": code == "Bad"})
            else:
                self.groups.setdefault(entry["MessageGroupId"], []).append(entry["MessageBody"])
        return {"Failed": failed} if failed else {}


def bus_sender(bus: Bus) -> BusSender:
    return BusSender(cast(Any, bus), "ingress", retries=NO_WAIT)


def fifo_sender(queue: Queue) -> FifoSender:
    return FifoSender(cast(Any, queue), "url", retries=NO_WAIT)


def test_the_bus_gets_ten_entries_a_request_each_with_its_type() -> None:
    """Source, detail type, bus name; the detail is the command as it is."""
    bus = Bus()
    assert bus_sender(bus).send(message(n) for n in range(23)) == 23
    assert [len(request) for request in bus.requests] == [10, 10, 3]
    assert bus.requests[0][3] == {
        "EventBusName": "ingress",
        "Source": "ledger.client",
        "DetailType": "payment.post",
        "Detail": '{"id": "p3"}',
    }


def test_requests_are_packed_by_bytes_as_well() -> None:
    """Bulk messages are long: no request of either sender has more than 256 KiB, and what is longer
    by itself is sent all the same."""
    sizes = [60_000] * 9 + [300_000, 5]
    messages = [Message("commands", b"x" * size, f"k{n}") for n, size in enumerate(sizes)]
    bus, queue = Bus(), Queue()
    assert bus_sender(bus).send(messages) == fifo_sender(queue).send(messages) == len(sizes)
    for requests, field in ((bus.requests, "Detail"), (queue.requests, "MessageBody")):
        lengths = [[len(entry[field]) for entry in request] for request in requests]
        assert [size for request in lengths for size in request] == sizes
        assert all(sum(request) <= 256 * 1024 or len(request) == 1 for request in lengths)
        assert [len(request) for request in lengths] == [4, 4, 1, 1, 1]


def test_only_the_entries_that_failed_are_put_again() -> None:
    """FailedEntryCount is never ignored: each entry's own result counts."""
    bus = Bus(lambda e, n: "ThrottlingException" if n < 3 and "p1" in e["Detail"] else None)
    assert bus_sender(bus).send([message(0), message(1), message(2)]) == 3
    assert [len(request) for request in bus.requests] == [3, 1, 1]
    assert sorted(bus.taken) == [f'{{"id": "p{n}"}}' for n in range(3)]


def test_an_entry_that_never_will_be_taken_is_named() -> None:
    """A permanent fault is not retried; everything else of the request was sent."""
    bus = Bus(lambda e, _: "MalformedDetail" if "p1" in e["Detail"] else None)
    with pytest.raises(NotSentError, match="1 messages were not taken: MalformedDetail") as caught:
        bus_sender(bus).send([message(0), message(1), message(2)])
    assert (caught.value.messages, caught.value.permanent) == ((message(1),), True)
    assert len(bus.requests) == 1
    assert len(bus.taken) == 2


def test_attempts_of_a_request_are_bounded() -> None:
    """What is throttled for ever is given up, and said to be worth sending again."""
    bus = Bus(lambda _e, _n: "ThrottlingException")
    with pytest.raises(NotSentError) as caught:
        bus_sender(bus).send([message(0)])
    assert not caught.value.permanent
    assert len(bus.requests) == ATTEMPTS_MAX


@given(
    keys=st.lists(st.sampled_from("abc"), max_size=40),
    refused=st.sets(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=40),
)
def test_order_within_a_key_survives_any_partial_failure(
    keys: list[str], refused: set[tuple[int, int]]
) -> None:
    """Whatever entries of whatever requests SQS does not take at first, each group is in order."""
    positions: dict[str, int] = {}

    def fault(_entry: dict[str, Any], request: int) -> str | None:
        place = positions.setdefault(f"{request}", 0)
        positions[f"{request}"] += 1
        return "InternalError" if (request, place) in refused else None

    messages = [message(number, key) for number, key in enumerate(keys)]
    queue = Queue(fault)
    try:
        fifo_sender(queue).send(messages)
    except NotSentError:
        pass  # refused at every attempt: what was sent until then must be in order all the same
    else:
        assert sum(map(len, queue.groups.values())) == len(messages)
    for key, taken in queue.groups.items():
        expected = [m.body.decode() for m in messages if m.ordering_key == key]
        assert taken == expected[: len(taken)]


def test_a_sending_keeps_its_deduplication_id_and_no_two_share_one() -> None:
    """SQS drops a retry of one sending; the same command sent twice reaches the ledger twice."""
    queue = Queue(lambda _, n: "InternalError" if n == 1 else None)
    same = message(1)
    fifo_sender(queue).send([same, same])
    first, again, second = (request[0] for request in queue.requests)
    assert first["MessageDeduplicationId"] == again["MessageDeduplicationId"]
    assert second["MessageDeduplicationId"] != first["MessageDeduplicationId"]
    assert queue.groups == {"k": [same.body.decode()] * 2}


def test_a_queue_that_refuses_for_good_is_not_asked_again() -> None:
    """A sender's fault is permanent."""
    queue = Queue(lambda _e, _n: "Bad")
    with pytest.raises(NotSentError) as caught:
        fifo_sender(queue).send([message(1)])
    assert caught.value.permanent
    assert len(queue.requests) == 1
