"""The balances are the fold of the events, whatever becomes of these on their way."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from ledger.contracts.events import AccountEvent, AccountOpened
from ledger.runtime.faults import StoreError
from projections.balances.apply import Profile, Totals
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project
from tests.properties.projection_streams import (
    Batches,
    Book,
    delivered_books,
    every_delivery,
    four_events,
)


def totals_of(book: Book) -> dict[str, Totals]:
    """The totals of every account after all events of the book."""
    return {
        account: Totals(
            account=account,
            version=len(entries),
            account_type=entries[-1][0].type,
            currency="EUR",
            debits_posted_minor=entries[-1][0].debits_posted_minor,
            credits_posted_minor=entries[-1][0].credits_posted_minor,
            debits_pending_minor=0,
            credits_pending_minor=0,
            event=entries[-1][1].id,
            recorded_at=entries[-1][1].recorded_at,
            effective_at=entries[-1][1].effective_at,
        )
        for account, entries in book.entries.items()
    }


def profiles_of(book: Book) -> dict[str, Profile]:
    """The profiles of every account of the book."""
    return {
        event.account: Profile(
            account=event.account,
            profile_version=1,
            account_type=event.account_type,
            currency=event.currency,
            status="open",
            min_balance_minor=event.min_balance_minor,
            max_balance_minor=event.max_balance_minor,
            opened_at=event.effective_at,
        )
        for event in book.events
        if isinstance(event, AccountOpened)
    }


def assert_is_fold(store: MemoryBalancesStore, book: Book) -> None:
    """Totals and profiles in the store are those of the book."""
    accounts = list(store.accounts())
    assert {account.totals.account: account.totals for account in accounts} == totals_of(book)
    assert {account.totals.account: account.profile for account in accounts} == profiles_of(book)


@given(delivered_books())
def test_any_delivery_gives_the_fold_of_the_events(drawn: tuple[Book, Batches]) -> None:
    """Order, repetition and batching of the events leave no trace in the balances; and after every
    batch each account is at the highest version that has come, never below one shown before."""
    book, batches = drawn
    store = MemoryBalancesStore()
    highest: dict[str, int] = {}
    for batch in batches:
        assert project(store, batch).failed == {}
        for entry in (entry for event in batch for entry in event.accounts):
            highest[entry.id] = max(entry.version, highest.get(entry.id, 0))
        shown = {account.totals.account: account.totals.version for account in store.accounts()}
        assert shown == highest
    assert_is_fold(store, book)


def test_every_order_of_four_events_with_a_repetition_gives_the_fold() -> None:
    """Exhaustively: each order of four events, one of them twice, cut in every way into batches."""
    book = four_events()
    for batches in every_delivery(book):
        store = MemoryBalancesStore()
        for batch in batches:
            project(store, batch)
        assert_is_fold(store, book)


@given(delivered_books())
def test_a_batch_costs_one_write_per_account_and_part(drawn: tuple[Book, Batches]) -> None:
    """However many events of a batch touch an account, its totals are written once, and its profile
    once if it was opened in the batch."""
    _, batches = drawn
    for batch in batches:
        store = MemoryBalancesStore()
        project(store, batch)
        touched = {entry.id for event in batch for entry in event.accounts}
        opened = {event.account for event in batch if isinstance(event, AccountOpened)}
        assert store.writes == len(touched) + len(opened)


@dataclass
class FaultyStore(MemoryBalancesStore):
    """Fails some writes, before or after they took effect, as `plan` says in turn."""

    plan: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def write_totals(self, totals: Totals) -> bool:
        fault = self.plan.pop() if self.plan else "none"
        if fault == "refused":
            raise StoreError("ThrottlingException")
        newer = super().write_totals(totals)
        if fault == "answer lost":
            raise StoreError("ReadTimeoutError")
        return newer

    @override
    def write_profile(self, profile: Profile) -> bool:
        if self.plan and self.plan.pop() == "refused":
            raise StoreError("ThrottlingException")
        return super().write_profile(profile)


@given(delivered_books(), st.lists(st.sampled_from(["none", "refused", "answer lost"])))
def test_what_did_not_fail_is_projected_and_what_failed_can_be_retried(
    drawn: tuple[Book, Batches], plan: list[str]
) -> None:
    """With writes that fail or lose their answers: an event that did not fail is in the balances at
    once, and retrying those that failed ends in the fold."""
    book, batches = drawn
    store = FaultyStore(plan=plan)
    waiting = list(batches)
    while waiting:
        batch = waiting.pop()
        failed = project(store, batch).failed
        for place, event in enumerate(batch):
            if place not in failed:
                assert_projected(store, event)
        if failed:
            waiting.insert(0, [batch[place] for place in failed])
    assert_is_fold(store, book)


def assert_projected(store: MemoryBalancesStore, event: AccountEvent) -> None:
    """Every account that the event touched is at its version or above; its profile is there."""
    for entry in event.accounts:
        account = store.account(entry.id)
        assert account is not None
        assert account.totals.version >= entry.version
        if isinstance(event, AccountOpened):
            assert account.profile is not None
