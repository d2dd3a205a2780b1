"""Many workers on few accounts: what a store that is used concurrently must hold."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ledger.application.commit import Commands, Decided
from ledger.application.outages import ContentionError
from ledger.application.ports import EventStore
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import PostPayment
from ledger.contracts.events import CommandRejected
from tests.contract.event_store.crews import Crew, HasCrew
from tests.support.builders import ACTOR, opening, paying
from tests.support.worlds import commands_on, decided, states_of

ACCOUNTS = ("a", "b", "c")
FUNDS = 60


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
        setup = commands_on(connect())
        for account in ("bank", *ACCOUNTS):
            lowest = None if account == "bank" else 0
            decided(setup, opening(account, min_balance_minor=lowest))
        for account in ACCOUNTS:
            decided(setup, paying(f"fund:{account}", ("bank", account, FUNDS)))

        random = Random(7)
        commands = []
        for index in range(self.workers * self.payments // 2):
            source, destination = random.sample(ACCOUNTS, 2)
            commands.append(paying(f"p{index}", (source, destination, random.randint(1, 40))))
        shares: list[list[PostPayment]] = [
            [
                commands[index]
                for index in range(len(commands))
                if index % self.workers in {worker, (worker + 1) % self.workers}
            ]
            for worker in range(self.workers)
        ]

        def work(share: list[PostPayment]) -> list[Decided]:
            worker = Commands(connect(), clock=crew.clock, pause=crew.pause, chance=random.random)
            return [_decided(worker, command) for command in share]

        answers = crew.at_once(work, shares)

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


def _decided(worker: Commands, command: PostPayment) -> Decided:
    """Asks until it is decided, as a client does."""
    while True:
        try:
            outcome = worker.handle(command, ACTOR)
        except ContentionError:
            continue
        assert isinstance(outcome, Decided)
        return outcome
