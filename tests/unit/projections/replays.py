"""A ledger to replay from, and a replay taken step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.contracts.events import Event
from ledger.contracts.subjects import Key
from projections.generations.memory import MemoryGenerations
from projections.replay.reaching import Reached
from projections.replay.replayable import Replayable
from projections.replay.replaying import Outcome, Replay, Step, Steps
from tests.properties.projection_streams import Book
from tests.properties.replayed_worlds import version_in, versions_of


class Ledger:
    """A book as a Source, and a projection of it that is complete."""

    def __init__(self, replayable: Replayable[Any], empty: Any, *, payments: int = 3) -> None:
        self.book = Book()
        for name in "abc":
            self.book.open(name, lowest=None, metadata={"name": name})
        for _ in range(payments):
            self.book.pay(("a", "b", 10))
        self.replayable = replayable
        self.generations: MemoryGenerations[Any] = MemoryGenerations(empty)
        self.live = self.generations.store_of(1)
        self.scans = 0
        replayable.project(self.live, self.book.recorded)

    def events(self) -> Iterator[Event]:
        self.scans += 1
        return iter(list(self.book.recorded))

    def versions(self) -> Iterator[tuple[Key, int]]:
        yield from versions_of(self.book.recorded).items()

    def version(self, key: Key) -> int:
        return version_in(self.book.recorded, key)

    def change(self) -> Event:
        """An event about the accounts a and b, and about the first payment."""
        return self.book.reverse("payment-3", (1,))

    def reaches(self) -> Reached:
        """How far the events bring each subject."""
        reached = Reached(self.replayable.reach_of)
        assert list(reached.through(self.book.recorded)) == self.book.recorded
        return reached

    def lagging(self, generation: int) -> set[str]:
        """The subjects in which a generation lacks anything."""
        return self.replayable.lagging(self.generations.store_of(generation), self.reaches())

    def subjects_of(self, event: Event) -> set[str]:
        """What an event is about."""
        return {subject for subject, _ in self.replayable.reach_of(event)}

    def replay(self, replayable: Replayable[Any] | None = None, **how: Any) -> Replay[Any]:
        """A replay of it; patience of three looks."""
        return Replay(
            replayable or self.replayable,
            generations=self.generations,
            store_of=self.generations.store_of,
            source=self,
            patience_seconds=3.0,
            now=lambda: "2026-11-21T23:10:05.123456Z",
            **how,
        )


def through(steps: Steps[Outcome]) -> tuple[Outcome, list[Step]]:
    """The outcome, and the steps on the way."""
    taken: list[Step] = []
    while True:
        try:
            taken.append(next(steps))
        except StopIteration as done:
            return done.value, taken


def until(steps: Steps[Outcome], what: str) -> None:
    """Goes on to the step that says this."""
    assert any(what in step.what for step in steps)
