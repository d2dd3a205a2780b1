"""Examples of events of accounts."""

from __future__ import annotations

from typing import Final

from ledger.contracts.examples.story import ACTOR

ACCOUNT_EVENTS: Final[dict[tuple[str, int], dict[str, object]]] = {
    ("account.opened", 1): {
        "type": "account.opened",
        "v": 1,
        "id": "open:customers:42:wallet",
        "recorded_at": "2026-11-21T23:10:01.000000Z",
        "effective_at": "2026-11-21T23:10:01.000000Z",
        "actor": ACTOR,
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
    ("account.alerts_set", 1): {
        "type": "account.alerts_set",
        "v": 1,
        "id": "1c9a4d1f-63f0-4b0e-8f4f-0a3f1a5f7e21",
        "recorded_at": "2026-11-21T23:10:08.000000Z",
        "effective_at": "2026-11-21T23:10:08.000000Z",
        "actor": ACTOR,
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
    ("account.limits_set", 1): {
        "type": "account.limits_set",
        "v": 1,
        "id": "limits:customers:42:wallet:1",
        "recorded_at": "2026-11-21T23:10:10.000000Z",
        "effective_at": "2026-11-21T23:10:10.000000Z",
        "actor": ACTOR,
        "account": "customers:42:wallet",
        "given": ["min_balance_minor", "velocity"],
        "profile": {
            "currency": "EUR",
            "account_type": "liability",
            "status": "open",
            "book": "main",
            "opened_at": "2026-11-21T23:10:01.000000Z",
            "min_balance_minor": -100000,
            "max_balance_minor": None,
            "min_balance_basis": "available",
            "max_balance_basis": "available",
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
        "accounts": [
            {
                "id": "customers:42:wallet",
                "type": "liability",
                "version": 4,
                "prev": "1c9a4d1f-63f0-4b0e-8f4f-0a3f1a5f7e21",
                "debits_posted_minor": 1250,
                "credits_posted_minor": 0,
            }
        ],
    },
    ("account.frozen", 1): {
        "type": "account.frozen",
        "v": 1,
        "id": "freeze:customers:42:wallet:1",
        "recorded_at": "2026-11-21T23:10:20.000000Z",
        "effective_at": "2026-11-21T23:10:20.000000Z",
        "actor": ACTOR,
        "account": "customers:42:wallet",
        "sides": "debits",
        "reason": "Card reported lost",
        "profile": {
            "currency": "EUR",
            "account_type": "liability",
            "status": "frozen",
            "frozen": "debits",
            "book": "main",
            "opened_at": "2026-11-21T23:10:01.000000Z",
            "min_balance_minor": -100000,
            "max_balance_minor": None,
            "min_balance_basis": "available",
            "max_balance_basis": "available",
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
        "accounts": [
            {
                "id": "customers:42:wallet",
                "type": "liability",
                "version": 12,
                "prev": "taxi-3",
                "debits_posted_minor": 24249,
                "credits_posted_minor": 255,
                "debits_pending_minor": 3000,
            }
        ],
    },
    ("account.unfrozen", 1): {
        "type": "account.unfrozen",
        "v": 1,
        "id": "unfreeze:customers:42:wallet:1",
        "recorded_at": "2026-11-21T23:10:21.000000Z",
        "effective_at": "2026-11-21T23:10:21.000000Z",
        "actor": ACTOR,
        "account": "customers:42:wallet",
        "sides": "debits",
        "reason": "Card was found again",
        "profile": {
            "currency": "EUR",
            "account_type": "liability",
            "status": "open",
            "book": "main",
            "opened_at": "2026-11-21T23:10:01.000000Z",
            "min_balance_minor": -100000,
            "max_balance_minor": None,
            "min_balance_basis": "available",
            "max_balance_basis": "available",
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
        "accounts": [
            {
                "id": "customers:42:wallet",
                "type": "liability",
                "version": 13,
                "prev": "freeze:customers:42:wallet:1",
                "debits_posted_minor": 24249,
                "credits_posted_minor": 255,
                "debits_pending_minor": 3000,
            }
        ],
    },
    ("account.closed", 1): {
        "type": "account.closed",
        "v": 1,
        "id": "close:customers:45:wallet",
        "recorded_at": "2026-11-21T23:10:25.000000Z",
        "effective_at": "2026-11-21T23:10:25.000000Z",
        "actor": ACTOR,
        "account": "customers:45:wallet",
        "reason": "Opened by mistake",
        "profile": {
            "currency": "EUR",
            "account_type": "liability",
            "status": "closed",
            "book": "main",
            "opened_at": "2026-11-21T23:10:24.000000Z",
            "min_balance_minor": 0,
            "max_balance_minor": None,
            "min_balance_basis": "available",
            "max_balance_basis": "available",
        },
        "accounts": [
            {
                "id": "customers:45:wallet",
                "type": "liability",
                "version": 2,
                "prev": "open:customers:45:wallet",
                "debits_posted_minor": 0,
                "credits_posted_minor": 0,
            }
        ],
    },
    ("metadata.set", 1): {
        "type": "metadata.set",
        "v": 1,
        "id": "metadata:customers:42:wallet:1",
        "recorded_at": "2026-11-21T23:10:11.000000Z",
        "effective_at": "2026-11-21T23:10:11.000000Z",
        "actor": ACTOR,
        "subject": "account",
        "subject_id": "customers:42:wallet",
        "metadata": {"tier": "gold", "branch": "7"},
        "entry": {"version": 1},
    },
}
