"""Runs a case, and says what it came to."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from msgspec import Struct

from bench.hot.accounts import ACTOR, hot_side, lane_name, payment, refuse_inexact
from bench.hot.cases import Case
from bench.hot.percentiles import percentile
from bench.hot.store import Counts
from bench.hot.world import Worker, World
from ledger.application.commit import Commands, Decided, Outcome
from ledger.application.group_commit import Asked, GroupCommit
from ledger.application.outages import OutageError
from ledger.contracts.commands import PostPayment
from ledger.contracts.events import CommandRejected, PaymentPosted
from simulation.kernel.hub import MILLISECOND, SECOND


class Figures(Struct, frozen=True, kw_only=True):
    """What was counted in a case, per second of virtual time or per commit; milliseconds are from
    when a payment was asked for to its answer."""

    payments_per_second: float
    commits_per_second: float
    payments_per_commit: float
    attempts_per_commit: float
    p50_ms: float
    p99_ms: float
    write_units_per_payment: float
    reads_per_payment: float
    refused: int
    undecided: int
    causes: dict[str, float]
    cache_hits_per_payment: float
    cache_stale_per_payment: float


@dataclass(slots=True)
class _Answered:
    """What lanes were answered since they began to count."""

    payments: int = 0
    refused: int = 0
    undecided: int = 0
    milliseconds: list[float] = field(default_factory=list)


class Run:
    """One case from its beginning to its end."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.world = World(case)
        self.accepted: Counter[str] = Counter()  # payments for each hot account, from the beginning
        self._workers = [Worker(self.world, f"worker {lane}") for lane in range(case.lanes)]
        self._begin = self.world.hub.now + case.warm
        self._end = self._begin + case.counted
        self._answered = _Answered()
        self._before = Counts()

    def figures(self) -> Figures:
        """Runs it. Raises AssertionError if the accounts do not add up at its end."""
        hub = self.world.hub
        hub.at(self._begin, self._begin_counting)
        tasks = []
        for lane in range(self.case.lanes):
            body = self._single if self.case.group is None else self._grouped
            tasks.append(hub.spawn(f"lane {lane}", partial(body, lane), delay=lane * 137))
        frozen = gc.isenabled()
        gc.disable()  # a million objects that stay, and no cycles
        try:
            hub.run(self._end)
            counts, uses = deepcopy(self.world.dynamodb.counts), self._cache_use()
            hub.run()  # what is under way ends
        finally:
            if frozen:
                gc.enable()
        for task in tasks:
            task.done.result()
        refuse_inexact(self.case, list(self.world.dynamodb.stored.states()), self.accepted)
        return self._summed(counts, uses)

    def _begin_counting(self) -> None:
        self._before = deepcopy(self.world.dynamodb.counts)
        self._cache_use()

    def _single(self, lane: int) -> None:
        hub, commands = self.world.hub, self._workers[lane].commands
        for number in count():
            if hub.now >= self._end:
                return
            made, asked_at = payment(self.case, lane, number), hub.now
            self._take(made, self._handled(commands, made), asked_at)

    def _handled(self, commands: Commands, made: PostPayment) -> Outcome:
        """Asks until it is decided, as a client does."""
        while True:
            try:
                return commands.handle(made, ACTOR)
            except OutageError:
                self._undecided()

    def _grouped(self, lane: int) -> None:
        hub, group = self.world.hub, self._workers[lane].group
        assert self.case.group is not None
        for first in count(0, self.case.group):
            if hub.now >= self._end:
                return
            numbers = range(first, first + self.case.group)
            payments = [payment(self.case, lane, number) for number in numbers]
            self._take_group(lane, group, payments)

    def _take_group(self, lane: int, group: GroupCommit, left: Sequence[PostPayment]) -> None:
        """Asks until all are decided, as a queue does that delivers them again."""
        asked_at, again = self.world.hub.now, False
        while left:
            asked = [
                Asked(command=one, actor=ACTOR, lane=lane_name(lane), seen_before=again)
                for one in left
            ]
            answers = group.handle(asked, lambda: True)
            undecided = []
            for one, answer in zip(left, answers, strict=True):
                if isinstance(answer, OutageError) or answer is None:
                    undecided.append(one)
                elif isinstance(answer, Exception):
                    raise answer
                else:
                    self._take(one, answer, asked_at)
            for _ in undecided:
                self._undecided()
            left, again = undecided, True

    def _take(self, made: PostPayment, outcome: Outcome, asked_at: int) -> None:
        assert isinstance(outcome, Decided), outcome
        if isinstance(outcome.event, PaymentPosted):
            self.accepted[hot_side(self.case, made)] += 1
        now = self.world.hub.now
        if self._begin <= now < self._end:
            self._answered.payments += 1
            self._answered.refused += isinstance(outcome.event, CommandRejected)
            self._answered.milliseconds.append((now - asked_at) / MILLISECOND)

    def _undecided(self) -> None:
        if self._begin <= self.world.hub.now < self._end:
            self._answered.undecided += 1

    def _cache_use(self) -> tuple[int, int]:
        uses = [worker.cache.take() for worker in self._workers]
        return sum(use.hits for use in uses), sum(use.stale for use in uses)

    def _summed(self, after: Counts, uses: tuple[int, int]) -> Figures:
        before, answered, seconds = self._before, self._answered, self.case.counted / SECOND
        commits = max(1, after.commits - before.commits)
        payments = max(1, answered.payments)
        cancelled = after.cancelled - before.cancelled
        milliseconds = sorted(answered.milliseconds)
        return Figures(
            payments_per_second=round(answered.payments / seconds, 1),
            commits_per_second=round((after.commits - before.commits) / seconds, 1),
            payments_per_commit=round((after.events - before.events) / commits, 2),
            attempts_per_commit=round((after.appends - before.appends) / commits, 2),
            p50_ms=percentile(milliseconds, 0.50),
            p99_ms=percentile(milliseconds, 0.99),
            write_units_per_payment=round((after.units - before.units) / payments, 2),
            reads_per_payment=round((after.reads - before.reads) / payments, 3),
            refused=answered.refused,
            undecided=answered.undecided,
            causes={cause: round(n / commits, 2) for cause, n in sorted(cancelled.items())},
            cache_hits_per_payment=round(uses[0] / payments, 2),
            cache_stale_per_payment=round(uses[1] / payments, 3),
        )


def figures_of(case: Case) -> Figures:
    """What a case comes to."""
    return Run(case).figures()
