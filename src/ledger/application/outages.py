"""Outages: nothing was decided, or the answer was lost. The same request may be sent again."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.contracts import reasons
from ledger.contracts.reasons import Reason


class OutageError(Exception):
    """The command could not be decided now. `causes` counts what each attempt met."""

    reason: Reason

    def __init__(self, message: str, causes: Mapping[str, int] | None = None) -> None:
        self.causes = dict(causes or {})
        super().__init__(message)


class ContentionError(OutageError):
    """Other commands changed the same accounts at every attempt."""

    reason = reasons.CONTENTION


class ClockSkewError(OutageError):
    """A touched account was recorded too far ahead of this worker's clock."""

    reason = reasons.CLOCK_SKEW


class StoreUnavailableError(OutageError):
    """The store threw transient errors until the attempts were used up."""

    reason = reasons.STORE_UNAVAILABLE


class UnknownStoredVersionError(OutageError):
    """A newer release wrote a record that this one must not touch."""

    reason = reasons.UNKNOWN_STORED_VERSION
