"""Many workers on the life of few payments and accounts: what must hold whoever comes first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from ledger.application.commit import Commands, Decided
from ledger.application.outages import ContentionError
from ledger.application.ports import EventStore
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import decode_command
from ledger.contracts.events import CommandRejected, PaymentPosted
from ledger.contracts.primitives import instant_of_microseconds
from ledger.domain.states import PaymentState, States
from ledger.domain.striped import whole
from tests.contract.event_store.crews import Crew, HasCrew
from tests.support.builders import ACTOR

_DAY = 24 * 3600 * 1_000_000
_SECOND = 1_000_000
_OPENED = "2026-01-01T00:00:00Z"


class RacingLifeContract(HasCrew):
    """Concurrency over holds, limits, reversals and closings. `connect` gives another worker's view
    of one and the same store."""

    racers = 6

    def test_holds_never_reserve_more_than_there_is(
        self, connect: Callable[[], EventStore], crew: Crew
    ) -> None:
        """Workers that all hold parts of one balance: as much is held as fits, to the last unit,
        and never more."""
        _opened(connect, crew, "payer", "shop")
        _funded(connect, crew, "payer", 100)
        wanted = [_authorizing(f"h{n}", 7) for n in range(4 * self.racers)]

        answers = _raced(connect, crew, wanted, self.racers)

        held = [one for one in answers if _reason(one) is None]
        assert len(held) == 100 // 7
        assert {_reason(one) for one in answers} == {None, "insufficient_funds"}
        payer = _sound(connect()).accounts["payer"]
        assert (payer.debits_pending_minor, payer.available_minor) == (98, 2)

    def test_a_hold_has_one_end(self, connect: Callable[[], EventStore], crew: Crew) -> None:
        """Captures race with voids and with the expiry of the same holds: each hold ends once, and
        what was captured, voided and expired is what was authorized."""
        _opened(connect, crew, "payer", "shop")
        _funded(connect, crew, "payer", 1_000)
        soon = instant_of_microseconds(crew.clock() + 2 * _SECOND)
        holds = [f"h{n}" for n in range(3)]
        _raced(connect, crew, [_authorizing(one, 100, expires_at=soon) for one in holds], 1)
        racing = [
            command
            for one in holds
            for command in (
                _later("payment.capture", f"{one}:c1", one, amount_minor=60),
                _later("payment.capture", f"{one}:c2", one, amount_minor=60),
                _later("payment.void", f"{one}:v", one),
            )
        ]
        shuffled = Random(11).sample(racing, len(racing))

        def expire(hold: str) -> int:
            worker, count = _worker(connect, crew), 0
            for _ in range(30):
                count += worker.expire(hold) is not None
                crew.pause(0.1)
            return count

        answers: list[Decided] = []
        expired: dict[str, int] = {}

        def expire_or_race(hold: str | None) -> None:
            if hold is None:
                answers.extend(_raced(connect, crew, shuffled, self.racers))
            else:
                expired[hold] = expire(hold)

        crew.at_once(expire_or_race, [None, *holds])
        states = _sound(connect())

        by_hold = Counter(one.event.id.partition(":")[0] for one in answers if not _reason(one))
        for hold, expiries in expired.items():
            payment = states.payments[hold]
            captured = payment.captured_minor[0]
            assert not payment.open
            assert captured in {0, 60}
            assert by_hold[hold] + expiries >= 1
            assert expiries == (payment.ended == "expiry")
        reasons = {_reason(one) for one in answers}
        assert reasons <= {None, "capture_exceeds_hold", "hold_not_open", "hold_expired"}
        payer, shop = states.accounts["payer"], states.accounts["shop"]
        assert payer.debits_pending_minor == shop.credits_pending_minor == 0
        assert shop.credits_posted_minor == sum(
            states.payments[hold].captured_minor[0] for hold in holds
        )

    def test_velocity_limits_hold_at_their_edge(
        self, connect: Callable[[], EventStore], crew: Crew
    ) -> None:
        """Workers that together want more than a limit allows in its window: exactly as many
        payments pass as it allows, and each refusal says that nothing is left of it."""
        _opened(connect, crew, "payer", "shop")
        _funded(connect, crew, "payer", 1_000)
        limit: dict[str, object] = {
            "name": "monthly",
            "window": "month",
            "direction": "debits",
            "currency": "EUR",
            "max_amount_minor": 90,
            "max_count": 9,
        }
        command: dict[str, object] = {"type": "account.set_limits", "id": "l", "account": "payer"}
        _raced(connect, crew, [command | {"velocity": [limit]}], 1)

        answers = _raced(connect, crew, [_paying(f"p{n}", 10) for n in range(18)], self.racers)

        assert Counter(_reason(one) for one in answers) == {None: 9, "velocity_limit_exceeded": 9}
        for one in answers:
            if isinstance(one.event, CommandRejected):
                values = one.event.causes[0].values
                assert (values["remaining_amount_minor"], values["remaining_count"]) == (0, 0)
        _sound(connect())

    def test_reversals_never_give_back_more_than_was_posted(
        self, connect: Callable[[], EventStore], crew: Crew
    ) -> None:
        """Workers that each reverse a part of one payment: together exactly what was posted."""
        _opened(connect, crew, "payer", "shop")
        _funded(connect, crew, "payer", 100)
        _raced(connect, crew, [_paying("sale", 100)], 1)
        parts = [
            _later("payment.reverse", f"r{n}", "sale", amount_minor=30)
            for n in range(2 * self.racers)
        ]

        answers = _raced(connect, crew, parts, self.racers)

        assert sum(_reason(one) is None for one in answers) == 3
        states = _sound(connect())
        assert states.payments["sale"].reversed_minor == (90,)
        assert states.accounts["shop"].balance_minor == 10

    def test_a_closing_lets_nothing_into_its_period(
        self, connect: Callable[[], EventStore], crew: Crew
    ) -> None:
        """Back-dated payments race with the closing of their period: each is either recorded on the
        book before its closing or refused, and every one of those decided later is refused."""
        _opened(connect, crew, "payer", "shop")
        _funded(connect, crew, "payer", 1_000)
        day = instant_of_microseconds(crew.clock() - 3 * _DAY)[:10]
        wanted = [
            _paying(f"p{n}", 1, effective_at=f"{day}T12:00:00Z") for n in range(5 * self.racers)
        ]
        closing: dict[str, object] = {"type": "book.close", "id": "close", "through": day}
        middle = len(wanted) // 2

        answers = _raced(connect, crew, [*wanted[:middle], closing, *wanted[middle:]], self.racers)
        late = _raced(connect, crew, [_paying("late", 1, effective_at=f"{day}T23:59:59Z")], 1)

        assert [_reason(one) for one in late] == ["period_closed"]
        assert {_reason(one) for one in answers} <= {None, "period_closed"}
        for one in answers:
            if isinstance(one.event, PaymentPosted):
                assert [check.version for check in one.event.books] == [0]  # before the closing
        states = _sound(connect())
        assert states.books["main"].closed_through == day

    def test_stripes_never_let_go_of_more_than_there_is(
        self, connect: Callable[[], EventStore], crew: Crew
    ) -> None:
        """Workers that each use a stripe of their own, of an account that is funded on one of them,
        while the number of stripes changes: as much passes as there is, to the last unit, and each
        refusal has all stripes behind it."""
        _opened(connect, crew, "payer", "shop")
        spread: dict[str, object] = {"type": "account.set_stripes", "account": "payer"}
        _raced(connect, crew, [spread | {"id": "s1", "stripes": self.racers}], 1)
        _funded(connect, crew, "payer", 100)
        wanted = [
            _paying(f"p{n}", 7) if n % 3 else _authorizing(f"p{n}", 7)
            for n in range(4 * self.racers)
        ]
        wanted[5] = spread | {"id": "s2", "stripes": 2}
        wanted[11] = spread | {"id": "s3", "stripes": 2 * self.racers}

        answers = _raced(connect, crew, wanted, self.racers)

        states = _sound(connect())
        payer = whole(states, "payer")
        assert payer is not None
        assert payer.available_minor == 100 % 7
        refused = [one.event for one in answers if isinstance(one.event, CommandRejected)]
        assert len(refused) == len(wanted) - 2 - 100 // 7
        for event in refused:
            assert event.reason == "insufficient_funds"
            assert event.causes[0].values["available_minor"] == 100 % 7
            assert {cause.id.partition("/")[0] for cause in event.causes} == {"payer"}
            assert len(event.causes) >= self.racers

    def test_stripes_are_frozen_and_closed_together(
        self, connect: Callable[[], EventStore], crew: Crew
    ) -> None:
        """Payments from every stripe race with a freeze: once it is recorded, none passes on any of
        them; and the account is closed at a sum of 0 alone."""
        _opened(connect, crew, "payer", "shop")
        spread: dict[str, object] = {"type": "account.set_stripes", "account": "payer"}
        _raced(connect, crew, [spread | {"id": "s1", "stripes": self.racers}], 1)
        _funded(connect, crew, "payer", 1_000)
        freeze: dict[str, object] = {"type": "account.freeze", "account": "payer", "reason": "r"}
        wanted = [_paying(f"p{n}", 1) for n in range(5 * self.racers)]
        middle = len(wanted) // 2
        racing = [*wanted[:middle], freeze | {"id": "f", "sides": "both"}, *wanted[middle:]]

        answers = _raced(connect, crew, racing, self.racers)
        close: dict[str, object] = {"type": "account.close", "account": "payer", "reason": "r"}
        late = [_paying(f"late{n}", 1) for n in range(2 * self.racers)]
        refused = _raced(connect, crew, [*late, close | {"id": "c"}], self.racers)

        assert {_reason(one) for one in answers} <= {None, "account_frozen"}
        assert Counter(map(_reason, refused)) == Counter(
            {"account_frozen": len(late), "account_not_empty": 1}
        )
        states = _sound(connect())
        payer = whole(states, "payer")
        assert payer is not None
        passed = sum(isinstance(one.event, PaymentPosted) for one in answers)
        assert payer.balance_minor == 1_000 - passed


def _worker(connect: Callable[[], EventStore], crew: Crew, seed: int = 5) -> Commands:
    chance = Random(seed).random
    return Commands(connect(), clock=crew.clock, pause=crew.pause, chance=chance)


def _raced(
    connect: Callable[[], EventStore],
    crew: Crew,
    bodies: Sequence[dict[str, object]],
    workers: int,
) -> list[Decided]:
    """The answers to commands that several workers take turns in sending."""
    commands = [decode_command(json.dumps({"v": 1, **body}).encode()) for body in bodies]

    def work(share: int) -> list[Decided]:
        worker = _worker(connect, crew, share)
        answers = []
        for command in commands[share::workers]:
            while True:  # as a client does, until it is decided
                try:
                    outcome = worker.handle(command, ACTOR)
                except ContentionError:
                    continue
                assert isinstance(outcome, Decided)
                answers.append(outcome)
                break
        return answers

    return [one for share in crew.at_once(work, range(workers)) for one in share]


def _opened(connect: Callable[[], EventStore], crew: Crew, *accounts: str) -> None:
    bank = {"account_type": "asset", "min_balance_minor": None}
    customer = {"account_type": "liability"}
    _raced(
        connect,
        crew,
        [
            {
                "type": "account.open",
                "id": f"open:{name}",
                "account": name,
                "currency": "EUR",
                "effective_at": _OPENED,
                **(bank if name == "bank" else customer),
            }
            for name in ("bank", *accounts)
        ],
        1,
    )


def _funded(connect: Callable[[], EventStore], crew: Crew, account: str, minor: int) -> None:
    _raced(connect, crew, [_paying(f"fund:{account}", minor, "bank", account)], 1)


def _paying(
    id_: str, minor: int, source: str = "payer", destination: str = "shop", **fields: object
) -> dict[str, object]:
    posting = {"source": source, "destination": destination, "currency": "EUR"}
    postings = [{**posting, "amount_minor": minor}]
    return {"type": "payment.post", "id": id_, "postings": postings, **fields}


def _authorizing(id_: str, minor: int, **fields: object) -> dict[str, object]:
    return {**_paying(id_, minor), "type": "payment.authorize", **fields}


def _later(type_: str, id_: str, payment: str, **fields: object) -> dict[str, object]:
    return {"type": type_, "id": id_, "payment": payment, **fields}


def _reason(answer: Decided) -> str | None:
    return answer.event.reason if isinstance(answer.event, CommandRejected) else None


def _sound(store: EventStore) -> States:
    """The states of a store of which everything holds that `ledger verify` checks."""
    report = Report()
    verify_store(store, report)
    assert report.findings == []
    states = States.of(store.states())
    for payment in states.payments.values():
        assert isinstance(payment, PaymentState)
        released = [
            held - taken if not payment.open and payment.authorized_minor else 0
            for held, taken in zip(payment.authorized_minor, payment.captured_minor, strict=True)
        ]
        assert all(minor >= 0 for minor in released) or payment.expires_at is None
    return states
