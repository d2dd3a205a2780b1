"""One example of every event: what the ledger records of the story."""

from __future__ import annotations

from typing import Final

from ledger.contracts.examples.account_events import ACCOUNT_EVENTS
from ledger.contracts.examples.other_events import OTHER_EVENTS
from ledger.contracts.examples.payment_events import PAYMENT_EVENTS

#: By type and version.
EVENTS: Final[dict[tuple[str, int], dict[str, object]]] = (
    ACCOUNT_EVENTS | PAYMENT_EVENTS | OTHER_EVENTS
)
