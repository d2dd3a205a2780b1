"""The published form of notifications: bands, attributes, alerts, and how they are read."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec import structs

from ledger.contracts import examples
from ledger.contracts.commands import (
    Alert,
    AtomicBatch,
    CapturePayment,
    OpenAccount,
    PostPayment,
    SetAlerts,
)
from ledger.contracts.events import (
    EVENT_TYPES,
    Cause,
    CommandRejected,
    CorruptEventError,
    Event,
    UnknownEventError,
    decode_event,
    encode_event,
)
from ledger.contracts.notifications import (
    AMOUNT_BANDS,
    NOTIFICATION_TYPES,
    NOTIFIED_EVENTS,
    BalanceAlert,
    alerts_of,
    amount_band,
    attributes_of,
    decode_notification,
    encode_alert,
)
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from tests.support.builders import NOON, posting
from tests.support.notifying import crossing

ALERT = examples.NOTIFICATIONS["balance.alert", 1]


def example(name: str) -> Event:
    """The example of an event."""
    return decode_event(json.dumps(examples.EVENTS[name, 1]))


@pytest.mark.parametrize(
    ("amount_minor", "currency", "band"),
    [
        (0, "EUR", "0-1"),
        (1, "EUR", "0-1"),
        (99, "EUR", "0-1"),
        (100, "EUR", "1-10"),
        (999, "EUR", "1-10"),
        (1_000, "EUR", "10-100"),
        (9_999, "EUR", "10-100"),
        (10_000, "EUR", "100-1000"),
        (1, "JPY", "1-10"),
        (10, "JPY", "10-100"),
        (999, "KWD", "0-1"),
        (1_000, "KWD", "1-10"),
        (9_999, "CLF", "0-1"),
        (10_000, "CLF", "1-10"),
        (99_999_999_999, "EUR", "100000000-1000000000"),
        (100_000_000_000, "EUR", "1000000000-"),
        (AMOUNT_MINOR_MAX, "JPY", "1000000000-"),
    ],
)
def test_a_band_starts_at_its_first_number(amount_minor: int, currency: str, band: str) -> None:
    """In whole units of the currency, however many digits its minor unit takes."""
    assert amount_band(amount_minor, currency) == band


def test_the_bands_are_these() -> None:
    """They stand in the filters of subscribers: none may be renamed."""
    assert (
        *("0-1", "1-10", "10-100", "100-1000", "1000-10000", "10000-100000"),
        *("100000-1000000", "1000000-10000000", "10000000-100000000"),
        *("100000000-1000000000", "1000000000-"),
    ) == AMOUNT_BANDS


def test_a_currency_of_a_newer_release_has_no_band_here() -> None:
    """Its digits are not known: a guess would put amounts into a wrong band."""
    with pytest.raises(UnknownEventError):
        amount_band(1, "XYZ")


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        (
            "account.opened",
            {"account": ("customers:42:wallet",), "currency": ("EUR",)},
        ),
        (
            "account.alerts_set",
            {"account": ("customers:42:wallet",), "currency": ("EUR",)},
        ),
        (
            "account.limits_set",
            {"account": ("customers:42:wallet",), "currency": ("EUR",)},
        ),
        ("account.closed", {"account": ("customers:45:wallet",), "currency": ("EUR",)}),
        ("metadata.set", {"account": ("customers:42:wallet",)}),
        (
            "payment.posted",
            {
                "account": (
                    *("customers:42:wallet", "merchants:7:settlement", "income:card-fees"),
                ),
                "currency": ("EUR",),
                "amount_band": ("10-100",),
                "payment": ("5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10",),
            },
        ),
        (
            "payment.captured",
            {
                "account": ("customers:42:wallet", "merchants:7:settlement"),
                "currency": ("EUR",),
                "amount_band": ("100-1000",),
                "payment": ("booking-77",),
            },
        ),
        (
            "payment.expired",
            {
                "account": ("customers:42:wallet", "merchants:7:settlement"),
                "currency": ("EUR",),
                "amount_band": ("10-100",),
                "payment": ("taxi-3",),
            },
        ),
        (
            "payment.reversed",
            {
                "account": (
                    *("merchants:7:settlement", "customers:42:wallet", "income:card-fees"),
                ),
                "currency": ("EUR",),
                "amount_band": ("1-10",),
                "payment": ("5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10",),
            },
        ),
        ("template.defined", {}),
        ("book.closed", {}),
        ("batch.committed", {}),
        (
            "command.rejected",
            {
                "account": ("customers:42:wallet", "merchants:7:settlement"),
                "currency": ("EUR",),
                "amount_band": ("100-1000",),
                "payment": ("b7c1f9a2-0d34-4c51-8a53-6c1f0f4f2e77",),
                "reason": "insufficient_funds",
            },
        ),
    ],
)
def test_events_are_filtered_by_what_they_say(
    name: str, attributes: dict[str, str | tuple[str, ...]]
) -> None:
    """Type, accounts, currencies, payment of each event; band and reason where there is one."""
    assert attributes_of(example(name)) == {"type": name} | attributes


def test_a_payment_has_a_band_for_its_largest_posting_in_each_currency() -> None:
    """Amounts of different currencies are not compared: 50.00 EUR beside 900 JPY is two bands."""
    event = structs.replace(
        crossing("p", "a", "b"),
        postings=(
            posting("a", "b", 120, "EUR"),
            posting("a", "b", 5_000, "EUR"),
            posting("a", "b", 900, "JPY"),
            posting("a", "b", 50, "EUR"),
        ),
    )
    attributes = attributes_of(event)
    assert attributes["amount_band"] == ("10-100", "100-1000")
    assert attributes["currency"] == ("EUR", "JPY")
    same = structs.replace(event, postings=(*event.postings[:1], posting("a", "b", 7, "JPY")))
    assert attributes_of(same)["amount_band"] == ("1-10",)


def test_a_refused_opening_and_refused_alerts_have_what_they_asked_for() -> None:
    """A refused setting of alerts names no currency: what is not known is left out."""
    opening = OpenAccount(v=1, id="c", account="a", currency="CHF", account_type="asset")
    refusal = CommandRejected(
        v=1,
        id="c",
        recorded_at=NOON,
        actor="tests",
        reason="account_exists",
        retry="never",
        request=opening,
        causes=(),
    )
    assert attributes_of(refusal) == {
        "type": "command.rejected",
        "account": ("a",),
        "currency": ("CHF",),
        "reason": "account_exists",
    }
    alerts = SetAlerts(v=1, id="c", account="a", alerts=())
    refusal = structs.replace(refusal, request=alerts, reason="account_not_found")
    assert attributes_of(refusal) == {
        "type": "command.rejected",
        "account": ("a",),
        "reason": "account_not_found",
    }


def test_a_refusal_is_filtered_by_what_caused_it_too() -> None:
    """A capture names its payment alone: who watches an account hears that it could not pay. Of a
    batch, all that its commands name counts."""
    capture = CapturePayment(v=1, id="c", payment="p", amount_minor=700)
    refusal = CommandRejected(
        v=1,
        id="c",
        recorded_at=NOON,
        actor="tests",
        reason="account_frozen",
        retry="new_id",
        request=capture,
        causes=(
            Cause(id="p", version=1, values={}, kind="payment"),
            Cause(id="a", version=3, values={}),
        ),
    )
    assert attributes_of(refusal) == {
        "type": "command.rejected",
        "account": ("a",),
        "payment": ("p",),
        "reason": "account_frozen",
    }
    paid = PostPayment(
        v=1, id="q", postings=(posting("a", "b", 120, "EUR"), posting("c", "d", 7, "JPY"))
    )
    batch = AtomicBatch(v=1, id="batch", commands=(capture, paid))
    assert attributes_of(structs.replace(refusal, id="batch", request=batch, causes=())) == {
        "type": "command.rejected",
        "account": ("a", "b", "c", "d"),
        "currency": ("EUR", "JPY"),
        "amount_band": ("1-10",),
        "payment": ("p", "q"),
        "reason": "account_frozen",
    }


def test_all_events_are_told_but_screenings() -> None:
    """Names in filters: what there is more of, is told of too."""
    assert set(NOTIFIED_EVENTS) == set(EVENT_TYPES) - {"payment.screened"}


def test_an_alert_says_what_crossed_what_and_when() -> None:
    """It is made of the event alone, once for each crossing, and its id of what crossed what."""
    above = Alert(direction="above", threshold_minor=-50)
    event = crossing("p1", "a", "b", alerts=[above])
    first, second = alerts_of(event)
    assert first == BalanceAlert(
        v=1,
        id="p1/a/above/-50",
        event="p1",
        account="a",
        account_version=2,
        currency="EUR",
        direction="above",
        threshold_minor=-50,
        balance_minor=-10,
        recorded_at=NOON,
    )
    assert second.id == "p1/b/above/-50"
    assert attributes_of(first) == {
        "type": "balance.alert",
        "account": ("a",),
        "currency": ("EUR",),
    }


def test_events_that_cross_nothing_alert_nobody() -> None:
    """None of the examples has a crossing."""
    for name in EVENT_TYPES:
        assert list(alerts_of(example(name))) == []


def test_the_example_of_an_alert_is_read_and_written_as_it_stands() -> None:
    """Names and order of the fields are the contract's."""
    body = json.dumps(ALERT, separators=(",", ":"))
    alert = decode_notification(body)
    assert isinstance(alert, BalanceAlert)
    assert encode_alert(alert) == body


