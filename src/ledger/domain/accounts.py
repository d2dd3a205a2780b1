"""An account: its state, and how an event makes the next one.

Four running totals, never a stored balance: posted and pending debits and credits, each the sum of
minor units since the opening. What a balance is follows from the account's normal side.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct

from ledger.contracts.commands import Alert
from ledger.contracts.events import AccountEntry, AccountEvent, AccountOpened, AlertsSet
from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    DEBIT_NORMAL,
    AccountType,
    balance_minor,
)

Status = Literal["open", "frozen", "closed"]
HASH_BYTES: Final = 32
GENESIS_HASH: Final = bytes(HASH_BYTES)  # what the chain of every account starts from


class AccountState(Struct, frozen=True, kw_only=True):
    """An account after its latest event. `version` counts its events, from 1, without a gap."""

    id: str
    version: int
    currency: str
    type: AccountType
    status: Status
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

    @property
    def balance_minor(self) -> int:
        """The posted balance on the normal side."""
        return balance_minor(self.type, self.debits_posted_minor, self.credits_posted_minor)

    @property
    def available_minor(self) -> int:
        """The balance if everything pending that lowers it settled, and nothing that raises it."""
        lowering = (
            self.credits_pending_minor if self.type in DEBIT_NORMAL else self.debits_pending_minor
        )
        return self.balance_minor - lowering

    @property
    def expected_minor(self) -> int:
        """The balance if everything pending that raises it settled, and nothing that lowers it."""
        raising = (
            self.debits_pending_minor if self.type in DEBIT_NORMAL else self.credits_pending_minor
        )
        return self.balance_minor + raising

    def raised_by(self, debits_minor: int, credits_minor: int) -> int:
        """By how much these debits and credits together raise the balance (negative: lower it)."""
        return balance_minor(self.type, debits_minor, credits_minor)


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
    if state.version < 1 or len(state.hash) != HASH_BYTES:
        raise BrokenStateError(f"account {state.id}: version or hash out of range")


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
            alerts=event.alerts if isinstance(event, AlertsSet) else state.alerts,
        )
    check_state(after)
    return after


def next_entry(state: AccountState, debits_minor: int, credits_minor: int) -> AccountEntry:
    """The entry of an event that adds these posted debits and credits to `state`."""
    entry = AccountEntry(
        id=state.id,
        type=state.type,
        version=state.version + 1,
        prev=state.last_event,
        debits_posted_minor=state.debits_posted_minor + debits_minor,
        credits_posted_minor=state.credits_posted_minor + credits_minor,
        debits_pending_minor=state.debits_pending_minor,
        credits_pending_minor=state.credits_pending_minor,
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
        opened_at=event.effective_at,
        recorded_at=event.recorded_at,
        last_event=event.id,
        hash=chain_hash,
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
