"""Only what a ledger can have recorded comes out of a message; the rest is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET, structs

from ledger.consuming.events import MalformedMessageError, check_event, event_of_message
from ledger.contracts.events import AccountEntry, CorruptEventError, Event, UnknownEventError
from tests.properties.projection_streams import four_events, message
from tests.support.consuming import REJECTION

BOOK = four_events()
PAYMENT = BOOK.events[2]


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
