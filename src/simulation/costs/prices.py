"""The price table: a dated data file, so that a new price is no new release."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

SHIPPED: Final = Path(__file__).with_name("prices.json")


class PricesError(ValueError):
    """A file that is no price table, or lacks a price."""


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """`usd` for each `per` of what it says."""

    usd: float
    per: float
    what: str


class Prices(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices as of `date` in one Region, by the name of what is paid for."""

    date: str
    region: str
    currency: str
    note: str
    prices: dict[str, Price]

    def usd(self, name: str, amount: float) -> float:
        """What so much of it costs. Raises PricesError for what has no price."""
        price = self.prices.get(name)
        if price is None:
            raise PricesError(f"prices.{name}: missing")
        return amount * price.usd / price.per


def read_prices(path: Path = SHIPPED) -> Prices:
    """The table in a file. Raises PricesError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Prices)
    except (OSError, msgspec.DecodeError) as error:
        raise PricesError(f"{path.name}: {error}") from error
