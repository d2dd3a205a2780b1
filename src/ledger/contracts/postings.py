"""A posting: the one way in which money moves."""

from __future__ import annotations

from msgspec import Struct

from ledger.contracts.primitives import AmountMinor, CurrencyCode, Id


class Posting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One movement: debits `source` and credits `destination` by the same amount."""

    source: Id
    destination: Id
    amount_minor: AmountMinor
    currency: CurrencyCode
