"""What is decided of an account beside payments: alerts, freezing, closing, limits, metadata."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET
from msgspec.structs import replace

from ledger.contracts import reasons
from ledger.contracts.commands import (
    CloseAccount,
    FreezeAccount,
    SetAlerts,
    SetLimits,
    SetMetadata,
    Sides,
    UnfreezeAccount,
)
from ledger.contracts.events import (
    AccountClosed,
    AccountFrozen,
    AccountProfile,
    AccountUnfrozen,
    AlertsSet,
    LimitsSet,
    MetadataSet,
    PaymentAuthorized,
    PaymentPosted,
)
from ledger.contracts.subjects import account_key, metadata_key
from ledger.domain.accounts import AccountState, next_entry
from ledger.domain.rejections import Rejection, rejection, rejection_for_event
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import States, next_subject_entry

_LIMIT_FIELDS = (
    "min_balance_minor",
    "max_balance_minor",
    "min_balance_basis",
    "max_balance_basis",
    "velocity",
)


def decide_alerts(states: States, command: SetAlerts, stamp: Stamp) -> AlertsSet | Rejection:
    """The alerts set as the account's next version. A frozen account may be watched."""
    state = _living(states, command.account)
    if isinstance(state, Rejection):
        return state
    return AlertsSet(
        **head(command, stamp),
        account=command.account,
        currency=state.currency,
        alerts=command.alerts,
        accounts=(next_entry(state),),
    )


def decide_freeze(
    states: States, command: FreezeAccount, stamp: Stamp
) -> AccountFrozen | Rejection:
    """The sides frozen on top of what is; that they were so already is no reason to refuse."""
    state = _living(states, command.account)
    if isinstance(state, Rejection):
        return state
    frozen = _sides(_set(state.frozen) | _set(command.sides))
    return AccountFrozen(
        **head(command, stamp),
        account=command.account,
        sides=command.sides,
        reason=command.reason,
        profile=_frozen_profile(state, frozen),
        accounts=(next_entry(state),),
    )


def decide_unfreeze(
    states: States, command: UnfreezeAccount, stamp: Stamp
) -> AccountUnfrozen | Rejection:
    """The sides let through again; that they were not frozen is no reason to refuse."""
    state = _living(states, command.account)
    if isinstance(state, Rejection):
        return state
    frozen = _sides(_set(state.frozen) - _set(command.sides))
    return AccountUnfrozen(
        **head(command, stamp),
        account=command.account,
        sides=command.sides,
        reason=command.reason,
        profile=_frozen_profile(state, frozen),
        accounts=(next_entry(state),),
    )


def decide_closing(
    states: States, command: CloseAccount, stamp: Stamp
) -> AccountClosed | Rejection:
    """The account closed for ever: at a balance of 0, with nothing pending."""
    state = _living(states, command.account)
    if isinstance(state, Rejection):
        return state
    left = {
        "balance_minor": state.balance_minor,
        "debits_pending_minor": state.debits_pending_minor,
        "credits_pending_minor": state.credits_pending_minor,
    }
    if any(left.values()):
        return rejection(reasons.ACCOUNT_NOT_EMPTY, "account", states, state.key, left)
    return AccountClosed(
        **head(command, stamp),
        account=command.account,
        reason=command.reason,
        profile=replace(state.profile, status="closed"),
        accounts=(next_entry(state),),
    )


def decide_limits(states: States, command: SetLimits, stamp: Stamp) -> LimitsSet | Rejection:
    """The constraints changed as the account's next version; what is not given stays."""
    state = _living(states, command.account)
    if isinstance(state, Rejection):
        return state
    given = tuple(name for name in _LIMIT_FIELDS if getattr(command, name) is not UNSET)
    profile = replace(state.profile, **{name: getattr(command, name) for name in given})
    refusal = next(_limit_refusals(states, state, command, given), None)
    if refusal is not None:
        return refusal
    return LimitsSet(
        **head(command, stamp),
        account=command.account,
        given=given,
        profile=profile,
        accounts=(next_entry(state),),
    )


def decide_metadata(states: States, command: SetMetadata, stamp: Stamp) -> MetadataSet | Rejection:
    """The metadata replaced, of an account or a payment that is there, open or closed."""
    if command.subject == "account":
        if command.subject_id not in states.accounts:
            key = account_key(command.subject_id)
            return rejection(reasons.ACCOUNT_NOT_FOUND, "subject_id", states, key)
    else:
        made = states.events.get(command.subject_id)
        if not isinstance(made, PaymentPosted | PaymentAuthorized):
            return rejection_for_event(
                reasons.PAYMENT_UNKNOWN, "subject_id", command.subject_id, there=made is not None
            )
    before = states.metadata.get(metadata_key(command.subject, command.subject_id).id)
    return MetadataSet(
        **head(command, stamp),
        subject=command.subject,
        subject_id=command.subject_id,
        metadata=command.metadata,
        entry=next_subject_entry(before),
    )


def _living(states: States, account: str) -> AccountState | Rejection:
    """The state of an account that is there and not closed, or what stands against it."""
    state = states.accounts.get(account)
    if state is None:
        return rejection(reasons.ACCOUNT_NOT_FOUND, "account", states, account_key(account))
    if state.status == "closed":
        return rejection(reasons.ACCOUNT_CLOSED, "account", states, state.key)
    return state


def _limit_refusals(
    states: States, state: AccountState, command: SetLimits, given: tuple[str, ...]
) -> Iterator[Rejection]:
    lowest = state.min_balance_minor
    highest = state.max_balance_minor
    if command.min_balance_minor is not UNSET:
        lowest = command.min_balance_minor
    if command.max_balance_minor is not UNSET:
        highest = command.max_balance_minor
    if lowest is not None and highest is not None and lowest > highest:
        field = next(name for name in given if name.endswith("_balance_minor"))
        values = {"min_balance_minor": lowest, "max_balance_minor": highest}
        yield rejection(reasons.LIMITS_CONFLICT, field, states, state.key, values)
    for index, limit in enumerate(() if command.velocity is UNSET else command.velocity):
        if limit.currency != state.currency:
            own = {"currency": state.currency}
            field = f"velocity[{index}].currency"
            yield rejection(reasons.CURRENCY_MISMATCH, field, states, state.key, own)


def _frozen_profile(state: AccountState, frozen: Sides | None) -> AccountProfile:
    return replace(
        state.profile,
        status="frozen" if frozen else "open",
        frozen=UNSET if frozen is None else frozen,
    )


def _set(sides: Sides | None) -> frozenset[str]:
    if sides is None:
        return frozenset()
    return frozenset(("debits", "credits") if sides == "both" else (sides,))


def _sides(frozen: frozenset[str]) -> Sides | None:
    if not frozen:
        return None
    if len(frozen) == 2:
        return "both"
    return "debits" if "debits" in frozen else "credits"
