"""What the application asks of the world: an event store, a clock, a pause, chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from ledger.domain.accounts import AccountState
from ledger.domain.chain import StoredEvent

Clock = Callable[[], int]
"""Microseconds since 1970-01-01T00:00:00Z, by this worker's clock."""

Pause = Callable[[float], None]
"""Waits that many seconds."""

Chance = Callable[[], float]
"""A number drawn uniformly from [0, 1)."""


class StateWrite(Struct, frozen=True):
    """Put `state` if the stored version is still the one before it (0: if it does not exist)."""

    state: AccountState

    @property
    def account(self) -> str:
        """The account whose state is written."""
        return self.state.id

    @property
    def expected_version(self) -> int:
        """The version that must be stored now."""
        return self.state.version - 1


class StateCheck(Struct, frozen=True):
    """The account must still be at `expected_version` (0: it must not exist)."""

    account: str
    expected_version: int


class Transaction(Struct, frozen=True):
    """What is committed as a whole or not at all: events absent so far, and their states.

    At most 100 actions; each account appears once, as a write or a check.
    """

    events: tuple[StoredEvent, ...]
    writes: tuple[StateWrite, ...] = ()
    checks: tuple[StateCheck, ...] = ()

    @property
    def conditions(self) -> tuple[StateWrite | StateCheck, ...]:
        """What is expected of states, writes first: the order in which a store acts on them."""
        return (*self.writes, *self.checks)


class Appended(Struct, frozen=True):
    """The transaction took effect."""


class Refused(Struct, frozen=True):
    """Nothing took effect. What stood in the way, as it is stored now.

    `existing` has the events whose ids were decided before; `fresh` the accounts whose version had
    moved on, with the state that they have now (None: the account does not exist).
    """

    existing: Mapping[str, StoredEvent] = {}
    fresh: Mapping[str, AccountState | None] = {}


class TransientStoreError(Exception):
    """The store did not do it, or did and the answer was lost: ask again, it is safe.

    `cause` says what for the counters: conflict, throttled, unavailable, lost_answer.
    """

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(cause)


class UnknownStoredStateError(Exception):
    """A stored state has a schema version `v` that this release does not know. Never overwrite."""


class EventStore(Protocol):
    """The truth (events, append only) and the states derived from it.

    Every method may raise TransientStoreError (retry), UnknownStoredStateError (a newer
    release wrote it) or BrokenStateError (corruption; never retried).
    """

    def load(self, accounts: Sequence[str]) -> dict[str, AccountState]:
        """The latest states of up to 100 accounts, read consistently; absent if never opened."""
        ...

    def append(self, transaction: Transaction) -> Appended | Refused:
        """Commits the transaction as a whole, or says what stood in the way."""
        ...

    def event(self, event_id: str) -> StoredEvent | None:
        """The event of a command id, read consistently."""
        ...

    def events(self) -> Iterator[StoredEvent]:
        """Every event committed before the call, once each, in any order; perhaps later ones."""
        ...

    def states(self) -> Iterator[AccountState]:
        """Every account's state, each read at some moment of the scan, in any order."""
        ...

    def restore(self, state: AccountState) -> bool:
        """Writes a recomputed state if the stored one is older or absent; says whether it did.

        For `rebuild-states` only, with the command handlers stopped.
        """
        ...
