"""Tables and partitions that take no more, at rates."""

from __future__ import annotations

from simulation.aws.dynamodb.errors import throttled
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault


class Throttles:
    """Decides whether a request comes at a bad moment."""

    def __init__(self, injector: Injector) -> None:
        self._strikes = injector.strikes

    def pass_(self, table: str, operation: str, *key: str) -> None:
        """Raises ServiceError if the table, or the partition of `key`, takes no more."""
        if self._strikes(Fault.TABLE_THROTTLED, table, operation):
            raise throttled()
        if key and self._strikes(Fault.PARTITION_THROTTLED, table, operation, *key):
            raise throttled()
