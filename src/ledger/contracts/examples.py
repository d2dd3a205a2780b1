"""One example of every command, event and notification: an account, a card payment, a refusal.

They are what the schemas, the documents and the OpenAPI description show. Tests hold them to the
schemas, to both parsers, and to what the ledger really answers to the commands among them.
"""

from __future__ import annotations

from typing import Final

#: By type and version.
COMMANDS: Final[dict[tuple[str, int], dict[str, object]]] = {
    ("account.open", 1): {
        "type": "account.open",
        "v": 1,
        "id": "open:customers:42:wallet",
        "account": "customers:42:wallet",
        "currency": "EUR",
        "account_type": "liability",
        "min_balance_minor": -50000,
    },
    ("account.set_alerts", 1): {
        "type": "account.set_alerts",
        "v": 1,
        "id": "1c9a4d1f-63f0-4b0e-8f4f-0a3f1a5f7e21",
        "account": "customers:42:wallet",
        "alerts": [
            {"direction": "below", "threshold_minor": -40000},
            {"direction": "above", "threshold_minor": 1000000},
        ],
    },
    ("payment.post", 1): {
        "type": "payment.post",
        "v": 1,
        "id": "5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10",
        "postings": [
            {
                "source": "customers:42:wallet",
                "destination": "merchants:7:settlement",
                "amount_minor": 1250,
                "currency": "EUR",
            },
            {
                "source": "merchants:7:settlement",
                "destination": "income:card-fees",
                "amount_minor": 25,
                "currency": "EUR",
            },
        ],
        "effective_at": "2026-11-21T23:10:04Z",
        "reference": "order-1001",
    },
    ("payment.screen", 1): {
        "type": "payment.screen",
        "v": 1,
        "id": "screening:5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10:rules-1",
        "payment": "5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10",
        "model": "rules-1",
        "verdict": "review",
        "score_permille": 620,
        "reasons": [
            {"code": "amount_above_norm", "value": 1250, "norm": 210, "unit": "minor"},
            {"code": "new_counterparty", "value": 1, "norm": None, "unit": "accounts"},
        ],
    },
}

#: Openings of the other accounts in the payment.
OTHER_OPENINGS: Final[tuple[dict[str, object], ...]] = tuple(
    {
        "type": "account.open",
        "v": 1,
        "id": f"open:{account}",
        "account": account,
        "currency": "EUR",
        "account_type": account_type,
    }
    for account, account_type in (
        ("merchants:7:settlement", "liability"),
        ("income:card-fees", "income"),
    )
)

#: A command that is refused: the wallet may go down to -500.00 EUR and is at -12.50.
REFUSED_COMMAND: Final[dict[str, object]] = {
    "type": "payment.post",
    "v": 1,
    "id": "b7c1f9a2-0d34-4c51-8a53-6c1f0f4f2e77",
    "postings": [
        {
            "source": "customers:42:wallet",
            "destination": "merchants:7:settlement",
            "amount_minor": 99900,
            "currency": "EUR",
        }
    ],
}

_ACTOR: Final = "arn:aws:sts::111122223333:assumed-role/checkout/i-0a1b2c3d"

