"""Every message of a batch stands alone: what fails comes back, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, structs

from ledger.contracts.commands import OpenAccount
from ledger.contracts.events import (
    AccountEntry,
    CommandRejected,
    CorruptEventError,
    Event,
    PaymentPosted,
    UnknownEventError,
)
from projections.intake import (
    PART_ENTRIES_MAX,
    MalformedMessageError,
    Projected,
    check_event,
    event_of_message,
)
from tests.properties.projection_streams import START, Book, four_events, message, raw_message
from tests.unit.projections.fakes import World

BOOK = four_events()
PAYMENT = BOOK.events[2]
REJECTION = CommandRejected(
    v=1,
    id="c",
    recorded_at=PAYMENT.recorded_at,
    actor="tests",
    reason="account_exists",
    retry="never",
    request=OpenAccount(v=1, id="c", account="a", currency="EUR", account_type="asset"),
    causes=(),
)


def detail(**changes: Any) -> str:
    """The body of the message of PAYMENT, its detail changed."""
    body = json.loads(message(PAYMENT)["body"])
    body["detail"] |= changes
    return json.dumps(body)


@pytest.mark.parametrize("event", [*BOOK.events, REJECTION], ids=lambda event: event.id)
def test_an_event_comes_out_of_its_message_as_it_went_in(event: Event) -> None:
    """Opening, payment and rejection alike."""
    assert event_of_message(message(event)["body"]) == event


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "null",
        "[]",
        "{}",
        '{"detail": {}}',
        detail()[:-5],
        detail() + "}",
        "[" * 100_000,
        '{"id":"1","source":"ledger","account":"1","detail-type":"t","detail":' + "[" * 50_000,
        "\ud800",
    ],
    ids=lambda body: f"{len(body)} of {body[:12]!a}",
)
def test_what_is_no_envelope_is_malformed(body: str) -> None:
    """Text of any kind is refused as a value, never as a crash."""
    with pytest.raises(MalformedMessageError):
        event_of_message(body)


@pytest.mark.parametrize(
    "changes", [{"type": "payment.settled"}, {"v": 2}, {"type": "account.opened", "v": 7}]
)
def test_an_event_of_a_newer_release_is_unknown_not_corrupt(changes: dict[str, Any]) -> None:
    """A type or version that this release does not know must come back, not be skipped."""
    with pytest.raises(UnknownEventError):
        event_of_message(detail(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": 5},
        {"v": "1"},
        {"postings": []},
        {"accounts": []},
        {"id": ""},
        {"recorded_at": "yesterday"},
        {"recorded_at": "2026-11-21T23:10:05Z"},
        {"effective_at": "2026-11-21"},
        {"postings": [{"source": "a", "destination": "b", "amount_minor": 1.5, "currency": "E"}]},
    ],
    ids=str,
)
def test_an_event_that_no_ledger_recorded_is_corrupt(changes: dict[str, Any]) -> None:
    """Of a known type and version, but not of its shape."""
    with pytest.raises(CorruptEventError):
        event_of_message(detail(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "c"},  # not an account of the postings
        {"id": "no blanks"},
        {"version": 0},  # where the history keeps its marker
        {"version": -1},
        {"version": 2**63},
        {"version": 1},  # version 1 has no event before it
        {"prev": UNSET},  # every other one has
        {"debits_posted_minor": -1},
        {"credits_posted_minor": 2**63},
        {"credits_pending_minor": -1},
        {"debits_pending_minor": 2**63},
    ],
    ids=str,
)
def test_an_entry_that_no_ledger_recorded_is_corrupt(changes: dict[str, Any]) -> None:
    """What would overwrite good items, or be refused by the table together with good ones."""
    first, *others = PAYMENT.accounts
    assert isinstance(first, AccountEntry)
    entry = structs.replace(first, **changes)
    with pytest.raises(CorruptEventError):
        check_event(structs.replace(PAYMENT, accounts=(entry, *others)))


def test_an_opening_has_the_entry_of_its_account_alone() -> None:
    """An opening with another account's entry, or none, is corrupt."""
    opening = BOOK.events[0]
    for entries in ((), BOOK.events[1].accounts, (*opening.accounts, *BOOK.events[1].accounts)):
        with pytest.raises(CorruptEventError):
            check_event(structs.replace(opening, accounts=entries))


def all_projected(_events: Sequence[Event]) -> Projected:
    """A projection that takes everything."""
    return Projected(failed={})


