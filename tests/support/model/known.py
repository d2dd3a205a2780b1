"""What the model knows: a dictionary for each kind of subject, and one of decided commands."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ledger.contracts.commands import DefineTemplate
from ledger.contracts.primitives import MAIN_BOOK
from tests.support.model.accounts import Accounts, ModelAccount, crossed, named_in
from tests.support.model.books import Books, ModelBook
from tests.support.model.payments import ModelPayment
from tests.support.model.replies import Refusal, Reply

Detail = dict[tuple[str, str], Any]
"""What became of each subject, by kind and id."""


@dataclass
class Known:
    """All there is, and every command that was decided, with its reply."""

    accounts: Accounts = field(default_factory=dict)
    payments: dict[str, ModelPayment] = field(default_factory=dict)
    books: Books = field(default_factory=lambda: {MAIN_BOOK: ModelBook()})
    templates: dict[str, list[DefineTemplate]] = field(default_factory=dict)
    metadata: dict[tuple[str, str], int] = field(default_factory=dict)
    decided: dict[str, tuple[dict[str, Any], Reply]] = field(default_factory=dict)

    def take(self, other: Known) -> None:
        """Becomes what the other is."""
        self.__dict__.update(other.__dict__)

    def copy(self) -> Known:
        """The same, to be tried out."""
        return Known(
            {name: one.copy() for name, one in self.accounts.items()},
            {name: one.copy() for name, one in self.payments.items()},
            deepcopy(self.books),
            {name: list(versions) for name, versions in self.templates.items()},
            dict(self.metadata),
            dict(self.decided),
        )

    def due(self, at: str, account: str | None = None) -> list[str]:
        """The open holds that are past their expiry, of an account or of all."""
        return [
            name
            for name, one in self.payments.items()
            if one.open and one.expires_at <= at
            if account is None or account in named_in(one.legs)
        ]

    def living(self, name: str) -> ModelAccount:
        """An account that can still be changed. Raises Refusal."""
        if name not in self.accounts:
            raise Refusal("account_not_found")
        if self.accounts[name].closed:
            raise Refusal("account_closed")
        return self.accounts[name]

    def payment(self, name: str) -> ModelPayment:
        """A payment. Raises Refusal if there is none."""
        if name not in self.payments:
            raise Refusal("payment_unknown")
        return self.payments[name]

    def said_of_accounts(self, before: Accounts, names: list[str]) -> Detail:
        """What an event says of accounts that were different before it."""
        return {
            ("account", name): self.accounts[name].totals
            | {"crossed": crossed(before[name], self.accounts[name]) if name in before else []}
            for name in names
        }

    def said_of_payment(self, name: str) -> Detail:
        """What an event says of a payment."""
        return {("payment", name): self.payments[name].facts}