#: By type and version.
EVENTS: Final[dict[tuple[str, int], dict[str, object]]] = {
    ("account.opened", 1): {
        "type": "account.opened",
        "v": 1,
        "id": "open:customers:42:wallet",
        "recorded_at": "2026-11-21T23:10:01.000000Z",
        "effective_at": "2026-11-21T23:10:01.000000Z",
        "actor": _ACTOR,
        "account": "customers:42:wallet",
        "currency": "EUR",
        "account_type": "liability",
        "min_balance_minor": -50000,
        "max_balance_minor": None,
        "accounts": [
            {
                "id": "customers:42:wallet",
                "type": "liability",
                "version": 1,
                "debits_posted_minor": 0,
                "credits_posted_minor": 0,
            }
        ],
        "defaulted": ["max_balance_minor", "effective_at"],
    },
    ("payment.posted", 1): {
        "type": "payment.posted",
        "v": 1,
        "id": "5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10",
        "recorded_at": "2026-11-21T23:10:05.123456Z",
        "effective_at": "2026-11-21T23:10:04.000000Z",
        "actor": _ACTOR,
        "postings": [
            {
                "source": "customers:42:wallet",
                "destination": "merchants:7:settlement",
                "amount_minor": 1250,
                "currency": "EUR",
            },
            {
                "source": "merchants:7:settlement",
                "destination": "income:card-fees",
                "amount_minor": 25,
                "currency": "EUR",
            },
        ],
        "accounts": [
            {
                "id": "customers:42:wallet",
                "type": "liability",
                "version": 2,
                "prev": "open:customers:42:wallet",
                "debits_posted_minor": 1250,
                "credits_posted_minor": 0,
            },
            {
                "id": "merchants:7:settlement",
                "type": "liability",
                "version": 2,
                "prev": "open:merchants:7:settlement",
                "debits_posted_minor": 25,
                "credits_posted_minor": 1250,
            },
            {
                "id": "income:card-fees",
                "type": "income",
                "version": 2,
                "prev": "open:income:card-fees",
                "debits_posted_minor": 0,
                "credits_posted_minor": 25,
            },
        ],
        "reference": "order-1001",
    },
    ("account.alerts_set", 1): {
        "type": "account.alerts_set",
        "v": 1,
        "id": "1c9a4d1f-63f0-4b0e-8f4f-0a3f1a5f7e21",
        "recorded_at": "2026-11-21T23:10:08.000000Z",
        "effective_at": "2026-11-21T23:10:08.000000Z",
        "actor": _ACTOR,
        "account": "customers:42:wallet",
        "currency": "EUR",
        "alerts": [
            {"direction": "below", "threshold_minor": -40000},
            {"direction": "above", "threshold_minor": 1000000},
        ],
        "accounts": [
            {
                "id": "customers:42:wallet",
                "type": "liability",
                "version": 3,
                "prev": "5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10",
                "debits_posted_minor": 1250,
                "credits_posted_minor": 0,
            }
        ],
    },
    ("payment.screened", 1): {
        "type": "payment.screened",
        "v": 1,
        "id": "screening:5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10:rules-1",
        "recorded_at": "2026-11-21T23:10:06.200000Z",
        "effective_at": "2026-11-21T23:10:06.200000Z",
        "actor": "sqs:AROAEXAMPLE:ledger-prod-fraud",
        "payment": "5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10",
        "model": "rules-1",
        "verdict": "review",
        "score_permille": 620,
        "reasons": [
            {"code": "amount_above_norm", "value": 1250, "norm": 210, "unit": "minor"},
            {"code": "new_counterparty", "value": 1, "norm": None, "unit": "accounts"},
        ],
    },
    ("command.rejected", 1): {
        "type": "command.rejected",
        "v": 1,
        "id": "b7c1f9a2-0d34-4c51-8a53-6c1f0f4f2e77",
        "recorded_at": "2026-11-21T23:10:07.654321Z",
        "actor": _ACTOR,
        "reason": "insufficient_funds",
        "retry": "new_id",
        "field": "postings[0].source",
        "request": REFUSED_COMMAND,
        "causes": [
            {
                "id": "customers:42:wallet",
                "version": 2,
                "values": {
                    "available_minor": -1250,
                    "change_minor": -99900,
                    "min_balance_minor": -50000,
                },
            }
        ],
    },
}

#: By type and version: a later payment that took the wallet below its alert.
NOTIFICATIONS: Final[dict[tuple[str, int], dict[str, object]]] = {
    ("balance.alert", 1): {
        "type": "balance.alert",
        "v": 1,
        "id": "0e8f6a52-4f0b-4a55-9b0e-3d1f5f1c7a90/customers:42:wallet/below/-40000",
        "event": "0e8f6a52-4f0b-4a55-9b0e-3d1f5f1c7a90",
        "account": "customers:42:wallet",
        "account_version": 4,
        "currency": "EUR",
        "direction": "below",
        "threshold_minor": -40000,
        "balance_minor": -41250,
        "recorded_at": "2026-11-22T08:15:30.250000Z",
    },
}
