"""What the application asks of the world: an event store, a clock, a pause, chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from ledger.contracts.commands import ACTIONS_MAX
from ledger.contracts.subjects import Key
from ledger.domain.chain import StoredEvent
from ledger.domain.states import Point, State, States

Clock = Callable[[], int]
"""Microseconds since 1970-01-01T00:00:00Z, by this worker's clock."""

Pause = Callable[[float], None]
"""Waits that many seconds."""

Chance = Callable[[], float]
"""A number drawn uniformly from [0, 1)."""


KEYS_A_LOAD_MAX: Final = 100  # keys of one BatchGetItem


class StateWrite(Struct, frozen=True):
    """Put `state` if the stored one is still at `expected` (BEGINNING: if there is none)."""

    state: State
    expected: Point

    @property
    def key(self) -> Key:
        """The subject whose state is written."""
        return self.state.key


class StateCheck(Struct, frozen=True):
    """The subject must still be at `expected` (BEGINNING: it must not exist)."""

    key: Key
    expected: Point


class Transaction(Struct, frozen=True):
    """What is committed as a whole or not at all: events absent so far, and the states they make.

    `absent` are ids under which there must be no event still. At most ACTIONS_MAX actions; each
    event and each subject appears once, the subject as a write or a check. Raises ValueError
    otherwise.
    """

    events: tuple[StoredEvent, ...]
    writes: tuple[StateWrite, ...] = ()
    checks: tuple[StateCheck, ...] = ()
    absent: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        events = {*(event.id for event in self.events), *self.absent}
        subjects = {condition.key for condition in self.conditions}
        if len(events) + len(subjects) != self.actions:
            raise ValueError("a transaction acts on each event and each subject once")
        if not self.events or self.actions > ACTIONS_MAX:
            raise ValueError(f"a transaction has 1 to {ACTIONS_MAX} actions, not {self.actions}")

    @property
    def actions(self) -> int:
        """How many of ACTIONS_MAX it takes."""
        return len(self.events) + len(self.writes) + len(self.checks) + len(self.absent)

    @property
    def conditions(self) -> tuple[StateWrite | StateCheck, ...]:
        """What is expected of states, writes first: the order in which a store acts on them."""
        return (*self.writes, *self.checks)


class Appended(Struct, frozen=True):
    """The transaction took effect."""


class Refused(Struct, frozen=True):
    """Nothing took effect. What stood in the way, as it is stored now.

    `existing` has the events whose ids were decided before; `fresh` the subjects that are not
    where they were expected, with the state that they have now (None: there is none).
    """

    existing: Mapping[str, StoredEvent] = {}
    fresh: Mapping[Key, State | None] = {}


#: The cause of a TransientStoreError: another transaction was at the same items.
CONFLICT: Final = "conflict"
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


class Due(Struct, frozen=True):
    """A hold that is past its expiry, `due_at` (stored instant), and was open when last looked."""

    payment: str
    due_at: str


def refuse_load_size(keys: Sequence[object]) -> None:
    """Raises ValueError unless `keys` are as many different ones as one load may name."""
    if not 1 <= len(keys) <= KEYS_A_LOAD_MAX or len(set(keys)) != len(keys):
        raise ValueError(f"a load names 1 to {KEYS_A_LOAD_MAX} keys, each once")


class EventStore(Protocol):
    """The truth (events, append only) and the states derived from it.

    Every method may raise TransientStoreError (retry), UnknownStoredStateError (a newer
    release wrote it) or BrokenStateError (corruption; never retried).
    """

    def load(self, keys: Sequence[Key]) -> States:
        """The latest states of 1 to KEYS_A_LOAD_MAX subjects, each named once, read consistently;
        absent if there is none. Raises ValueError for another number of keys."""
        ...

    def append(self, transaction: Transaction) -> Appended | Refused:
        """Commits the transaction as a whole, or says what stood in the way."""
        ...

    def event(self, event_id: str) -> StoredEvent | None:
        """The event of a command id, read consistently."""
        ...

    def events_of(self, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """The events of 1 to KEYS_A_LOAD_MAX command ids, each named once, read consistently;
        absent if there is none. Raises ValueError for another number of ids."""
        ...

    def due(self, now: str, *, account: str | None = None, limit: int) -> tuple[Due, ...]:
        """At most `limit` payments whose hold is open and due at `now` (stored instant), of that
        account or of all, those longest due first.

        Read from an index that may lag behind by seconds: it may miss what was just made, and name
        what has just ended.
        """
        ...

    def events(self) -> Iterator[StoredEvent]:
        """Every event committed before the call, once each, in any order; perhaps later ones."""
        ...

    def states(self) -> Iterator[State]:
        """Every subject's state, each read at some moment of the scan, in any order."""
        ...

    def restore(self, state: State) -> bool:
        """Writes a recomputed state if the stored one is older or absent; says whether it did.

        Never over a state whose schema version this release does not know, however old it is.

        For `rebuild-states` only, with the command handlers stopped.
        """
        ...
