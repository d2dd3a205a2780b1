"""The accounts of a made-up bank: customers and shops in a few currencies, and the bank's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Any, Final

from ledger.contracts.commands import OpenAccount
from ledger.contracts.primitives import AccountType
from simulation.load.words import opening

_CUSTOMERS_MIN: Final = 4
_CUSTOMERS_MAX: Final = 40
_COMMANDS_PER_CUSTOMER: Final = 50
#: How many of ten customers have each currency, and what a euro cent is in its minor unit, in
#: tenths: yen have no smaller unit, dinars a thousand.
CURRENCIES: Final = {"EUR": (7, 10), "USD": (2, 11), "JPY": (1, 16)}
#: What a customer brings along, in euro cents: more than everyday life can take from it.
DEPOSIT: Final = 5_000_000
#: What most is paid to in a currency, and its fees, are spread over so many stripes.
_STRIPES_OF_SHOP: Final = 8
_STRIPES_OF_FEES: Final = 3
_SHOPS: Final = ("groceries", "coffee", "books", "transport", "clothes", "electronics")


class Economy:
    """All who pay each other in one currency."""

    def __init__(self, currency: str, customers: tuple[str, ...], tenths: int) -> None:
        self.currency = currency
        self.customers = customers
        """`customers:0001`, in which a wallet and savings lie."""
        self.wallets = tuple(f"{customer}:wallet" for customer in customers)
        # Several of the bank's own where most is paid: all money comes in and leaves by them.
        several = (1, 2, 3) if currency == "EUR" else (1,)
        self.clearing = tuple(f"bank:{currency}:clearing-{number}" for number in several)
        self.fees = tuple(f"bank:{currency}:fees-{number}" for number in several)
        self.shops = tuple(f"shops:{currency}:{trade}" for trade in _SHOPS[: 2 * len(several)])
        # Zipf's law: the n-th shop has 1/n of the first one's customers. So a few accounts are hot.
        self.weights = tuple(accumulate(60 // rank for rank in range(1, len(self.shops) + 1)))
        self.exchange = f"bank:{currency}:exchange"
        self.striped = {self.shops[0]: _STRIPES_OF_SHOP, self.fees[0]: _STRIPES_OF_FEES}
        self._tenths = tenths

    def price(self, euro_cents: int) -> int:
        """A price in minor units; at least 1."""
        return max(1, euro_cents * self._tenths // 10)

    def shop(self, random: Random) -> str:
        """A shop, a few of them often."""
        return random.choices(self.shops, cum_weights=self.weights)[0]

    def openings(self, effective_at: str) -> Iterator[OpenAccount]:
        """Customers may not overdraw; shops (that refund) and the bank are unbounded."""
        given: dict[str, Any] = {"effective_at": effective_at}
        free: dict[str, Any] = given | {"min_balance_minor": None}
        kinds: tuple[tuple[tuple[str, ...], AccountType], ...] = (
            (self.clearing, "asset"),
            (self.fees, "income"),
            ((self.exchange,), "asset"),
            (self.shops, "liability"),
        )
        for accounts, kind in kinds:
            for account in accounts:
                more = {"stripes": self.striped[account]} if account in self.striped else {}
                yield opening(account, self.currency, kind, **free, **more)
        for customer in self.customers:
            yield opening(f"{customer}:wallet", self.currency, **given)
            yield opening(f"{customer}:savings", self.currency, **given)


class Bank:
    """Its economies, of a size for so many commands."""

    def __init__(self, commands: int) -> None:
        count = min(max(_CUSTOMERS_MIN, commands // _COMMANDS_PER_CUSTOMER), _CUSTOMERS_MAX)
        currencies = [code for code, (of_ten, _) in CURRENCIES.items() for _ in range(of_ten)]
        named: dict[str, list[str]] = {code: [] for code in CURRENCIES}
        for number in range(1, count + 1):
            # 7 and 10 share no factor: the currencies of neighbours differ.
            named[currencies[number * 7 % len(currencies)]].append(f"customers:{number:04d}")
        self.economies = {
            code: Economy(code, tuple(customers), CURRENCIES[code][1])
            for code, customers in named.items()
        }

    @cached_property
    def euro(self) -> Economy:
        """The largest economy."""
        return self.economies["EUR"]

    @cached_property
    def striped(self) -> tuple[str, ...]:
        """The accounts that are spread over stripes from the beginning."""
        return tuple(account for one in self.economies.values() for account in one.striped)

    @cached_property
    def everyone(self) -> tuple[tuple[Economy, str], ...]:
        """Every customer's wallet, and the economy it is in."""
        return tuple((one, wallet) for one in self.economies.values() for wallet in one.wallets)
