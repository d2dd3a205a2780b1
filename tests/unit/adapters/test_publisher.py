"""PutEvents: packed by count and bytes, every entry's own result looked at, failures retried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from botocore import exceptions
from hypothesis import given
from hypothesis import strategies as st

from ledger.adapters.eventbridge.publisher import (
    ATTEMPTS_MAX,
    ENTRIES_MAX,
    REQUEST_BYTES_MAX,
    EventBridgePublisher,
    entry_bytes,
)
from ledger.application.publication import Published
from tests.support.records import aws_error

Result = dict[str, Any]
FINE: Result = {"EventId": "x"}
FAILED: Result = {"ErrorCode": "ThrottlingException", "ErrorMessage": "later"}


class Bus:
    """PutEvents of a bus. `judge` gives the result of each entry by its detail and how often it was
    tried before; or raises."""

    def __init__(self, judge: Callable[[str, int], Result] = lambda _detail, _before: FINE) -> None:
        self._judge = judge
        self.requests: list[list[dict[str, str]]] = []
        self.tried: Counter[str] = Counter()
        self.pauses: list[float] = []

    def put_events(self, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Judges each entry."""
        self.requests.append(list(Entries))
        results = []
        for entry in Entries:
            detail = entry["Detail"]
            self.tried[detail] += 1
            results.append(self._judge(detail, self.tried[detail] - 1))
        failed = sum("EventId" not in one for one in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def publish(self, *details: str) -> list[int]:
        """Publishes events with these bodies; the places of those that could not be."""
        publisher = EventBridgePublisher(
            self,  # type: ignore[arg-type]
            "ledger-dev-bus",
            pause=self.pauses.append,
            chance=lambda: 0.5,
        )
        return sorted(publisher.publish([Published("payment.posted", one) for one in details]))

    @property
    def sizes(self) -> list[int]:
        """The number of entries of each request."""
        return [len(request) for request in self.requests]


def test_an_entry_is_the_event_as_stored() -> None:
    """Bus, source, stored type, stored bytes; nothing else."""
    bus = Bus()
    assert bus.publish('{"a": "\\u00fc ü"}') == []
    assert bus.requests == [
        [
            {
                "EventBusName": "ledger-dev-bus",
                "Source": "ledger",
                "DetailType": "payment.posted",
                "Detail": '{"a": "\\u00fc ü"}',
            }
        ]
    ]
    assert bus.pauses == []


def test_nothing_to_publish_asks_nothing() -> None:
    """No request."""
    bus = Bus()
    assert (bus.publish(), bus.requests) == ([], [])


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])]
)
def test_requests_are_packed_by_count(count: int, sizes: list[int]) -> None:
    """Ten entries a request."""
    bus = Bus()
    assert bus.publish(*[f'{{"n":{n}}}' for n in range(count)]) == []
    assert bus.sizes == sizes


def body(size: int) -> str:
    """A body of an event whose entry has that size."""
    return "x" * (size - entry_bytes(Published("payment.posted", "")))


