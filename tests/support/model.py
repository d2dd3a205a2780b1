"""The plainest ledger: what every reply and every total must be, in the fewest words.

Written from the rules and not from the code: one dictionary of accounts, one of decided commands,
no versions of anything to conflict, no store, no time.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from ledger.contracts.commands import Command, OpenAccount, PostPayment, SetAlerts

Verdict = Literal["accepted", "rejected", "mismatch"]

DEBIT_SIDE = ("asset", "expense")
PRECEDENCE = (
    "account_closed",
    "account_frozen",
    "currency_mismatch",
    "balance_overflow",
    "insufficient_funds",
    "balance_limit_exceeded",
)


@dataclass(frozen=True)
class Reply:
    """What a caller is told: the verdict, whether it is a repeat, and its details.

    `detail` is the versions, totals and crossed alerts of the touched accounts, the reason, or the
    fields.
    """

    verdict: Verdict
    repeat: bool
    detail: Any


@dataclass
class ModelAccount:
    """An account as the model knows it."""

    currency: str
    debit_side: bool
    lowest: int | None
    highest: int | None
    version: int = 1
    debits: int = 0
    credits: int = 0
    alerts: tuple[tuple[str, int], ...] = ()

    @property
    def balance(self) -> int:
        """On the normal side."""
        return (self.debits - self.credits) * (1 if self.debit_side else -1)


@dataclass
class Model:
    """The accounts, and every command that was decided, with its reply."""

    accounts: dict[str, ModelAccount] = field(default_factory=dict)
    decided: dict[str, tuple[dict[str, Any], Reply]] = field(default_factory=dict)

    def copy(self) -> Model:
        """A model that can be tried out."""
        return Model(deepcopy(self.accounts), dict(self.decided))

    def handle(self, command: Command, heard: Reply | None = None) -> Reply:
        """The reply to `command`, which is then decided.

        A refusal is for the first reason in precedence, or, where another worker may have moved the
        other accounts meanwhile, for that of `heard`, if it holds.
        """
        request = as_asked(command)
        if command.id in self.decided:
            before, reply = self.decided[command.id]
            differing = (
                {name for name in before.keys() | request.keys() if before[name] != request[name]}
                if before["type"] == request["type"]
                else {"type"}
            )
            if differing:
                return Reply("mismatch", False, differing)
            return Reply(reply.verdict, True, reply.detail)
        heard_reason = heard.detail if heard and heard.verdict == "rejected" else None
        if isinstance(command, OpenAccount):
            reply = self._open(command)
        elif isinstance(command, SetAlerts):
            reply = self._watch(command)
        else:
            assert isinstance(command, PostPayment)
            reply = self._pay(command, heard_reason)
        self.decided[command.id] = (request, reply)
        return reply

    def _open(self, command: OpenAccount) -> Reply:
        if command.account in self.accounts:
            return Reply("rejected", False, "account_exists")
        asked = as_asked(command)
        self.accounts[command.account] = ModelAccount(
            command.currency,
            command.account_type in DEBIT_SIDE,
            asked["min_balance_minor"],
            asked["max_balance_minor"],
        )
        return Reply("accepted", False, {command.account: (1, 0, 0, [])})

    def _watch(self, command: SetAlerts) -> Reply:
        account = self.accounts.get(command.account)
        if account is None:
            return Reply("rejected", False, "account_not_found")
        account.version += 1
        account.alerts = tuple((one.direction, one.threshold_minor) for one in command.alerts)
        return Reply(
            "accepted",
            False,
            {command.account: (account.version, account.debits, account.credits, [])},
        )

    def _pay(self, command: PostPayment, heard_reason: str | None) -> Reply:
        names = {name for p in command.postings for name in (p.source, p.destination)}
        if not names <= self.accounts.keys():
            return Reply("rejected", False, "account_not_found")
        after = {name: deepcopy(self.accounts[name]) for name in names}
        wrong = set()
        for p in command.postings:
            after[p.source].debits += p.amount_minor
            after[p.destination].credits += p.amount_minor
            if {after[p.source].currency, after[p.destination].currency} != {p.currency}:
                wrong.add("currency_mismatch")
        for name, now in after.items():
            change = now.balance - self.accounts[name].balance
            if max(now.debits, now.credits) >= 2**63:
                wrong.add("balance_overflow")
            if change < 0 and now.lowest is not None and now.balance < now.lowest:
                wrong.add("insufficient_funds")
            if change > 0 and now.highest is not None and now.balance > now.highest:
                wrong.add("balance_limit_exceeded")
            now.version += 1
        if wrong:
            first = min(wrong, key=PRECEDENCE.index)
            return Reply("rejected", False, heard_reason if heard_reason in wrong else first)
        detail = {
            name: (now.version, now.debits, now.credits, crossed(self.accounts[name], now))
            for name, now in after.items()
        }
        self.accounts.update(after)
        return Reply("accepted", False, detail)


def crossed(before: ModelAccount, after: ModelAccount) -> list[tuple[str, int]]:
    """The alerts that lie between the two balances, in the direction in which they were passed."""
    passed = {
        "below": range(after.balance + 1, before.balance + 1),
        "above": range(before.balance, after.balance),
    }
    return [(way, minor) for way, minor in before.alerts if minor in passed[way]]


def as_asked(command: Command) -> dict[str, Any]:
    """A command's fields, those left out at their default (None where they have no other)."""
    asked = {name: None for name in command.__struct_fields__ if name not in ("v", "id")} | (
        {"min_balance_minor": 0} if isinstance(command, OpenAccount) else {}
    )
    given: dict[str, Any] = msgspec.to_builtins(command)
    return asked | {name: value for name, value in given.items() if name not in ("v", "id")}
