"""What importers know of time in tests."""

from __future__ import annotations

from ledger.importers.effective_times import Times
from tests.support.builders import NOON_MICROSECONDS

TIMES = Times(NOON_MICROSECONDS)