@pytest.mark.parametrize(
    ("entries", "sizes"),
    [
        ([REQUEST_BYTES_MAX // 2] * 4, [2, 2]),
        ([REQUEST_BYTES_MAX // 2, REQUEST_BYTES_MAX // 2 + 1, 99], [1, 2]),
        ([399_000, 399_000, 399_000], [2, 1]),
        ([REQUEST_BYTES_MAX + 1, 99], [1, 1]),
    ],
)
def test_requests_are_packed_by_bytes(entries: list[int], sizes: list[int]) -> None:
    """As many as fit 1 MB, in their order; one that would not fit alone is tried alone."""
    bus = Bus()
    assert bus.publish(*map(body, entries)) == []
    assert bus.sizes == sizes


def test_sizes_are_in_bytes() -> None:
    """Of UTF-8, as the service counts them: source, detail type and detail."""
    assert entry_bytes(Published("t", "üü")) == len("ledger") + 1 + 4


@given(st.lists(st.integers(30, 600_000), max_size=40))
def test_packing_keeps_order_and_limits(entries: list[int]) -> None:
    """Every event exactly once, in order, in requests within count and bytes, none of which could
    have taken the next one's first."""
    bus = Bus()
    details = [f"{number:05d}" + body(size)[5:] for number, size in enumerate(entries)]
    assert bus.publish(*details) == []
    sent = [entry["Detail"] for request in bus.requests for entry in request]
    assert sent == details
    sizes = [
        [entry_bytes(Published(entry["DetailType"], entry["Detail"])) for entry in request]
        for request in bus.requests
    ]
    for request in sizes:
        assert len(request) <= ENTRIES_MAX
        assert sum(request) <= REQUEST_BYTES_MAX or len(request) == 1
    for request, following in pairwise(sizes):
        full = len(request) == ENTRIES_MAX
        assert full or sum(request) + following[0] > REQUEST_BYTES_MAX


def test_only_the_entries_that_failed_are_tried_again() -> None:
    """PutEvents answers 200 though entries failed: each entry's own result counts."""
    bus = Bus(lambda detail, before: FAILED if detail in "bd" and not before else FINE)
    assert bus.publish(*"abcde") == []
    assert bus.tried == {"a": 1, "b": 2, "c": 1, "d": 2, "e": 1}
    assert [[entry["Detail"] for entry in request] for request in bus.requests] == [
        list("abcde"),
        list("bd"),
    ]
    assert bus.pauses == [pytest.approx(0.025)]


def test_failures_of_several_requests_are_packed_together() -> None:
    """What failed in two requests goes in one."""
    bus = Bus(lambda _, before: FINE if before else FAILED)
    assert bus.publish(*[str(n) for n in range(15)]) == []
    assert bus.sizes == [10, 5, 10, 5]
    some = Bus(lambda detail, before: FAILED if detail in {"3", "12"} and not before else FINE)
    assert some.publish(*[str(n) for n in range(15)]) == []
    assert some.sizes == [10, 5, 2]


def test_retries_are_bounded() -> None:
    """Five attempts with full jitter of a doubling pause; then what failed is named by its place,
    and what did not is on the bus."""
    bus = Bus(lambda detail, _: FAILED if detail in "bc" else FINE)
    assert bus.publish(*"abcd") == [1, 2]
    assert bus.tried == {"a": 1, "b": ATTEMPTS_MAX, "c": ATTEMPTS_MAX, "d": 1}
    assert bus.pauses == pytest.approx([0.025, 0.05, 0.1, 0.2])


@pytest.mark.parametrize(
    "error",
    [
        aws_error("PutEvents", "ThrottlingException"),
        aws_error("PutEvents", "InternalException"),
        aws_error("PutEvents", "AccessDeniedException"),
        exceptions.ReadTimeoutError(endpoint_url="x"),
        exceptions.EndpointConnectionError(endpoint_url="x"),
    ],
    ids=["throttled", "internal", "denied", "no answer", "no connection"],
)
def test_a_request_that_fails_fails_its_entries(error: Exception) -> None:
    """An error of a request is that of its entries: retried, in the end named, never raised. Other
    requests go on."""

    def refuse(detail: str, _: int) -> Result:
        if detail == "3":
            raise error
        return FINE

    bus = Bus(refuse)
    assert bus.publish(*[str(n) for n in range(12)]) == list(range(10))
    assert bus.tried["11"] == 1
    once = Bus(lambda detail, before: FINE if before else refuse(detail, before))
    assert once.publish(*[str(n) for n in range(12)]) == []


def test_an_answer_that_says_too_little_is_a_failure() -> None:
    """Fewer results than entries, or a result without an id: not on the bus for certain."""
    bus = Bus(lambda detail, _: {} if detail == "a" else FINE)
    assert bus.publish("a", "b") == [0]

    class Short(Bus):
        """Answers for the first entry only."""

        def put_events(self, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
            answer = super().put_events(Entries)
            return {**answer, "Entries": answer["Entries"][:1]}

    short = Short()
    assert short.publish("a", "b", "c") == []
    assert short.sizes == [3, 2, 1]
