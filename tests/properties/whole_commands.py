"""One command of each type with every field that it can have."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Document = dict[str, Any]

_NOON = "2026-11-21T12:00:00Z"
_POSTINGS = [
    {"source": "a", "destination": "b", "amount_minor": 1000, "currency": "EUR"},
    {"source": "c", "destination": "d", "amount_minor": 2000, "currency": "USD"},
]
_RATES = [{"from_posting": 0, "to_posting": 1, "rate": "2.0", "rounding": "half_even"}]
_METADATA = {"order": "1001", "shop": "north"}
_VELOCITY = [
    {
        "name": "daily",
        "window": "rolling",
        "hours": 24,
        "direction": "debits",
        "currency": "EUR",
        "max_amount_minor": 100,
        "max_count": 3,
    }
]
_LIMITS = {
    "min_balance_minor": -5,
    "max_balance_minor": 5,
    "min_balance_basis": "posted",
    "max_balance_basis": "available",
    "velocity": _VELOCITY,
}


def _leg(destination: str, **amount: object) -> Document:
    return {
        "source": "clearing",
        "destination": destination,
        "currency": "{currency}",
        "amount": {"of": "amount", **amount},
    }


_FIELDS: dict[str, Document] = {
    "account.close": {"account": "a", "reason": "moved away"},
    "account.freeze": {"account": "a", "sides": "debits", "reason": "court order"},
    "account.open": {
        "account": "a",
        "currency": "EUR",
        "account_type": "liability",
        "min_balance_minor": -5,
        "max_balance_minor": 5,
        "effective_at": _NOON,
        "book": "main",
        "metadata": _METADATA,
        "stripes": 4,
    },
    "account.set_alerts": {
        "account": "a",
        "alerts": [
            {"direction": "below", "threshold_minor": 5},
            {"direction": "above", "threshold_minor": 9},
        ],
    },
    "account.set_limits": {"account": "a", **_LIMITS},
    "account.set_stripes": {"account": "a", "stripes": 4, "reason": "a sale"},
    "account.unfreeze": {"account": "a", "sides": "both", "reason": "cleared"},
    "book.close": {"through": "2026-10-31", "book": "main", "reason": "month end"},
    "book.open": {"book": "branch-7", "description": "the seventh branch"},
    "book.reopen": {"through": "2026-09-30", "reason": "a late invoice", "book": "main"},
    "metadata.set": {"subject": "account", "subject_id": "a", "metadata": _METADATA},
    "payment.authorize": {
        "postings": _POSTINGS,
        "expires_at": _NOON,
        "over_capture_bps": 1000,
        "reference": "order-1001",
        "description": "two coffees",
        "rates": _RATES,
        "metadata": _METADATA,
    },
    "payment.capture": {
        "payment": "p",
        "amount_minor": 5,
        "final": True,
        "effective_at": _NOON,
        "reference": "order-1001",
    },
    "payment.increase": {"payment": "p", "amount_minor": 5, "expires_at": _NOON},
    "payment.post": {
        "postings": _POSTINGS,
        "effective_at": _NOON,
        "reference": "order-1001",
        "description": "two coffees",
        "rates": _RATES,
        "metadata": _METADATA,
    },
    "payment.post_template": {
        "template": "card_sale",
        "template_version": 3,
        "parameters": {"amount": 1000, "merchant": "7"},
        "effective_at": _NOON,
        "reference": "order-1001",
        "description": "two coffees",
        "metadata": _METADATA,
    },
    "payment.reverse": {
        "payment": "p",
        "amount_minor": 5,
        "effective_at": _NOON,
        "reason": "returned",
        "reference": "order-1001",
    },
    "payment.void": {"payment": "p", "reason": "not delivered"},
    "template.define": {
        "template": "card_sale",
        "parameters": [
            {"name": "amount", "kind": "amount"},
            {"name": "currency", "kind": "currency"},
            {"name": "merchant", "kind": "account"},
        ],
        "postings": [
            _leg("fees", bps=250, rounding="down"),
            _leg("merchants:{merchant}", remainder=True),
        ],
        "description": "a sale by card",
    },
}


def _whole(name: str) -> Document:
    """No object in it is another's too: tests change them in place."""
    return {"type": name, "v": 1, "id": f"id:{name}", **deepcopy(_FIELDS[name])}


#: By type; the batch has members of several shapes.
WHOLE: dict[str, Document] = {name: _whole(name) for name in _FIELDS}
WHOLE["batch.atomic"] = {
    "type": "batch.atomic",
    "v": 1,
    "id": "id-batch",
    "commands": [
        _whole("account.open"),
        _whole("payment.post"),
        _whole("payment.capture"),
        _whole("account.set_limits"),
    ],
}