def test_poison_fails_alone() -> None:
    """Of a batch with malformed, corrupt and unknown messages just these fail, each with its code
    in the line, and just these are brought forward."""
    world = World()
    seen: list[Event] = []

    def project(events: Sequence[Event]) -> Projected:
        seen.extend(events)
        return Projected(failed={}, counts={"Writes": len(events)})

    records = [
        raw_message("not JSON", "m0"),
        message(PAYMENT, "m1"),
        raw_message(detail(v=2), "m2"),
        raw_message(detail(accounts=[]), "m3"),
        message(BOOK.events[3], "m4"),
    ]
    assert world.consumer(project)({"Records": records}, None) == {
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
    consumer = world.consumer(lambda _events: Projected(failed={1: "Throttled", 3: "Throttled"}))
    assert consumer({"Records": records}, None) == {
        "batchItemFailures": [{"itemIdentifier": name} for name in ("m0", "m2", "m4")]
    }
    assert world.lines[0].notes["failures"] == {"Throttled": 2, "malformed_message": 1}


def test_a_healthy_batch_fails_nothing_and_asks_the_queue_for_nothing() -> None:
    """One line at level info, no message named, no request to SQS."""
    world = World(now=START + 10_000_000)
    records = [message(event, event.id) for event in BOOK.events]
    assert world.consumer(all_projected)({"Records": records}, None) == {"batchItemFailures": []}
    assert world.delayed == []
    (line,) = world.lines
    assert line.level == "info"
    assert line.metrics["LagMilliseconds"] == ("Milliseconds", 10_000)  # of the oldest event
    assert "failures" not in line.notes


def test_a_lag_is_never_negative() -> None:
    """The clock of the worker that recorded an event may be ahead of this one's."""
    world = World(now=START - 1)
    world.consumer(all_projected)({"Records": [message(PAYMENT)]}, None)
    assert world.lines[0].metrics["LagMilliseconds"] == ("Milliseconds", 0)


def wide_payments(count: int) -> list[PaymentPosted]:
    """Payments of 45 postings between 90 accounts each."""
    book = Book()
    names = [f"n{number}" for number in range(90)]
    for name in names:
        book.open(name)
    pairs = list(zip(names[::2], names[1::2], strict=True))
    return [book.pay(*((source, to, 1) for source, to in pairs)) for _ in range(count)]


def test_a_batch_of_wide_payments_is_projected_in_parts() -> None:
    """No part touches more than PART_ENTRIES_MAX accounts; together they are the batch, in order;
    places of failures are those in the batch."""
    world = World()
    parts: list[list[Event]] = []
    payments = wide_payments(12)

    def project(events: Sequence[Event]) -> Projected:
        parts.append(list(events))
        return Projected(failed={len(events) - 1: "Throttled"}, counts={"Writes": 1})

    records = [message(payment, f"m{n}") for n, payment in enumerate(payments)]
    answer = world.consumer(project)({"Records": records}, None)
    assert [len(part) for part in parts] == [5, 5, 2]
    assert all(90 * len(part) <= PART_ENTRIES_MAX for part in parts)
    assert [event for part in parts for event in part] == payments
    assert answer == {"batchItemFailures": [{"itemIdentifier": n} for n in ("m4", "m9", "m11")]}
    assert world.lines[0].metrics["Writes"] == ("Count", 3)


def test_what_there_is_no_time_for_comes_back() -> None:
    """With too little time left for another part, its messages fail and nothing is begun."""
    world = World()
    times = iter([30_000, 7_999, 7_000])
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: next(times))
    records = [message(payment, f"m{n}") for n, payment in enumerate(wide_payments(12))]
    answer = world.consumer(all_projected)({"Records": records}, context)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [
        f"m{n}" for n in range(5, 12)
    ]
    assert world.lines[0].notes["failures"] == {"not_tried": 7}


def test_a_batch_of_nothing_but_poison_projects_nothing() -> None:
    """No event, no call, no lag."""
    world = World()

    def project(_events: Sequence[Event]) -> Projected:
        raise AssertionError("nothing to project")

    assert world.consumer(project)({"Records": [raw_message("x")]}, None) == {
        "batchItemFailures": [{"itemIdentifier": "m"}]
    }
    assert "LagMilliseconds" not in world.lines[0].metrics


def test_no_body_reaches_the_line() -> None:
    """What a message holds, however it failed, is not in the log."""
    world = World()
    secret = "DE02120300000000202051"
    body = msgspec.json.encode({"detail": secret}).decode()
    records = [raw_message(body), raw_message(detail(description=secret, accounts=[]))]
    world.consumer(all_projected)({"Records": records}, None)
    assert secret not in repr(world.lines)
