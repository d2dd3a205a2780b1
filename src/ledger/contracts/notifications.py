"""The notifications: what the topic carries, by what subscribers filter it, how they know it again.

One message a fact: an event as published, byte for byte, or a `balance.alert` for each of an
account's alerts that an event made it cross. Delivery is at least once and unordered, as SNS's is:
`id` and `type` together name a message for ever, and an account's version orders what is about it.

Names of types, attributes and bands are in the filters of subscribers: they never change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from ledger.contracts.commands import (
    AtomicBatch,
    AuthorizePayment,
    Command,
    OpenAccount,
    PaymentCommand,
    Posting,
    PostPayment,
    PostTemplate,
    ScreenPayment,
    SetMetadata,
    accounts_of,
)
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.events import (
    EVENT_TYPES,
    AccountEvent,
    AlertsSet,
    CommandRejected,
    CorruptEventError,
    Event,
    MetadataSet,
    PaymentEvent,
    ProfileEvent,
    UnknownEventError,
    currency_of,
    decode_event,
    entries_of,
    payment_of,
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
#: The events that the topic carries: all but a screening, which is its own topic's business.
NOTIFIED_EVENTS: Final = tuple(type_ for type_ in EVENT_TYPES if type_ != "payment.screened")
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
    about = _about_refusal(notified) if isinstance(notified, CommandRejected) else _about(notified)
    every: Attributes = {
        "type": type_,
        "account": tuple(dict.fromkeys(about.accounts)),
        "currency": tuple(dict.fromkeys(about.currencies)),
        "amount_band": bands_of(about.postings),
        "payment": tuple(dict.fromkeys(about.payments)),
        "reason": notified.reason if isinstance(notified, CommandRejected) else "",
    }
    return {name: value for name, value in every.items() if value}


class _About(NamedTuple):
    """What an event or a refused command is about, some of it perhaps more than once."""

    accounts: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    postings: tuple[Posting, ...] = ()
    payments: tuple[str, ...] = ()


def _about(event: Event) -> _About:
    """What an accepted event is about."""
    if isinstance(event, PaymentEvent):
        accounts = tuple(entry.id for entry in event.accounts)
        currencies = tuple(currency_of(event, account) for account in accounts)
        moved = _of_postings(event.postings, accounts, (payment_of(event),))
        return moved._replace(currencies=moved.currencies + currencies)
    if isinstance(event, ProfileEvent):
        return _About((event.account,), (event.profile.currency,))
    if isinstance(event, AlertsSet):
        return _About((event.account,), (event.currency,))
    if isinstance(event, MetadataSet):
        return _about_metadata(event)
    return _About()


def _about_refusal(event: CommandRejected) -> _About:
    """What a refused command is about, and the accounts and payments that caused the refusal."""
    asked = _about_command(event.request)
    by_kind: dict[str, list[str]] = {"account": [], "payment": []}
    for cause in event.causes:
        by_kind.setdefault(cause.kind, []).append(cause.id)
    return asked._replace(
        accounts=(*asked.accounts, *by_kind["account"]),
        payments=(*asked.payments, *by_kind["payment"]),
    )


def _about_command(command: Command) -> _About:
    """What a command is about, as far as its text says."""
    if isinstance(command, AtomicBatch):
        parts = [_about_command(member) for member in command.commands]
        return _About(
            *(tuple(chain.from_iterable(several)) for several in zip(*parts, strict=True))
        )
    if isinstance(command, PostPayment | AuthorizePayment):
        return _of_postings(command.postings, accounts_of(command), (command.id,))
    if isinstance(command, PostTemplate):
        return _About(payments=(command.id,))
    if isinstance(command, PaymentCommand | ScreenPayment):
        return _About(payments=(command.payment,))
    if isinstance(command, SetMetadata):
        return _about_metadata(command)
    currencies = (command.currency,) if isinstance(command, OpenAccount) else ()
    return _About(accounts_of(command), currencies)


def _of_postings(
    postings: tuple[Posting, ...], accounts: tuple[str, ...], payments: tuple[str, ...]
) -> _About:
    return _About(accounts, tuple(posting.currency for posting in postings), postings, payments)


def _about_metadata(of: SetMetadata | MetadataSet) -> _About:
    subject = (of.subject_id,)
    return _About(accounts=subject) if of.subject == "account" else _About(payments=subject)


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
