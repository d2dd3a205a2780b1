"""Events as they are stored and published, and the envelope they travel in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from msgspec import UNSET

from ledger.contracts import examples
from ledger.contracts.commands import SYSTEM_COMMANDS, PostPayment, decode_command
from ledger.contracts.envelopes import MalformedEnvelopeError, open_envelope
from ledger.contracts.events import (
    EVENT_TYPES,
    AccountEntry,
    AccountOpened,
    CommandRejected,
    CorruptEventError,
    PaymentPosted,
    UnknownEventError,
    currency_of,
    decode_event,
    encode_event,
    entries_of,
    moved_minor,
    request_of,
)
from ledger.domain.requests import differing_fields
from publishing.exchanges import World, exchanges
from tests.properties.command_bodies import Document, body_of, openings


def event_of(name: str, **changes: object) -> bytes:
    return json.dumps(examples.EVENTS[name, 1] | changes).encode()


def payment() -> PaymentPosted:
    event = decode_event(event_of("payment.posted"))
    assert isinstance(event, PaymentPosted)
    return event


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_event_is_written_as_it_was_read(name: str) -> None:
    """Nothing is lost, added or reordered, so stored bytes can be checked by writing them again."""
    data = json.dumps(examples.EVENTS[name, 1], separators=(",", ":")).encode()
    assert encode_event(decode_event(data)) == data


def test_the_examples_are_what_the_ledger_records() -> None:
    """The events shown in the documents are those that the commands shown there make."""
    world = World()
    exchanges(world)
    recorded = [json.loads(encode_event(event)) for event in world.events()]
    for example in examples.EVENTS.values():
        assert example in recorded


def test_unknown_fields_are_ignored() -> None:
    """Adding a field is compatible within a version."""
    entry = examples.EVENTS["account.opened", 1]["accounts"]
    assert isinstance(entry, list)
    wider = event_of("account.opened", colour="red", accounts=[entry[0] | {"colour": "red"}])
    assert decode_event(wider) == decode_event(event_of("account.opened"))


@pytest.mark.parametrize("change", [{"type": "payment.settle"}, {"v": 2}])
def test_a_refusal_of_a_newer_command_is_unknown_not_corrupt(change: dict[str, object]) -> None:
    """During a deployment old code meets it: no alarm, nothing lost, newer code will read it."""
    request = examples.REFUSED_COMMAND | change
    with pytest.raises(UnknownEventError):
        decode_event(event_of("command.rejected", request=request))


@pytest.mark.parametrize(
    "data", [event_of("payment.posted", v=2), event_of("payment.posted", type="payment.undone")]
)
def test_a_newer_event_is_unknown_not_corrupt(data: bytes) -> None:
    """A newer release wrote it: come back later, with newer code."""
    with pytest.raises(UnknownEventError):
        decode_event(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"type":"payment.posted"}',
        b'{"type":"payment.posted","v":1}',
        b'{"type":"payment.posted","v":"1"}',
        b'{"type":"payment.posted","v":1,"id":"\xff"}',
        b'{"type":"payment.posted","v":1,"x":' + b"[" * 100_000,
        event_of("payment.posted", accounts=None),
    ],
)
def test_what_is_not_an_event_is_corrupt(data: bytes) -> None:
    """However it is broken, one error says so."""
    with pytest.raises(CorruptEventError):
        decode_event(data)


def test_entries_are_what_an_event_touched() -> None:
    """A rejection touches nothing."""
    assert [entry.id for entry in entries_of(payment())] == [
        "customers:42:wallet",
        "merchants:7:settlement",
        "income:card-fees",
    ]
    assert entries_of(decode_event(event_of("command.rejected"))) == ()


def test_an_entry_knows_its_balances() -> None:
    """Posted and available, on the account's normal side."""
    wallet, merchant, _ = entries_of(payment())
    assert (wallet.balance_minor, wallet.available_minor) == (-1250, -1250)
    assert merchant.balance_minor == 1225
    held = AccountEntry(
        id="a",
        type="asset",
        version=3,
        debits_posted_minor=10,
        credits_posted_minor=4,
        debits_pending_minor=1,
        credits_pending_minor=2,
    )
    assert (held.balance_minor, held.available_minor) == (6, 4)


def test_what_moved_is_the_sum_of_the_postings() -> None:
    """Debits where the account is the source, credits where it is the destination."""
    event = payment()
    assert moved_minor(event, "customers:42:wallet") == (1250, 0)
    assert moved_minor(event, "merchants:7:settlement") == (25, 1250)
    assert moved_minor(event, "no-one") == (0, 0)
    opened = decode_event(event_of("account.opened"))
    assert isinstance(opened, AccountOpened)
    assert moved_minor(opened, opened.account) == (0, 0)
    assert currency_of(opened, opened.account) == currency_of(event, "income:card-fees") == "EUR"


@given(openings)
def test_an_opening_gives_its_request_back(document: Document) -> None:
    """What was defaulted is left out again, what was spelled out is not; accepted or refused (for
    a book that is not there, or a time to come)."""
    command = decode_command(body_of(document))
    world = World()
    exchange = world.ask("", "POST", "/accounts", body=document)
    assert exchange.status in {201, 422}
    (event,) = world.events()
    request = request_of(event)
    assert request is not None
    assert differing_fields(command, request) == ()


def test_a_payment_and_a_rejection_give_their_requests_back() -> None:
    """As they were sent; a defaulted time is unset."""
    command = request_of(payment())
    sent = decode_command(json.dumps(examples.COMMANDS["payment.post", 1]).encode())
    assert command == sent
    defaulted = decode_event(event_of("payment.posted", defaulted=["effective_at"]))
    request = request_of(defaulted)
    assert isinstance(request, PostPayment)
    assert request.effective_at is UNSET
    rejected = decode_event(event_of("command.rejected"))
    assert isinstance(rejected, CommandRejected)
    assert request_of(rejected) == decode_command(json.dumps(examples.REFUSED_COMMAND).encode())


def test_alerts_and_a_verdict_give_their_requests_back() -> None:
    """They have no field with a default."""
    for event, command in (
        ("account.alerts_set", "account.set_alerts"),
        ("payment.screened", "payment.screen"),
    ):
        sent = json.dumps(examples.COMMANDS[command, 1]).encode()
        assert request_of(decode_event(event_of(event))) == decode_command(
            sent, {"account.set_alerts", *SYSTEM_COMMANDS}
        )


def test_an_envelope_is_opened_with_its_detail_untouched() -> None:
    """The detail keeps its bytes: it is read once, by the command's own reader."""
    detail = b'{"type": "payment.post",  "v":1}'
    body = (
        b'{"version":"0","id":"e","source":"shop","account":"111122223333","time":"t","region":"r",'
        b'"resources":[],"detail-type":"payment.post","detail":' + detail + b"}"
    )
    envelope = open_envelope(body)
    assert bytes(envelope.detail) == detail
    assert (envelope.source, envelope.account, envelope.detail_type) == (
        "shop",
        "111122223333",
        "payment.post",
    )
    assert open_envelope(body.decode()) == envelope


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b"\xff",
        b'{"id":"e","source":"s","account":"a","detail-type":"t"}',
        b'{"id":"e","source":"s","account":"a","detail-type":"t","detail":' + b"[" * 100_000,
    ],
)
def test_what_is_no_envelope_is_malformed(body: bytes) -> None:
    """However it is broken, one error says so, and quotes nothing."""
    with pytest.raises(MalformedEnvelopeError) as caught:
        open_envelope(body)
    assert caught.value.__cause__ is None
