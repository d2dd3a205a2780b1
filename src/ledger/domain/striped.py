"""Striped accounts: which stripe a payment uses, and when it must look at all of them.

A payment that a stripe has room for touches that stripe alone, and all is decided on its state:
what the account is, each stripe says, and whatever changes it changes all of them. One that lacks
room is decided on all stripes. It is accepted if their sum allows it, and leases move in its own
transaction; a refusal has all of them for its causes, and stands only if none has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from ledger.contracts.commands import Basis
from ledger.contracts.events import AccountEntry, AccountProfile
from ledger.contracts.subjects import Key, stripe_key
from ledger.domain.accounts import AccountState, BrokenStateError, judged_minor, next_entry
from ledger.domain.leases import dealt, gathered
from ledger.domain.states import PaymentState, States

Place = Callable[[str], int]
"""The stripe of an account that is to be used."""

Bound = Literal["min", "max"]
SIGNS: dict[Bound, int] = {"min": 1, "max": -1}
_LEASES: dict[Bound, str] = {"min": "floor_minor", "max": "ceiling_minor"}


def by_spread(states: States, spread: int) -> Place:
    """Spreads what is new over the stripes in use."""

    def place(account: str) -> int:
        head = states.accounts.get(account)
        return 0 if head is None or not head.is_striped else _in_use(states, head, spread)

    return place


def as_held(payment: PaymentState) -> Place:
    """Each stripe as the hold has it: what ends a hold, ends it there."""
    return lambda account: payment.stripes.get(account, 0)


def stripe_state(states: States, account: str, stripe: int) -> AccountState:
    """The state of a stripe of an account that is there.

    Raises BrokenStateError if the stripe is not: then the account was read at another time.
    """
    if not stripe:
        return states.accounts[account]
    state = states.stripes.get(stripe_key(account, stripe).id)
    if state is None:
        raise BrokenStateError(f"account {account} has no stripe {stripe}")
    return state


def keys_of(head: AccountState) -> tuple[Key, ...]:
    """All that there is of an account, given its first stripe."""
    return tuple(stripe_key(head.id, stripe) for stripe in range(head.stripes_made))


def stripes_of(states: States, account: str) -> tuple[AccountState, ...]:
    """Every stripe of an account that is there. Raises BrokenStateError as `stripe_state` does, and
    if they do not say the same of the account."""
    head = states.accounts[account]
    stripes = tuple(stripe_state(states, account, stripe) for stripe in range(head.stripes_made))
    if any(one.profile != head.profile for one in stripes[1:]):
        raise BrokenStateError(f"the stripes of account {account} were not read together")
    return stripes


def whole(states: States, account: str) -> AccountState | None:
    """An account with the totals of all its stripes; version, chain and last event are the first
    stripe's. None if it is not there. Raises BrokenStateError as `stripes_of` does."""
    head = states.accounts.get(account)
    if head is None or not head.is_striped:
        return head
    stripes = stripes_of(states, account)
    return replace(
        head,
        debits_posted_minor=sum(one.debits_posted_minor for one in stripes),
        credits_posted_minor=sum(one.credits_posted_minor for one in stripes),
        debits_pending_minor=sum(one.debits_pending_minor for one in stripes),
        credits_pending_minor=sum(one.credits_pending_minor for one in stripes),
        recorded_at=max(one.recorded_at for one in stripes),
    )


def lacks_room(state: AccountState, after: AccountEntry) -> bool:
    """Whether a stripe has too little room to become `after`, so that all must be looked at."""
    return lacks_room_for(state, after, "min") or lacks_room_for(state, after, "max")


def moved_entries(
    states: States, state: AccountState, after: AccountEntry
) -> Iterator[AccountEntry]:
    """The entries of an event that makes `after` of a stripe: first its own, then those of stripes
    that give up leases for it. That the account as a whole may go there was seen to."""
    if not lacks_room(state, after):
        yield after
        return
    stripes = stripes_of(states, state.id)
    leases: dict[int, dict[str, int]] = {state.stripe: {}}
    for bound in SIGNS:
        if lacks_room_for(state, after, bound):
            for stripe, lease_minor in _moved_leases(stripes, state, after, bound).items():
                leases.setdefault(stripe, {})[_LEASES[bound]] = lease_minor
    yield _leased(after, leases.pop(state.stripe))
    for stripe in sorted(leases):
        yield _leased(next_entry(stripes[stripe]), leases[stripe])


