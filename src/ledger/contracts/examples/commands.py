"""One example of every command."""

from __future__ import annotations

from typing import Final

Document = dict[str, object]

WALLET: Final = "customers:42:wallet"
MERCHANT: Final = "merchants:7:settlement"
FEES: Final = "income:card-fees"
POSTED: Final = "5f0c8b1e-7d55-4a0e-9a0e-2f6f6c1d9b10"
_SALE: Final[tuple[Document, ...]] = (
    {"source": WALLET, "destination": MERCHANT, "amount_minor": 1250, "currency": "EUR"},
    {"source": MERCHANT, "destination": FEES, "amount_minor": 25, "currency": "EUR"},
)

#: By type and version.
COMMANDS: Final[dict[tuple[str, int], Document]] = {
    ("account.open", 1): {
        "type": "account.open",
        "v": 1,
        "id": "open:customers:42:wallet",
        "account": WALLET,
        "currency": "EUR",
        "account_type": "liability",
        "min_balance_minor": -50000,
    },
    ("account.set_alerts", 1): {
        "type": "account.set_alerts",
        "v": 1,
        "id": "1c9a4d1f-63f0-4b0e-8f4f-0a3f1a5f7e21",
        "account": WALLET,
        "alerts": [
            {"direction": "below", "threshold_minor": -40000},
            {"direction": "above", "threshold_minor": 1000000},
        ],
    },
    ("account.set_limits", 1): {
        "type": "account.set_limits",
        "v": 1,
        "id": "limits:customers:42:wallet:1",
        "account": WALLET,
        "min_balance_minor": -100000,
        "velocity": [
            {
                "name": "daily",
                "window": "day",
                "direction": "debits",
                "currency": "EUR",
                "max_amount_minor": 200000,
            },
            {
                "name": "burst",
                "window": "rolling",
                "hours": 6,
                "direction": "debits",
                "currency": "EUR",
                "max_count": 20,
            },
        ],
    },
    ("account.set_stripes", 1): {
        "type": "account.set_stripes",
        "v": 1,
        "id": "stripes:income:card-fees:1",
        "account": FEES,
        "stripes": 2,
        "reason": "Every sale by card credits it",
    },
    ("account.freeze", 1): {
        "type": "account.freeze",
        "v": 1,
        "id": "freeze:customers:42:wallet:1",
        "account": WALLET,
        "sides": "debits",
        "reason": "Card reported lost",
    },
    ("account.unfreeze", 1): {
        "type": "account.unfreeze",
        "v": 1,
        "id": "unfreeze:customers:42:wallet:1",
        "account": WALLET,
        "sides": "debits",
        "reason": "Card was found again",
    },
    ("account.close", 1): {
        "type": "account.close",
        "v": 1,
        "id": "close:customers:45:wallet",
        "account": "customers:45:wallet",
        "reason": "Opened by mistake",
    },
    ("metadata.set", 1): {
        "type": "metadata.set",
        "v": 1,
        "id": "metadata:customers:42:wallet:1",
        "subject": "account",
        "subject_id": WALLET,
        "metadata": {"tier": "gold", "branch": "7"},
    },
    ("payment.post", 1): {
        "type": "payment.post",
        "v": 1,
        "id": POSTED,
        "postings": list(_SALE),
        "effective_at": "2026-11-21T23:10:04Z",
        "reference": "order-1001",
    },
    ("payment.authorize", 1): {
        "type": "payment.authorize",
        "v": 1,
        "id": "booking-77",
        "postings": [
            {"source": WALLET, "destination": MERCHANT, "amount_minor": 20000, "currency": "EUR"}
        ],
        "expires_at": "2026-11-28T11:00:00Z",
        "over_capture_bps": 1500,
        "reference": "booking-77",
        "metadata": {"nights": "2"},
    },
    ("payment.capture", 1): {
        "type": "payment.capture",
        "v": 1,
        "id": "booking-77:capture-1",
        "payment": "booking-77",
        "amount_minor": 18000,
        "reference": "invoice-881",
    },
    ("payment.increase", 1): {
        "type": "payment.increase",
        "v": 1,
        "id": "booking-77:increase-1",
        "payment": "booking-77",
        "amount_minor": 5000,
    },
    ("payment.void", 1): {
        "type": "payment.void",
        "v": 1,
        "id": "booking-77:void",
        "payment": "booking-77",
        "reason": "The guest left a day early",
    },
    ("payment.reverse", 1): {
        "type": "payment.reverse",
        "v": 1,
        "id": "refund-1001",
        "payment": POSTED,
        "amount_minor": 255,
        "reason": "One item came back",
    },
    ("payment.post_template", 1): {
        "type": "payment.post_template",
        "v": 1,
        "id": "sale-1002",
        "template": "card_sale",
        "template_version": 1,
        "parameters": {"amount": 4999, "fee_bps": 175, "customer": "42", "merchant": "7"},
        "reference": "order-1002",
    },
    ("template.define", 1): {
        "type": "template.define",
        "v": 1,
        "id": "define:card_sale:1",
        "template": "card_sale",
        "parameters": [
            {"name": "amount", "kind": "amount"},
            {"name": "fee_bps", "kind": "bps"},
            {"name": "customer", "kind": "account"},
            {"name": "merchant", "kind": "account"},
        ],
        "postings": [
            {
                "source": "customers:{customer}:wallet",
                "destination": "merchants:{merchant}:settlement",
                "currency": "EUR",
                "amount": {"of": "amount", "remainder": True},
            },
            {
                "source": "customers:{customer}:wallet",
                "destination": FEES,
                "currency": "EUR",
                "amount": {"of": "amount", "bps": "fee_bps", "rounding": "half_up"},
            },
        ],
        "description": "A sale by card: the fee, and the rest for the merchant",
    },
    ("book.open", 1): {
        "type": "book.open",
        "v": 1,
        "id": "book:branch-7",
        "book": "branch-7",
        "description": "What branch 7 keeps",
    },
    ("book.close", 1): {
        "type": "book.close",
        "v": 1,
        "id": "close:branch-7:2026-11-20",
        "through": "2026-11-20",
        "book": "branch-7",
        "reason": "Reconciled",
    },
    ("book.reopen", 1): {
        "type": "book.reopen",
        "v": 1,
        "id": "reopen:branch-7:2026-11-20",
        "through": None,
        "reason": "A statement came late",
        "book": "branch-7",
    },
    ("batch.atomic", 1): {
        "type": "batch.atomic",
        "v": 1,
        "id": "onboard-44",
        "commands": [
            {
                "type": "account.open",
                "v": 1,
                "id": "open:customers:44:wallet",
                "account": "customers:44:wallet",
                "currency": "EUR",
                "account_type": "liability",
                "book": "branch-7",
                "metadata": {"invited_by": WALLET},
            },
            {
                "type": "payment.post",
                "v": 1,
                "id": "first-44",
                "postings": [
                    {
                        "source": WALLET,
                        "destination": "customers:44:wallet",
                        "amount_minor": 500,
                        "currency": "EUR",
                    }
                ],
            },
        ],
    },
    ("payment.screen", 1): {
        "type": "payment.screen",
        "v": 1,
        "id": f"screening:{POSTED}:rules-1",
        "payment": POSTED,
        "model": "rules-1",
        "verdict": "review",
        "score_permille": 620,
        "reasons": [
            {"code": "amount_above_norm", "value": 1250, "norm": 210, "unit": "minor"},
            {"code": "new_counterparty", "value": 1, "norm": None, "unit": "accounts"},
        ],
    },
    ("payment.expire", 1): {
        "type": "payment.expire",
        "v": 1,
        "id": "expire:taxi-3:1",
        "payment": "taxi-3",
        "version": 1,
    },
}

#: Openings of the other accounts in the payment.
OTHER_OPENINGS: Final[tuple[Document, ...]] = tuple(
    {
        "type": "account.open",
        "v": 1,
        "id": f"open:{account}",
        "account": account,
        "currency": "EUR",
        "account_type": account_type,
    }
    for account, account_type in ((MERCHANT, "liability"), (FEES, "income"))
)

#: A command that is refused: the wallet may go down to -500.00 EUR and is at -12.50.
REFUSED_COMMAND: Final[Document] = {
    "type": "payment.post",
    "v": 1,
    "id": "b7c1f9a2-0d34-4c51-8a53-6c1f0f4f2e77",
    "postings": [
        {"source": WALLET, "destination": MERCHANT, "amount_minor": 99900, "currency": "EUR"}
    ],
}
