"""The payments of everyday life: one step each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any, Final

from ledger.contracts.commands import Command, DeclaredRate
from ledger.contracts.rates import converted_minor
from ledger.contracts.rounding import Rounding
from simulation.load.bank import Economy
from simulation.load.desk import DAY, HOUR, Desk
from simulation.load.words import Leg, paying

#: Major units of the second currency for one of the first.
RATES: Final = {
    ("EUR", "USD"): "1.0843",
    ("EUR", "JPY"): "163.45",
    ("USD", "EUR"): "0.92226",
    ("USD", "JPY"): "150.75",
    ("JPY", "EUR"): "0.006118",
    ("JPY", "USD"): "0.0066335",
}
_ROUNDINGS: Final[tuple[Rounding, ...]] = ("half_even", "half_up", "down", "up")
_PAYROLL_MAX: Final = 20


def exchange(
    desk: Desk, source: tuple[Economy, str], target: tuple[Economy, str], minor: int
) -> tuple[tuple[Leg, Leg], tuple[DeclaredRate, ...]]:
    """What `minor` of the source's currency becomes at the target, and the rate declared for it."""
    (sold, payer), (bought, payee) = source, target
    rate = RATES[sold.currency, bought.currency]
    rounding = desk.random.choice(_ROUNDINGS)
    other = converted_minor(minor, sold.currency, bought.currency, rate, rounding)
    legs: tuple[Leg, Leg] = (
        (payer, sold.exchange, minor, sold.currency),
        (bought.exchange, payee, max(1, other), bought.currency),
    )
    declared = DeclaredRate(from_posting=0, to_posting=1, rate=rate, rounding=rounding)
    return legs, (declared,) if other else ()


def everyday(desk: Desk) -> Command:
    """Some payment, mostly of those that there are most of."""
    return desk.random.choices(_KINDS, cum_weights=_WEIGHTS)[0](desk)


def _more(desk: Desk) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if desk.chance(0.1):
        more["reference"] = f"order {desk.amount()}"
    if desk.chance(0.05):
        more["metadata"] = {"channel": desk.pick("web", "app", "branch")}
    if desk.chance(0.05):
        ago = desk.pick(5, 9 * 60, 11 * 60, 3_600) * 1_000_000
        more["effective_at"] = desk.instant(-desk.pick(ago, ago, desk.later(HOUR, 20 * DAY)))
    return more


def _card(desk: Desk) -> Command:
    economy, wallet = desk.random.choice(desk.bank.everyone)
    minor = economy.price(desk.amount())
    shop = economy.shop(desk.random)
    legs: list[Leg] = [(wallet, shop, minor, economy.currency)]
    if fee := minor * 14 // 1_000:
        legs.append((shop, desk.random.choice(economy.fees), fee, economy.currency))
    return paying(desk.id("card"), *legs, **_more(desk))


def _transfer(desk: Desk) -> Command:
    economy = desk.economy()
    if len(economy.wallets) < 2:
        economy = desk.bank.euro
    one, other = desk.random.sample(economy.wallets, 2)
    minor = economy.price(desk.amount())
    return paying(desk.id("transfer"), (one, other, minor, economy.currency), **_more(desk))


def _saving(desk: Desk) -> Command:
    economy = desk.economy()
    customer = desk.random.choice(economy.customers)
    leg = (f"{customer}:wallet", f"{customer}:savings", economy.price(5_000), economy.currency)
    return paying(desk.id("saving"), leg)


def _income(desk: Desk) -> Command:
    economy, wallet = desk.random.choice(desk.bank.everyone)
    minor = economy.price(desk.amount(100_000, 300_000))
    clearing = desk.random.choice(economy.clearing)
    return paying(desk.id("salary"), (clearing, wallet, minor, economy.currency), **_more(desk))


def _basket(desk: Desk) -> Command:
    """Several payees at once, one of whom passes a part on."""
    economy, wallet = desk.random.choice(desk.bank.everyone)
    code = economy.currency
    shops = desk.random.sample(economy.shops, min(len(economy.shops), desk.pick(2, 3)))
    legs: list[Leg] = [
        (wallet, shop, economy.price(desk.amount(100, 3_000)), code) for shop in shops
    ]
    legs.append((shops[0], desk.random.choice(economy.fees), desk.pick(1, 3, 7), code))
    return paying(desk.id("basket"), *legs, **_more(desk))


def _abroad(desk: Desk) -> Command:
    source, wallet = desk.random.choice(desk.bank.everyone)
    targets = [one for one in desk.bank.economies.values() if one is not source]
    target = desk.random.choice(targets)
    legs, rates = exchange(
        desk, (source, wallet), (target, target.shop(desk.random)), source.price(desk.amount())
    )
    more: dict[str, Any] = {"rates": rates} if rates else {}
    return paying(desk.id("abroad"), *legs, **more)


def _payroll(desk: Desk) -> Command:
    economy = desk.bank.euro
    clearing, count = desk.clearing(), min(len(economy.wallets), desk.pick(2, 5, _PAYROLL_MAX))
    payees = desk.random.sample(economy.wallets, count)
    legs: list[Leg] = [(clearing, payee, desk.amount(100_000, 300_000)) for payee in payees]
    return paying(desk.id("payroll"), *legs)


def _small(desk: Desk) -> Command:
    """Between the same two accounts, both ways: the hottest there are."""
    one, other = desk.bank.euro.wallets[:2]
    ends = (one, other) if desk.chance(0.5) else (other, one)
    return paying(desk.id("small"), (*ends, desk.pick(1, 2, 3, 5)))


_MIX: Final[dict[Callable[[Desk], Command], int]] = {
    _card: 45,
    _transfer: 14,
    _basket: 12,
    _income: 9,
    _abroad: 8,
    _saving: 5,
    _small: 5,
    _payroll: 2,
}
_KINDS: Final = tuple(_MIX)
_WEIGHTS: Final = tuple(accumulate(_MIX.values()))
