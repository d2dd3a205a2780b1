"""The accounts of a made-up economy: customers and merchants, employers, utilities, and a bank.

Everything here follows from a currency's and an account's number alone: whatever the seed and the
count, an account is opened by the same command, so that sources loaded one after another share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from ledger.contracts.commands import OpenAccount
from ledger.contracts.primitives import AccountType

OPENED_AT: Final = "2025-01-01T00:00:00.000000Z"

#: Currencies, how many of ten customers use them, and the size of a price beside one in euro cents
#: (in tenths): yen have no cents, and a hundred of them are some 60 cents.
_CURRENCIES: Final = {"EUR": (6, 10), "USD": (3, 11), "JPY": (1, 16)}
_PAYMENTS_PER_CUSTOMER: Final = 40  # about a month of one person's
_MERCHANTS_PER_TRADE: Final = 4
#: What a usual purchase costs, in euro cents.
_TRADES: Final = {
    "groceries": 3_200,
    "coffee": 420,
    "restaurants": 2_700,
    "transport": 290,
    "clothes": 6_500,
    "electronics": 19_900,
}
GIFT_CARD_MAX: Final = 15_000  # in euro cents
RENT_USUAL: Final = 82_000
SALARY_USUAL: Final = 260_000
ACCOUNT_FEE: Final = 490


@dataclass(frozen=True, slots=True)
class Customer:
    """A person with a wallet, savings, an employer and a landlord."""

    number: int

    @property
    def wallet(self) -> str:
        """The account that pays and is paid."""
        return f"customers:{self.number:04d}:wallet"

    @property
    def savings(self) -> str:
        """The account that money is put aside on."""
        return f"customers:{self.number:04d}:savings"


@dataclass(frozen=True, slots=True)
class Merchant:
    """A shop, with what a usual purchase costs there in minor units."""

    account: str
    usual_minor: int


@dataclass(frozen=True, slots=True)
class Economy:
    """All who pay each other in one currency. `weights` are the merchants', accumulated."""

    currency: str
    customers: tuple[Customer, ...]
    merchants: tuple[Merchant, ...]
    weights: tuple[int, ...]
    price_tenths: int

    @property
    def clearing(self) -> str:
        """The bank's account with all other banks, where money comes from and goes to."""
        return f"bank:{self.currency}:clearing"

    @property
    def cash(self) -> str:
        """The notes in the bank's machines."""
        return f"bank:{self.currency}:cash"

    @property
    def fees(self) -> str:
        """What the bank earns."""
        return f"bank:{self.currency}:fees"

    @property
    def gift_card(self) -> str:
        """An account with a highest balance."""
        return f"gift-cards:{self.currency}:0001"

    def employer_of(self, customer: Customer) -> str:
        """Who pays the customer's salary."""
        return f"employers:{self.currency}:{customer.number % 5 + 1}"

    def landlord_of(self, customer: Customer) -> str:
        """Whom the customer's standing order pays."""
        return f"landlords:{self.currency}:{customer.number % 3 + 1}"

    def price(self, euro_cents: int) -> int:
        """A price in minor units of the economy's currency; at least 1."""
        return max(1, euro_cents * self.price_tenths // 10)

    def openings(self) -> Iterator[OpenAccount]:
        """Customers may not overdraw; shops (that refund), payers and the bank are unbounded."""
        for customer in self.customers:
            yield self._opening(customer.wallet, "liability")
            yield self._opening(customer.savings, "liability")
        for merchant in self.merchants:
            yield self._opening(merchant.account, "liability", unbounded=True)
        for payer in dict.fromkeys(map(self.employer_of, self.customers)):
            yield self._opening(payer, "liability", unbounded=True)
        for payee in dict.fromkeys(map(self.landlord_of, self.customers)):
            yield self._opening(payee, "liability", unbounded=True)
        yield self._opening(
            self.gift_card, "liability", max_balance_minor=self.price(GIFT_CARD_MAX)
        )
        yield self._opening(self.cash, "asset", unbounded=True)
        yield self._opening(self.clearing, "asset", unbounded=True)
        yield self._opening(self.fees, "income", unbounded=True)

    def _opening(
        self,
        account: str,
        account_type: AccountType,
        *,
        unbounded: bool = False,
        max_balance_minor: int | None = None,
    ) -> OpenAccount:
        return OpenAccount(
            v=1,
            id=f"open:{account}",
            account=account,
            currency=self.currency,
            account_type=account_type,
            min_balance_minor=None if unbounded else 0,
            max_balance_minor=max_balance_minor,
            effective_at=OPENED_AT,
        )


def economies(payments: int) -> tuple[Economy, ...]:
    """Economies with about one customer for every 40 of `payments`, two at least."""
    total = max(2, payments // _PAYMENTS_PER_CUSTOMER)
    currencies = [currency for currency, (of_ten, _) in _CURRENCIES.items() for _ in range(of_ten)]
    by_currency: dict[str, list[Customer]] = {currency: [] for currency in _CURRENCIES}
    for number in range(1, total + 1):
        # 7 and 10 share no factor: the currencies of neighbours differ.
        by_currency[currencies[number * 7 % len(currencies)]].append(Customer(number))
    return tuple(
        _economy(currency, tuple(customers))
        for currency, customers in by_currency.items()
        if customers
    )


def _economy(currency: str, customers: tuple[Customer, ...]) -> Economy:
    price_tenths = _CURRENCIES[currency][1]
    merchants = tuple(
        Merchant(f"merchants:{currency}:{trade}-{number}", max(1, usual * price_tenths // 10))
        for number in range(1, _MERCHANTS_PER_TRADE + 1)
        for trade, usual in _TRADES.items()
    )
    # Zipf's law: the n-th shop has 1/n of the first one's customers. So a few accounts are hot.
    shares = (10_000 // rank for rank in range(1, len(merchants) + 1))
    return Economy(currency, customers, merchants, tuple(accumulate(shares)), price_tenths)
