"""What has a line of versions of its own in the projections: an account, and each further stripe.

A lane is named by the account's id, which is that of its first stripe, or by `<id>#<stripe>`. No id
has a `#`, and no number of a stripe is the name of what else lies beside an account.
"""

from __future__ import annotations

from typing import Final

from ledger.contracts.events import AccountEntry
from ledger.contracts.subjects import Key, stripe_key, stripe_of_key

_BETWEEN: Final = "#"


def lane_of(account: str, stripe: int = 0) -> str:
    """The lane of a stripe of an account."""
    return f"{account}{_BETWEEN}{stripe}" if stripe else account


def lane_of_entry(entry: AccountEntry) -> str:
    """The lane that an entry of an event is of."""
    return lane_of(entry.id, entry.stripe_number)


def lane_of_key(key: Key) -> str | None:
    """The lane of the subject with that key; None if it is neither an account nor a stripe."""
    return lane_of(*stripe_of_key(key)) if key.kind in ("account", "stripe") else None


def stripe_of(lane: str) -> tuple[str, int]:
    """The account and the stripe of a lane."""
    account, _, stripe = lane.partition(_BETWEEN)
    return account, int(stripe or 0)


def key_of_lane(lane: str) -> Key:
    """The subject that a lane is of."""
    return stripe_key(*stripe_of(lane))
