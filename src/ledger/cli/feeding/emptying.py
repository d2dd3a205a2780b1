"""The wait until queues are empty."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from ledger.upkeep.depth import depth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: In how many looks, one after the other, the queues must be empty: SQS counts approximately, and
#: what was put on a bus just now is in no queue yet.
EMPTY_LOOKS: Final = 3
LOOK_SECONDS: Final = 0.3
STALLED_SECONDS: Final = 90.0  # several back-offs of a message that was put back


class StalledError(Exception):
    """Nothing moved for STALLED_SECONDS; the message says what is left."""


def wait_until_empty(
    sqs: SQSClient,
    queue_urls: Sequence[str],
    *,
    on_look: Callable[[int], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Returns once all queues are empty; `on_look` gets what is left at each look.

    Raises StalledError when the depths have not changed for STALLED_SECONDS.
    """
    empty, before, changed_at = 0, -1, clock()
    while empty < EMPTY_LOOKS:  # ends: the depths fall to nothing, or stay and it is a stall
        depths = {url: depth(sqs, url) for url in queue_urls}
        total = sum(depths.values())
        on_look(total)
        empty = empty + 1 if total == 0 else 0
        if total != before:
            before, changed_at = total, clock()
        elif total and clock() - changed_at > STALLED_SECONDS:
            left = ", ".join(f"{n} in {url.rsplit('/', 1)[-1]}" for url, n in depths.items() if n)
            raise StalledError(f"nothing moved for {STALLED_SECONDS:.0f} s: {left}")
        pause(LOOK_SECONDS)
