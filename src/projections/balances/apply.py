"""What a batch of events makes of the balances: at most two writes per account, whatever its size.

Pure. Every event carries the totals of each account it touched, so the latest version alone
counts; what an account is (its profile) changes by other events than its totals do, and has a
version of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    Event,
    currency_of,
)
from ledger.contracts.primitives import AccountType, available_minor, balance_minor

Status = Literal["open"]


class Totals(Struct, frozen=True, kw_only=True):
    """An account's totals after the event that made `version`. Field names are stored."""

    account: str
    version: int
    account_type: AccountType
    currency: str
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    event: str
    recorded_at: str
    effective_at: str

    @property
    def balance_minor(self) -> int:
        """The posted balance on the account's normal side."""
        return balance_minor(self.account_type, self.debits_posted_minor, self.credits_posted_minor)

    @property
    def available_minor(self) -> int:
        """The balance if everything pending that lowers it settled, and nothing that raises it."""
        return available_minor(
            self.account_type,
            debits_posted_minor=self.debits_posted_minor,
            credits_posted_minor=self.credits_posted_minor,
            debits_pending_minor=self.debits_pending_minor,
            credits_pending_minor=self.credits_pending_minor,
        )


class Profile(Struct, frozen=True, kw_only=True):
    """What an account is, since the event that made `profile_version`. Field names are stored.

    Always written as a whole: an event that changes any of it must carry all of it. Limits are on
    the normal side, None for none.
    """

    account: str
    profile_version: int
    account_type: AccountType
    currency: str
    status: Status
    min_balance_minor: int | None
    max_balance_minor: int | None
    opened_at: str


class Account(Struct, frozen=True):
    """An account as projected: its totals, and its profile once its opening has arrived."""

    totals: Totals
    profile: Profile | None


class Writes(Struct, frozen=True):
    """The writes that a batch comes to, by account."""

    totals: dict[str, Totals] = {}
    profiles: dict[str, Profile] = {}


def coalesce(events: Iterable[Event]) -> Writes:
    """The newest totals and the newest profile of every account that the events touch."""
    writes = Writes()
    for event in events:
        for totals in totals_of(event):
            known = writes.totals.get(totals.account)
            if known is None or known.version < totals.version:
                writes.totals[totals.account] = totals
        profile = profile_of(event)
        if profile is not None:
            existing = writes.profiles.get(profile.account)
            if existing is None or existing.profile_version < profile.profile_version:
                writes.profiles[profile.account] = profile
    return writes


def totals_of(event: Event) -> Iterator[Totals]:
    """The totals that an event left behind, of each account that it touched."""
    if isinstance(event, AccountEvent):
        for entry in event.accounts:
            yield _totals(event, entry)


def profile_of(event: Event) -> Profile | None:
    """The profile that an event left behind, if it changed one."""
    if not isinstance(event, AccountOpened):
        return None
    return Profile(
        account=event.account,
        profile_version=event.accounts[0].version,
        account_type=event.account_type,
        currency=event.currency,
        status="open",
        min_balance_minor=event.min_balance_minor,
        max_balance_minor=event.max_balance_minor,
        opened_at=event.effective_at,
    )


def _totals(event: AccountEvent, entry: AccountEntry) -> Totals:
    return Totals(
        account=entry.id,
        version=entry.version,
        account_type=entry.type,
        currency=currency_of(event, entry.id),
        debits_posted_minor=entry.debits_posted_minor,
        credits_posted_minor=entry.credits_posted_minor,
        debits_pending_minor=entry.debits_pending_minor,
        credits_pending_minor=entry.credits_pending_minor,
        event=event.id,
        recorded_at=event.recorded_at,
        effective_at=event.effective_at,
    )
