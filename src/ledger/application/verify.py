"""`ledger verify`: recomputes everything derived from the events alone, and names what differs.

Safe on a live ledger. The states are captured first and the events scanned afterwards, so every
event up to a captured version is in the scan; what came later is left out of every sum. A torn
scan is never summed: balances are added up on a cut that no event crosses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from ledger.application.history_of_events import EventHistory, Link, arranged
from ledger.application.ports import KEYS_A_LOAD_MAX, EventStore
from ledger.application.verification import Check, Report
from ledger.application.verify_leases import Leases, verify_leases
from ledger.application.verify_subjects import verify_subjects
from ledger.contracts import reasons
from ledger.contracts.events import (
    AccountEntry,
    AccountOpened,
    PaymentEvent,
    PaymentReversed,
    StripesSet,
    currency_of,
    entry_moved_minor,
    entry_pended_minor,
)
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.subjects import Key
from ledger.domain.accounts import (
    GENESIS_HASH,
    AccountState,
    BrokenStateError,
    crossed_alerts,
    evolve,
)
from ledger.domain.chain import link
from ledger.domain.movements import (
    Movement,
    balance_refusals,
    closed_refusals,
    frozen_refusals,
    overflow_refusals,
    velocity_refusals,
)
from ledger.domain.stamp import Stamp
from ledger.domain.states import State, States


class Captured(NamedTuple):
    """A ledger to verify: its events, how far each account, stripe and payment is judged (its
    version then), and where to look up what was committed since."""

    history: EventHistory
    versions: Mapping[Key, int]
    store: EventStore
    payments: Mapping[str, int] = {}


class _Walk(NamedTuple):
    """What the walk through the versions of an account, or stripe, led to.

    `last` is the link of the captured version, if it is there; `folded` the state that the events
    make, if they follow one another; each version up to `dense_to` was made by exactly one event.
    """

    last: Link | None
    folded: AccountState | None
    dense_to: int


def verify_store(store: EventStore, report: Report) -> Captured:
    """Checks events and states against each other; the capture serves to check projections."""
    captured = {state.key: state for state in store.states()}
    states = {key: one for key, one in captured.items() if isinstance(one, AccountState)}
    others = {key: one for key, one in captured.items() if key not in states}
    history = arranged(store.events())
    lagging = _lagging_states(store, history, states, report)
    versions = {key: state.version for key, state in states.items()} | lagging
    report.looked_at("events_readable", history.events)
    for event_id, problem in history.unreadable:
        report.found("events_readable", event_id, problem)
    leases = Leases()
    walks = {
        key: _verify_account(key, version, history.of(key), leases, report)
        for key, version in versions.items()
    }
    for key, state in states.items():
        if key not in lagging:  # already named
            _verify_state(state, walks[key], report)
    verify_leases(leases, report)
    verify_subjects(store, history, others, versions, report)
    _verify_zero_sum(history, {key: walk.dense_to for key, walk in walks.items()}, report)
    return Captured(history, versions, store, _payments(history, versions, others))


def _payments(
    history: EventHistory, versions: Mapping[Key, int], others: Mapping[Key, State]
) -> dict[str, int]:
    """The versions of all payments when the states were captured."""
    made = {
        posted.id: 1
        for posted in history.posted.values()
        if all(entry.version <= versions.get(entry.key, 0) for entry in posted.accounts)
    }
    later = {key.id: state.version for key, state in others.items() if key.kind == "payment"}
    return made | later


def _lagging_states(
    store: EventStore,
    history: EventHistory,
    states: dict[Key, AccountState],
    report: Report,
) -> dict[Key, int]:
    """The newest versions of accounts and stripes whose states lag behind their events.

    Other accounts may have moved on during the scan. An event seen in it was committed with its
    state, so a state read afterwards has at least that version; one that has not was lost or
    restored from the past.
    """
    lagging: dict[Key, int] = {}
    ahead = {
        key: max(versions)
        for key, versions in history.links.items()
        if max(versions) > (states[key].version if key in states else 0)
    }
    keys = list(ahead)
    for start in range(0, len(keys), KEYS_A_LOAD_MAX):
        chunk = keys[start : start + KEYS_A_LOAD_MAX]
        fresh = store.load(chunk)
        for key in chunk:
            version = fresh.version(key)
            if version < ahead[key]:
                lagging[key] = ahead[key]
                detail = f"at version {version}, its events at {ahead[key]}"
                report.found("states_equal", key.id, detail)
    return lagging


def _verify_account(
    key: Key,
    version: int,
    links: Mapping[int, list[Link]],
    leases: Leases,
    report: Report,
) -> _Walk:
    """Walks the versions of one account, or stripe, up to the captured one, over what is
    missing."""
    account = key.id
    before: Link | None = None
    folded: AccountState | None = None
    reached, dense_to = 0, 0
    for number in sorted(n for n in links if n <= version):
        report.looked_at("versions_dense")
        if number > reached + 1:
            _found_missing(account, reached + 1, number - 1, report)
            before, folded = None, None
        if len(links[number]) > 1:
            made_by = ", ".join(sorted(one.event for one in links[number]))
            report.found("versions_dense", account, f"version {number} made by {made_by}")
        elif dense_to == number - 1:
            dense_to = number
        here = _extending(before, links[number])
        if number == 1 or before is not None:
            _verify_link(account, before, here, report)
        _verify_alerts(folded, here, report)
        _verify_constraints(folded, here, report)
        after = _evolved(folded, here)
        leases.take(folded, after, here, report)
        before, folded, reached = here, after, number
    if reached < version:
        _found_missing(account, reached + 1, version, report)
        return _Walk(None, None, dense_to)
    return _Walk(before, folded, dense_to)


def _found_missing(account: str, first: int, last: int, report: Report) -> None:
    report.looked_at("versions_dense")
    what = f"version {first} is" if first == last else f"versions {first}-{last} are"
    report.found("versions_dense", account, f"{what} missing")


def _extending(before: Link | None, links: list[Link]) -> Link:
    """Of several events that claim one version, the one that extends the chain, if any does."""
    if len(links) == 1:
        return links[0]
    previous = before.chain_hash if before else GENESIS_HASH
    return next((one for one in links if one.chain_hash == link(previous, one.data)), links[0])


def _evolved(state: AccountState | None, here: Link) -> AccountState | None:
    """The state after `here`; None once something does not follow, which its own check names."""
    try:
        return evolve(state, here.fact, here.entry, here.chain_hash)
    except BrokenStateError:
        return None


def _verify_link(account: str, before: Link | None, here: Link, report: Report) -> None:
    checks: tuple[tuple[Check, bool], ...] = (
        ("prev_leads_back", _leads_back(before, here)),
        ("chain_links", _extends_chain(before, here)),
        ("time_monotonic", before is None or before.fact.recorded_at <= here.fact.recorded_at),
        ("totals_follow", _totals_follow(before, here)),
    )
    for check, holds in checks:
        report.looked_at(check)
        if not holds:
            report.found(check, account, f"version {here.entry.version} ({here.event})")


def _verify_alerts(state: AccountState | None, here: Link, report: Report) -> None:
    """`state` is that before `here`; None at the opening, and behind what does not follow."""
    if state is None and here.entry.version > 1:
        return
    report.looked_at("alerts_follow")
    if here.entry.crossed != (crossed_alerts(state, here.entry) if state else ()):
        report.found(
            "alerts_follow", here.entry.key.id, f"version {here.entry.version} ({here.event})"
        )


def _verify_constraints(state: AccountState | None, here: Link, report: Report) -> None:
    """Judges what moved the account by the rules of its decision: `state` is that before `here`."""
    fact = here.fact
    if state is None or not isinstance(fact, PaymentEvent):
        return
    report.looked_at("constraints_hold")
    world = States.of((state,))
    moved, pended = entry_moved_minor(fact, here.entry), entry_pended_minor(fact, here.entry)
    movement = Movement(state.id, "", *moved, *pended, stripe=state.stripe)
    broken = [*closed_refusals(world, (movement,)), *frozen_refusals(world, (movement,))]
    if state.is_striped:  # what its limits are is seen to where its leases are
        broken += overflow_refusals(world, (movement,))
    else:
        broken += balance_refusals(world, (movement,))
    if not isinstance(fact, PaymentReversed):
        stamped = Stamp(fact.recorded_at, fact.actor)
        broken += velocity_refusals(world, (movement,), stamped)
    codes = [refusal.reason.code for refusal in broken]
    if any(
        posting.currency != state.currency
        for posting in fact.postings
        if state.id in (posting.source, posting.destination)
    ):
        codes.append(reasons.CURRENCY_MISMATCH.code)
    for code in codes:
        where = f"version {here.entry.version} ({here.event})"
        report.found("constraints_hold", state.key.id, f"{where}: {code}")


def _leads_back(before: Link | None, here: Link) -> bool:
    opening = isinstance(here.fact, AccountOpened)
    if before is None:
        added = isinstance(here.fact, StripesSet) and here.entry.stripe_number > 0
        return (opening or added) and here.entry.prev is UNSET
    same_type = here.entry.type == before.entry.type
    return not opening and same_type and here.entry.prev == before.event


def _extends_chain(before: Link | None, here: Link) -> bool:
    return here.chain_hash == link(before.chain_hash if before else GENESIS_HASH, here.data)


def _totals_follow(before: Link | None, here: Link) -> bool:
    was = totals_of(before.entry) if before else (0, 0, 0, 0)
    now = totals_of(here.entry)
    moved = (
        *entry_moved_minor(here.fact, here.entry),
        *entry_pended_minor(here.fact, here.entry),
    )
    return (
        min(now) >= 0
        and max(now) <= AMOUNT_MINOR_MAX
        and now == tuple(map(sum, zip(was, moved, strict=True)))
    )


def _verify_state(state: AccountState, walk: _Walk, report: Report) -> None:
    report.looked_at("states_equal")
    if walk.last is None:
        report.found("states_equal", state.key.id, f"version {state.version} has no event")
        return
    last = walk.last
    expected: dict[str, object] = {
        "last_event": last.event,
        "recorded_at": last.fact.recorded_at,
        "hash": last.chain_hash,
        "type": last.entry.type,
        **dict(zip(TOTALS, totals_of(last.entry), strict=True)),
    }
    if walk.folded is not None:
        expected |= msgspec.structs.asdict(walk.folded)
    differing = [name for name, value in expected.items() if getattr(state, name) != value]
    if differing:
        report.found("states_equal", state.key.id, f"differs in {', '.join(sorted(differing))}")


def _verify_zero_sum(history: EventHistory, versions: Mapping[Key, int], report: Report) -> None:
    """Per currency, all credits less all debits are zero, at a cut that no event crosses."""
    cut = uncrossed(history, versions)
    sums: defaultdict[str, int] = defaultdict(int)
    for key, version in cut.items():
        if version:
            here = history.of(key)[version][0]
            balance = here.entry.credits_posted_minor - here.entry.debits_posted_minor
            sums[currency_of(here.fact, here.entry.id)] += balance
    report.looked_at("zero_sum", len(sums))
    for currency, total in sorted(sums.items()):
        if total:
            report.found("zero_sum", currency, f"all balances sum to {total}")


def uncrossed(history: EventHistory, versions: Mapping[Key, int]) -> dict[Key, int]:
    """The largest cut within `versions` that has each event at all its accounts or at none.

    An event that one account leaves out is taken off the others, with all that came after it
    there. Each version is taken off once; on a quiet ledger none is.
    """
    cut = dict(versions)
    facts = {
        one.event: one.fact
        for by_version in history.links.values()
        for links in by_version.values()
        for one in links
    }
    crossing = [
        event
        for event, fact in facts.items()
        if any(entry.version > cut.get(entry.key, 0) for entry in fact.accounts)
    ]
    while crossing:
        for entry in facts[crossing.pop()].accounts:
            reached = cut.get(entry.key, 0)
            if entry.version > reached:
                continue
            cut[entry.key] = entry.version - 1
            for version in range(entry.version, reached + 1):
                crossing.extend(one.event for one in history.of(entry.key).get(version, ()))
    return cut


TOTALS: Final = (
    "debits_posted_minor",
    "credits_posted_minor",
    "debits_pending_minor",
    "credits_pending_minor",
)


def totals_of(entry: AccountEntry) -> tuple[int, ...]:
    """The four running totals of an entry, in the order of TOTALS."""
    return tuple(getattr(entry, name) for name in TOTALS)
