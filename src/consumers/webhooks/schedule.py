"""When a delivery that failed is tried again: by how often its message has been received."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3_600
#: The waits between attempts, growing, in seconds: 27.6 hours in all, so that an endpoint that was
#: down over a night gets everything. The steps are those that the Standard Webhooks specification
#: suggests, cut where a message can wait no longer.
DELAYS_SECONDS: Final = (
    *(5, 5 * _MINUTE, 30 * _MINUTE),
    *(2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 10 * _HOUR),
)
#: Receives before a message is dead: the template says the same number.
RECEIVES_MAX: Final = len(DELAYS_SECONDS) + 1
#: Up to a tenth is added, so that what failed together does not come back together.
JITTER: Final = 0.1
#: A message can be invisible for 12 hours since it was received; an hour is for handling it.
DELAY_SECONDS_MAX: Final = 11 * _HOUR


def is_last(received: int) -> bool:
    """Whether a message received this often would not be tried again."""
    return received >= RECEIVES_MAX


def delay_seconds(
    received: int, random: Callable[[], float], *, retry_after_seconds: int = 0
) -> int:
    """The wait after the attempt number `received` (from 1), in whole seconds, never less than
    what the endpoint itself asked for, as far as a queue can wait. `random` draws from [0, 1)."""
    step = DELAYS_SECONDS[min(received, len(DELAYS_SECONDS)) - 1]
    wanted = max(round(step * (1 + JITTER * random())), retry_after_seconds)
    return min(wanted, DELAY_SECONDS_MAX)


def retry_after_seconds(header: str, now_seconds: float) -> int:
    """What a header `Retry-After` asks for (RFC 9110: seconds, or a date), in seconds from now.

    0 for what is neither, or lies in the past.
    """
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) <= len(str(DELAY_SECONDS_MAX)):
        return int(text)
    if text.isascii() and text.isdigit():
        return DELAY_SECONDS_MAX
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a zone of 99 digits: what an endpoint sends is text
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, round((aware - datetime.fromtimestamp(now_seconds, UTC)).total_seconds()))