def relet_entries(
    entries: Sequence[AccountEntry], before: Sequence[AccountState], profile: AccountProfile
) -> tuple[AccountEntry, ...]:
    """The entries of an event after which a striped account is as `profile` says: with leases that
    are dealt anew. `entries` are all its stripes in their order, of which the first are there
    already, as `before`. Beyond a limit there are none: then every payment that goes further looks
    at all."""
    if len(entries) == 1:
        return tuple(entries)
    in_use = [place < profile.stripes for place in range(len(entries))]
    relet = [replace(entry, stripe=place) for place, entry in enumerate(entries)]
    for bound, sign in SIGNS.items():
        limit, basis = limit_of(profile, bound)
        balances = [judged_minor(entry, bound, basis) for entry in entries]
        leases: Sequence[int | None] = [None] * len(entries)
        if limit is not None and sign * (sum(balances) - limit) >= 0:
            rooms = dealt(sign * (sum(balances) - limit), in_use)
            leases = [minor - sign * room for minor, room in zip(balances, rooms, strict=True)]
        name = _LEASES[bound]
        for place, lease_minor in enumerate(leases):
            had = getattr(before[place], name) if place < len(before) else None
            if lease_minor != had:
                relet[place] = _leased(relet[place], {name: lease_minor})
    return tuple(relet)


def _in_use(states: States, head: AccountState, spread: int) -> int:
    """The stripe that `spread` leads to. The first stripe was read before the others: if the
    account has fewer by now, they tell."""
    stripe = spread % head.stripes
    while stripe:
        state = states.stripes.get(stripe_key(head.id, stripe).id)
        if state is None or stripe < state.stripes:
            break
        stripe = spread % state.stripes
    return stripe


def lacks_room_for(state: AccountState, after: AccountEntry, bound: Bound) -> bool:
    """Whether a stripe would go nearer to a limit than its lease of it allows."""
    limit, basis = limit_of(state, bound)
    if limit is None or not state.is_striped:
        return False
    sign, lease_minor = SIGNS[bound], getattr(state, _LEASES[bound])
    was, now = judged_minor(state, bound, basis), judged_minor(after, bound, basis)
    nearer = sign * (now - was) < 0
    return nearer and (lease_minor is None or sign * (now - lease_minor) < 0)


def _moved_leases(
    stripes: Sequence[AccountState], state: AccountState, after: AccountEntry, bound: Bound
) -> Mapping[int, int]:
    """The leases, by stripe, of all that take part."""
    limit, basis = limit_of(state, bound)
    assert limit is not None  # else there is nothing to lack
    sign = SIGNS[bound]
    balances = [judged_minor(one, bound, basis) for one in stripes]
    in_use = [one.stripe < one.stripes for one in stripes]
    now = judged_minor(after, bound, basis)
    taken = sign * (balances[state.stripe] - now)
    left = None
    had = [getattr(one, _LEASES[bound]) for one in stripes]
    if had[state.stripe] is not None:
        # One without a lease has none to give.
        rooms = [
            0 if lease is None else sign * (minor - lease)
            for minor, lease in zip(balances, had, strict=True)
        ]
        left = gathered(rooms, state.stripe, taken, in_use)
    balances[state.stripe] = now
    if left is None:
        left = dict(enumerate(dealt(sign * (sum(balances) - limit), in_use)))
    return {stripe: balances[stripe] - sign * room for stripe, room in left.items()}


def limit_of(one: AccountState | AccountProfile, bound: Bound) -> tuple[int | None, Basis]:
    """The lowest, or the highest, balance that an account may have, and which balance it is."""
    if bound == "min":
        return one.min_balance_minor, one.min_balance_basis
    return one.max_balance_minor, one.max_balance_basis


def _leased(entry: AccountEntry, leases: Mapping[str, int | None]) -> AccountEntry:
    return replace(entry, **leases) if leases else entry
