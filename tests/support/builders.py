"""Commands, states and stamps for tests: well-formed, with only what a test is about spelt out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from ledger.contracts.commands import (
    Alert,
    Command,
    OpenAccount,
    Posting,
    PostPayment,
    ScreeningReason,
    ScreenPayment,
    SetAlerts,
    checked,
    screening_id,
)
from ledger.contracts.events import Accepted, AccountEvent, PaymentPosted
from ledger.contracts.primitives import AccountType
from ledger.domain.accounts import GENESIS_HASH, AccountState, Status, evolve
from ledger.domain.chain import StoredEvent, seal
from ledger.domain.decider import decide
from ledger.domain.rejections import Rejection
from ledger.domain.stamp import Stamp

ACTOR = "events:123456789012:core-banking"
NOON = "2026-11-21T12:00:00.000000Z"
NOON_MICROSECONDS = 1_795_262_400_000_000
STAMP = Stamp(NOON, ACTOR)

Leg = tuple[str, str, int] | tuple[str, str, int, str]
"""Source, destination, minor units, and a currency (EUR if left out)."""


def opening(
    account: str,
    *,
    id: str | None = None,
    currency: str = "EUR",
    account_type: AccountType = "liability",
    min_balance_minor: int | UnsetType | None = UNSET,
    max_balance_minor: int | UnsetType | None = UNSET,
    effective_at: str | UnsetType = UNSET,
) -> OpenAccount:
    """A command that opens `account`; its id is `open:<account>` unless given."""
    return checked(
        OpenAccount(
            v=1,
            id=id or f"open:{account}",
            account=account,
            currency=currency,
            account_type=account_type,
            min_balance_minor=min_balance_minor,
            max_balance_minor=max_balance_minor,
            effective_at=effective_at,
        )
    )


def alerting(account: str, *alerts: tuple[str, int], id: str = "alerts") -> SetAlerts:
    """A command that sets the alerts of `account`, each a direction and a threshold."""
    return checked(
        SetAlerts(
            v=1,
            id=id,
            account=account,
            alerts=tuple(
                msgspec.convert({"direction": way, "threshold_minor": minor}, Alert)
                for way, minor in alerts
            ),
        )
    )


def screening(payment: str, *, model: str = "rules-1", score_permille: int = 700) -> ScreenPayment:
    """A command with the verdict `review` on `payment`, for one reason."""
    reason = ScreeningReason(code="new_counterparty", value=1, norm=None, unit="accounts")
    return checked(
        ScreenPayment(
            v=1,
            id=screening_id(payment, model),
            payment=payment,
            model=model,
            verdict="review",
            score_permille=score_permille,
            reasons=(reason,),
        )
    )


def paying(
    id: str,
    *legs: Leg,
    effective_at: str | UnsetType = UNSET,
    reference: str | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
) -> PostPayment:
    """A payment command with one posting for each of `legs`."""
    return checked(
        PostPayment(
            v=1,
            id=id,
            postings=tuple(posting(*leg) for leg in legs),
            effective_at=effective_at,
            reference=reference,
            description=description,
        )
    )


def posting(source: str, destination: str, amount_minor: int, currency: str = "EUR") -> Posting:
    """One posting."""
    return Posting(
        source=source, destination=destination, amount_minor=amount_minor, currency=currency
    )


def state(
    id: str,
    *,
    version: int = 7,
    currency: str = "EUR",
    type: AccountType = "liability",
    status: Status = "open",
    debits: int = 0,
    credits: int = 0,  # noqa: A002 - the totals' own names
    pending_debits: int = 0,
    pending_credits: int = 0,
    lowest: int | None = None,
    highest: int | None = None,
    recorded_at: str = "2026-11-21T11:00:00.000000Z",
    watched: tuple[Alert, ...] = (),
) -> AccountState:
    """A state as the domain meets it; unbounded, open and empty unless told otherwise."""
    return AccountState(
        id=id,
        version=version,
        currency=currency,
        type=type,
        status=status,
        debits_posted_minor=debits,
        credits_posted_minor=credits,
        debits_pending_minor=pending_debits,
        credits_pending_minor=pending_credits,
        min_balance_minor=lowest,
        max_balance_minor=highest,
        opened_at="2026-11-21T10:00:00.000000Z",
        recorded_at=recorded_at,
        last_event=f"made:{id}:{version}",
        hash=GENESIS_HASH,
        alerts=watched,
    )


def by_id(states: Iterable[AccountState]) -> dict[str, AccountState]:
    """States as the decider takes them."""
    return {one.id: one for one in states}


def accepted(
    states: Mapping[str, AccountState], command: Command, stamp: Stamp = STAMP
) -> AccountEvent:
    """The event of a command on accounts that the decider must accept."""
    decision = decide(states, command, stamp)
    assert isinstance(decision, AccountEvent), decision
    return decision


def refused(
    states: Mapping[str, AccountState], command: Command, stamp: Stamp = STAMP
) -> Rejection:
    """The rejection of a command that the decider must refuse."""
    decision = decide(states, command, stamp)
    assert isinstance(decision, Rejection), decision
    return decision


def advanced(
    states: Mapping[str, AccountState], event: AccountEvent
) -> tuple[dict[str, AccountState], StoredEvent]:
    """All states after `event`, and the event as it would be stored."""
    stored = seal(event, states)
    after = dict(states)
    for entry, chain_hash in zip(event.accounts, stored.hashes, strict=True):
        after[entry.id] = evolve(states.get(entry.id), event, entry, chain_hash)
    return after, stored


def opened(commands: Sequence[OpenAccount]) -> dict[str, AccountState]:
    """The states of accounts that were just opened by `commands`."""
    states: dict[str, AccountState] = {}
    for command in commands:
        states, _ = advanced(states, accepted(states, command))
    return states


def payment_of(event: Accepted) -> PaymentPosted:
    """`event`, which must be a payment."""
    assert isinstance(event, PaymentPosted)
    return event
