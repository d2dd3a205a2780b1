"""What the application asks of the world: an event store, a clock, a pause, chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from ledger.domain.accounts import AccountState
from ledger.domain.chain import StoredEvent

Clock = Callable[[], int]
"""Microseconds since 1970-01-01T00:00:00Z, by this worker's clock."""

Pause = Callable[[float], None]
"""Waits that many seconds."""

Chance = Callable[[], float]
"""A number drawn uniformly from [0, 1)."""


ACCOUNTS_A_LOAD_MAX: Final = 100  # keys of one BatchGetItem
ACTIONS_MAX: Final = 100  # of one TransactWriteItems


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

    At most ACTIONS_MAX actions; each event and each account appears once, the account as a write
    or a check. Raises ValueError otherwise.
    """

    events: tuple[StoredEvent, ...]
    writes: tuple[StateWrite, ...] = ()
    checks: tuple[StateCheck, ...] = ()

    def __post_init__(self) -> None:
        events = {event.id for event in self.events}
        accounts = {condition.account for condition in self.conditions}
        actions = len(self.events) + len(self.writes) + len(self.checks)
        if len(events) + len(accounts) != actions:
            raise ValueError("a transaction acts on each event and each account once")
        if not 1 <= actions <= ACTIONS_MAX:
            raise ValueError(f"a transaction has 1 to {ACTIONS_MAX} actions, not {actions}")

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


#: Causes of a TransientStoreError after which the transaction may have taken effect.
ANSWER_UNKNOWN: Final = frozenset({"unavailable", "lost_answer"})


class TransientStoreError(Exception):
    """The store did not do it, or did and the answer was lost: ask again, it is safe.

    `cause` says what for the counters: conflict, throttled, unavailable, lost_answer.
    """

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(cause)


class UnknownStoredStateError(Exception):
    """A stored state has a schema version `v` that this release does not know. Never overwrite."""


def refuse_load_size(accounts: Sequence[str]) -> None:
    """Raises ValueError unless `accounts` are as many different ones as one load may name."""
    if not 1 <= len(accounts) <= ACCOUNTS_A_LOAD_MAX or len(set(accounts)) != len(accounts):
        raise ValueError(f"a load names 1 to {ACCOUNTS_A_LOAD_MAX} accounts, each once")


class EventStore(Protocol):
    """The truth (events, append only) and the states derived from it.

    Every method may raise TransientStoreError (retry), UnknownStoredStateError (a newer
    release wrote it) or BrokenStateError (corruption; never retried).
    """

    def load(self, accounts: Sequence[str]) -> dict[str, AccountState]:
        """The latest states of 1 to ACCOUNTS_A_LOAD_MAX accounts, each named once, read
        consistently; absent if never opened. Raises ValueError for another number of accounts."""
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

        Never over a state whose schema version this release does not know, however old it is.

        For `rebuild-states` only, with the command handlers stopped.
        """
        ...
