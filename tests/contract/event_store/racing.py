"""Many workers on few accounts: what a store that is used concurrently must hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from random import Random

from ledger.application.commit import Commands, Decided
from ledger.application.group_commit import Asked, GroupCommit
from ledger.application.outages import ContentionError
from ledger.application.ports import EventStore
from ledger.application.state_cache import StateCache
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import PostPayment
from ledger.contracts.events import CommandRejected
from tests.contract.event_store.crews import Crew, HasCrew
from tests.support.builders import ACTOR, opening, paying
from tests.support.worlds import commands_on, decided, states_of

ACCOUNTS = ("a", "b", "c")
FUNDS = 60
_GROUP = 7  # commands that are decided together

Work = Callable[[Sequence[PostPayment]], list[Decided]]


class RacingContract(HasCrew):
    """Concurrency, for stores that are used by many at once. `connect` gives another worker's view
    of one and the same store."""

    workers = 6
    payments = 25

    def test_racing_workers_conserve_money(
        self, connect: Callable[[], EventStore], crew: Crew
    ) -> None:
        """Workers that pay to and fro between the same three accounts, each command sent twice by
        different workers at about the same time: money is conserved, nobody is overdrawn, every
        command has one decision, versions are dense and chains unbroken."""

        def work(share: Sequence[PostPayment]) -> list[Decided]:
            worker = _worker(connect(), crew, StateCache(0))
            return [_decided(worker, command) for command in share]

        self._race(connect, crew, [work] * self.workers)

    def test_groups_race_with_single_commands(
        self, connect: Callable[[], EventStore], crew: Crew
    ) -> None:
        """The same, where every other worker decides in groups, and all remember states: exactly
        the same holds."""

        def work(share: Sequence[PostPayment]) -> list[Decided]:
            worker = _worker(connect(), crew, StateCache(2))
            return [_decided(worker, command) for command in share]

        def work_in_groups(share: Sequence[PostPayment]) -> list[Decided]:
            store, cache = connect(), StateCache(2)
            group = GroupCommit(
                _worker(store, crew, cache),
                store,
                clock=crew.clock,
                pause=crew.pause,
                chance=random.random,
                cache=cache,
            )
            return [
                one
                for start in range(0, len(share), _GROUP)
                for one in _decided_together(group, share[start : start + _GROUP])
            ]

        works = [work, work_in_groups] * (self.workers // 2)
        self._race(connect, crew, works)

    def _race(self, connect: Callable[[], EventStore], crew: Crew, works: Sequence[Work]) -> None:
        setup = commands_on(connect())
        for account in ("bank", *ACCOUNTS):
            lowest = None if account == "bank" else 0
            decided(setup, opening(account, min_balance_minor=lowest))
        for account in ACCOUNTS:
            decided(setup, paying(f"fund:{account}", ("bank", account, FUNDS)))
        commands = list(_payments(len(works) * self.payments // 2))
        shares = [
            [
                commands[index]
                for index in range(len(commands))
                if index % len(works) in {worker, (worker + 1) % len(works)}
            ]
            for worker in range(len(works))
        ]

        answers = crew.at_once(lambda one: one[0](one[1]), zip(works, shares, strict=True))

        by_id: dict[str, list[Decided]] = {}
        for answer in (one for share in answers for one in share):
            by_id.setdefault(answer.event.id, []).append(answer)
        store = connect()
        report = Report()
        captured = verify_store(store, report)
        assert report.findings == []
        states = states_of(store)
        assert sum(states[name].balance_minor for name in ACCOUNTS) == FUNDS * len(ACCOUNTS)
        assert all(states[name].balance_minor >= 0 for name in ACCOUNTS)
        assert captured.history.events == 4 + 3 + len(commands)
        for twice in by_id.values():
            assert len(twice) == 2
            assert twice[0].event == twice[1].event
            assert [one.repeat for one in twice].count(False) == 1
        accepted = [one for one, _ in by_id.values() if not isinstance(one.event, CommandRejected)]
        assert 0 < len(accepted) < len(commands)
        assert captured.history.rejections == len(commands) - len(accepted)


def _payments(count: int) -> Iterator[PostPayment]:
    drawing = Random(7)
    for index in range(count):
        source, destination = drawing.sample(ACCOUNTS, 2)
        yield paying(f"p{index}", (source, destination, drawing.randint(1, 40)))


def _worker(store: EventStore, crew: Crew, cache: StateCache) -> Commands:
    return Commands(store, clock=crew.clock, pause=crew.pause, chance=random.random, cache=cache)


def _decided(worker: Commands, command: PostPayment) -> Decided:
    """Asks until it is decided, as a client does."""
    while True:
        try:
            outcome = worker.handle(command, ACTOR)
        except ContentionError:
            continue
        assert isinstance(outcome, Decided)
        return outcome


def _decided_together(group: GroupCommit, commands: Sequence[PostPayment]) -> list[Decided]:
    """Asks for those that are not decided until all are, as a queue does."""
    outcomes: list[Decided] = []
    waiting = list(commands)
    while waiting:
        seen = len(waiting) < len(commands)
        asked = [Asked(one, ACTOR, seen_before=seen) for one in waiting]
        answers = group.handle(asked, lambda: True)
        outcomes += [one for one in answers if isinstance(one, Decided)]
        waiting = [
            one
            for one, answer in zip(waiting, answers, strict=True)
            if isinstance(answer, ContentionError)
        ]
        assert len(outcomes) + len(waiting) == len(commands)
    return outcomes
