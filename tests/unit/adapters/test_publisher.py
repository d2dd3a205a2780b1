"""PutEvents: events in packs, packs in requests, every entry's own result looked at, failures
retried."""

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
    REQUEST_BYTES_MAX,
    EventBridgePublisher,
    packs_of,
)
from ledger.application.publication import Published
from ledger.contracts.packs import (
    FRAME_BYTES,
    PACK_BYTES_MAX,
    PACK_EVENTS_MAX,
    MalformedPackError,
    detail_of,
    events_in,
)
from tests.support.records import aws_error

Result = dict[str, Any]
FINE: Result = {"EventId": "x"}
FAILED: Result = {"ErrorCode": "ThrottlingException", "ErrorMessage": "later"}


class Bus:
    """PutEvents of a bus. `judge` gives the result of each entry by what is in it and how often it
    was tried before; or raises."""

    def __init__(self, judge: Callable[[str, int], Result] = lambda _inside, _before: FINE) -> None:
        self._judge = judge
        self.requests: list[list[dict[str, str]]] = []
        self.tried: Counter[str] = Counter()
        self.pauses: list[float] = []

    def put_events(self, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Judges each entry."""
        self.requests.append(list(Entries))
        results = []
        for entry in Entries:
            (inside,) = (entry["Detail"][len('{"events":[') : -len("]}")],)
            self.tried[inside] += 1
            results.append(self._judge(inside, self.tried[inside] - 1))
        failed = sum("EventId" not in one for one in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def publish(self, *bodies: str) -> list[int]:
        """Publishes events with these bodies, each of a type of its own, so that each is an entry;
        the places of those that could not be."""
        return self.publish_all([Published(f"type.{at}", body) for at, body in enumerate(bodies)])

    def publish_all(self, events: Sequence[Published]) -> list[int]:
        """Publishes events; the places of those that could not be."""
        publisher = EventBridgePublisher(
            self,  # type: ignore[arg-type]
            "ledger-dev-bus",
            pause=self.pauses.append,
            chance=lambda: 0.5,
        )
        return sorted(publisher.publish(events))

    @property
    def sizes(self) -> list[int]:
        """The number of entries of each request."""
        return [len(request) for request in self.requests]

    @property
    def insides(self) -> list[list[str]]:
        """What is in the entries of each request."""
        return [[events_in(entry["Detail"])[0] for entry in one] for one in self.requests]


def posted(*bodies: str) -> list[Published]:
    """Events of one type."""
    return [Published("payment.posted", body) for body in bodies]


def test_an_entry_is_a_pack_of_events_as_stored() -> None:
    """Bus, source, stored type, stored bytes between commas; nothing else. So is a single one."""
    bus = Bus()
    assert bus.publish_all(posted('{"a": "\\u00fc ü"}', '{ "b":1 }')) == []
    assert bus.publish_all(posted("{}")) == []
    head = {"EventBusName": "ledger-dev-bus", "Source": "ledger", "DetailType": "payment.posted"}
    assert bus.requests == [
        [{**head, "Detail": '{"events":[{"a": "\\u00fc ü"},{ "b":1 }]}'}],
        [{**head, "Detail": '{"events":[{}]}'}],
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
    """A body of an event that is alone in an entry of that size (of a type of one digit)."""
    return "1" * (size - len("ledger" + "type.0") - FRAME_BYTES)


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
    (pack,) = packs_of([Published("t", '"üü"'), Published("t", "1")])
    assert pack.size == len("ledger") + 1 + len('{"events":["üü",1]}'.encode())


_EVENTS = st.lists(
    st.builds(Published, st.sampled_from(["a.b", "c.d"]), st.integers(1, 40_000).map("7".__mul__)),
    max_size=250,
)


@given(_EVENTS)
def test_packs_keep_order_and_limits(events: list[Published]) -> None:
    """Every event exactly once, with those of its type, in order, in packs within count and bytes,
    none of which could have taken the next one's first."""
    packs = packs_of(events)
    assert sorted(place for pack in packs for place in pack.places) == list(range(len(events)))
    assert [pack.places[0] for pack in packs] == sorted(pack.places[0] for pack in packs)
    for type_ in ("a.b", "c.d"):
        mine = [pack for pack in packs if pack.type == type_]
        places = [place for pack in mine for place in pack.places]
        assert places == [at for at, event in enumerate(events) if event.type == type_]
        assert [events_in(pack.detail) for pack in mine] == [
            [events[place].data for place in pack.places] for pack in mine
        ]
        for pack in mine:
            assert len(pack.places) <= PACK_EVENTS_MAX
            assert pack.size <= PACK_BYTES_MAX
        for pack, following in pairwise(mine):
            more = len(events[following.places[0]].data) + 1
            assert len(pack.places) == PACK_EVENTS_MAX or pack.size + more >= PACK_BYTES_MAX


def test_a_pack_has_a_hundred_events_of_a_usual_size() -> None:
    """A minute of 6,000 payments of 550 bytes is 60 entries, where it was 6,000."""
    packs = packs_of(posted(*["1" * 550] * 6_000))
    assert [len(pack.places) for pack in packs] == [100] * 60


def test_an_event_larger_than_a_pack_goes_alone() -> None:
    """It is published all the same, and so is what stands beside it."""
    packs = packs_of(posted("1", "2" * PACK_BYTES_MAX, "3", "4"))
    assert [pack.places for pack in packs] == [(0,), (1,), (2, 3)]


@pytest.mark.parametrize(
    "detail", ["", "[]", "null", '{"events":[]}', '{"events":{}}', '{"events":[1}', "\ud800"]
)
def test_what_is_no_pack_is_refused_as_a_value(detail: str) -> None:
    """As are no events at all: nobody publishes that, and to pass it over would hide who did."""
    with pytest.raises(MalformedPackError):
        events_in(detail)


@pytest.mark.parametrize("detail", ['{"type":"payment.posted","v":1}', "{}"])
def test_the_detail_of_a_release_before_is_its_one_event(detail: str) -> None:
    """It published each event by itself: such entries wait in queues while a deployment goes on.
    What is no event at all is for its reader to refuse."""
    assert events_in(detail) == [detail]
    assert events_in(detail.encode()) == [detail]


@given(st.lists(st.sampled_from(['{"a": 1}', "[2,3]", '"ü\\u00fc"', "4.0"]), min_size=1))
def test_events_come_out_of_a_pack_as_they_went_in(texts: list[str]) -> None:
    """Byte for byte."""
    assert events_in(detail_of(texts)) == texts
    assert events_in(detail_of(texts).encode()) == texts


def test_a_pack_that_failed_fails_all_of_its_events_and_no_other() -> None:
    """By their places, whatever types lie between them."""
    events = [Published("ab"[at % 2], str(at)) for at in range(6)]
    bus = Bus(lambda inside, _: FAILED if inside == "1,3,5" else FINE)
    assert bus.publish_all(events) == [1, 3, 5]
    assert bus.tried == {"0,2,4": 1, "1,3,5": ATTEMPTS_MAX}


def test_only_the_entries_that_failed_are_tried_again() -> None:
    """PutEvents answers 200 though entries failed: each entry's own result counts."""
    bus = Bus(lambda inside, before: FAILED if inside in "24" and not before else FINE)
    assert bus.publish(*"12345") == []
    assert bus.tried == {"1": 1, "2": 2, "3": 1, "4": 2, "5": 1}
    assert bus.insides == [list("12345"), list("24")]
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
    bus = Bus(lambda inside, _: FAILED if inside in "23" else FINE)
    assert bus.publish(*"1234") == [1, 2]
    assert bus.tried == {"1": 1, "2": ATTEMPTS_MAX, "3": ATTEMPTS_MAX, "4": 1}
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
    bus = Bus(lambda inside, _: {} if inside == "1" else FINE)
    assert bus.publish("1", "2") == [0]

    class Short(Bus):
        """Answers for the first entry only."""

        def put_events(self, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
            answer = super().put_events(Entries)
            return {**answer, "Entries": answer["Entries"][:1]}

    short = Short()
    assert short.publish("1", "2", "3") == []
    assert short.sizes == [3, 2, 1]
