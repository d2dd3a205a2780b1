"""A notification as one line for people."""

from __future__ import annotations

import json

from ledger.cli.output import money
from ledger.contracts.commands import Alert, Posting
from ledger.contracts.events import (
    AccountOpened,
    AlertsSet,
    CommandRejected,
    CorruptEventError,
    PaymentPosted,
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
    match notified:
        case BalanceAlert():
            threshold, balance = (
                money(minor, notified.currency)
                for minor in (notified.threshold_minor, notified.balance_minor)
            )
            return f"{notified.account} {notified.direction} {threshold}: {balance}"
        case PaymentPosted():
            return _movements(notified.postings)
        case AccountOpened():
            return f"{notified.account} {notified.account_type} in {notified.currency}"
        case AlertsSet():
            return f"{notified.account}: {_alerts(notified.alerts, notified.currency)}"
        case CommandRejected():
            return f"{notified.reason} at {notified.field or 'no field'}"
        case _:
            return ""


def _movements(postings: tuple[Posting, ...]) -> str:
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
