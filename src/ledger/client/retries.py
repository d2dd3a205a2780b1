"""How the client retries: full jitter, bounded. Commands are idempotent, so a retry is safe."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

ATTEMPTS_MAX: Final = 6  # with the waits below, some 3 s on average until an outage is reported
WAIT_BASE_SECONDS: Final = 0.2
WAIT_CAP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Retries:
    """Waits between attempts, drawn evenly from 0 to `WAIT_BASE_SECONDS * 2**attempt`.

    `pause` waits that many seconds; `chance` draws from [0, 1).
    """

    attempts_max: int = ATTEMPTS_MAX
    pause: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def attempts(self) -> Iterator[int]:
        """1, 2, …, `attempts_max`, with a wait before each but the first."""
        for number in range(1, self.attempts_max + 1):
            if number > 1:
                ceiling = min(WAIT_CAP_SECONDS, WAIT_BASE_SECONDS * 2.0 ** (number - 2))
                self.pause(self.chance() * ceiling)
            yield number
