"""What a batch of events makes of the balances: one write per account, whatever its size.

Pure. Every event carries the totals of each account it touched, so the latest version alone
counts. What an account is (its profile) and its metadata change by other events than its totals
do, and have versions of their own. Of a striped account each stripe has totals of its own, with
their versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.commands import Basis, Sides, VelocityLimit
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    AccountStatus,
    Event,
    MetadataSet,
    ProfileEvent,
    currency_of,
)
from ledger.contracts.primitives import MAIN_BOOK, AccountType, available_minor, balance_minor
from projections.lanes import lane_of


class Totals(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The totals of a stripe of an account, of the only one as a rule, after the event that made
    `version`. Field names are stored."""

    account: str
    stripe: int = 0
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
    def lane(self) -> str:
        """What it is a version of."""
        return lane_of(self.account, self.stripe)

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


class Profile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an account is, since the event that made `profile_version`. Field names are stored.

    Always written as a whole: an event that changes any of it carries all of it. Limits are on
    the normal side, None for none. `stripes` are those in use, `width` all that there ever were.
    """

    account: str
    profile_version: int
    account_type: AccountType
    currency: str
    status: AccountStatus
    min_balance_minor: int | None
    max_balance_minor: int | None
    opened_at: str
    frozen: Sides | UnsetType = UNSET
    book: str = MAIN_BOOK
    min_balance_basis: Basis = "available"
    max_balance_basis: Basis = "available"
    velocity: tuple[VelocityLimit, ...] = ()
    stripes: int = 1
    width: int = 1


class Metadata(Struct, frozen=True, kw_only=True):
    """The metadata of an account, given with its opening or later. Field names are stored."""

    account: str
    metadata_version: int
    metadata: dict[str, str]


class Account(Struct, frozen=True):
    """An account as projected: its totals, and its profile once an event with it has arrived.

    Of a striped account `totals` are the first stripe's, and `others` those of the further ones, in
    their order, as far as they have arrived.
    """

    totals: Totals
    profile: Profile | None
    others: tuple[Totals, ...] = ()

    @property
    def id(self) -> str:
        """The account's id."""
        return self.totals.account

    @property
    def stripes(self) -> tuple[Totals, ...]:
        """All totals there are."""
        return (self.totals, *self.others)

    @property
    def width(self) -> int:
        """How many stripes there ever were."""
        return self.profile.width if self.profile else 1

    def version_of(self, stripe: int) -> int:
        """How far a stripe is projected."""
        return next((one.version for one in self.stripes if one.stripe == stripe), 0)

    @property
    def whole(self) -> Totals:
        """The sums over all stripes, as of the latest event of any; the version is the first's."""
        if not self.others:
            return self.totals
        latest = max(self.stripes, key=lambda one: (one.recorded_at, one.event))
        sums = {
            name: sum(getattr(one, name) for one in self.stripes)
            for name in (
                *("debits_posted_minor", "credits_posted_minor"),
                *("debits_pending_minor", "credits_pending_minor"),
            )
        }
        return msgspec.structs.replace(
            self.totals,
            event=latest.event,
            recorded_at=latest.recorded_at,
            effective_at=latest.effective_at,
            **sums,
        )


class Writes(Struct, frozen=True):
    """The writes that a batch comes to: totals by lane, all else by account."""

    totals: dict[str, Totals] = {}
    profiles: dict[str, Profile] = {}
    metadata: dict[str, Metadata] = {}


def lanes_of(account: str, profile: Profile | None) -> list[str]:
    """The lanes of an account's further stripes, of which there are none as a rule."""
    return [lane_of(account, stripe) for stripe in range(1, profile.width if profile else 1)]


def reach(account: Account | None, metadata: Metadata | None) -> tuple[int, ...]:
    """How far an account is projected: the versions of its totals, profile and metadata, then those
    of its further stripes; 0 for what is not there."""
    profile = account.profile if account else None
    versions = {one.stripe: one.version for one in account.others} if account else {}
    return (
        account.totals.version if account else 0,
        profile.profile_version if profile else 0,
        metadata.metadata_version if metadata else 0,
        *(versions.get(stripe, 0) for stripe in range(1, profile.width if profile else 1)),
    )


def coalesce(events: Iterable[Event]) -> Writes:
    """The newest totals, profile and metadata of every account that the events are about."""
    writes = Writes()
    for event in events:
        for totals in totals_of(event):
            known = writes.totals.get(totals.lane)
            if known is None or known.version < totals.version:
                writes.totals[totals.lane] = totals
        profile = profile_of(event)
        if profile is not None:
            existing = writes.profiles.get(profile.account)
            if existing is None or existing.profile_version < profile.profile_version:
                writes.profiles[profile.account] = profile
        metadata = metadata_of(event)
        if metadata is not None:
            there = writes.metadata.get(metadata.account)
            if there is None or there.metadata_version < metadata.metadata_version:
                writes.metadata[metadata.account] = metadata
    return writes


def totals_of(event: Event) -> Iterator[Totals]:
    """The totals that an event left behind, of each account, and each stripe, that it touched."""
    if isinstance(event, AccountEvent):
        for entry in event.accounts:
            yield _totals(event, entry)


def profile_of(event: Event) -> Profile | None:
    """The profile that an event left behind, if it has one."""
    if not isinstance(event, ProfileEvent):
        return None
    profile = event.profile
    return Profile(
        account=event.account,
        profile_version=event.accounts[0].version,
        account_type=profile.account_type,
        currency=profile.currency,
        status=profile.status,
        min_balance_minor=profile.min_balance_minor,
        max_balance_minor=profile.max_balance_minor,
        opened_at=profile.opened_at,
        frozen=profile.frozen,
        book=profile.book,
        min_balance_basis=profile.min_balance_basis,
        max_balance_basis=profile.max_balance_basis,
        velocity=profile.velocity,
        stripes=profile.stripes,
        width=len(event.accounts),
    )


def metadata_of(event: Event) -> Metadata | None:
    """The metadata that an event gave an account, if it did. An opening may come without any."""
    if isinstance(event, AccountOpened) and event.entry is not UNSET:
        return Metadata(
            account=event.account,
            metadata_version=event.entry.version,
            metadata=event.metadata or {},
        )
    if isinstance(event, MetadataSet) and event.subject == "account":
        return Metadata(
            account=event.subject_id,
            metadata_version=event.entry.version,
            metadata=event.metadata,
        )
    return None


def accounts_of(event: Event) -> Iterator[str]:
    """The accounts of which an event left anything behind."""
    for totals in totals_of(event):
        yield totals.account
    if isinstance(event, MetadataSet) and event.subject == "account":
        yield event.subject_id


def _totals(event: AccountEvent, entry: AccountEntry) -> Totals:
    return Totals(
        account=entry.id,
        stripe=entry.stripe_number,
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
