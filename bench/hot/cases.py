"""A case: who pays whom, how many at once, and what DynamoDB is taken to be like."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from bench.hot.latency import Latency
from bench.hot.store import NO_CPU, PREPARED_AFTER, Cpu
from simulation.kernel.hub import MILLISECOND, SECOND

#: One payer for each of 49 payments, and the payee: 49 events and 50 states, 99 of 100 actions.
GROUP_DEFAULT: Final = 49
#: Accounts of a lane that has no hot one.
_POOL: Final = 50
#: Full transactions, one behind the other, that a lane takes to warm up; those that are counted of
#: all lanes that do not wait for each other, and of one at least. Single payments are quicker to
#: compute, and vary more.
_WARM: Final = 16
_COUNTED: Final = 60
_COUNTED_MIN: Final = 15
_SINGLES: Final = 6

Side = Literal["credited", "debited"]
"""Whether the hot account receives or pays."""


class Case(Struct, frozen=True, kw_only=True):
    """`lanes` workers that post payments, one behind the other, for `seconds` of virtual time: if
    left out, for as long as some hundreds of commits take.

    `group` None: each payment by itself; else so many in one group commit; after `rounds` of them
    the accounts on the other side come again. `shared`: all lanes have one hot account, else each
    has its own. `alone`: each of its stripes is in a partition of its own, else all are in one.
    `cache` is how many states a worker remembers. `funds_minor` is the balance of a debited account
    at first, which may not go below 0 (None: there is no bound): `dealt` evenly over its stripes,
    or all on one of them.

    `affinity` None: as above. Else there is no hot account: each lane has accounts of its own, and
    pays between them with this probability, and between those of some other lane otherwise.
    """

    name: str
    lanes: int
    group: int | None = GROUP_DEFAULT
    rounds: int = 4
    shared: bool = True
    stripes: int = 1
    side: Side = "credited"
    funds_minor: int | None = None
    dealt: bool = True
    affinity: float | None = None
    full_ms: float = 20.0
    prepared_after: float = PREPARED_AFTER
    alone: bool = True
    cache: int = 10_000
    cpu: Cpu = NO_CPU
    seed: int = 1
    seconds: float | None = None

    @property
    def latency(self) -> Latency:
        """Of this DynamoDB."""
        return Latency(self.full_ms)

    @property
    def others(self) -> int:
        """How many accounts a lane has on the other side."""
        return _POOL if self.affinity is not None else self.rounds * (self.group or 1)

    @property
    def warm(self) -> int:
        """Microseconds that are not counted: workers learn, and come out of step."""
        return round(_WARM * self.full_ms * MILLISECOND)

    @property
    def counted(self) -> int:
        """Microseconds that are."""
        if self.seconds is not None:
            return round(self.seconds * SECOND)
        side_by_side = min(self.lanes, self.stripes) if self.shared else self.lanes
        transactions = max(_COUNTED_MIN, _COUNTED / side_by_side)
        if self.group is None:
            transactions *= _SINGLES
        return round(transactions * self.full_ms * MILLISECOND)
