"""Only what a ledger can have recorded comes out of a message; the rest is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec import UNSET, structs

from ledger.consuming.events import (
    MalformedMessageError,
    check_event,
    checked_event,
    texts_of_message,
)
from ledger.contracts import examples
from ledger.contracts.events import (
    EVENT_TYPES,
    AccountEntry,
    CorruptEventError,
    Event,
    UnknownEventError,
    decode_event,
)
from tests.properties.projection_streams import four_events, message, pack
from tests.support.builders import posting
from tests.support.consuming import REJECTION
from tests.support.lives import lives

BOOK = four_events()
PAYMENT = BOOK.events[2]


def detail(**changes: Any) -> str:
    """The body of the message of PAYMENT, its detail changed."""
    body = json.loads(message(PAYMENT)["body"])
    body["detail"]["events"][0] |= changes
    return json.dumps(body)


def events_of_message(body: str) -> list[Event]:
    """The events in a body, each checked."""
    return [checked_event(text) for text in texts_of_message(body)]


def shown_bare() -> dict[str, Any]:
    """An event that is in no pack."""
    event: dict[str, Any] = json.loads(detail())["detail"]["events"][0]
    return event


def shown(name: str) -> Any:
    """The example of an event."""
    return decode_event(json.dumps(examples.EVENTS[name, 1]))


@pytest.mark.parametrize("event", [*BOOK.events, REJECTION], ids=lambda event: event.id)
def test_an_event_comes_out_of_its_message_as_it_went_in(event: Event) -> None:
    """Opening, payment and rejection alike."""
    assert events_of_message(message(event)["body"]) == [event]


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_type_of_event_comes_out_of_its_message(name: str) -> None:
    """As the ledger records it: whether it names its accounts, its payment, or neither."""
    assert events_of_message(message(shown(name))["body"]) == [shown(name)]


@given(lives())
def test_a_pack_of_events_comes_out_of_its_message_as_it_went_in(events: list[Event]) -> None:
    """In their order, whatever they are."""
    assert events_of_message(pack(events)["body"]) == events


def test_texts_come_as_they_were_published() -> None:
    """With what a newer release added, blanks and escapes included; none is looked into."""
    texts = ['{"type": "new",  "x":"\\u00fc"}', "5"]
    body = message(PAYMENT)["body"]
    start = body.index('"detail"')
    assert texts_of_message(f'{body[:start]}"detail":{{"events":[{",".join(texts)}]}}}}') == texts


def test_an_entry_of_a_release_before_is_read_as_the_event_that_it_is() -> None:
    """It had each event as its detail: those wait in queues while a deployment goes on."""
    (event,) = texts_of_message(json.dumps(json.loads(detail()) | {"detail": shown_bare()}))
    assert json.loads(event) == shown_bare()
    assert checked_event(event).id == shown_bare()["id"]


@given(lives())
def test_what_a_ledger_records_is_never_refused(events: list[Event]) -> None:
    """Whatever commands it got: what is checked here holds of every event."""
    for event in events:
        check_event(event)


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
        json.dumps(json.loads(detail()) | {"detail": {"events": []}}),
        "[" * 100_000,
        '{"id":"1","source":"ledger","account":"1","detail-type":"t","detail":' + "[" * 50_000,
        "\ud800",
    ],
    ids=lambda body: f"{len(body)} of {body[:12]!a}",
)
def test_what_is_no_pack_in_an_envelope_is_malformed(body: str) -> None:
    """Text of any kind is refused as a value, never as a crash."""
    with pytest.raises(MalformedMessageError):
        events_of_message(body)


@pytest.mark.parametrize(
    "changes", [{"type": "payment.settled"}, {"v": 2}, {"type": "account.opened", "v": 7}]
)
def test_an_event_of_a_newer_release_is_unknown_not_corrupt(changes: dict[str, Any]) -> None:
    """A type or version that this release does not know must come back, not be skipped."""
    with pytest.raises(UnknownEventError):
        events_of_message(detail(**changes))


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
        events_of_message(detail(**changes))


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


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("payment.captured", {"payment": "no blanks"}),
        ("payment.captured", {"accounts": ()}),
        ("payment.captured", {"released": (posting("a", "b", 1),)}),  # which has no entry
        ("payment.voided", {"payment": ""}),
        ("payment.increased", {"postings": ()}),  # whose accounts have entries
        ("account.frozen", {"account": "customers:43:wallet"}),
        ("account.closed", {"accounts": ()}),
    ],
    ids=str,
)
def test_a_later_event_that_no_ledger_recorded_is_corrupt(
    name: str, changes: dict[str, Any]
) -> None:
    """Its entries are those of the accounts that it moved or released, or is about; no others."""
    with pytest.raises(CorruptEventError):
        check_event(structs.replace(shown(name), **changes))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("payment.captured", {"version": 0}),
        ("payment.captured", {"version": 1}),  # version 1 has no event before it
        ("payment.captured", {"prev": UNSET}),  # every other one has
        ("payment.captured", {"version": 2**63}),
        ("payment.captured", {"captured_minor": (-1,)}),
        ("payment.reversed", {"reversed_minor": (1, 2**63)}),
        ("payment.authorized", {"authorized_minor": (-5,)}),
        ("payment.authorized", {"expires_at": "tomorrow"}),
        ("book.closed", {"version": 1}),
        ("metadata.set", {"version": -1}),
        ("template.defined", {"prev": "an-event"}),
    ],
    ids=str,
)
def test_a_subject_that_no_ledger_recorded_is_corrupt(name: str, changes: dict[str, Any]) -> None:
    """What an event says of its payment, book, template or metadata is possible, too."""
    event = shown(name)
    with pytest.raises(CorruptEventError):
        check_event(structs.replace(event, entry=structs.replace(event.entry, **changes)))


def test_an_account_has_one_entry() -> None:
    """Two of one account would be two versions of it by one event."""
    first, second = PAYMENT.accounts[:2]
    with pytest.raises(CorruptEventError):
        check_event(structs.replace(PAYMENT, accounts=(first, second, second)))


def test_an_opening_has_the_entry_of_its_account_alone() -> None:
    """An opening with another account's entry, or none, is corrupt."""
    opening = BOOK.events[0]
    for entries in ((), BOOK.events[1].accounts, (*opening.accounts, *BOOK.events[1].accounts)):
        with pytest.raises(CorruptEventError):
            check_event(structs.replace(opening, accounts=entries))
