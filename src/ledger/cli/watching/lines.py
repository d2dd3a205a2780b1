"""A notification as one line for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from ledger.cli.output import money
from ledger.contracts.commands import Alert, Posting
from ledger.contracts.events import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    AlertsSet,
    BatchCommitted,
    BookClosed,
    BookOpened,
    BookReopened,
    CommandRejected,
    CorruptEventError,
    LaterPaymentEvent,
    LimitsSet,
    MetadataSet,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentExpired,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentVoided,
    StripesSet,
    TemplateDefined,
    UnknownEventError,
)
from ledger.contracts.notifications import BalanceAlert, Notified, decode_notification

_TYPE_COLUMNS = 18  # of the longest type, `account.alerts_set`


def line_of(body: str) -> str:
    """When, what, and what of it: `2026-11-22T08:15:30  payment.posted  12.50 EUR a -> b  p1`."""
    try:
        notified = decode_notification(body)
    except (UnknownEventError, CorruptEventError):
        return _line("", "unknown", "a newer release's, see it with --json", _id_of(body))
    type_ = str(notified.__struct_config__.tag)
    return _line(notified.recorded_at[:19], type_, _about(notified), notified.id)


def _line(when: str, type_: str, about: str, id_: str) -> str:
    return f"{when:19}  {type_:{_TYPE_COLUMNS}}  {about}  {id_}"


def _about(notified: Notified) -> str:
    tell = _ABOUT.get(type(notified))
    return tell(notified) if tell else ""


def _alert(alert: BalanceAlert) -> str:
    threshold, balance = (
        money(minor, alert.currency) for minor in (alert.threshold_minor, alert.balance_minor)
    )
    return f"{alert.account} {alert.direction} {threshold}: {balance}"


def _later(event: LaterPaymentEvent) -> str:
    """What was posted or released of a payment; a hold that was only prolonged has nothing."""
    if not event.postings:
        return f"{event.payment} until {event.entry.expires_at}"
    return f"{_movements(event.postings)}, of {event.payment}"


def _metadata(event: MetadataSet) -> str:
    return f"{event.subject} {event.subject_id}: {', '.join(event.metadata) or 'none'}"


def _book(event: BookClosed | BookReopened) -> str:
    return f"{event.book}: closed through {event.through or 'no day'}"


def _movements(postings: Sequence[Posting]) -> str:
    first, more = postings[0], len(postings) - 1
    moved = f"{money(first.amount_minor, first.currency)} {first.source} -> {first.destination}"
    return f"{moved} and {more} more" if more else moved


def _alerts(alerts: tuple[Alert, ...], currency: str) -> str:
    shown = (f"{alert.direction} {money(alert.threshold_minor, currency)}" for alert in alerts)
    return ", ".join(shown) or "no alerts"


def _id_of(body: str) -> str:
    try:
        return str(json.loads(body)["id"])
    except (ValueError, LookupError, TypeError):
        return ""


#: What each kind of notification is about, in a few words.
_ABOUT: Final[dict[type[Any], Callable[[Any], str]]] = {
    BalanceAlert: _alert,
    CommandRejected: lambda event: f"{event.reason} at {event.field or 'no field'}",
    AccountOpened: lambda event: f"{event.account} {event.account_type} in {event.currency}",
    AlertsSet: lambda event: f"{event.account}: {_alerts(event.alerts, event.currency)}",
    AccountFrozen: lambda event: f"{event.account} {event.sides}: {event.reason}",
    AccountUnfrozen: lambda event: f"{event.account} {event.sides}: {event.reason}",
    AccountClosed: lambda event: f"{event.account}: {event.reason}",
    StripesSet: lambda event: f"{event.account}: {event.stripes} stripes",
    LimitsSet: lambda event: f"{event.account}: {', '.join(event.given)}",
    MetadataSet: _metadata,
    PaymentPosted: lambda event: _movements(event.postings),
    PaymentAuthorized: lambda event: _movements(event.postings),
    PaymentCaptured: _later,
    PaymentIncreased: _later,
    PaymentVoided: _later,
    PaymentExpired: _later,
    PaymentReversed: _later,
    BookOpened: lambda event: event.book,
    BookClosed: _book,
    BookReopened: _book,
    TemplateDefined: lambda event: f"{event.template} version {event.entry.version}",
    BatchCommitted: lambda event: f"{len(event.commands)} commands",
}
