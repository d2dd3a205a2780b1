"""The payments of everyday life, drawn from a seeded source of chance.

Sizes are products of whole numbers: skewed to the right as prices are, and the same to the last
unit on every machine, which logarithms in floating point would not promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final

from ledger.contracts.commands import Posting
from ledger.contracts.primitives import canonical_instant
from ledger.importers.generated.world import (
    ACCOUNT_FEE,
    RENT_USUAL,
    SALARY_USUAL,
    Customer,
    Economy,
)

_START: Final = datetime(2025, 1, 1, tzinfo=UTC)
_DAYS: Final = 30
_CARD_FEE_PER_MILLE: Final = 14


@dataclass(frozen=True, slots=True)
class Draft:
    """A payment without an id. The customer whose it is gives the ordering key."""

    customer: Customer
    economy: Economy
    postings: tuple[Posting, ...]
    at: datetime
    reference: str

    @property
    def effective_at(self) -> str:
        """When it takes effect, in the stored form."""
        return canonical_instant(self.at.isoformat())


def draw(chance: Random, economies: tuple[Economy, ...], count: int) -> list[Draft]:
    """`count` payments of a month, in the order of their times."""
    everyone = [(economy, customer) for economy in economies for customer in economy.customers]
    drafts: list[Draft] = []
    purchases: list[Draft] = []
    for _ in range(count):
        economy, customer = chance.choice(everyone)
        make = chance.choices(_MAKERS, cum_weights=_MAKER_WEIGHTS)[0]
        if make is _refund and purchases:
            drafts.append(_refund_of(chance, purchases.pop(chance.randrange(len(purchases)))))
            continue
        draft = make(chance, economy, customer)
        if make is _card:
            purchases.append(draft)
        drafts.append(draft)
    return sorted(drafts, key=lambda draft: draft.at)


def opening_deposit(draft_debits_minor: int, customer: Customer, economy: Economy) -> Draft:
    """What the customer brings along: at least all that they will ever pay.

    That is what lets the other payments take any way into the ledger, in any order, without one of
    them being refused that would not have been in another order.
    """
    step_minor = economy.price(10_000)
    amount_minor = (draft_debits_minor // step_minor + 1) * step_minor
    return Draft(
        customer,
        economy,
        (_posting(economy, economy.clearing, customer.wallet, amount_minor),),
        _START,
        "opening deposit",
    )


def _size(chance: Random, usual_minor: int) -> int:
    return max(1, usual_minor * chance.randint(25, 175) * chance.randint(25, 175) // 10_000)


def _posting(economy: Economy, source: str, destination: str, amount_minor: int) -> Posting:
    return Posting(
        source=source,
        destination=destination,
        amount_minor=amount_minor,
        currency=economy.currency,
    )


def _any_time(chance: Random, *, day: int | None = None) -> datetime:
    when = chance.randrange(_DAYS) if day is None else day
    return _START + timedelta(
        days=when, hours=chance.randint(7, 22), seconds=chance.randrange(3_600)
    )


def _card(chance: Random, economy: Economy, customer: Customer) -> Draft:
    merchant = chance.choices(economy.merchants, cum_weights=economy.weights)[0]
    amount_minor = _size(chance, merchant.usual_minor)
    postings = [_posting(economy, customer.wallet, merchant.account, amount_minor)]
    if fee_minor := amount_minor * _CARD_FEE_PER_MILLE // 1_000:
        postings.append(_posting(economy, merchant.account, economy.fees, fee_minor))
    return Draft(customer, economy, tuple(postings), _any_time(chance), "card purchase")


def _refund(chance: Random, economy: Economy, customer: Customer) -> Draft:
    """Nothing was bought yet that could be given back: a purchase instead."""
    return _card(chance, economy, customer)


def _refund_of(chance: Random, purchase: Draft) -> Draft:
    bought = purchase.postings[0]
    parts = chance.choice((1, 1, 2))  # all of it twice as often as half
    amount_minor = max(1, bought.amount_minor // parts)
    return Draft(
        purchase.customer,
        purchase.economy,
        (_posting(purchase.economy, bought.destination, bought.source, amount_minor),),
        purchase.at + timedelta(days=chance.randint(1, 5)),
        "card refund",
    )


def _salary(chance: Random, economy: Economy, customer: Customer) -> Draft:
    amount_minor = economy.price(SALARY_USUAL) * (75 + customer.number * 37 % 90) // 100
    postings = (_posting(economy, economy.employer_of(customer), customer.wallet, amount_minor),)
    return Draft(customer, economy, postings, _any_time(chance, day=25), "salary 2025-01")


def _rent(chance: Random, economy: Economy, customer: Customer) -> Draft:
    amount_minor = economy.price(RENT_USUAL) * (70 + customer.number * 53 % 80) // 100
    postings = (_posting(economy, customer.wallet, economy.landlord_of(customer), amount_minor),)
    return Draft(customer, economy, postings, _any_time(chance, day=2), "standing order rent")


def _saving(chance: Random, economy: Economy, customer: Customer) -> Draft:
    amount_minor = economy.price(5_000 * chance.randint(1, 4))
    postings = (_posting(economy, customer.wallet, customer.savings, amount_minor),)
    return Draft(customer, economy, postings, _any_time(chance, day=3), "standing order savings")


def _fee(chance: Random, economy: Economy, customer: Customer) -> Draft:
    postings = (_posting(economy, customer.wallet, economy.fees, economy.price(ACCOUNT_FEE)),)
    return Draft(customer, economy, postings, _any_time(chance, day=29), "account fee 2025-01")


def _cash(chance: Random, economy: Economy, customer: Customer) -> Draft:
    amount_minor = economy.price(2_000 * chance.randint(1, 10))
    postings = (_posting(economy, customer.wallet, economy.cash, amount_minor),)
    return Draft(customer, economy, postings, _any_time(chance), "cash withdrawal")


def _transfer(chance: Random, economy: Economy, customer: Customer) -> Draft:
    others = [other for other in economy.customers if other != customer]
    if not others:
        return _cash(chance, economy, customer)
    amount_minor = _size(chance, economy.price(4_000))
    postings = (_posting(economy, customer.wallet, chance.choice(others).wallet, amount_minor),)
    return Draft(customer, economy, postings, _any_time(chance), "transfer")


#: How many of a hundred payments are of each kind.
_MIX: Final[dict[Callable[[Random, Economy, Customer], Draft], int]] = {
    _card: 60,
    _transfer: 9,
    _refund: 6,
    _cash: 6,
    _salary: 6,
    _rent: 5,
    _saving: 4,
    _fee: 4,
}
_MAKERS: Final = tuple(_MIX)
_MAKER_WEIGHTS: Final = tuple(accumulate(_MIX.values()))
