"""Tables and partitions that take no more, at rates."""

from __future__ import annotations

from typing import Final

from simulation.aws.dynamodb.errors import throttled
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault

_OF_TABLE: Final = (Fault.TABLE_THROTTLED,)
_OF_KEY: Final = (Fault.TABLE_THROTTLED, Fault.PARTITION_THROTTLED)


class Throttles:
    """Decides whether a request comes at a bad moment."""

    def __init__(self, injector: Injector) -> None:
        self._one_of = injector.one_of

    def pass_(self, table: str, operation: str, *key: str) -> None:
        """Raises ServiceError if the table, or the partition of `key`, takes no more."""
        if self._one_of(_OF_KEY if key else _OF_TABLE, table, operation, *key) is not None:
            raise throttled()
