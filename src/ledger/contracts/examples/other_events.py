"""Examples of events of templates, books and batches, and of a refusal."""

from __future__ import annotations

from typing import Final

from ledger.contracts.examples.commands import REFUSED_COMMAND
from ledger.contracts.examples.story import ACTOR

OTHER_EVENTS: Final[dict[tuple[str, int], dict[str, object]]] = {
    ("template.defined", 1): {
        "type": "template.defined",
        "v": 1,
        "id": "define:card_sale:1",
        "recorded_at": "2026-11-21T23:10:12.000000Z",
        "effective_at": "2026-11-21T23:10:12.000000Z",
        "actor": ACTOR,
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
                "destination": "income:card-fees",
                "currency": "EUR",
                "amount": {"of": "amount", "bps": "fee_bps", "rounding": "half_up"},
            },
        ],
        "description": "A sale by card: the fee, and the rest for the merchant",
        "entry": {"version": 1},
    },
    ("book.opened", 1): {
        "type": "book.opened",
        "v": 1,
        "id": "book:branch-7",
        "recorded_at": "2026-11-21T23:10:22.000000Z",
        "effective_at": "2026-11-21T23:10:22.000000Z",
        "actor": ACTOR,
        "book": "branch-7",
        "description": "What branch 7 keeps",
        "entry": {"version": 1},
    },
    ("book.closed", 1): {
        "type": "book.closed",
        "v": 1,
        "id": "close:branch-7:2026-11-20",
        "recorded_at": "2026-11-21T23:10:26.000000Z",
        "effective_at": "2026-11-21T23:10:26.000000Z",
        "actor": ACTOR,
        "book": "branch-7",
        "through": "2026-11-20",
        "reason": "Reconciled",
        "entry": {"version": 2, "prev": "book:branch-7"},
    },
    ("book.reopened", 1): {
        "type": "book.reopened",
        "v": 1,
        "id": "reopen:branch-7:2026-11-20",
        "recorded_at": "2026-11-21T23:10:27.000000Z",
        "effective_at": "2026-11-21T23:10:27.000000Z",
        "actor": ACTOR,
        "book": "branch-7",
        "through": None,
        "reason": "A statement came late",
        "entry": {"version": 3, "prev": "close:branch-7:2026-11-20"},
    },
    ("batch.committed", 1): {
        "type": "batch.committed",
        "v": 1,
        "id": "onboard-44",
        "recorded_at": "2026-11-21T23:10:23.000000Z",
        "effective_at": "2026-11-21T23:10:23.000000Z",
        "actor": ACTOR,
        "commands": ["open:customers:44:wallet", "first-44"],
    },
    ("command.rejected", 1): {
        "type": "command.rejected",
        "v": 1,
        "id": "b7c1f9a2-0d34-4c51-8a53-6c1f0f4f2e77",
        "recorded_at": "2026-11-21T23:10:07.654321Z",
        "actor": ACTOR,
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
