"""Whatever the ledger records is told once, known again by its id, and within SNS's limits."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from consumers.notifications.topic import ATTRIBUTES_MAX, REQUEST_BYTES_MAX, message_bytes
from ledger.consuming.notifications import notifications_of
from ledger.contracts.commands import Alert
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.events import (
    AccountEvent,
    CommandRejected,
    Event,
    MetadataSet,
    PaymentEvent,
    PaymentScreened,
    currency_of,
    encode_event,
    entries_of,
    payment_of,
)
from ledger.contracts.notifications import (
    AMOUNT_BANDS,
    NOTIFICATION_TYPES,
    alerts_of,
    amount_band,
    attributes_of,
    decode_notification,
)
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from tests.support.notifying import crossing, decided

amounts = st.one_of(st.integers(0, AMOUNT_MINOR_MAX), st.integers(0, 20_000))
currencies = st.sampled_from(sorted(MINOR_DIGITS))


@given(decided())
def test_an_event_gives_itself_and_an_alert_for_each_crossing(event: Event) -> None:
    """Exactly these, in this order, and each can be read back; of a screening, nothing."""
    text = encode_event(event).decode()
    if isinstance(event, PaymentScreened):
        assert notifications_of(event, text) == ()
        return
    first, *others = notifications_of(event, text)
    assert first.body == text
    told = [decode_notification(message.body) for message in (first, *others)]
    assert told == [event, *alerts_of(event)]
    crossings = [(entry.id, alert) for entry in entries_of(event) for alert in entry.crossed]
    assert [
        (body["account"], body["direction"], body["threshold_minor"])
        for body in (json.loads(message.body) for message in others)
    ] == [(account, alert.direction, alert.threshold_minor) for account, alert in crossings]


@given(decided())
def test_what_is_told_depends_on_the_event_alone(event: Event) -> None:
    """A redelivery gives the same bodies, ids and attributes."""
    text = encode_event(event).decode()
    assert notifications_of(event, text) == notifications_of(event, text)


@given(decided())
def test_attributes_are_always_ones_that_sns_takes(event: Event) -> None:
    """Few enough for raw delivery, none empty, known names, and the message small enough."""
    for message in notifications_of(event, encode_event(event).decode()):
        assert 1 <= len(message.attributes) <= ATTRIBUTES_MAX
        assert set(message.attributes) <= {
            *("type", "account", "currency", "amount_band", "payment", "reason")
        }
        assert message.attributes["type"] in NOTIFICATION_TYPES
        for value in message.attributes.values():
            values = (value,) if isinstance(value, str) else value
            assert values
            assert all(values)
            assert len(set(values)) == len(values)
        assert set(message.attributes.get("amount_band", ())) <= set(AMOUNT_BANDS)
        assert message_bytes(message) <= REQUEST_BYTES_MAX


@given(decided())
def test_everything_that_an_event_touches_can_be_subscribed_to(event: Event) -> None:
    """Its accounts, and their currencies; its payment, and that of its metadata; and of a refusal,
    all that caused it."""
    attributes = attributes_of(event)
    accounts, payments = set(attributes.get("account", ())), set(attributes.get("payment", ()))
    assert {entry.id for entry in entries_of(event)} <= accounts
    if isinstance(event, AccountEvent):
        currencies = {currency_of(event, entry.id) for entry in event.accounts}
        assert currencies <= set(attributes.get("currency", ()))
    if isinstance(event, PaymentEvent):
        assert payments == {payment_of(event)}
    if isinstance(event, MetadataSet):
        assert event.subject_id in (accounts if event.subject == "account" else payments)
    if isinstance(event, CommandRejected):
        causes = {(cause.kind, cause.id) for cause in event.causes}
        assert {id for kind, id in causes if kind == "account"} <= accounts
        assert {id for kind, id in causes if kind == "payment"} <= payments
    for alert in alerts_of(event):
        assert set(attributes_of(alert)["account"]) <= set(attributes["account"])
        assert set(attributes_of(alert)["currency"]) <= set(attributes["currency"])


# Ids that could be put together in several ways, if they were only put together.
ids = st.text("ab:-.0", min_size=1, max_size=5)
alerts = st.builds(
    Alert, direction=st.sampled_from(["below", "above"]), threshold_minor=st.integers(-2, 2)
)


@given(
    st.lists(
        st.tuples(
            ids,
            st.lists(ids, min_size=2, max_size=3, unique=True),
            st.lists(alerts, max_size=3, unique=True),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda drawn: drawn[0],
    )
)
def test_no_two_messages_share_an_id(drawn: list[tuple[str, list[str], list[Alert]]]) -> None:
    """Over any number of events with ids of their own, whatever ids and accounts are called."""
    told = [
        json.loads(message.body)["id"]
        for event_id, accounts, crossed in drawn
        for event in [crossing(event_id, *accounts, alerts=crossed)]
        for message in notifications_of(event, encode_event(event).decode())
    ]
    assert len(set(told)) == len(told)


@given(amounts, currencies)
def test_an_amount_lies_in_its_band(amount: int, currency: str) -> None:
    """At or above the band's first number, below its second; exact, in integers. Every amount has
    a band."""
    lowest, _, end = amount_band(amount, currency).partition("-")
    scale = 10 ** MINOR_DIGITS[currency]
    assert int(lowest) * scale <= amount
    assert not end or amount < int(end) * scale


@given(st.lists(amounts, min_size=2), currencies)
def test_bands_rise_with_amounts(drawn: list[int], currency: str) -> None:
    """A larger amount is never in a lower band."""
    places = [AMOUNT_BANDS.index(amount_band(amount, currency)) for amount in sorted(drawn)]
    assert all(lower <= higher for lower, higher in pairwise(places))
