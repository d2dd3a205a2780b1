"""The sweep: releases what holds have that are past their expiry.

Nothing rests on it: a capture after the expiry is refused by its own decision, and a payment that
lacks funds releases its account's due holds itself. It gives money back soon.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from ledger.application.commit import Commands
from ledger.application.outages import OutageError
from ledger.application.ports import Clock, EventStore
from ledger.contracts.primitives import instant_of_microseconds

#: No attempt at a release begins later than this after the first, where a command has 9 s: the
#: longest due come first, and a few that are contended for must not take every sweep's time.
RELEASE_MICROSECONDS_MAX: Final = 1_000_000


class Swept(Struct, frozen=True):
    """What a sweep came to: holds released, and those that could not be now, which come again.

    `oldest_due` is when the oldest of all that were due ended (stored instant); None if none was.
    `causes` counts what the attempts at releasing them met, as `Decided.causes`.
    """

    expired: int
    failed: int
    oldest_due: str | None
    causes: Mapping[str, int]


def release_due(
    store: EventStore,
    commands: Commands,
    clock: Clock,
    limit: int,
    has_time: Callable[[], bool],
) -> Swept:
    """Releases holds that are due, those longest due first, until none is left or time is up.

    They are asked for `limit` at a time, and each is tried once, for RELEASE_MICROSECONDS_MAX: one
    that is contended for longer counts as failed, and comes again with the next sweep. Raises
    TransientStoreError if it cannot be read which are due.
    """
    tried: set[str] = set()
    causes: Counter[str] = Counter()
    expired = failed = 0
    oldest_due: str | None = None
    while True:
        now = instant_of_microseconds(clock())
        # Those that failed are the first again, and so, for a moment, are those that the index
        # still has.
        due = store.due(now, limit=limit + len(tried))
        if oldest_due is None and due:
            oldest_due = due[0].due_at
        fresh = [hold.payment for hold in due if hold.payment not in tried]
        for payment in fresh:
            if not has_time():
                return Swept(expired, failed, oldest_due, causes)
            tried.add(payment)
            try:
                decided = commands.expire(payment, clock() + RELEASE_MICROSECONDS_MAX)
            except OutageError as error:
                failed += 1
                causes.update(error.causes)
            except Exception as error:  # noqa: BLE001 - a bug over one hold must not keep the others
                failed += 1
                causes[f"exception:{type(error).__name__}"] += 1
            else:
                expired += decided is not None
                causes.update((decided.causes if decided else None) or {})
        if not fresh:
            return Swept(expired, failed, oldest_due, causes)
