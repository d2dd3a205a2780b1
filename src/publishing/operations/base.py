"""What an operation is, and the refusals that several have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from ledger.contracts import reasons
from ledger.contracts.reasons import Reason


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it is for, what it takes, answers and refuses."""

    id: str
    summary: str
    description: str
    answers: Mapping[int, tuple[type[Struct], ...]]
    refusals: tuple[Reason, ...]
    command: type[Struct] | None = None
    body: type[Struct] | None = None  # of a request that is not one command
    parameters: tuple[str, ...] = ()


EVERYWHERE: Final = (
    reasons.FORBIDDEN,
    reasons.THROTTLED,
    reasons.INTERNAL_ERROR,
    reasons.UNAVAILABLE,
)
READ: Final = (reasons.INVALID_QUERY, reasons.STORE_UNAVAILABLE, *EVERYWHERE)
#: Of whoever reads what the ledger stored.
STORED: Final = (*READ, reasons.UNKNOWN_STORED_VERSION)
