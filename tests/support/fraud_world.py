"""A fraud scorer in a world that fails on demand: its store, its queue, and what the ledger got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from consumers.fraud.batch import Screener
from consumers.fraud.features import Features
from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.rules import RulesScorer
from consumers.fraud.screening import Screening
from consumers.fraud.store import Remembered, Review, ReviewKey, Reviews
from ledger.contracts.commands import ScreenPayment
from ledger.contracts.events import AccountEvent
from ledger.runtime.faults import StoreError

_T = TypeVar("_T")


class Crash(BaseException):
    """The worker is gone; nothing catches it."""


class FailingFraudStore:
    """A store whose calls fail when told to, before or after they take effect.

    `faults` are taken one a call: `before` and `after` raise StoreError, `crash` and `crash_after`
    end the worker, `behind` lets `meanwhile` act first, None lets it be.
    """

    def __init__(self, store: MemoryFraudStore) -> None:
        self.store = store
        self.faults: list[str | None] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.calls: Counter[str] = Counter()

    def load(self, accounts: Sequence[str]) -> Mapping[str, Remembered]:
        return self._call("load", lambda: self.store.load(accounts))

    def save(self, account: str, before: Remembered, after: Features) -> bool:
        return self._call("save", lambda: self.store.save(account, before, after))

    def keep(self, screening: Screening) -> Screening:
        return self._call("keep", lambda: self.store.keep(screening))

    def screening(self, payment: str) -> Screening | None:
        return self._call("screening", lambda: self.store.screening(payment))

    def add_review(self, review: Review) -> None:
        self._call("add_review", lambda: self.store.add_review(review))

    def reviews(self, after: ReviewKey | None, limit: int) -> Reviews:
        return self._call("reviews", lambda: self.store.reviews(after, limit))

    def _call(self, name: str, act: Callable[[], _T]) -> _T:
        self.calls[name] += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault == "before":
            raise StoreError("outage")
        if fault == "crash":
            raise Crash
        if fault == "behind":
            self.meanwhile()
        result = act()
        if fault == "after":
            raise StoreError("lost_answer")
        if fault == "crash_after":
            raise Crash
        return result


@dataclass
class World:
    """One scorer's world. `sent` has every verdict that reached the queue, in order.

    `sending` has the fault of each sending in turn: `refused` (nothing got there), `unknown` (all
    did, and nobody said so), `crash` before or `crash_after` it.
    """

    memory: MemoryFraudStore = field(default_factory=MemoryFraudStore)
    sent: list[ScreenPayment] = field(default_factory=list)
    sending: list[str | None] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The store that fails on demand."""
        self.store = FailingFraudStore(self.memory)

    @property
    def verdicts(self) -> dict[str, ScreenPayment]:
        """The verdict on each payment, as the ledger has it: it keeps the first under an id."""
        by_id: dict[str, ScreenPayment] = {}
        for command in self.sent:
            by_id.setdefault(command.id, command)
        return {command.payment: command for command in by_id.values()}

    def screen(self, events: Sequence[AccountEvent]) -> tuple[dict[int, str], Counter[str]]:
        """A new worker screens one batch."""
        screener = Screener(
            self.store, RulesScorer(), self.send, random=lambda: 0.5, pause=self.pauses.append
        )
        return screener.screen(list(enumerate(events)))

    def deliver(self, events: Sequence[AccountEvent]) -> None:
        """The batch comes again, and again what failed of it, until nothing does."""
        waiting = list(events)
        for _ in range(20):
            try:
                failed, _counts = self.screen(waiting)
            except Crash:
                continue
            waiting = [waiting[place] for place in sorted(failed)]
            if not waiting:
                return
        raise AssertionError(f"{len(waiting)} events never got through")

    def send(self, commands: Sequence[ScreenPayment]) -> Mapping[int, str]:
        """As VerdictSender does."""
        fault = self.sending.pop(0) if self.sending and commands else None
        if fault == "crash":
            raise Crash
        if fault != "refused":
            self.sent += commands
        if fault == "crash_after":
            raise Crash
        return dict.fromkeys(range(len(commands)), "unsent") if fault else {}

    def features(self, *accounts: str) -> dict[str, Features]:
        """What is remembered of these accounts."""
        found = self.memory.load(list(accounts))
        return {account: found[account].features for account in accounts}
