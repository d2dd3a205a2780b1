"""How long requests take: a curve over the number of their actions, and how they spread around it.

The shape is that of the one public measurement that tells both (A. DeBrie, "DynamoDB Transactions
Performance Testing", 2020, 400 calls each from Lambda): transactions of 5 and of 25 writes took
25.3 and 32.1 ms in the middle, 30.7 and 40.5 ms at the 90th percentile, 92.5 and 97.5 ms at the
99th; a put 7.6 ms, batched writes of 5 and of 25 8.1 and 10.2 ms. A transaction that failed took as
long as one that did not. So 100 actions would have taken 57.6 ms in the middle, 61 ms on average.
AWS publishes no figures; the level is therefore what the model is a function of.
"""

from __future__ import annotations

import math
from random import Random
from typing import Final

from msgspec import Struct

from ledger.contracts.commands import ACTIONS_MAX
from simulation.kernel.hub import MILLISECOND

#: The mean of a transaction of 100 actions by that measurement's straight line, in milliseconds.
PUBLISHED_MS: Final = 61.0
#: Of the time of a full transaction: what one without any action would take. (23.6 of 57.6 ms.)
_BASE: Final = 0.41
#: A batched read is taken to be as fast as a batched write was: of one item, and of 100.
_READ_BASE: Final = 0.13
_READ_FULL: Final = 0.31
#: A log-normal body whose 90th percentile is 1.27 times its middle, and two in a hundred requests
#: that take three times as long, which makes the 99th percentile three times the middle.
_SIGMA: Final = 0.19
_SLOW: Final = 0.02
_SLOW_FACTOR: Final = 3.0
_MEAN: Final = math.exp(_SIGMA**2 / 2) * (1 + _SLOW * (_SLOW_FACTOR - 1))


class Latency(Struct, frozen=True):
    """Times in microseconds, of which `full_ms` sets the level: the mean, in milliseconds, of a
    transaction of 100 actions."""

    full_ms: float

    def transaction_mean(self, actions: int) -> float:
        """The mean time of a transaction."""
        share = _BASE + (1 - _BASE) * actions / ACTIONS_MAX
        return self.full_ms * MILLISECOND * share

    def read_mean(self, keys: int) -> float:
        """The mean time of a consistent batched read."""
        share = _READ_BASE + (_READ_FULL - _READ_BASE) * (keys - 1) / (ACTIONS_MAX - 1)
        return self.full_ms * MILLISECOND * share

    def transaction(self, actions: int, random: Random) -> int:
        """How long one transaction takes."""
        return _drawn(self.transaction_mean(actions), random)

    def read(self, keys: int, random: Random) -> int:
        """How long one consistent batched read takes."""
        return _drawn(self.read_mean(keys), random)


def _drawn(mean: float, random: Random) -> int:
    factor = random.lognormvariate(0.0, _SIGMA)
    if random.random() < _SLOW:
        factor *= _SLOW_FACTOR
    return max(1, round(mean * factor / _MEAN))
