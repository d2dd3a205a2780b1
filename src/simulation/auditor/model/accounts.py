"""Accounts: opened, watched, limited, frozen, closed; and what movements may do to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ledger.contracts.commands import Alert
from simulation.auditor.model.layers import duplicate
from simulation.auditor.model.velocity import ModelLimit

DEBIT_SIDE = ("asset", "expense")


class Leg(NamedTuple):
    """So much from one account to another."""

    source: str
    destination: str
    minor: int
    currency: str


#: The most that a stripe may have debited or credited, posted and pending.
STRIPE_TOTAL_MAX = (2**63 - 1) // 32


@dataclass
class ModelStripe:
    """A stripe of an account: its own version and totals."""

    version: int = 1
    debits: int = 0
    credits: int = 0
    held_debits: int = 0
    held_credits: int = 0


@dataclass
class ModelAccount:
    """An account as the model knows it. Of one that is or was striped its totals are the sums over
    its `parts`, of which the first `stripes` are in use; another has no parts."""

    currency: str
    debit_side: bool
    lowest: int | None
    highest: int | None
    book: str
    opened_at: str
    version: int = 1
    debits: int = 0
    credits: int = 0
    held_debits: int = 0
    held_credits: int = 0
    frozen: set[str] = field(default_factory=set)
    closed: bool = False
    lowest_of: str = "available"
    highest_of: str = "available"
    alerts: tuple[Alert, ...] = ()
    velocity: list[ModelLimit] = field(default_factory=list)
    stripes: int = 1
    parts: list[ModelStripe] = field(default_factory=list)

    @property
    def balance(self) -> int:
        """What is posted, on the normal side."""
        return (self.debits - self.credits) * (1 if self.debit_side else -1)

    @property
    def least(self) -> int:
        """The balance that the lowest one is for: with all that is held against it, or without."""
        against = self.held_credits if self.debit_side else self.held_debits
        return self.balance - (against if self.lowest_of == "available" else 0)

    @property
    def most(self) -> int:
        """The balance that the highest one is for: with all that is held for it, or without."""
        in_favour = self.held_debits if self.debit_side else self.held_credits
        return self.balance + (in_favour if self.highest_of == "available" else 0)

    def spread_over(self, stripes: int) -> None:
        """Uses so many stripes from here on; none that there was is lost."""
        if not self.parts and stripes > 1:
            own = self.version, self.debits, self.credits, self.held_debits, self.held_credits
            self.parts = [ModelStripe(*own)]
        self.stripes = stripes
        if self.parts:
            self.parts += [ModelStripe(0) for _ in range(stripes - len(self.parts))]

    def one_version_on(self, touched: Iterable[int]) -> None:
        """The next version, of these stripes if it has some."""
        if not self.parts:
            self.version += 1
        for stripe in touched if self.parts else ():
            self.parts[stripe].version += 1

    def add(self, total: str, minor: int, stripe: int) -> None:
        """Adds to a total of the account, and of that stripe."""
        setattr(self, total, getattr(self, total) + minor)
        if self.parts:
            setattr(self.parts[stripe], total, getattr(self.parts[stripe], total) + minor)

    def copy(self) -> ModelAccount:
        """The same, to be changed."""
        limits = [ModelLimit(one.rule, dict(one.spent)) for one in self.velocity]
        copy = duplicate(self)
        copy.frozen, copy.velocity = set(self.frozen), limits
        copy.parts = [duplicate(one) for one in self.parts]
        return copy

    def limit_by(self, given: Mapping[str, Any], limits: Iterable[ModelLimit] | None) -> None:
        """Takes what `account.set_limits` gave; None as limits: they stay."""
        self.lowest = given.get("min_balance_minor", self.lowest)
        self.highest = given.get("max_balance_minor", self.highest)
        self.lowest_of = given.get("min_balance_basis", self.lowest_of)
        self.highest_of = given.get("max_balance_basis", self.highest_of)
        if limits is not None:
            counted = {one.what_it_counts: one.spent for one in self.velocity}
            self.velocity = [
                ModelLimit(one.rule, dict(counted.get(one.what_it_counts, {}))) for one in limits
            ]


Accounts = dict[str, ModelAccount]
Touched = Mapping[str, Sequence[int]]
"""Of each account the stripes that get a new version: first that on which money moves."""


def named_in(legs: Iterable[Leg]) -> list[str]:
    """The accounts of legs, each once, in order."""
    return list(dict.fromkeys(name for leg in legs for name in (leg.source, leg.destination)))


class Moves(NamedTuple):
    """What a payment event does: posts these, holds these, lets go of those; does it count?"""

    posted: list[Leg]
    held: list[Leg]
    let_go: list[Leg]
    counts: bool = False

    @property
    def names(self) -> list[str]:
        """The accounts that get a new version."""
        return named_in([*self.posted, *self.held, *self.let_go])


def refusals(accounts: Accounts, after: Accounts, moves: Moves, at: str) -> set[str]:
    """All that these accounts have against the moves, which would make them those `after`."""
    wrong: set[str] = set()
    for leg in (*moves.posted, *moves.held):
        for name, side in ((leg.source, "debits"), (leg.destination, "credits")):
            account = accounts[name]
            wrong |= {"account_closed"} if account.closed else set()
            wrong |= {"account_frozen"} if side in account.frozen else set()
            wrong |= {"currency_mismatch"} if account.currency != leg.currency else set()
    for name, now in after.items():
        wrong |= _worse(accounts[name], now)
        if any(limit.refuses(spent, at) for limit, spent in _counted(accounts[name], moves, name)):
            wrong.add("velocity_limit_exceeded")
    return wrong


def _worse(before: ModelAccount, now: ModelAccount) -> set[str]:
    """What of an account may not become of it."""
    wrong = set()
    totals = [(one.debits + one.held_debits, one.credits + one.held_credits) for one in now.parts]
    if any(max(one) > STRIPE_TOTAL_MAX for one in totals):
        wrong.add("balance_overflow")
    if max(now.debits + now.held_debits, now.credits + now.held_credits) >= 2**63:
        wrong.add("balance_overflow")
    if now.lowest is not None and now.least < min(now.lowest, before.least):
        wrong.add("insufficient_funds")
    if now.highest is not None and now.most > max(now.highest, before.most):
        wrong.add("balance_limit_exceeded")
    return wrong


def moved(accounts: Accounts, moves: Moves, at: str, touched: Touched) -> Accounts:
    """The accounts touched, as they are after the moves."""
    after = {name: accounts[name].copy() for name in moves.names}
    for legs, sign, held in (
        (moves.posted, 1, ""),
        (moves.held, 1, "held_"),
        (moves.let_go, -1, "held_"),
    ):
        for leg in legs:
            for name, side in ((leg.source, "debits"), (leg.destination, "credits")):
                after[name].add(held + side, sign * leg.minor, touched[name][0])
    for name, account in after.items():
        account.one_version_on(touched[name])
        for limit, spent in _counted(account, moves, name):
            limit.spend(spent, at)
    return after


def crossed(before: ModelAccount, after: ModelAccount) -> list[Alert]:
    """The alerts that lie between the two balances, in the direction in which they were passed."""
    passed = {
        "below": range(after.balance + 1, before.balance + 1),
        "above": range(before.balance, after.balance),
    }
    return [one for one in before.alerts if one.threshold_minor in passed[one.direction]]


def _counted(account: ModelAccount, moves: Moves, name: str) -> list[tuple[ModelLimit, int]]:
    """The limits that the moves count for, and how much: debits and credits are not set off.

    What was held was counted when it was, so of a capture only what it takes beyond that counts.
    """
    if not moves.counts:
        return []
    gross = {"debits": 0, "credits": 0}
    for legs, sign in ((moves.posted, 1), (moves.held, 1), (moves.let_go, -1)):
        for leg in legs:
            gross["debits"] += sign * leg.minor * (leg.source == name)
            gross["credits"] += sign * leg.minor * (leg.destination == name)
    amounts = [(limit, gross[limit.rule.direction]) for limit in account.velocity]
    return [(limit, spent) for limit, spent in amounts if spent > 0]
