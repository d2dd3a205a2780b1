"""The wall clock, in the one form that every factory takes a clock in."""

from __future__ import annotations

import time
from typing import Final

_NANOSECONDS_PER_MICROSECOND: Final = 1_000


def wall_clock() -> int:
    """Microseconds since 1970-01-01T00:00:00Z, by this machine's clock."""
    return time.time_ns() // _NANOSECONDS_PER_MICROSECOND
