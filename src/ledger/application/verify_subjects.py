"""`ledger verify` of payments, books, templates and metadata: their events and their states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ledger.application.history_of_events import EventHistory, SubjectLink, arranged
from ledger.application.ports import KEYS_A_LOAD_MAX, EventStore
from ledger.application.verification import Report
from ledger.contracts.events import (
    AccountOpened,
    BackDatableEvent,
    BookCheck,
    BookClosed,
    Event,
    PaymentCaptured,
    PaymentExpired,
    PaymentIncreased,
    PaymentPosted,
    PaymentVoided,
)
from ledger.contracts.primitives import end_of_day, shifted_instant
from ledger.contracts.subjects import Key, book_key
from ledger.domain.accounts import GENESIS_HASH, BrokenStateError
from ledger.domain.chain import link
from ledger.domain.effective_time import CLOSING_MARGIN, is_back_dated
from ledger.domain.evolution import evolve_subject
from ledger.domain.states import BookState, PaymentState, State, States


def verify_subjects(
    store: EventStore,
    history: EventHistory,
    states: Mapping[Key, State],
    accounts: Mapping[Key, int],
    report: Report,
) -> None:
    """Checks everything that is no account, up to the version that was captured in `states`.

    `accounts` has the captured versions of accounts and stripes: what was posted to them since is
    not judged.
    """
    versions = {key: state.version for key, state in states.items()}
    lagging = _lagging(store, history, versions, report)
    books: dict[tuple[str, int], BookState] = {}
    for key in dict.fromkeys((*versions, *lagging, *history.subjects)):
        world = States(events=dict(_posted(history, key)))
        version = lagging.get(key, versions.get(key, 0))
        reached = _walk(key, version, history, world, books=books, report=report)
        state = states.get(key)
        if state is not None and key not in lagging:
            _verify_state(state, world.get(key) if reached else None, report)
    captured = {
        key.id: version for key, version in (versions | lagging).items() if key.kind == "book"
    }
    _verify_periods(_Periods(history, accounts, books, captured, store), report)
    _verify_batches(store, history, report)


def _posted(history: EventHistory, key: Key) -> Mapping[str, PaymentPosted]:
    made = history.posted.get(key.id) if key.kind == "payment" else None
    return {key.id: made} if made else {}


def _lagging(
    store: EventStore, history: EventHistory, versions: Mapping[Key, int], report: Report
) -> dict[Key, int]:
    """The newest versions of subjects whose states lag behind their events, read once more: others
    may have moved on during the scan."""
    ahead = {
        key: max(by_version)
        for key, by_version in history.subjects.items()
        if max(by_version) > versions.get(key, 0)
    }
    lagging: dict[Key, int] = {}
    keys = list(ahead)
    for start in range(0, len(keys), KEYS_A_LOAD_MAX):
        chunk = keys[start : start + KEYS_A_LOAD_MAX]
        fresh = store.load(chunk)
        for key in chunk:
            if fresh.version(key) < ahead[key]:
                lagging[key] = ahead[key]
                detail = f"at version {fresh.version(key)}, its events at {ahead[key]}"
                report.found("states_equal", _name(key), detail)
    return lagging


def _walk(
    key: Key,
    version: int,
    history: EventHistory,
    world: States,
    *,
    books: dict[tuple[str, int], BookState],
    report: Report,
) -> bool:
    """Walks the versions of one subject up to the captured one; whether its state was folded."""
    by_version = history.subjects.get(key, {})
    # A payment that was posted at once has its first version in that event.
    first = 2 if key.kind == "payment" and key.id in history.posted else 1
    for number in range(first, version + 1):
        report.looked_at("versions_dense")
        links = by_version.get(number, [])
        if len(links) != 1:
            made_by = ", ".join(sorted(one.event for one in links)) or "no event"
            report.found("versions_dense", _name(key), f"version {number} made by {made_by}")
            return False
        if not _follows(key, links[0], world, report):
            return False
        after = world.get(key)
        if isinstance(after, BookState):
            books[key.id, number] = after
    return version >= first


def _follows(key: Key, here: SubjectLink, world: States, report: Report) -> bool:
    before = world.get(key)
    where = f"version {here.entry.version} ({here.event})"
    report.looked_at("chain_links")
    if here.chain_hash != link(before.hash if before else GENESIS_HASH, here.data):
        report.found("chain_links", _name(key), where)
    report.looked_at("time_monotonic")
    if before is not None and here.fact.recorded_at < before.recorded_at:
        report.found("time_monotonic", _name(key), where)
    report.looked_at("subjects_follow")
    if not _is_timely(before, here.fact):
        report.found("subjects_follow", _name(key), f"{where}: not at this time")
    try:
        world.put(evolve_subject(world, here.fact, here.chain_hash))
    except BrokenStateError as error:
        report.found("subjects_follow", _name(key), f"{where}: {error}")
        return False
    return True


def _is_timely(before: State | None, fact: Event) -> bool:
    """Whether a decision could be made when it was: a hold is captured and increased before its
    expiry and expires after it, and a book is closed through a day that is long over."""
    if isinstance(fact, BookClosed):
        latest = shifted_instant(fact.recorded_at, -CLOSING_MARGIN)
        return end_of_day(fact.through) <= latest
    if not isinstance(before, PaymentState):
        return True
    due = before.expires_at is not None and before.expires_at <= fact.recorded_at
    if isinstance(fact, PaymentCaptured | PaymentIncreased):
        return before.open and not due
    if isinstance(fact, PaymentExpired):
        return before.open and due
    return before.open if isinstance(fact, PaymentVoided) else True


def _verify_batches(store: EventStore, history: EventHistory, report: Report) -> None:
    """Each command of a batch has the event that was committed with it.

    What the scan did not come to is looked up: it may have been committed behind it.
    """
    for batch in history.batches:
        report.looked_at("batches_whole")
        missed = [one for one in batch.commands if one not in history.recorded]
        later = arranged(store.events_of(missed).values() if missed else ()).recorded
        recorded = history.recorded | later
        lost = [one for one in batch.commands if recorded.get(one) != batch.recorded_at]
        if lost:
            report.found("batches_whole", batch.id, f"without its commands {', '.join(lost)}")


def _verify_state(state: State, folded: State | None, report: Report) -> None:
    report.looked_at("states_equal")
    if folded is None:
        report.found("states_equal", _name(state.key), f"version {state.version} has no event")
    elif state != folded:
        names = [
            name
            for name in state.__struct_fields__
            if getattr(state, name) != getattr(folded, name, None)
        ]
        report.found("states_equal", _name(state.key), f"differs in {', '.join(sorted(names))}")


class _Periods(NamedTuple):
    """What closed periods are judged by: `books` by name and version, up to those `captured`."""

    history: EventHistory
    accounts: Mapping[Key, int]
    books: Mapping[tuple[str, int], BookState]
    captured: Mapping[str, int]
    store: EventStore


def _verify_periods(periods: _Periods, report: Report) -> None:
    """Each back-dated event names the books of its accounts, as they were, open for its time."""
    book_of: dict[str, str] = {}
    for versions in periods.history.links.values():
        for here in versions.get(1, ()):
            if isinstance(here.fact, AccountOpened):
                book_of[here.entry.id] = here.fact.book
    facts = {
        here.fact.id: here.fact
        for versions in periods.history.links.values()
        for links in versions.values()
        for here in links
        if isinstance(here.fact, BackDatableEvent)
    }
    for fact in facts.values():
        if any(entry.version > periods.accounts.get(entry.key, 0) for entry in fact.accounts):
            continue  # committed since
        report.looked_at("periods_respected")
        problem = _period_problem(fact, book_of, periods)
        if problem:
            report.found("periods_respected", fact.id, problem)


def _period_problem(
    fact: BackDatableEvent, book_of: Mapping[str, str], periods: _Periods
) -> str | None:
    if not is_back_dated(fact.effective_at, fact.recorded_at):
        return None
    expected = {book_of.get(entry.id, "main") for entry in fact.accounts}
    named = {check.book for check in fact.books}
    if not fact.books:
        # Those of releases before there were books say nothing of them: none was closed then.
        first = [periods.books.get((name, 1)) for name in expected]
        late = any(state and state.recorded_at < fact.recorded_at for state in first)
        return "names no book" if late else None
    if named != expected:
        return f"names the books {', '.join(sorted(named))} for {', '.join(sorted(expected))}"
    problems = (_book_problem(fact, check, periods) for check in fact.books)
    return next((problem for problem in problems if problem), None)


def _book_problem(fact: BackDatableEvent, check: BookCheck, periods: _Periods) -> str | None:
    state = periods.books.get((check.book, check.version))
    if state is None and check.version:
        captured = periods.captured.get(check.book, 0)
        if check.version > captured and check.version <= _newest(periods.store, check.book):
            return None  # made since the capture, before the accounts were captured
        return f"book {check.book} has no version {check.version}"
    later = periods.books.get((check.book, check.version + 1))
    if later and later.recorded_at < shifted_instant(fact.recorded_at, -CLOSING_MARGIN):
        # No commit takes that long: the book was further on when this was decided.
        return f"book {check.book} was at version {later.version} by then"
    closed_through = state.closed_through if state else None
    if closed_through and fact.effective_at < end_of_day(closed_through):
        return f"book {check.book} was closed through {closed_through}"
    return None


def _newest(store: EventStore, book: str) -> int:
    return store.load((book_key(book),)).version(book_key(book))


def _name(key: Key) -> str:
    return key.id if key.kind == "account" else f"{key.kind} {key.id}"
