"""States as they lie in their table, read without the help of what wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_SHARD
from ledger.contracts.subjects import Key
from simulation.auditor.recorded import Item

#: What the newest schema that these rules know has, by kind; what is beyond is a newer release's.
_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "account": frozenset(
        {
            "currency",
            "type",
            "status",
            "debits_posted_minor",
            "credits_posted_minor",
            "debits_pending_minor",
            "credits_pending_minor",
            "min_balance_minor",
            "max_balance_minor",
            "opened_at",
            "recorded_at",
            "last_event",
            "alerts",
            "frozen",
            "book",
            "min_balance_basis",
            "max_balance_basis",
            "velocity",
            "stripes",
            "stripes_made",
            "floor_minor",
            "ceiling_minor",
        }
    ),
    "payment": frozenset(
        {
            "postings",
            "authorized_minor",
            "captured_minor",
            "reversed_minor",
            "over_capture_bps",
            "expires_at",
            "ended",
            "made_at",
            "recorded_at",
            "last_event",
            "stripes",
        }
    ),
    "book": frozenset({"closed_through", "recorded_at", "last_event"}),
    "template": frozenset({"parameters", "postings", "events", "recorded_at"}),
    "metadata": frozenset({"metadata", "recorded_at", "last_event"}),
}
ATTRIBUTES = {**_ATTRIBUTES, "stripe": _ATTRIBUTES["account"]}
#: The schema of an account that has these; 1 if it has none.
_ACCOUNT_SCHEMA_3: Final = frozenset(
    {"frozen", "book", "min_balance_basis", "max_balance_basis", "velocity"}
)
NEWEST: Final[Mapping[str, int]] = {
    "account": 4,
    "stripe": 1,
    "payment": 2,
    "book": 1,
    "template": 1,
    "metadata": 1,
}


class StoredState(Struct, frozen=True):
    """A state: what stands beside its body, and the body."""

    key: Key
    schema: int
    version: int
    hash: bytes
    data: dict[str, Any]
    due: tuple[str, frozenset[str]] | None
    """When it is due, and its accounts, if it is in the index of what is due."""

    @property
    def last_event(self) -> str:
        """The event that made it."""
        name: str = (
            self.data["events"][-1] if self.key.kind == "template" else self.data["last_event"]
        )
        return name

    @property
    def unknown(self) -> frozenset[str]:
        """What only a newer release knows."""
        return frozenset(self.data) - ATTRIBUTES[self.key.kind]

    @property
    def schema_needed(self) -> int:
        """The lowest schema that holds it."""
        if self.unknown:
            return NEWEST[self.key.kind] + 1
        if self.key.kind == "payment":
            return 2 if "stripes" in self.data else 1
        if self.key.kind != "account":
            return 1
        if "stripes_made" in self.data:
            return 4
        if self.data.keys() & _ACCOUNT_SCHEMA_3:
            return 3
        return 2 if "alerts" in self.data else 1

    @property
    def money(self) -> tuple[str, int, int] | None:
        """Of an account, or a stripe, its currency, and debits less credits, posted and pending."""
        if self.key.kind not in ("account", "stripe"):
            return None
        data = self.data
        return (
            data["currency"],
            data["debits_posted_minor"] - data["credits_posted_minor"],
            data["debits_pending_minor"] - data["credits_pending_minor"],
        )


def stored_state(item: Item) -> StoredState:
    """The state in an item. Raises LookupError or ValueError for what is none."""
    kind, _, name = item["pk"]["S"].partition("#")
    due = None
    if DUE_AT in item or DUE_SHARD in item:
        due = item[DUE_AT]["S"], frozenset(item[DUE_ACCOUNTS]["SS"])
    return StoredState(
        Key(kind, name),
        int(item["v"]["N"]),
        int(item["version"]["N"]),
        bytes(item["hash"]["B"]),
        _decode(item["data"]["S"]),
        due,
    )


_decode = msgspec.json.Decoder(dict[str, Any]).decode
