"""What an answer shows of an event: the words of the REST API, by the documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import UNSET

from ledger.contracts.events import (
    BaseEvent,
    Event,
    PaymentCaptured,
    PaymentEntry,
    currency_of,
    entries_of,
    payment_of,
)
from simulation.auditor.facts import DEBIT_SIDE
from simulation.auditor.recorded import as_json

#: The `status` of the answer to each command that was accepted, by the event that it made.
STATUSES: Final[Mapping[str, str]] = {
    "account.alerts_set": "alerts_set",
    "account.closed": "closed",
    "account.frozen": "frozen",
    "account.limits_set": "limits_set",
    "account.opened": "opened",
    "account.stripes_set": "stripes_set",
    "account.unfrozen": "unfrozen",
    "batch.committed": "committed",
    "book.closed": "book_closed",
    "book.opened": "book_opened",
    "book.reopened": "book_reopened",
    "metadata.set": "metadata_set",
    "payment.authorized": "authorized",
    "payment.captured": "captured",
    "payment.increased": "increased",
    "payment.posted": "posted",
    "payment.reversed": "reversed",
    "payment.voided": "voided",
    "template.defined": "template_defined",
}
#: What an answer says of itself, and not of the event.
_OWN: Final = frozenset({"status", "repeat", "dry_run", "answers"})
_MISSING: Final = object()


def differences(event: Event, body: Mapping[str, Any]) -> Iterator[str]:
    """The names of what an answer about an accepted command shows otherwise than its event."""
    kind = str(event.__struct_config__.tag)
    if body.get("status") != STATUSES.get(kind):
        yield "status"
    for name in ("id", "recorded_at", *(("accounts",) if entries_of(event) else ())):
        if name not in body:
            yield name
    for name, shown in body.items():
        if name not in _OWN and shown != _said(event, name):
            yield name


def _said(event: Event, name: str) -> Any:
    """What the event says under the name that an answer shows it by."""
    match name:
        case "accounts":
            return accounts_after(event)
        case "payment":
            return _payment_after(event)
        case "version":
            return event.entry.version  # type: ignore[union-attr]  # an answer about a subject
        case "account_status":
            return event.profile.status  # type: ignore[union-attr]  # one about a profile
        case "released" if isinstance(event, PaymentCaptured):
            return as_json(event.postings if event.released is UNSET else event.released)
    said = getattr(event, name, _MISSING)
    if said is _MISSING:
        said = getattr(getattr(event, "profile", None), name, _MISSING)
    return None if said is _MISSING else as_json(said)


def accounts_after(event: BaseEvent | Event) -> list[dict[str, Any]]:
    """Every account, or stripe, that an event touched, as it left it."""
    shown: list[dict[str, Any]] = []
    for entry in entries_of(event):  # type: ignore[arg-type]
        debits, credits_ = entry.debits_posted_minor, entry.credits_posted_minor
        sign = 1 if entry.type in DEBIT_SIDE else -1
        balance = sign * (debits - credits_)
        against = entry.credits_pending_minor if sign == 1 else entry.debits_pending_minor
        shown.append(
            {
                "id": entry.id,
                "currency": currency_of(event, entry.id),  # type: ignore[arg-type]
                "account_type": entry.type,
                "version": entry.version,
                "balance_minor": balance,
                "available_minor": balance - against,
                "debits_posted_minor": debits,
                "credits_posted_minor": credits_,
                "debits_pending_minor": entry.debits_pending_minor,
                "credits_pending_minor": entry.credits_pending_minor,
            }
        )
        if entry.stripe is not UNSET:
            shown[-1]["stripe"] = entry.stripe
    return shown


def _payment_after(event: Any) -> dict[str, Any]:
    entry: PaymentEntry = event.entry
    amounts = (entry.authorized_minor, entry.captured_minor, entry.reversed_minor)
    nothing = (0,) * max(map(len, amounts))
    authorized, captured, reversed_ = (each or nothing for each in amounts)
    open_ = entry.status in ("held", "partially_captured")
    shown = {
        "id": payment_of(event),
        "version": entry.version,
        "status": entry.status,
        "authorized_minor": list(authorized),
        "held_minor": [
            max(held - taken, 0) * open_ for held, taken in zip(authorized, captured, strict=True)
        ],
        "captured_minor": list(captured),
        "reversed_minor": list(reversed_),
    }
    if entry.expires_at is not UNSET:
        shown["expires_at"] = entry.expires_at
    return shown
