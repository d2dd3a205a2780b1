"""What the accounts under a path come to: sums of their balances, and the accounts in pages.

Each account's figures are as they are projected when they are read, one after the other: the sums
are of no single moment, and on a busy ledger a payment may be in one account's and not yet in
another's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from msgspec import Struct

from ledger.contracts.primitives import AccountType, available_minor, balance_minor
from projections.balances.apply import Account, Metadata, Totals
from projections.balances.store import BalancesStore

#: Accounts whose balances one answer sums: 100 batched reads, some 2 s of a function's 20, and
#: 10,000 read units of the 12,000 a second that a new table has.
ACCOUNTS_SUMMED_MAX: Final = 10_000
_IDS_A_REQUEST: Final = 1_000  # of the index of paths: some 150 KB of its keys
_ACCOUNTS_A_REQUEST: Final = 100


class Sum(Struct, frozen=True, kw_only=True):
    """What the accounts of one currency and type come to, in minor units."""

    currency: str
    account_type: AccountType
    accounts: int
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int

    @property
    def balance_minor(self) -> int:
        """The sum of their posted balances, on their normal side."""
        return balance_minor(self.account_type, self.debits_posted_minor, self.credits_posted_minor)

    @property
    def available_minor(self) -> int:
        """The sum of what is available in each."""
        return available_minor(
            self.account_type,
            debits_posted_minor=self.debits_posted_minor,
            credits_posted_minor=self.credits_posted_minor,
            debits_pending_minor=self.debits_pending_minor,
            credits_pending_minor=self.credits_pending_minor,
        )


class RollUp(Struct, frozen=True):
    """Sums by currency and type, and the id of the last account in them if more lie behind."""

    sums: tuple[Sum, ...]
    more_above: str | None

    @property
    def accounts(self) -> int:
        """How many accounts were summed."""
        return sum(one.accounts for one in self.sums)


class Page(Struct, frozen=True):
    """Accounts in the order of their ids, with their metadata if they have any; the id behind
    which more lie, if there are more."""

    accounts: tuple[Account, ...]
    metadata: dict[str, Metadata]
    more_above: str | None


def roll_up(
    store: BalancesStore, path: str, above: str = "", *, at_most: int = ACCOUNTS_SUMMED_MAX
) -> RollUp:
    """The sums of up to `at_most` accounts at or under `path`, those above the id `above`.

    Raises StoreError.
    """
    ids = _ids(store, path, above)
    tallies: dict[tuple[str, AccountType], _Tally] = {}
    last = above
    left = at_most
    while chunk := list(islice(ids, min(left, _ACCOUNTS_A_REQUEST))):
        for account in store.some(chunk).values():
            totals = account.whole
            key = totals.currency, totals.account_type
            tallies.setdefault(key, _Tally()).add(totals)
        last, left = chunk[-1], left - len(chunk)
    more = next(ids, None) is not None
    sums = tuple(tally.sum_of(*key) for key, tally in sorted(tallies.items()))
    return RollUp(sums, more_above=last if more else None)


def page_under(store: BalancesStore, path: str, above: str = "", *, limit: int) -> Page:
    """Up to `limit` accounts at or under `path`, those above the id `above`. Raises StoreError."""
    ids = list(islice(_ids(store, path, above, a_request=limit + 1), limit + 1))
    shown = ids[:limit]
    found = store.some(shown)
    return Page(
        accounts=tuple(found[name] for name in shown if name in found),
        metadata=dict(store.metadata(list(found))),
        more_above=shown[-1] if len(ids) > limit else None,
    )


def _ids(
    store: BalancesStore, path: str, above: str, *, a_request: int = _IDS_A_REQUEST
) -> Iterator[str]:
    """The path itself, which may be no account, then the accounts under it; those above `above`."""
    if above < path:
        yield path
    above = max(above, path)
    while True:  # ends: each turn goes on behind the one before
        ids = store.under(path, above, a_request)
        yield from ids
        if len(ids) < a_request:
            return
        above = ids[-1]


@dataclass(slots=True)
class _Tally:
    """Running sums."""

    accounts: int = 0
    debits_posted_minor: int = 0
    credits_posted_minor: int = 0
    debits_pending_minor: int = 0
    credits_pending_minor: int = 0

    def add(self, totals: Totals) -> None:
        self.accounts += 1
        self.debits_posted_minor += totals.debits_posted_minor
        self.credits_posted_minor += totals.credits_posted_minor
        self.debits_pending_minor += totals.debits_pending_minor
        self.credits_pending_minor += totals.credits_pending_minor

    def sum_of(self, currency: str, account_type: AccountType) -> Sum:
        return Sum(
            currency=currency,
            account_type=account_type,
            accounts=self.accounts,
            debits_posted_minor=self.debits_posted_minor,
            credits_posted_minor=self.credits_posted_minor,
            debits_pending_minor=self.debits_pending_minor,
            credits_pending_minor=self.credits_pending_minor,
        )
