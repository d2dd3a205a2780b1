"""The notifications: what the topic carries, by what subscribers filter it, how they know it again.

One message a fact: an event as published, byte for byte, or a `balance.alert` for each of an
account's alerts that an event made it cross. Delivery is at least once and unordered, as SNS's is:
`id` and `type` together name a message for ever, and an account's version orders what is about it.

Names of types, attributes and bands are in the filters of subscribers: they never change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from ledger.contracts.commands import OpenAccount, Posting, PostPayment, accounts_of
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.events import (
    AccountEvent,
    AccountOpened,
    AlertsSet,
    CommandRejected,
    CorruptEventError,
    Event,
    PaymentPosted,
    UnknownEventError,
    currency_of,
    decode_event,
    entries_of,
    request_of,
)


class BalanceAlert(
    Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    tag="balance.alert",  # in filters
):
    """An event took an account's posted balance across one of the account's alerts.

    `balance_minor` is the posted balance after that event, on the account's normal side. There is
    one of these for each crossing, under an id made of what crossed what.
    """

    v: Literal[1]
    id: str
    event: str
    account: str
    account_version: int
    currency: str
    direction: Literal["below", "above"]
    threshold_minor: int
    balance_minor: int
    recorded_at: str


Notified = Event | BalanceAlert
ALERT_TYPE: Final = "balance.alert"
#: The events that the topic carries. A screening is its own topic's business.
NOTIFIED_EVENTS: Final = (
    "account.opened",
    "account.alerts_set",
    "payment.posted",
    "command.rejected",
)
NOTIFICATION_TYPES: Final = (*NOTIFIED_EVENTS, ALERT_TYPE)

Attributes = Mapping[str, str | tuple[str, ...]]
"""What subscribers filter on, by name: a text, or several of which one must match."""

_BAND_DIGITS_MAX: Final = 9  # from 1,000,000,000 units on there is one band
#: The bands of an amount in whole units of its currency: from the first number on, below the
#: second. `0-1` is less than one unit.
AMOUNT_BANDS: Final[tuple[str, ...]] = (
    "0-1",
    *(f"{10**digits}-{10 ** (digits + 1)}" for digits in range(_BAND_DIGITS_MAX)),
    f"{10**_BAND_DIGITS_MAX}-",
)

_ENCODER = msgspec.json.Encoder()
_ALERT = msgspec.json.Decoder(BalanceAlert)


class _Head(Struct):
    type: str
    v: int


_HEAD = msgspec.json.Decoder(_Head)


def encode_alert(alert: BalanceAlert) -> str:
    """The body of an alert's message."""
    return _ENCODER.encode(alert).decode()


def decode_notification(body: bytes | str) -> Notified:
    """What a message of the topic says. Raises UnknownEventError or CorruptEventError."""
    try:
        head = _HEAD.decode(body)
        if head.type != ALERT_TYPE:
            return decode_event(body)
        if head.v != 1:
            raise UnknownEventError(f"{ALERT_TYPE} version {head.v}")
        return _ALERT.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise CorruptEventError("the message is not a notification") from error


def alerts_of(event: Event) -> Iterator[BalanceAlert]:
    """An alert for each crossing that the event's entries tell of."""
    if not isinstance(event, AccountEvent):
        return
    for entry in entries_of(event):
        for crossed in entry.crossed:
            yield BalanceAlert(
                v=1,
                # Ids have no slash, so that no two crossings share one however they are named.
                id=f"{event.id}/{entry.id}/{crossed.direction}/{crossed.threshold_minor}",
                event=event.id,
                account=entry.id,
                account_version=entry.version,
                currency=currency_of(event, entry.id),
                direction=crossed.direction,
                threshold_minor=crossed.threshold_minor,
                balance_minor=entry.balance_minor,
                recorded_at=event.recorded_at,
            )


def attributes_of(notified: Notified) -> Attributes:
    """What the message is filtered by; those that have no value are left out.

    Raises UnknownEventError for a currency that only a newer release knows.
    """
    type_ = str(notified.__struct_config__.tag)
    if isinstance(notified, BalanceAlert):
        return {"type": type_, "account": (notified.account,), "currency": (notified.currency,)}
    subject = notified.request if isinstance(notified, CommandRejected) else notified
    postings = subject.postings if isinstance(subject, PaymentPosted | PostPayment) else ()
    if isinstance(subject, OpenAccount | AccountOpened | AlertsSet):
        currencies: tuple[str, ...] = (subject.currency,)
    else:
        currencies = tuple(dict.fromkeys(posting.currency for posting in postings))
    every: Attributes = {
        "type": type_,
        "account": accounts_of(request_of(notified)),
        "currency": currencies,
        "amount_band": bands_of(postings),
        "reason": notified.reason if isinstance(notified, CommandRejected) else "",
    }
    return {name: value for name, value in every.items() if value}


def bands_of(postings: tuple[Posting, ...]) -> tuple[str, ...]:
    """The band of the largest posting in each currency, each band once, in order of appearance.

    Raises UnknownEventError for a currency that only a newer release knows.
    """
    largest: dict[str, int] = {}
    for posting in postings:
        largest[posting.currency] = max(posting.amount_minor, largest.get(posting.currency, 0))
    return tuple(dict.fromkeys(amount_band(amount, code) for code, amount in largest.items()))


def amount_band(amount_minor: int, currency: str) -> str:
    """The band of AMOUNT_BANDS in which an amount (from 0 on) lies.

    Raises UnknownEventError for a currency that only a newer release knows.
    """
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise UnknownEventError("a currency that this release does not know")
    units = amount_minor // 10**digits
    return AMOUNT_BANDS[min(len(str(units)) if units else 0, len(AMOUNT_BANDS) - 1)]
