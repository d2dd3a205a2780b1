"""Every message of a batch stands alone: what fails comes back, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace

import msgspec

from ledger.consuming.batches import PART_ENTRIES_MAX, Handled
from ledger.contracts.events import Event, PaymentPosted
from tests.properties.projection_streams import (
    START,
    Book,
    four_events,
    message,
    pack,
    raw_message,
)
from tests.support.consuming import World
from tests.unit.consuming.test_events import detail

BOOK = four_events()
PAYMENT = BOOK.events[2]


def all_handled(_events: Sequence[Event]) -> Handled:
    """A consumer that takes everything."""
    return Handled(failed={})


def test_poison_fails_alone() -> None:
    """Of a batch with malformed, corrupt and unknown messages just these fail, each with its code
    in the line, and just these are brought forward."""
    world = World()
    seen: list[Event] = []

    def handle(events: Sequence[Event]) -> Handled:
        seen.extend(events)
        return Handled(failed={}, counts={"Writes": len(events)})

    records = [
        raw_message("not JSON", "m0"),
        message(PAYMENT, "m1"),
        raw_message(detail(v=2), "m2"),
        raw_message(detail(accounts=[]), "m3"),
        message(BOOK.events[3], "m4"),
    ]
    assert world.consumer(handle)({"Records": records}, None) == {
        "batchItemFailures": [{"itemIdentifier": name} for name in ("m0", "m2", "m3")]
    }
    assert seen == [PAYMENT, BOOK.events[3]]
    assert world.delayed == ["receipt-m0", "receipt-m2", "receipt-m3"]
    (line,) = world.lines
    assert line.level == "warning"
    assert line.metrics["Messages"] == ("Count", 5)
    assert line.metrics["MessagesFailed"] == ("Count", 3)
    assert line.metrics["Writes"] == ("Count", 2)
    assert line.notes["failures"] == {
        "corrupt_event": 1,
        "malformed_message": 1,
        "unknown_event": 1,
    }


def test_the_messages_of_failed_events_come_back() -> None:
    """Places of failed events are those of their messages, with malformed ones between them."""
    world = World()
    records = [
        raw_message("not JSON", "m0"),
        *(message(event, f"m{n}") for n, event in enumerate(BOOK.events, start=1)),
    ]
    consumer = world.consumer(lambda _events: Handled(failed={1: "Throttled", 3: "Throttled"}))
    assert consumer({"Records": records}, None) == {
        "batchItemFailures": [{"itemIdentifier": name} for name in ("m0", "m2", "m4")]
    }
    assert world.lines[0].notes["failures"] == {"Throttled": 2, "malformed_message": 1}


def test_a_message_fails_if_one_of_its_events_does() -> None:
    """All others of its pack are handled, those of other messages too; it is brought forward once,
    and each event that failed is counted by its code."""
    world = World()
    seen: list[Event] = []

    def handle(events: Sequence[Event]) -> Handled:
        seen.extend(events)
        return Handled(failed={2: "Throttled"})

    poisoned = json.loads(pack(BOOK.events[:3], "m1")["body"])
    poisoned["detail"]["events"][1]["accounts"] = []
    records = [
        pack(BOOK.events[:1], "m0"),
        raw_message(json.dumps(poisoned), "m1"),
        pack(BOOK.events[2:], "m2"),
    ]
    assert world.consumer(handle)({"Records": records}, None) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}]
    }
    assert seen == [BOOK.events[0], BOOK.events[0], *BOOK.events[2:3], *BOOK.events[2:]]
    assert world.delayed == ["receipt-m1"]
    (line,) = world.lines
    assert line.metrics["Messages"] == ("Count", 3)
    assert line.metrics["MessagesFailed"] == ("Count", 1)
    assert line.metrics["Events"] == ("Count", 5)
    assert line.notes["failures"] == {"Throttled": 1, "corrupt_event": 1}


def test_a_healthy_batch_fails_nothing_and_asks_the_queue_for_nothing() -> None:
    """One line at level info, no message named, no request to SQS."""
    world = World(now=START + 10_000_000)
    records = [message(event, event.id) for event in BOOK.events]
    assert world.consumer(all_handled)({"Records": records}, None) == {"batchItemFailures": []}
    assert world.delayed == []
    (line,) = world.lines
    assert line.level == "info"
    assert line.metrics["LagMilliseconds"] == ("Milliseconds", 10_000)  # of the oldest event
    assert "failures" not in line.notes


def test_a_lag_is_never_negative() -> None:
    """The clock of the worker that recorded an event may be ahead of this one's."""
    world = World(now=START - 1)
    world.consumer(all_handled)({"Records": [message(PAYMENT)]}, None)
    assert world.lines[0].metrics["LagMilliseconds"] == ("Milliseconds", 0)


def wide_payments(count: int) -> list[PaymentPosted]:
    """Payments of 45 postings between 90 accounts each."""
    book = Book()
    names = [f"n{number}" for number in range(90)]
    for name in names:
        book.open(name)
    pairs = list(zip(names[::2], names[1::2], strict=True))
    return [book.pay(*((source, to, 1) for source, to in pairs)) for _ in range(count)]


def test_a_batch_of_wide_payments_is_handled_in_parts() -> None:
    """No part touches more than PART_ENTRIES_MAX accounts; together they are the batch, in order;
    places of failures are those in the batch."""
    world = World()
    parts: list[list[Event]] = []
    payments = wide_payments(24)

    def handle(events: Sequence[Event]) -> Handled:
        parts.append(list(events))
        return Handled(failed={len(events) - 1: "Throttled"}, counts={"Writes": 1})

    records = [message(payment, f"m{n}") for n, payment in enumerate(payments)]
    answer = world.consumer(handle)({"Records": records}, None)
    assert [len(part) for part in parts] == [11, 11, 2]
    assert all(90 * len(part) <= PART_ENTRIES_MAX for part in parts)
    assert [event for part in parts for event in part] == payments
    assert answer == {"batchItemFailures": [{"itemIdentifier": n} for n in ("m10", "m21", "m23")]}
    assert world.lines[0].metrics["Writes"] == ("Count", 3)


def test_what_there_is_no_time_for_comes_back() -> None:
    """With too little time left for another part, its messages fail and nothing is begun."""
    world = World()
    times = iter([30_000, 7_999, 7_000])
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: next(times))
    payments = wide_payments(24)
    records = [pack(payments[start : start + 4], f"m{start // 4}") for start in range(0, 24, 4)]
    answer = world.consumer(all_handled)({"Records": records}, context)
    # The first part ends amid the third message.
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [
        f"m{n}" for n in range(2, 6)
    ]
    assert world.lines[0].notes["failures"] == {"not_tried": 13}


def test_a_batch_of_nothing_but_poison_hands_on_nothing() -> None:
    """No event, no call, no lag."""
    world = World()

    def handle(_events: Sequence[Event]) -> Handled:
        raise AssertionError("nothing to handle")

    assert world.consumer(handle)({"Records": [raw_message("x")]}, None) == {
        "batchItemFailures": [{"itemIdentifier": "m"}]
    }
    assert "LagMilliseconds" not in world.lines[0].metrics


def test_no_body_reaches_the_line() -> None:
    """What a message holds, however it failed, is not in the log."""
    world = World()
    secret = "DE02120300000000202051"
    body = msgspec.json.encode({"detail": secret}).decode()
    records = [raw_message(body), raw_message(detail(description=secret, accounts=[]))]
    world.consumer(all_handled)({"Records": records}, None)
    assert secret not in repr(world.lines)
