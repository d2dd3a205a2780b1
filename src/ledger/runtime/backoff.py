"""How long to wait before the next attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_DOUBLINGS_MAX: Final = 62  # beyond it every cap is long reached, and 2.0**1024 would overflow


def full_jitter_seconds(
    attempt: int, *, base: float, cap: float, random: Callable[[], float]
) -> float:
    """A wait drawn evenly from 0 to `base * 2**attempt`, at most `cap`, in seconds.

    `attempt` is 0 for the first retry; `random` draws from [0, 1). Full jitter: of the schemes
    compared in the AWS Architecture Blog ("Exponential Backoff And Jitter", 2015), the one with the
    fewest calls, because the retries of competing clients spread over the whole interval.
    """
    ceiling: float = min(cap, base * 2.0 ** min(attempt, _DOUBLINGS_MAX))
    return random() * ceiling
