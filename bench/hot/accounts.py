"""The accounts of a case, and the payments between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from random import Random
from typing import Final

from bench.hot.cases import Case
from ledger.application.commit import Decided
from ledger.contracts.commands import (
    Command,
    OpenAccount,
    Posting,
    PostPayment,
    SetStripes,
)
from ledger.contracts.events import CommandRejected
from ledger.contracts.subjects import Key, account_key
from ledger.domain.accounts import AccountState
from ledger.domain.states import State

ACTOR: Final = "bench"
AMOUNT_MINOR: Final = 100
_BANK: Final = "bank"


def hot_account(case: Case, lane: int) -> str:
    """The hot account of a lane."""
    return "merchant-0000" if case.shared else f"merchant-{lane:04d}"


def hot_accounts(case: Case) -> list[str]:
    """All of them."""
    return sorted({hot_account(case, lane) for lane in range(case.lanes)})


def hot_keys(case: Case) -> Iterator[Key]:
    """What the hot accounts' states are stored under, stripe by stripe."""
    for account in hot_accounts(case):
        yield account_key(account)
        for stripe in range(1, case.stripes):
            yield Key("stripe", f"{account}/{stripe}")


def lane_name(lane: int) -> str:
    """What a queue would call the lane: any name, so that lanes fall on stripes as they will."""
    return sha256(str(lane).encode()).hexdigest()[:16]


def payment(case: Case, lane: int, number: int) -> PostPayment:
    """The payment of that number in a lane; its id is as long as most ids are."""
    id_ = f"payment-{lane:08d}-{number:019d}"
    if case.affinity is not None:
        return _payment(id_, *_between(case, lane, number), AMOUNT_MINOR)
    hot, other = hot_account(case, lane), _other_account(lane, number % case.others)
    source, destination = (other, hot) if case.side == "credited" else (hot, other)
    return _payment(id_, source, destination, AMOUNT_MINOR)


def hot_side(case: Case, made: PostPayment) -> str:
    """The hot account of a payment."""
    posting = made.postings[0]
    return posting.destination if case.side == "credited" else posting.source


def set_up(case: Case) -> Iterator[list[Command]]:
    """What opens the accounts of a case, and funds those that pay out: some commands at a time, all
    of which must be accepted before the next are asked for."""
    bounded = case.funds_minor is not None
    dealt = bounded and case.dealt and case.stripes > 1
    hot, stripes = hot_accounts(case), 1 if dealt else case.stripes
    yield [_opening(account, bounded=bounded, stripes=stripes) for account in hot]
    for lane in range(case.lanes):
        yield [_opening(_other_account(lane, place)) for place in range(case.others)]
    if case.funds_minor:
        yield [_opening(_BANK)]
        yield [_payment(f"fund-{account}", _BANK, account, case.funds_minor) for account in hot]
    if dealt:
        yield [
            SetStripes(v=1, id=f"spread-{account}", account=account, stripes=case.stripes)
            for account in hot
        ]


def refuse_refused(answers: Iterable[object]) -> None:
    """Raises AssertionError unless all of them say that a command was accepted."""
    for answer in answers:
        assert isinstance(answer, Decided), answer
        assert not isinstance(answer.event, CommandRejected), answer.event


def refuse_inexact(case: Case, states: list[State], accepted: dict[str, int]) -> None:
    """Raises AssertionError unless the hot accounts hold what the accepted payments moved, the sum
    over their stripes, and none is overdrawn."""
    if case.affinity is not None:
        total = sum(_balance_minor(state) for state in states if isinstance(state, AccountState))
        assert total == 0, f"{total} was made of nothing"
        return
    sign = 1 if case.side == "credited" else -1
    for account in hot_accounts(case):
        expected = (case.funds_minor or 0) + sign * AMOUNT_MINOR * accepted.get(account, 0)
        held = sum(
            _balance_minor(state)
            for state in states
            if isinstance(state, AccountState) and state.id == account
        )
        assert held == expected, f"{account} has {held}, but should have {expected}"
        assert case.funds_minor is None or held >= 0, f"{account} is overdrawn: {held}"


def _balance_minor(state: AccountState) -> int:
    return state.credits_posted_minor - state.debits_posted_minor


def _between(case: Case, lane: int, number: int) -> tuple[str, str]:
    """Two accounts of a lane's own, or of another lane: drawn, but always the same ones."""
    assert case.affinity is not None
    drawn = Random(f"{case.seed}/{lane}/{number}")  # noqa: S311 - must be repeatable
    if drawn.random() >= case.affinity:
        lane = (lane + drawn.randrange(1, max(2, case.lanes))) % case.lanes
    source, destination = drawn.sample(range(case.others), 2)
    return _other_account(lane, source), _other_account(lane, destination)


def _other_account(lane: int, place: int) -> str:
    return f"customer-{lane:04d}-{place:06d}"


def _payment(id_: str, source: str, destination: str, amount_minor: int) -> PostPayment:
    posting = Posting(
        source=source, destination=destination, amount_minor=amount_minor, currency="EUR"
    )
    return PostPayment(v=1, id=id_, postings=(posting,))


def _opening(account: str, *, bounded: bool = False, stripes: int = 1) -> OpenAccount:
    return OpenAccount(
        v=1,
        id=f"open-{account}",
        account=account,
        currency="EUR",
        account_type="liability",
        min_balance_minor=0 if bounded else None,
        stripes=stripes,
    )
