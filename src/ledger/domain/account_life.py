"""What is decided of an account beside payments: alerts, freezing, closing, limits, metadata.

What changes an account changes every stripe of it.
"""

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
    SetStripes,
    Sides,
    UnfreezeAccount,
)
from ledger.contracts.events import (
    AccountClosed,
    AccountEntry,
    AccountFrozen,
    AccountProfile,
    AccountUnfrozen,
    AlertsSet,
    LimitsSet,
    MetadataSet,
    PaymentAuthorized,
    PaymentPosted,
    StripesSet,
)
from ledger.contracts.primitives import STRIPE_TOTAL_MAX
from ledger.contracts.subjects import account_key, metadata_key
from ledger.domain.accounts import AccountState, first_entry, next_entry
from ledger.domain.rejections import (
    Rejection,
    rejection,
    rejection_for_event,
    rejection_of_all,
)
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import States, next_subject_entry
from ledger.domain.striped import relet_entries, stripes_of, whole

_LIMIT_FIELDS = (
    "min_balance_minor",
    "max_balance_minor",
    "min_balance_basis",
    "max_balance_basis",
    "velocity",
)


def decide_alerts(states: States, command: SetAlerts, stamp: Stamp) -> AlertsSet | Rejection:
    """The alerts set as the account's next version. A frozen account may be watched, a striped one
    not: no stripe sees the balance cross anything."""
    state = _living(states, command.account)
    if isinstance(state, Rejection):
        return state
    if state.is_striped and command.alerts:
        return _stripes_conflict(states, state, "alerts")
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
        accounts=_next_entries(states, state),
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
        accounts=_next_entries(states, state),
    )


def decide_closing(
    states: States, command: CloseAccount, stamp: Stamp
) -> AccountClosed | Rejection:
    """The account closed for ever: at a balance of 0, with nothing pending."""
    state = _living(states, command.account)
    if isinstance(state, Rejection):
        return state
    sums = whole(states, command.account) or state
    left = {
        "balance_minor": sums.balance_minor,
        "debits_pending_minor": sums.debits_pending_minor,
        "credits_pending_minor": sums.credits_pending_minor,
    }
    if any(left.values()):
        reason = reasons.ACCOUNT_NOT_EMPTY
        return rejection_of_all(reason, "account", states, command.account, left)
    return AccountClosed(
        **head(command, stamp),
        account=command.account,
        reason=command.reason,
        profile=replace(state.profile, status="closed"),
        accounts=_next_entries(states, state),
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
        accounts=relet_entries(
            _next_entries(states, state), stripes_of(states, command.account), profile
        ),
    )


def decide_stripes(states: States, command: SetStripes, stamp: Stamp) -> StripesSet | Rejection:
    """The account spread over so many stripes; that it was so already is no reason to refuse."""
    state = _living(states, command.account)
    if isinstance(state, Rejection):
        return state
    if command.stripes > 1 and (state.alerts or state.velocity):
        return _stripes_conflict(states, state, "stripes")
    if command.stripes > 1 and _has_too_much(state):
        totals = {
            "debits_posted_minor": state.debits_posted_minor,
            "credits_posted_minor": state.credits_posted_minor,
        }
        return rejection(reasons.BALANCE_OVERFLOW, "stripes", states, state.key, totals)
    stripes = stripes_of(states, command.account)
    profile = replace(state.profile, stripes=command.stripes)
    new = [first_entry(command.account, state.type)] * (command.stripes - state.stripes_made)
    return StripesSet(
        **head(command, stamp),
        account=command.account,
        stripes=command.stripes,
        reason=command.reason,
        profile=profile,
        accounts=relet_entries((*_next_entries(states, state), *new), stripes, profile),
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
    if state.is_striped and command.velocity is not UNSET and command.velocity:
        yield _stripes_conflict(states, state, "velocity")
    for index, limit in enumerate(() if command.velocity is UNSET else command.velocity):
        if limit.currency != state.currency:
            own = {"currency": state.currency}
            field = f"velocity[{index}].currency"
            yield rejection(reasons.CURRENCY_MISMATCH, field, states, state.key, own)


def _stripes_conflict(states: States, state: AccountState, field: str) -> Rejection:
    values = {
        "stripes": state.stripes_made,
        "alerts": len(state.alerts),
        "velocity": len(state.velocity),
    }
    return rejection(reasons.STRIPES_CONFLICT, field, states, state.key, values)


def _has_too_much(state: AccountState) -> bool:
    debits = state.debits_posted_minor + state.debits_pending_minor
    credits_ = state.credits_posted_minor + state.credits_pending_minor
    return max(debits, credits_) > STRIPE_TOTAL_MAX


def _next_entries(states: States, state: AccountState) -> tuple[AccountEntry, ...]:
    """The entries of an event that changes every stripe of an account."""
    return tuple(map(next_entry, stripes_of(states, state.id)))


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
