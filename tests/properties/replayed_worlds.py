"""A projection in memory with workers and readers of stale views, beside replays that come to an
end in the middle: everything that the state machine of test_replay.py moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from ledger.consuming.batches import Handled
from ledger.contracts.events import (
    Event,
    entries_of,
    subject_of,
)
from ledger.contracts.subjects import Key, account_key
from ledger.runtime.faults import StoreError
from projections.balances.apply import reach as account_reach
from projections.balances.memory import MemoryBalancesStore
from projections.balances.replay import REPLAYABLE as BALANCES
from projections.generations.memory import MemoryGenerations
from projections.generations.views import Generational, Reach, Views
from projections.history.memory import MemoryHistoryStore
from projections.history.reading import read_page
from projections.history.replay import REPLAYABLE as HISTORY
from projections.payments.apply import payment_in
from projections.payments.apply import reach as payment_reach
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.replay import REPLAYABLE as PAYMENTS
from projections.replay.reaching import Reached
from projections.replay.replayable import Replayable
from projections.replay.replaying import Outcome, Replay, Steps
from tests.properties.projection_streams import Book

_S = TypeVar("_S")
MICROSECONDS = 1_000_000


class WorkerDiedError(Exception):
    """Between two requests, as workers do."""


@dataclass(repr=False)
class Shape(Generic[_S]):
    """What the world must know of the projection in it: an empty store, what a subject's reader
    sees and how far that reaches, and how to break a subject."""

    replayable: Replayable[_S]
    empty: Callable[[], _S]
    read: Callable[[_S, str], Any]
    reach: Callable[[Any], Reach]
    corrupt: Callable[[_S, str, int], None]

    def subjects_of(self, event: Event) -> set[str]:
        """The subjects that an event is about."""
        return {subject for subject, _ in self.replayable.reach_of(event)}


def _corrupt_balance(store: MemoryBalancesStore, account: str, how: int) -> None:
    totals, profile = store._totals[account], store._profiles.get(account)  # noqa: SLF001 - no port lets anyone do this
    if how % 4 == 0 or totals.version == 1:
        del store._totals[account]  # noqa: SLF001
    elif how % 4 == 1 and profile:
        store._profiles[account] = msgspec.structs.replace(profile, profile_version=0)  # noqa: SLF001
    else:
        changes = {"version": totals.version - 1} if how % 4 == 2 else {"currency": "XXX"}
        store._totals[account] = msgspec.structs.replace(totals, **changes)  # noqa: SLF001


def _corrupt_history(store: MemoryHistoryStore, account: str, how: int) -> None:
    rows, versions = store._rows[account], store._versions[account]  # noqa: SLF001 - as above
    version = versions[how % len(versions)]
    if how % 2:
        del rows[version]
        versions.remove(version)
    else:
        rows[version] = msgspec.structs.replace(rows[version], credits_posted_minor=10**9)


def _corrupt_payment(store: MemoryPaymentsStore, payment: str, how: int) -> None:
    known = store._payments[payment]  # noqa: SLF001 - as above
    if how % 3 == 0 or not known.progress or known.progress.version == 1:
        del store._payments[payment]  # noqa: SLF001
    elif how % 3 == 1:
        store._payments[payment] = msgspec.structs.replace(known, origin=None)  # noqa: SLF001
    else:
        wrong = msgspec.structs.replace(known.progress, version=known.progress.version - 1)
        store._payments[payment] = msgspec.structs.replace(known, progress=wrong)  # noqa: SLF001


def _page_reach(page: Any) -> Reach:
    return (page.newest, page.completeness.complete_to) if page else (0, 0)


BALANCES_SHAPE: Shape[Any] = Shape(
    BALANCES,
    MemoryBalancesStore,
    lambda store, account: (store.account(account), store.metadata([account]).get(account)),
    lambda seen: account_reach(*seen),
    _corrupt_balance,
)
HISTORY_SHAPE: Shape[Any] = Shape(
    HISTORY,
    MemoryHistoryStore,
    lambda store, account: read_page(store, account, limit=3),
    _page_reach,
    _corrupt_history,
)
PAYMENTS_SHAPE: Shape[Any] = Shape(
    PAYMENTS,
    MemoryPaymentsStore,
    lambda store, payment: store.some([payment]).get(payment),
    payment_reach,
    _corrupt_payment,
)


@dataclass
class Run:
    """A replay under way: its steps, when the next one may be taken, what it came to; `overdue`
    are the subjects of what was still on its way while it waited, `alone` says that no other run
    filled the same generation meanwhile."""

    steps: Steps[Outcome]
    not_before: int = 0
    overdue: set[str] = field(default_factory=set)
    outcome: Outcome | None = None
    error: Exception | None = None
    taking: bool = False  # a step, right now
    alone: bool = True

    @property
    def over(self) -> bool:
        """Whether there are no more steps."""
        return self.outcome is not None or self.error is not None


@dataclass
class ReplayedWorld:
    """Events, messages on their way, and everybody who reads or writes the projection."""

    shape: Shape[Any]
    book: Book = field(default_factory=Book)
    now: int = 0
    in_flight: list[Event] = field(default_factory=list)
    corrupted: set[str] = field(default_factory=set)  # by hand
    lacking: set[str] = field(default_factory=set)  # for a message that was lost
    mended: set[str] = field(default_factory=set)  # either of them once
    #: Places of a batch that the store refuses to a worker.
    refused: Callable[[int], set[int]] = lambda _: set()
    #: What happens before each request of a worker or reader.
    meanwhile: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.generations = MemoryGenerations(self.shape.empty)
        self.workers = [self._user() for _ in range(2)]
        self.readers = [self._user() for _ in range(3)]
        self.shown: dict[str, Reach] = {}

    def _user(self) -> Generational[Any]:
        views = Views(self.generations.pointer, clock=lambda: self.now)
        return Generational(views, self._store_of)

    def _store_of(self, generation: int) -> Any:
        self.meanwhile()
        return self.generations.store_of(generation)

    def events(self) -> Iterator[Event]:
        """A Source."""
        return iter(list(self.book.recorded))

    def versions(self) -> Iterator[tuple[Key, int]]:
        yield from versions_of(self.book.recorded).items()

    def version(self, key: Key) -> int:
        return version_in(self.book.recorded, key)

    def reaches(self, events: Sequence[Event]) -> Reached:
        """How far these events bring each subject."""
        reached = Reached(self.shape.replayable.reach_of)
        for event in events:
            reached.note(event)
        return reached

    def subjects(self) -> list[str]:
        """What there is to ask for."""
        return list(self.reaches(self.book.recorded))

    def commit(self, event: Event) -> None:
        """An event that the ledger has recorded goes on its way."""
        self.in_flight.append(event)

    def deliver(self, worker: int, places: Sequence[int], *, again: bool = False) -> None:
        """A worker gets some messages; what it did not do stays on its way, or all of it does."""
        chosen = {place % len(self.in_flight) for place in places} if self.in_flight else set()
        batch = [self.in_flight[place] for place in sorted(chosen)]
        try:
            handled = self.workers[worker].project(self._project, batch)
        except WorkerDiedError:
            return
        failed = {id(batch[place]) for place in handled.failed}
        if not again:
            done = {id(event) for event in batch} - failed
            self.in_flight = [event for event in self.in_flight if id(event) not in done]

    def _project(self, store: Any, events: Sequence[Event]) -> Handled:
        """The projection's own code, on a store that refuses some events."""
        refused = self.refused(len(events))
        taken = [event for place, event in enumerate(events) if place not in refused]
        assert self.shape.replayable.project(store, taken).failed == {}
        return Handled(dict.fromkeys(refused, "refused"))

    def deliver_all(self) -> None:
        """Everything arrives, whole."""
        while self.in_flight:
            self.deliver(0, range(len(self.in_flight)))

    def read(self, reader: int, subject: str) -> None:
        """An answer is never behind one that was given before it was asked for."""
        floor = self.shown.get(subject, (0, 0, 0))
        try:
            answer = self.readers[reader].read(
                partial(self._read, subject=subject), self.shape.reach
            )
        except (StoreError, WorkerDiedError):
            return
        reach = self.shape.reach(answer.value)
        if subject not in self.corrupted:
            assert all(map(int.__ge__, reach, floor)), (subject, floor, reach)
            known = self.shown.get(subject, (0, 0, 0))
            self.shown[subject] = tuple(map(max, reach, known))

    def _read(self, store: Any, subject: str) -> Any:
        return self.shape.read(store, subject)

    def corrupt(self, subject: str, how: int) -> None:
        """Somebody changes the live generation by hand."""
        store = self.generations.store_of(self.generations.pointer().live)
        if self.shape.reach(self.shape.read(store, subject))[0] > 0:
            self.shape.corrupt(store, subject, how)
            self.corrupted.add(subject)

    def run(self, begin: Callable[[Replay[Any]], Steps[Outcome]]) -> Run:
        """A run of a replay, before its first step."""
        replay: Replay[Any] = Replay(
            self.shape.replayable,
            generations=self.generations,
            store_of=self.generations.store_of,
            source=self,
            patience_seconds=2.0,
            now=lambda: str(self.now),
        )
        return Run(begin(replay))

    def expected(self) -> Any:
        """A store that has seen every event, once, in order."""
        store = self.shape.empty()
        handled: Handled = self.shape.replayable.project(store, self.book.recorded)
        assert handled.failed == {}
        return store


def versions_of(events: Sequence[Event]) -> dict[Key, int]:
    """The version of every state that a ledger has after these events."""
    versions: dict[Key, int] = {}
    for event in events:
        versions.update((account_key(entry.id), entry.version) for entry in entries_of(event))
        subject = subject_of(event)
        if subject is not None:
            versions[subject[0]] = subject[1].version
    return versions


def version_in(events: Sequence[Event], key: Key) -> int:
    """The version of a state, or of a payment that has none, after these events."""
    made = (payment_in(event) for event in events if event.id == key.id)
    without_state = key.kind == "payment" and any(payment and payment.origin for payment in made)
    return versions_of(events).get(key, int(without_state))
