"""The payments that benches ask for: of the usual length, as clients send them."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from ledger.adapters.dynamodb.codec import state_item
from ledger.domain.accounts import AccountState

#: Who asks: a role's session, as the REST API and the queues name it.
ACTOR: Final = "arn:aws:sts::123456789012:assumed-role/upstream-payments/upstream-payments-7c9d"
_ASKED_AT: Final = "2026-11-21T12:00:00.000000Z"
_BALANCE_MINOR: Final = 5_000_000_000_000


def id_of(kind: str, *numbers: int) -> str:
    """An id of 36 characters, always the same for the same numbers."""
    digest = sha256(":".join((kind, *map(str, numbers))).encode()).digest()
    return str(UUID(bytes=digest[:16]))


def payment(command_id: str, source: str, destination: str, amount_minor: int) -> bytes:
    """A command that posts a payment of one posting, as JSON."""
    command = {
        "type": "payment.post",
        "v": 1,
        "id": command_id,
        "postings": [
            {
                "source": source,
                "destination": destination,
                "currency": "EUR",
                "amount_minor": amount_minor,
            }
        ],
        "reference": f"INV-{command_id[:8]}",
    }
    return json.dumps(command, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """Payments that are decided together: `group` of them, between so many payers and payees.

    `cached`: their accounts are remembered. `queued`: they come in a message of a queue, by its
    handler.
    """

    name: str
    group: int
    payers: int
    payees: int
    cached: bool = False
    queued: bool = False

    def bodies(self, number: int) -> list[bytes]:
        """The commands of a group; each number has accounts and ids of its own."""
        return [
            payment(
                id_of("payment", number, place),
                id_of("payer", number, place % self.payers),
                id_of("payee", number, place % self.payees),
                1_000 + place,
            )
            for place in range(self.group)
        ]


def single_case(*, cached: bool) -> Case:
    """One payment by itself, its accounts unknown or remembered."""
    return Case("single, warm" if cached else "single, cold", 1, 1, 1, cached)


def group_cases() -> tuple[Case, ...]:
    """The groups of the report: by how many states they share."""
    return (
        Case("10 between 20 accounts", 10, 10, 10),
        Case("33 between 66 accounts", 33, 33, 33),
        Case("49 from one payer", 49, 1, 49),
        Case("98 between two accounts", 98, 1, 1),
        Case("98 between two accounts, warm", 98, 1, 1, cached=True),
        Case("49 from one payer, by the queue's handler", 49, 1, 49, queued=True),
    )


def state_item_of_every_account() -> dict[str, Any]:
    """The item that the loopback server has for every account, but for its key, in DynamoDB's
    JSON."""
    state = AccountState(
        id="any",
        version=7,
        currency="EUR",
        type="liability",
        status="open",
        debits_posted_minor=123_456_789,
        credits_posted_minor=_BALANCE_MINOR,
        debits_pending_minor=0,
        credits_pending_minor=0,
        min_balance_minor=0,
        max_balance_minor=None,
        opened_at=_ASKED_AT,
        recorded_at=_ASKED_AT,
        last_event=id_of("event", 7),
        hash=sha256(b"before").digest(),
    )
    item: dict[str, Any] = dict(state_item(state))
    item["hash"] = {"B": b64encode(state.hash).decode()}
    del item["pk"]
    return item
