"""One example of every command and event: a salary account, a card payment, a refusal.

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
