"""Groups of commands, and what is answered to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ledger.application.commit import Decided
from ledger.application.group_commit import Answer, Asked, GroupCommit
from ledger.contracts.commands import Command, OpenAccount, PostPayment
from tests.support.builders import ACTOR, opening, paying


def asked(*commands: Command, **said: Any) -> list[Asked]:
    """A group of commands of one actor."""
    return [Asked(command, ACTOR, **said) for command in commands]


def always() -> bool:
    """There is time."""
    return True


def handled(group: GroupCommit, *commands: Command) -> list[Answer]:
    """The answers to a group of commands that has time."""
    return group.handle(asked(*commands), always)


def decided_together(group: GroupCommit, *commands: Command) -> list[Decided]:
    """The outcomes of commands that must all reach a decision."""
    outcomes = []
    for answer in handled(group, *commands):
        assert isinstance(answer, Decided), answer
        outcomes.append(answer)
    return outcomes


def payments_between(payers: int, payees: int, count: int) -> list[PostPayment]:
    """`count` payments of 1, from and to so many accounts in turn."""
    return [
        paying(f"p{place}", (f"from{place % payers}", f"to{place % payees}", 1))
        for place in range(count)
    ]


def openings_for(payers: int, payees: int) -> list[OpenAccount]:
    """What opens the accounts of `payments_between`."""
    return [
        *(opening(f"from{place}", min_balance_minor=None) for place in range(payers)),
        *(opening(f"to{place}") for place in range(payees)),
    ]


def told(answers: Sequence[Answer]) -> list[Any]:
    """What answers say, but for the effort that they took."""
    return [_told(answer) for answer in answers]


def _told(answer: Answer) -> Any:
    if isinstance(answer, Decided):
        return (answer.event, answer.repeat, answer.members)
    if isinstance(answer, Exception):
        return (type(answer), str(answer))
    return answer


def times(count: int) -> Callable[[], bool]:
    """There is time, when asked so often."""
    left = iter([True] * count)
    return lambda: next(left, False)
