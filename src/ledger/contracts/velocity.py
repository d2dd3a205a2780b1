"""Velocity limits: how much, or how often, an account may pay or be paid in a window of time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.contracts import reasons
from ledger.contracts.currencies import MINOR_DIGITS
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, CurrencyCode
from ledger.contracts.reasons import Violation

VELOCITY_LIMITS_MAX: Final = 8  # each adds up to 200 bytes to the state that every payment rewrites
VELOCITY_HOURS_MAX: Final = 168  # a week
VELOCITY_COUNT_MAX: Final = 1_000_000_000
VELOCITY_NAME_PATTERN: Final = "^[a-z0-9][a-z0-9_-]{0,31}$"

Window = Literal["day", "week", "month", "rolling"]
Direction = Literal["debits", "credits"]

_NAME = re.compile(VELOCITY_NAME_PATTERN)


class VelocityLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that payments may take from an account (debits) or bring to it in a window of time.

    `day`, `week` (from Monday) and `month` are of the calendar in UTC, and exact. `rolling` is the
    last `hours`, which move on in steps of a sixth of them: the whole of the oldest step counts, so
    that a payment may count for up to a sixth longer, and never for less.
    """

    name: Annotated[str, Meta(pattern=VELOCITY_NAME_PATTERN)]
    window: Window
    hours: Annotated[int, Meta(ge=1, le=VELOCITY_HOURS_MAX)] | UnsetType = UNSET
    direction: Direction
    currency: CurrencyCode
    max_amount_minor: Annotated[int, Meta(ge=0, le=AMOUNT_MINOR_MAX)] | UnsetType = UNSET
    max_count: Annotated[int, Meta(ge=0, le=VELOCITY_COUNT_MAX)] | UnsetType = UNSET


def velocity_faults(
    limits: Sequence[VelocityLimit], field: str = "velocity"
) -> Iterator[Violation]:
    """What a schema cannot say against `limits`, which a command has in `field`."""
    names: set[str] = set()
    for index, limit in enumerate(limits):
        path = f"{field}[{index}]"
        # Patterns hold for text with a final newline too.
        if limit.name in names or not _NAME.fullmatch(limit.name):
            yield Violation(reasons.INVALID_VELOCITY, f"{path}.name")
        names.add(limit.name)
        if (limit.window == "rolling") != (limit.hours is not UNSET):
            yield Violation(reasons.INVALID_VELOCITY, f"{path}.hours")
        if limit.currency not in MINOR_DIGITS:
            yield Violation(reasons.UNKNOWN_CURRENCY, f"{path}.currency")
        if limit.max_amount_minor is UNSET and limit.max_count is UNSET:
            yield Violation(reasons.INVALID_VELOCITY, path)
