"""`ledger verify`: recomputes everything derived from the events alone, and names what differs.

Safe on a live ledger. The states are captured first and the events scanned afterwards, so every
event up to a captured version is in the scan; what came later is left out of every sum. A torn
scan is never summed: balances are added up on a cut that no event crosses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple

from msgspec import UNSET

from ledger.application.history_of_events import EventHistory, Link, arranged
from ledger.application.ports import EventStore
from ledger.application.verification import Check, Report
from ledger.contracts.events import AccountEntry
from ledger.domain.accounts import GENESIS_HASH, AccountState
from ledger.domain.chain import link

LOAD_MAX: Final = 100  # accounts in one consistent read


class ProjectedVersion(NamedTuple):
    """What a projection says of one version of one account."""

    account: str
    version: int
    event: str
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int


class Captured(NamedTuple):
    """A ledger to verify: its events, and how far each account is judged (its version then)."""

    history: EventHistory
    versions: Mapping[str, int]


def verify_store(store: EventStore, report: Report) -> Captured:
    """Checks events and states against each other; the capture serves to check projections."""
    states = {state.id: state for state in store.states()}
    history = arranged(store.events())
    _later_states(store, history, states, report)
    versions = {account: state.version for account, state in states.items()}
    report.looked_at("events_readable", history.events)
    for event_id, problem in history.unreadable:
        report.found("events_readable", event_id, problem)
    for account, state in states.items():
        last = _verify_account(account, state.version, history.of(account), report)
        _verify_state(state, last, report)
    _verify_zero_sum(history, versions, report)
    return Captured(history, versions)


def verify_projection(
    check: Literal["balances_equal", "history_equal"],
    rows: Iterable[ProjectedVersion],
    captured: Captured,
    report: Report,
) -> None:
    """Compares a projection's rows, read after the capture, with the events.

    `balances_equal` expects one row an account, at the captured version or later; `history_equal`
    one row for every version up to it.
    """
    seen: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        report.looked_at(check)
        seen[row.account].add(row.version)
        links = captured.history.of(row.account).get(row.version)
        if links is None:
            # A version committed after the capture is not in it: nothing to compare with.
            if row.version <= captured.versions.get(row.account, 0):
                report.found(check, row.account, f"version {row.version} has no event")
        elif _said(row) not in [_expected(one) for one in links]:
            report.found(
                check, row.account, f"version {row.version} differs from event {row.event}"
            )
    for account, version in captured.versions.items():
        if check == "balances_equal":
            newest = max(seen[account], default=0)
            if newest < version:
                report.found(check, account, f"at version {newest}, the events at {version}")
        else:
            missing = set(range(1, version + 1)) - seen[account]
            if missing:
                report.found(check, account, f"missing versions {_ranges(missing)}")


def _later_states(
    store: EventStore,
    history: EventHistory,
    states: dict[str, AccountState],
    report: Report,
) -> None:
    """Tells accounts that moved on during the scan from states that lag behind their events.

    An event seen in the scan was committed with its state, so a state read afterwards has at least
    that version; one that has not was lost or restored from the past.
    """
    ahead = {
        account: max(versions)
        for account, versions in history.links.items()
        if max(versions) > (states[account].version if account in states else 0)
    }
    accounts = list(ahead)
    for start in range(0, len(accounts), LOAD_MAX):
        chunk = accounts[start : start + LOAD_MAX]
        fresh = store.load(chunk)
        for account in chunk:
            version = fresh[account].version if account in fresh else 0
            if version < ahead[account]:
                report.found(
                    "states_equal", account, f"at version {version}, its events at {ahead[account]}"
                )


def _verify_account(
    account: str, version: int, links: Mapping[int, list[Link]], report: Report
) -> Link | None:
    """Walks the versions of one account up to the captured one; the last link, if it is there."""
    before: Link | None = None
    for number in range(1, version + 1):
        report.looked_at("versions_dense")
        here = links.get(number, [])
        if len(here) != 1:
            what = f"made by {len(here)} events: {', '.join(sorted(one.event for one in here))}"
            report.found(
                "versions_dense", account, f"version {number} {what if here else 'is missing'}"
            )
        if not here:
            before = None
            continue
        if number == 1 or before is not None:
            _verify_link(account, before, here[0], report)
        before = here[0]
    return before


def _verify_link(account: str, before: Link | None, here: Link, report: Report) -> None:
    version = here.entry.version
    for check in _LINK_CHECKS:
        report.looked_at(check)
    if here.entry.prev != (before.event if before else UNSET):
        report.found("prev_leads_back", account, f"version {version} ({here.event})")
    if here.chain_hash != link(before.chain_hash if before else GENESIS_HASH, here.data):
        report.found("chain_links", account, f"version {version} ({here.event})")
    if before is not None and here.recorded_at < before.recorded_at:
        report.found("time_monotonic", account, f"version {version} ({here.event})")
    debits, credits_ = here.moved_minor
    if before is not None:
        debits += before.entry.debits_posted_minor
        credits_ += before.entry.credits_posted_minor
    if (debits, credits_) != (here.entry.debits_posted_minor, here.entry.credits_posted_minor):
        report.found("totals_follow", account, f"version {version} ({here.event})")


def _verify_state(state: AccountState, last: Link | None, report: Report) -> None:
    report.looked_at("states_equal")
    if last is None:
        report.found("states_equal", state.id, f"version {state.version} has no event")
        return
    differing = [
        name
        for name, stored, folded in (
            ("last_event", state.last_event, last.event),
            ("recorded_at", state.recorded_at, last.recorded_at),
            ("currency", state.currency, last.currency),
            ("hash", state.hash, last.chain_hash),
            *(
                (name, getattr(state, name), getattr(last.entry, name))
                for name in ("type", *_TOTALS)
            ),
        )
        if stored != folded
    ]
    if differing:
        report.found("states_equal", state.id, f"differs in {', '.join(differing)}")


def _verify_zero_sum(history: EventHistory, versions: Mapping[str, int], report: Report) -> None:
    """Per currency, all credits less all debits are zero, at a cut that no event crosses."""
    cut = _uncrossed(history, dict(versions))
    sums: defaultdict[str, int] = defaultdict(int)
    for account, version in cut.items():
        links = history.of(account).get(version)
        if links:
            entry = links[0].entry
            sums[links[0].currency] += entry.credits_posted_minor - entry.debits_posted_minor
    report.looked_at("zero_sum", len(sums))
    for currency, total in sorted(sums.items()):
        if total:
            report.found("zero_sum", currency, f"all balances sum to {total}")


def _uncrossed(history: EventHistory, cut: dict[str, int]) -> dict[str, int]:
    """The largest cut within `cut` that has each event at all its accounts or at none.

    Lowers an account below an event that another account's cut leaves out, until nothing moves.
    Accounts only go down, so this ends; on a quiet ledger it does nothing.
    """
    touched: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for account, versions in history.links.items():
        for version, links in versions.items():
            for one in links:
                touched[one.event].append((account, version))
    moved = True
    while moved:
        moved = False
        for places in touched.values():
            if all(version <= cut.get(account, 0) for account, version in places):
                continue
            for account, version in places:
                if version <= cut.get(account, 0):
                    cut[account] = version - 1
                    moved = True
    return cut


_LINK_CHECKS: Final[tuple[Check, ...]] = (
    "prev_leads_back",
    "chain_links",
    "time_monotonic",
    "totals_follow",
)
_TOTALS: Final = (
    "debits_posted_minor",
    "credits_posted_minor",
    "debits_pending_minor",
    "credits_pending_minor",
)


def _said(row: ProjectedVersion) -> tuple[object, ...]:
    return (row.event, *(getattr(row, name) for name in _TOTALS))


def _expected(one: Link) -> tuple[object, ...]:
    return (one.event, *_totals_of(one.entry))


def _totals_of(entry: AccountEntry) -> tuple[int, ...]:
    return tuple(getattr(entry, name) for name in _TOTALS)


def _ranges(versions: set[int]) -> str:
    """Versions for people: `3, 7-9`."""
    runs: list[list[int]] = []
    for version in sorted(versions):
        if runs and version == runs[-1][1] + 1:
            runs[-1][1] = version
        else:
            runs.append([version, version])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
