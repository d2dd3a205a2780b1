"""One example of every notification that is no event."""

from __future__ import annotations

from typing import Final

#: By type and version: a later payment that took the wallet below its alert.
NOTIFICATIONS: Final[dict[tuple[str, int], dict[str, object]]] = {
    ("balance.alert", 1): {
        "type": "balance.alert",
        "v": 1,
        "id": "0e8f6a52-4f0b-4a55-9b0e-3d1f5f1c7a90/customers:42:wallet/below/-40000",
        "event": "0e8f6a52-4f0b-4a55-9b0e-3d1f5f1c7a90",
        "account": "customers:42:wallet",
        "account_version": 16,
        "currency": "EUR",
        "direction": "below",
        "threshold_minor": -40000,
        "balance_minor": -41250,
        "recorded_at": "2026-11-22T08:15:30.250000Z",
    },
}
