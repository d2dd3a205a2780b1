"""An account: its state, and how an event makes the next one.

Four running totals, never a stored balance: posted and pending debits and credits, each the sum of
minor units since the opening. What a balance is follows from the account's normal side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

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
    moved_minor,
    pended_minor,
)
from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    MAIN_BOOK,
    AccountType,
    available_minor,
    balance_minor,
    expected_minor,
)
from ledger.contracts.subjects import Key, account_key
from ledger.domain.velocity import VelocityCounter, carried, counted

#: Events that count for velocity limits, by what they post or newly hold: of a capture that is what
#: goes beyond the hold, which was counted when it was made. A reversal is no payment.
_COUNTED = PaymentPosted | PaymentAuthorized | PaymentIncreased | PaymentCaptured
HASH_BYTES: Final = 32
GENESIS_HASH: Final = bytes(HASH_BYTES)  # what the chain of every account starts from


class AccountState(Struct, frozen=True, kw_only=True):
    """An account after its latest event. `version` counts its events, from 1, without a gap."""

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

    @property
    def key(self) -> Key:
        """What this is the state of."""
        return account_key(self.id)

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
    if not all(0 <= total <= AMOUNT_MINOR_MAX for total in totals):
        raise BrokenStateError(f"account {state.id} version {state.version}: a total out of range")
    sound = len(state.counters) == len(state.velocity) and (state.status == "frozen") <= (
        state.frozen is not None
    )
    if state.version < 1 or len(state.hash) != HASH_BYTES or not sound:
        raise BrokenStateError(f"account {state.id}: version, hash, limits or status out of range")


def evolve(
    state: AccountState | None, event: AccountEvent, entry: AccountEntry, chain_hash: bytes
) -> AccountState:
    """The state of the account of `entry` after `event`, whose chain hash is given.

    Raises BrokenStateError if the event does not follow the state.
    """
    _refuse_gap(state, event, entry)
    if state is None:
        assert isinstance(event, AccountOpened)  # _refuse_gap has seen to it
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
        )
    check_state(after)
    return after


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


def _opened(event: AccountOpened, entry: AccountEntry, chain_hash: bytes) -> AccountState:
    return AccountState(
        id=event.account,
        version=entry.version,
        currency=event.currency,
        type=event.account_type,
        status="open",
        debits_posted_minor=entry.debits_posted_minor,
        credits_posted_minor=entry.credits_posted_minor,
        debits_pending_minor=entry.debits_pending_minor,
        credits_pending_minor=entry.credits_pending_minor,
        min_balance_minor=event.min_balance_minor,
        max_balance_minor=event.max_balance_minor,
        opened_at=event.profile.opened_at,
        recorded_at=event.recorded_at,
        last_event=event.id,
        hash=chain_hash,
        book=event.book,
    )


def _refuse_gap(state: AccountState | None, event: AccountEvent, entry: AccountEntry) -> None:
    opening = isinstance(event, AccountOpened)
    if state is None:
        follows = opening and entry.version == 1 and entry.prev is UNSET
    else:
        follows = (
            not opening
            and (entry.id, entry.type) == (state.id, state.type)
            and (entry.version, entry.prev) == (state.version + 1, state.last_event)
        )
    if not follows:
        raise BrokenStateError(
            f"event {event.id} does not follow version {state.version if state else 0} "
            f"of account {entry.id}"
        )
