"""An account: its state, and how an event makes the next one.

Four running totals, never a stored balance: posted and pending debits and credits, each the sum of
minor units since the opening. What a balance is follows from the account's normal side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct

from ledger.contracts.commands import Alert, Basis, Sides, VelocityLimit
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    AccountProfile,
    AccountStatus,
    AlertsSet,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentIncreased,
    PaymentPosted,
    ProfileEvent,
    StripesSet,
    moved_minor,
    pended_minor,
)
from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    MAIN_BOOK,
    STRIPES_MAX,
    AccountType,
    available_minor,
    balance_minor,
    expected_minor,
)
from ledger.contracts.subjects import Key, stripe_key
from ledger.domain.velocity import VelocityCounter, carried, counted

#: Events that count for velocity limits, by what they post or newly hold: of a capture that is what
#: goes beyond the hold, which was counted when it was made. A reversal is no payment.
_COUNTED = PaymentPosted | PaymentAuthorized | PaymentIncreased | PaymentCaptured
HASH_BYTES: Final = 32
GENESIS_HASH: Final = bytes(HASH_BYTES)  # what the chain of every account starts from


class AccountState(Struct, frozen=True, kw_only=True):
    """An account after its latest event. `version` counts its events, from 1, without a gap.

    Of an account that is striped, or ever was, each stripe has a state of its own, with its own
    version, totals and chain, and a copy of what the account is: stripe 0 is the account itself.
    `stripes` are in use, the first so many of all `stripes_made`. `floor_minor` and `ceiling_minor`
    are the stripe's shares of the lowest and the highest balance, see `leases`.
    """

    id: str
    version: int
    currency: str
    type: AccountType
    status: AccountStatus
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    min_balance_minor: int | None
    max_balance_minor: int | None
    opened_at: str
    recorded_at: str
    last_event: str
    hash: bytes
    alerts: tuple[Alert, ...] = ()
    frozen: Sides | None = None
    book: str = MAIN_BOOK
    min_balance_basis: Basis = "available"
    max_balance_basis: Basis = "available"
    velocity: tuple[VelocityLimit, ...] = ()
    counters: tuple[VelocityCounter, ...] = ()  # of the limits, in their order
    stripe: int = 0
    stripes: int = 1
    stripes_made: int = 1
    floor_minor: int | None = None
    ceiling_minor: int | None = None

    @property
    def key(self) -> Key:
        """What this is the state of."""
        return stripe_key(self.id, self.stripe)

    @property
    def is_striped(self) -> bool:
        """Whether the account has more than this state."""
        return self.stripes_made > 1

    @property
    def profile(self) -> AccountProfile:
        """What the account is, as events say it."""
        return AccountProfile(
            currency=self.currency,
            account_type=self.type,
            status=self.status,
            frozen=UNSET if self.frozen is None else self.frozen,
            book=self.book,
            opened_at=self.opened_at,
            min_balance_minor=self.min_balance_minor,
            max_balance_minor=self.max_balance_minor,
            min_balance_basis=self.min_balance_basis,
            max_balance_basis=self.max_balance_basis,
            velocity=self.velocity,
            stripes=self.stripes,
        )

    @property
    def balance_minor(self) -> int:
        """The posted balance on the normal side."""
        return balance_minor(self.type, self.debits_posted_minor, self.credits_posted_minor)

    @property
    def available_minor(self) -> int:
        """The balance if everything pending that lowers it settled, and nothing that raises it."""
        return available_minor(
            self.type,
            debits_posted_minor=self.debits_posted_minor,
            credits_posted_minor=self.credits_posted_minor,
            debits_pending_minor=self.debits_pending_minor,
            credits_pending_minor=self.credits_pending_minor,
        )

    @property
    def expected_minor(self) -> int:
        """The balance if everything pending that raises it settled, and nothing that lowers it."""
        return expected_minor(
            self.type,
            debits_posted_minor=self.debits_posted_minor,
            credits_posted_minor=self.credits_posted_minor,
            debits_pending_minor=self.debits_pending_minor,
            credits_pending_minor=self.credits_pending_minor,
        )

    def stops(self, side: Sides) -> bool:
        """Whether debits, or credits, are frozen."""
        return self.frozen in (side, "both")


class BrokenStateError(Exception):
    """A state or an event that no sequence of decisions can have made: a bug or a corruption."""


def judged_minor(
    one: AccountState | AccountEntry, bound: Literal["min", "max"], basis: Basis
) -> int:
    """The balance that the lowest, or the highest, holds for."""
    if basis == "posted":
        return one.balance_minor
    return one.available_minor if bound == "min" else one.expected_minor


def check_state(state: AccountState) -> None:
    """Raises BrokenStateError unless `state` is one that could have been written.

    Called before every write and after every read, so that a corruption stops where it is met.
    """
    totals = (
        state.debits_posted_minor,
        state.credits_posted_minor,
        state.debits_pending_minor,
        state.credits_pending_minor,
    )
    if min(totals) < 0 or max(totals) > AMOUNT_MINOR_MAX:
        raise BrokenStateError(f"{_name(state)} version {state.version}: a total out of range")
    sound = len(state.counters) == len(state.velocity) and (state.status == "frozen") <= (
        state.frozen is not None
    )
    if state.version < 1 or len(state.hash) != HASH_BYTES or not sound:
        raise BrokenStateError(f"{_name(state)}: version, hash, limits or status out of range")
    if not (_is_sound_stripe(state) if state.is_striped else _is_unstriped(state)):
        raise BrokenStateError(f"{_name(state)}: stripes or leases out of range")


def _name(state: AccountState) -> str:
    return f"{state.key.kind} {state.key.id}"


def _is_unstriped(state: AccountState) -> bool:
    leased = state.floor_minor is not None or state.ceiling_minor is not None
    return (state.stripe, state.stripes, state.stripes_made) == (0, 1, 1) and not leased


def _is_sound_stripe(state: AccountState) -> bool:
    counted = 0 <= state.stripe < state.stripes_made <= STRIPES_MAX
    floor, ceiling = state.floor_minor, state.ceiling_minor
    above = floor is None or (
        state.min_balance_minor is not None
        and judged_minor(state, "min", state.min_balance_basis) >= floor
    )
    below = ceiling is None or (
        state.max_balance_minor is not None
        and judged_minor(state, "max", state.max_balance_basis) <= ceiling
    )
    watched = bool(state.alerts or state.velocity)
    return counted and 1 <= state.stripes <= state.stripes_made and above and below and not watched


def evolve(
    state: AccountState | None, event: AccountEvent, entry: AccountEntry, chain_hash: bytes
) -> AccountState:
    """The state of the account or stripe of `entry` after `event`, whose chain hash is given.

    Raises BrokenStateError if the event does not follow the state.
    """
    _refuse_gap(state, event, entry)
    if state is None:
        assert isinstance(event, AccountOpened | StripesSet)  # _refuse_gap has seen to it
        after = _opened(event, entry, chain_hash)
    else:
        after = msgspec.structs.replace(
            state,
            version=entry.version,
            debits_posted_minor=entry.debits_posted_minor,
            credits_posted_minor=entry.credits_posted_minor,
            debits_pending_minor=entry.debits_pending_minor,
            credits_pending_minor=entry.credits_pending_minor,
            recorded_at=event.recorded_at,
            last_event=event.id,
            hash=chain_hash,
            **_changes(state, event),
            **_changed_leases(entry),
        )
    check_state(after)
    return after


def first_entry(account: str, account_type: AccountType) -> AccountEntry:
    """The entry of an event that makes version 1 of an account, or of a further stripe of it."""
    return AccountEntry(
        id=account,
        type=account_type,
        version=1,
        debits_posted_minor=0,
        credits_posted_minor=0,
    )


def next_entry(
    state: AccountState,
    debits_minor: int = 0,
    credits_minor: int = 0,
    pending_debits_minor: int = 0,
    pending_credits_minor: int = 0,
) -> AccountEntry:
    """The entry of an event that adds these debits and credits to `state`, posted and pending;
    what it releases is below 0."""
    entry = AccountEntry(
        id=state.id,
        stripe=state.stripe if state.is_striped else UNSET,
        type=state.type,
        version=state.version + 1,
        prev=state.last_event,
        debits_posted_minor=state.debits_posted_minor + debits_minor,
        credits_posted_minor=state.credits_posted_minor + credits_minor,
        debits_pending_minor=state.debits_pending_minor + pending_debits_minor,
        credits_pending_minor=state.credits_pending_minor + pending_credits_minor,
    )
    crossed = crossed_alerts(state, entry)
    return msgspec.structs.replace(entry, crossed=crossed) if crossed else entry


def crossed_alerts(state: AccountState, entry: AccountEntry) -> tuple[Alert, ...]:
    """The alerts of `state` that its posted balance crosses on the way to the totals of `entry`."""
    if not state.alerts:
        return ()
    before, after = state.balance_minor, entry.balance_minor
    return tuple(alert for alert in state.alerts if _crosses(alert, before, after))


def _crosses(alert: Alert, before_minor: int, after_minor: int) -> bool:
    if alert.direction == "below":
        return before_minor >= alert.threshold_minor > after_minor
    return before_minor <= alert.threshold_minor < after_minor


def _changes(state: AccountState, event: AccountEvent) -> dict[str, Any]:
    """What the event changes of an account beside its totals."""
    if isinstance(event, AlertsSet):
        return {"alerts": event.alerts}
    if isinstance(event, ProfileEvent):
        profile = event.profile
        return {
            "status": profile.status,
            "frozen": None if profile.frozen is UNSET else profile.frozen,
            "min_balance_minor": profile.min_balance_minor,
            "max_balance_minor": profile.max_balance_minor,
            "min_balance_basis": profile.min_balance_basis,
            "max_balance_basis": profile.max_balance_basis,
            "velocity": profile.velocity,
            "counters": carried(state.velocity, state.counters, profile.velocity),
            "stripes": profile.stripes,
            "stripes_made": len(event.accounts),
        }
    if state.velocity and isinstance(event, _COUNTED):
        return {"counters": tuple(_counted(state, event))}
    return {}


def _counted(state: AccountState, event: _COUNTED) -> Iterator[VelocityCounter]:
    posted, pended = moved_minor(event, state.id), pended_minor(event, state.id)
    added = tuple(map(sum, zip(posted, pended, strict=True)))
    for limit, counter in zip(state.velocity, state.counters, strict=True):
        amount_minor = added[0 if limit.direction == "debits" else 1]
        if amount_minor > 0:
            yield counted(limit, counter, event.recorded_at, amount_minor)
        else:
            yield counter


def _changed_leases(entry: AccountEntry) -> dict[str, int | None]:
    leases: dict[str, int | None] = {}
    if entry.floor_minor is not UNSET:
        leases["floor_minor"] = entry.floor_minor
    if entry.ceiling_minor is not UNSET:
        leases["ceiling_minor"] = entry.ceiling_minor
    return leases


def _opened(
    event: AccountOpened | StripesSet, entry: AccountEntry, chain_hash: bytes
) -> AccountState:
    """The first state of an account, or of a further stripe of one that is there."""
    profile = event.profile
    return AccountState(
        id=event.account,
        version=entry.version,
        currency=profile.currency,
        type=profile.account_type,
        status=profile.status,
        debits_posted_minor=entry.debits_posted_minor,
        credits_posted_minor=entry.credits_posted_minor,
        debits_pending_minor=entry.debits_pending_minor,
        credits_pending_minor=entry.credits_pending_minor,
        min_balance_minor=profile.min_balance_minor,
        max_balance_minor=profile.max_balance_minor,
        opened_at=profile.opened_at,
        recorded_at=event.recorded_at,
        last_event=event.id,
        hash=chain_hash,
        frozen=None if profile.frozen is UNSET else profile.frozen,
        book=profile.book,
        min_balance_basis=profile.min_balance_basis,
        max_balance_basis=profile.max_balance_basis,
        stripe=entry.stripe_number,
        stripes=profile.stripes,
        stripes_made=len(event.accounts),
        floor_minor=None if entry.floor_minor is UNSET else entry.floor_minor,
        ceiling_minor=None if entry.ceiling_minor is UNSET else entry.ceiling_minor,
    )


def _refuse_gap(state: AccountState | None, event: AccountEvent, entry: AccountEntry) -> None:
    opening = isinstance(event, AccountOpened)
    if state is None:
        first = opening or (isinstance(event, StripesSet) and entry.stripe_number > 0)
        follows = first and entry.version == 1 and entry.prev is UNSET
    else:
        follows = (
            not opening
            and (entry.key, entry.type) == (state.key, state.type)
            and (entry.version, entry.prev) == (state.version + 1, state.last_event)
            and _has_all_stripes(state, event)
        )
    if not follows:
        raise BrokenStateError(
            f"event {event.id} does not follow version {state.version if state else 0} "
            f"of {entry.key.kind} {entry.key.id}"
        )


def _has_all_stripes(state: AccountState, event: AccountEvent) -> bool:
    """Whether what changes an account changes every stripe of it."""
    if not isinstance(event, ProfileEvent):
        return True
    made = len(event.accounts)
    grown = isinstance(event, StripesSet) and made > state.stripes_made
    return grown or made == state.stripes_made
