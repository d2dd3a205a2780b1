"""What the ledger makes of events, beside the events themselves: alerts, to the letter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ledger.contracts.events import AccountEvent, PaymentScreened, currency_of, entries_of
from simulation.auditor.facts import balance_of
from simulation.auditor.recorded import Recorded, as_json

BALANCE_ALERT = "balance.alert"
FRAUD_ALERT = "fraud.alert"

Values = Mapping[str, tuple[str, ...]]
"""What a message is filtered by: the values of each of its attributes."""


def balance_alerts(made: Recorded) -> Iterator[dict[str, Any]]:
    """One for each crossing that an event's entries tell of."""
    event = made.event
    if not isinstance(event, AccountEvent):
        return
    for entry in entries_of(event):
        for one in entry.crossed:
            yield {
                "type": BALANCE_ALERT,
                "v": 1,
                "id": f"{event.id}/{entry.id}/{one.direction}/{one.threshold_minor}",
                "event": event.id,
                "account": entry.id,
                "account_version": entry.version,
                "currency": currency_of(event, entry.id),
                "direction": one.direction,
                "threshold_minor": one.threshold_minor,
                "balance_minor": balance_of(entry),
                "recorded_at": event.recorded_at,
            }


def fraud_alert(event: PaymentScreened, account: str) -> dict[str, Any]:
    """Of a recorded verdict that is not clear; `account` is the payer that it is about most."""
    return {
        "type": FRAUD_ALERT,
        "v": 1,
        "id": event.id,
        "recorded_at": event.recorded_at,
        "payment": event.payment,
        "account": account,
        "model": event.model,
        "verdict": event.verdict,
        "score_permille": event.score_permille,
        "reasons": as_json(event.reasons),
    }


def values_of(attributes: Mapping[str, Mapping[str, Any]]) -> Values:
    """The values of a message's attributes."""
    return {name: _values(one) for name, one in attributes.items()}


def _values(attribute: Mapping[str, Any]) -> tuple[str, ...]:
    text = attribute["StringValue"]
    return tuple(json.loads(text)) if attribute["DataType"] == "String.Array" else (text,)
