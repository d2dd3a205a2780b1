"""What the model knows: a dictionary for each kind of subject, and one of decided commands."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from ledger.contracts.commands import Alert, DefineTemplate
from ledger.contracts.primitives import MAIN_BOOK
from simulation.auditor.model.accounts import (
    Accounts,
    ModelAccount,
    ModelStripe,
    Touched,
    crossed,
    named_in,
)
from simulation.auditor.model.books import ModelBook
from simulation.auditor.model.layers import Layer, duplicate, glance
from simulation.auditor.model.payments import ModelPayment
from simulation.auditor.model.replies import Refusal, Reply

Detail = dict[tuple[str, str], Any]
"""What became of each subject, by kind and id."""
Told = Mapping[str, Touched]
"""By command which stripes it touches, as far as there is a choice: any stripe that is in use may
be used for what is new."""


@dataclass
class Known:
    """All there is, and every command that was decided, with its reply."""

    accounts: MutableMapping[str, ModelAccount] = field(default_factory=dict)
    payments: MutableMapping[str, ModelPayment] = field(default_factory=dict)
    books: MutableMapping[str, ModelBook] = field(default_factory=lambda: {MAIN_BOOK: ModelBook()})
    templates: MutableMapping[str, list[DefineTemplate]] = field(default_factory=dict)
    metadata: MutableMapping[str, int] = field(default_factory=dict)
    decided: MutableMapping[str, tuple[dict[str, Any], Reply]] = field(default_factory=dict)
    told: Told = field(default_factory=dict)
    here: Touched = field(default_factory=dict)
    """What was told of the command that is being decided."""

    def copy(self) -> Known:
        """The same, to be tried out: for as long as this one does not change."""
        return Known(
            Layer(self.accounts, ModelAccount.copy),
            Layer(self.payments, ModelPayment.copy),
            Layer(self.books, duplicate),
            Layer(self.templates, list),
            Layer(self.metadata, int),
            Layer(self.decided, lambda one: one),
        )

    def keep(self) -> None:
        """What was tried out in this copy is so, for what it is a copy of."""
        for layer in (
            self.accounts,
            self.payments,
            self.books,
            self.templates,
            self.metadata,
            self.decided,
        ):
            assert isinstance(layer, Layer)
            layer.keep()

    def due(self, at: str, account: str | None = None) -> list[str]:
        """The open holds that are past their expiry, of an account or of all."""
        return [
            name
            for name, one in glance(self.payments)
            if one.open and one.expires_at <= at
            if account is None or account in named_in(one.legs)
        ]

    def living(self, name: str) -> ModelAccount:
        """An account that can still be changed. Raises Refusal."""
        if name not in self.accounts:
            raise Refusal("account_not_found")
        account = self.accounts[name]
        if account.closed:
            raise Refusal("account_closed")
        return account

    def payment(self, name: str) -> ModelPayment:
        """A payment. Raises Refusal if there is none."""
        if name not in self.payments:
            raise Refusal("payment_unknown")
        return self.payments[name]

    def touched(self, name: str, stripe: int | None) -> list[int]:
        """The stripes of an account that a movement touches: first that on which it is, `stripe` or
        the one that was told, and then those that were told to make room for it."""
        account = self.accounts[name]
        told = [one for one in self.here.get(name, ()) if one < len(account.parts)]
        if stripe is None:
            stripe = told[0] if told and told[0] < account.stripes else 0
        return [stripe, *(one for one in told if one != stripe)]

    def said_of_accounts(self, before: Accounts, touched: Touched) -> Detail:
        """What an event says of accounts that were different before it."""
        said: Detail = {}
        for name, stripes in touched.items():
            account = self.accounts[name]
            if not account.parts:
                passed = crossed(before[name], account) if name in before else []
                said["account", name] = _totals(account, passed)
            for stripe in stripes if account.parts else ():
                key = ("stripe", f"{name}/{stripe}") if stripe else ("account", name)
                said[key] = _totals(account.parts[stripe], [])
        return said

    def said_of_payment(self, name: str) -> Detail:
        """What an event says of a payment."""
        return {("payment", name): self.payments[name].facts}


def _totals(one: ModelAccount | ModelStripe, passed: list[Alert]) -> dict[str, Any]:
    names = ("version", "debits", "credits", "held_debits", "held_credits")
    return {name: getattr(one, name) for name in names} | {"crossed": passed}
