"""The event store in memory keeps the contract."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.ports import EventStore
from tests.contract.event_store.racing import RacingContract
from tests.contract.event_store.racing_life import RacingLifeContract
from tests.contract.event_store.suite import EventStoreContract


class TestMemory(EventStoreContract, RacingContract, RacingLifeContract):
    """The suite, and the race: it is safe to be used by threads."""

    @pytest.fixture
    def store(self) -> MemoryEventStore:
        """An empty store."""
        return MemoryEventStore()

    @pytest.fixture
    def connect(self, store: MemoryEventStore) -> Iterator[Callable[[], EventStore]]:
        """Every worker uses the same one, and is interrupted often."""
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        yield lambda: store
        sys.setswitchinterval(interval)