@pytest.mark.parametrize("name", NOTIFIED_EVENTS)
def test_an_event_is_read_as_the_event_it_is(name: str) -> None:
    """A message that is no alert is an event, as published."""
    event = example(name)
    assert name in NOTIFICATION_TYPES
    assert decode_notification(encode_event(event)) == event


@pytest.mark.parametrize("change", [{"v": 2}, {"type": "balance.warning"}])
def test_a_notification_of_a_newer_release_is_unknown_not_corrupt(
    change: dict[str, object],
) -> None:
    """It must come back to whoever reads it, not be skipped."""
    with pytest.raises(UnknownEventError):
        decode_notification(msgspec.json.encode(ALERT | change))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"\xff"',
        b"[" * 100_000,
        "\ud800",
        msgspec.json.encode(ALERT | {"threshold_minor": "0"}),
        msgspec.json.encode(ALERT | {"direction": "sideways"}),
        msgspec.json.encode({"type": "balance.alert", "v": 1}),
        msgspec.json.encode({"type": "payment.posted", "v": 1}),
    ],
    ids=lambda body: f"{len(body)} of {body[:14]!a}",
)
def test_what_is_no_notification_is_refused_as_such(body: bytes | str) -> None:
    """Text of any kind is refused by a value, never by a crash."""
    with pytest.raises(CorruptEventError):
        decode_notification(body)


def test_fields_of_a_newer_release_are_ignored() -> None:
    """Within a version, fields may be added."""
    read = decode_notification(msgspec.json.encode(ALERT | {"new": 1}))
    assert read == decode_notification(msgspec.json.encode(ALERT))
