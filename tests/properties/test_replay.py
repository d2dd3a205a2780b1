"""Whatever meets a replay, it ends in what the events make, and no answer goes back meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ledger.contracts.events import Event
from projections.replay.reaching import is_behind
from projections.replay.replaying import ReplayRefusedError
from tests.properties.replayed_worlds import (
    BALANCES_SHAPE,
    HISTORY_SHAPE,
    MICROSECONDS,
    PAYMENTS_SHAPE,
    ReplayedWorld,
    Run,
    Shape,
    WorkerDiedError,
)

ACCOUNTS = ("a", "b", "c")
ACTIONS = 150


class Storm:
    """Payments of all kinds, changes of accounts, metadata, refusals; deliveries in any order and
    again, stalled and dying workers, readers, tampering, lost messages; and replays: begun,
    stepped, forgotten, resumed twice over, aborted, with and without a swap. Drawn from one seed;
    much of it happens between two requests of somebody."""

    def __init__(self, shape: Shape[Any], seed: int) -> None:
        self.random = Random(seed)
        self.shape = shape
        self.world = ReplayedWorld(shape)
        self.runs: list[Run] = []
        self.nested = 0
        self.lag = self.random.choice((0.0, 0.9))  # how often a wait is shorter than the backlog
        for name in ACCOUNTS:
            self.world.commit(self.world.book.open(name, metadata={"name": name}))
        self.world.commit(self._pay())
        self.world.deliver_all()
        self.world.meanwhile = self.meanwhile
        self.world.refused = self.refused

    def rage(self) -> None:
        """A storm, and the calm after it."""
        for _ in range(ACTIONS):
            self._act(OUTER)
            self._live_generation_lacks_nothing_that_is_done()
        self._calm()

    def meanwhile(self) -> None:
        """What happens before a request of a worker or reader."""
        if self.nested < 2:
            self.nested += 1
            try:
                for _ in range(self.random.choice((1, 1, 1, 8))):
                    self._act(INNER)
            finally:
                self.nested -= 1

    def refused(self, events: int) -> set[int]:
        """Which of so many events a store does not take now."""
        return {place for place in range(events) if self.random.random() < 0.1}

    def pay(self) -> None:
        """Some payments are recorded and published; or something else is that can be."""
        for _ in range(self.random.randint(1, 2)):
            act = self.random.choice((self._pay, self._pay, self._hold, self._end, self._other))
            self.world.commit(act())

    def _pay(self) -> Event:
        source, destination = self.random.sample(ACCOUNTS, 2)
        return self.world.book.pay((source, destination, 1))

    def _hold(self) -> Event:
        source, destination = self.random.sample(ACCOUNTS, 2)
        return self.world.book.hold((source, destination, 9))

    def _end(self) -> Event:
        book = self.world.book
        held = [name for name, life in book.payments.items() if life.is_open]
        if not held:
            return self._hold()
        payment = self.random.choice(held)
        if self.random.random() < 0.5:
            return book.capture(payment, (self.random.randint(1, 9),))
        return book.release(payment, expired=self.random.random() < 0.5)

    def _other(self) -> Event:
        book, account = self.world.book, self.random.choice(ACCOUNTS)
        payment = self.random.choice(list(book.payments))
        acts: list[Callable[[], Event]] = [
            lambda: book.freeze(account, "debits"),
            lambda: book.unfreeze(account),
            lambda: book.describe("account", account, {"name": "z"}),
            lambda: book.describe("payment", payment, {"name": "z"}),
            lambda: book.refuse(self.random.choice(("post", "capture"))),
        ]
        return self.random.choice(acts)()

    def deliver(self) -> None:
        """A worker handles some messages; some of them come back though they were handled."""
        places = [self.random.randrange(10) for _ in range(self.random.randint(1, 4))]
        again = self.random.random() < 0.2
        self.world.deliver(self.random.randrange(2), places, again=again)

    def read(self) -> None:
        """Somebody asks."""
        self.world.read(self.random.randrange(3), self._subject())

    def go_on(self) -> None:
        """Nothing happens."""

    def wait(self) -> None:
        """Time passes."""
        self.world.now += self.random.randint(1, 4) * MICROSECONDS

    def stall(self) -> None:
        """Whoever is at work stands still for long."""
        self.world.now += self.random.randint(5, 40) * MICROSECONDS

    def die(self) -> None:
        """Whoever is at work does not go on."""
        raise WorkerDiedError

    def lose(self) -> None:
        """A message ends among the dead letters: a gap that only the events can fill."""
        if self.world.in_flight:
            lost = self.world.in_flight.pop(self.random.randrange(len(self.world.in_flight)))
            self.world.lacking |= self.shape.subjects_of(lost)

    def corrupt(self) -> None:
        """Somebody changes what is live."""
        if not self.runs and self.world.generations.pointer().phase == "steady":
            self.world.corrupt(self._subject(), self.random.randrange(30))

    def replay(self) -> None:
        """A replay is begun, or one is gone on with or aborted though another may still run it."""
        if len(self.runs) < 2:
            swap, keep_old = self.random.random() < 0.8, self.random.random() < 0.2
            begin: list[Callable[[Any], Any]] = [
                lambda replay: replay.run(swap=swap, keep_old=swap and keep_old),
                lambda replay: replay.run(resume=True, swap=swap),
                lambda replay: replay.abort(),
            ]
            for other in self.runs:
                other.alone = False
            run = self.world.run(self.random.choices(begin, (6, 5, 1))[0])
            run.alone = not self.runs
            self.runs.append(run)

    def step(self) -> None:
        """A replay goes on."""
        if self.runs:
            run = self.random.choice(self.runs)
            self._take(run)
            if run.over and run in self.runs:
                self.runs.remove(run)

    def interrupt(self) -> None:
        """The machine that a replay runs on is switched off."""
        idle = [run for run in self.runs if not run.taking]
        if idle:
            self.runs.remove(idle[0])

    def _subject(self) -> str:
        return self.random.choice(self.world.subjects())

    def _act(self, weights: dict[str, int]) -> None:
        action: Callable[[], None] = getattr(
            self, self.random.choices(list(weights), list(weights.values()))[0]
        )
        action()

    def _take(self, run: Run) -> None:
        """One step, not before its time. What a run waits for arrives meanwhile, or some of it, or
        nothing: then its patience ends, and it takes from the events what is on its way."""
        if run.taking:
            return
        run.taking, quiet = True, self.world.meanwhile
        self.world.now = max(self.world.now, run.not_before)
        before = self.world.generations.pointer()
        try:
            step = next(run.steps)
        except StopIteration as done:
            run.outcome = done.value
            self._judge(run)
        except ReplayRefusedError as error:
            run.error = error
        else:
            run.not_before = self.world.now + round(step.wait_seconds * MICROSECONDS)
            if step.what.startswith("waiting"):
                self.world.meanwhile = lambda: None
                self._arrive()
                run.overdue |= {
                    subject
                    for event in self.world.in_flight
                    for subject in self.shape.subjects_of(event)
                }
        now = self.world.generations.pointer()
        if run.alone and (before.phase, now.phase) == ("building", "swapping"):
            self._new_generation_is_ahead_nowhere(before.live, before.built)
        run.taking, self.world.meanwhile = False, quiet

    def _arrive(self) -> None:
        """All that is on its way; or the oldest of it, while more is paid: consumers lag."""
        if self.random.random() >= self.lag:
            self.world.deliver_all()
        else:
            self.world.deliver(0, range(self.random.randint(0, len(self.world.in_flight))))
            self.pay()

    def _judge(self, run: Run) -> None:
        """Nothing is named that arrived in time; what was wrong is mended by the swap."""
        assert run.outcome is not None
        if run.outcome.compared:
            named = {difference.subject for difference in run.outcome.compared.kept}
            wrong = self.world.corrupted | self.world.lacking | self.world.mended
            assert named <= wrong | run.overdue
        if run.outcome.swapped:
            for name in self.world.corrupted:
                self.world.shown.pop(name, None)
            self.world.mended |= self.world.corrupted | self.world.lacking
            self.world.corrupted.clear()

    def _live_generation_lacks_nothing_that_is_done(self) -> None:
        """What is no longer on its way is in the generation that answers come from."""
        waiting = {id(event) for event in self.world.in_flight}
        done = [event for event in self.world.book.recorded if id(event) not in waiting]
        store = self.world.generations.store_of(self.world.generations.pointer().live)
        for subject, reach in self.world.reaches(done).items():
            if subject not in self.world.corrupted | self.world.lacking:
                there = self.shape.reach(self.shape.read(store, subject))
                assert not is_behind(there[: len(reach)], reach), (subject, there, reach)

    def _new_generation_is_ahead_nowhere(self, live: int, built: int) -> None:
        """When readers begin to go over, whoever still answers from the live one is not behind."""
        for name in set(self.world.subjects()) - self.world.corrupted:
            old, new = (
                self.shape.reach(self.shape.read(self.world.generations.store_of(number), name))
                for number in (live, built)
            )
            assert all(map(int.__ge__, old, new)), (name, old, new)

    def _calm(self) -> None:
        """Whoever takes over at last ends with what the events make, and nothing beside it."""
        self.world.meanwhile = lambda: None
        self.world.refused = lambda _: set()
        self.lag = 0.0
        self.world.deliver_all()
        if self.world.generations.pointer().phase != "steady":
            self._through(lambda replay: replay.run(resume=True))
        assert self._through(lambda replay: replay.run()).swapped
        pointer = self.world.generations.pointer()
        assert pointer.phase == "steady"
        assert set(self.world.generations.stores) == {pointer.live}
        store, expected = self.world.generations.stores[pointer.live], self.world.expected()
        for name in self.world.subjects():
            assert self.shape.read(store, name) == self.shape.read(expected, name)
        assert self._through(lambda replay: replay.run(swap=False)).compared.count == 0

    def _through(self, begin: Callable[[Any], Any]) -> Any:
        run = self.world.run(begin)
        while not run.over:
            self._take(run)
        if run.error:
            raise run.error
        return run.outcome


OUTER = {
    "deliver": 25,
    "read": 20,
    "step": 25,
    "pay": 12,
    "wait": 6,
    "replay": 6,
    "interrupt": 1,
    "lose": 1,
    "corrupt": 1,
}
INNER = {"go_on": 30, "read": 30, "step": 20, "deliver": 5, "wait": 8, "stall": 4, "die": 3}


@pytest.mark.parametrize(
    "shape",
    [BALANCES_SHAPE, HISTORY_SHAPE, PAYMENTS_SHAPE],
    ids=["balances", "history", "payments"],
)
@given(seed=st.integers(0, 2**32))
@settings(phases=[Phase.explicit, Phase.generate])  # a seed has nothing to be shrunk
def test_no_storm_loses_an_event_or_turns_an_answer_back(shape: Shape[Any], seed: int) -> None:
    """Through everything that a Storm has: each answer reaches at least as far as any before it,
    what is done stays visible, only what was wrong is reported, and in the end the live generation
    is the fold of all events and the only one there is."""
    Storm(shape, seed).rage()
