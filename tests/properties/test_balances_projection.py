"""The balances are the fold of the events, whatever becomes of these on their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from ledger.contracts.events import Event, entries_of
from ledger.runtime.faults import StoreError
from projections.balances.apply import (
    Metadata,
    Profile,
    Totals,
    accounts_of,
    metadata_of,
    profile_of,
)
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project
from tests.properties.projection_streams import (
    Batches,
    Book,
    cut,
    delivered_books,
    every_delivery,
    four_events,
    states_of,
)
from tests.support.lives import lives


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
            debits_pending_minor=entries[-1][0].debits_pending_minor,
            credits_pending_minor=entries[-1][0].credits_pending_minor,
            event=entries[-1][1].id,
            recorded_at=entries[-1][1].recorded_at,
            effective_at=entries[-1][1].effective_at,
        )
        for account, entries in book.entries.items()
    }


def profiles_of(book: Book) -> dict[str, Profile]:
    """The profiles of every account of the book."""
    return {
        account: Profile(
            account=account,
            profile_version=given[-1][0],
            **msgspec.structs.asdict(given[-1][1]),
        )
        for account, given in book.profiles.items()
    }


def metadata_in(book: Book) -> dict[str, Metadata]:
    """The metadata of every account of the book that was given any."""
    return {
        account: Metadata(account=account, metadata_version=len(given), metadata=given[-1][1])
        for (kind, account), given in book.metadata.items()
        if kind == "account"
    }


def assert_is_fold(store: MemoryBalancesStore, book: Book) -> None:
    """Totals, profiles and metadata in the store are those of the book."""
    accounts = list(store.accounts())
    assert {account.totals.account: account.totals for account in accounts} == totals_of(book)
    assert {account.totals.account: account.profile for account in accounts} == profiles_of(book)
    assert {one.account: one for one in store.all_metadata()} == metadata_in(book)


@given(delivered_books())
def test_any_delivery_gives_the_fold_of_the_events(drawn: tuple[Book, Batches]) -> None:
    """Order, repetition and batching of the events leave no trace in the balances; and after every
    batch each account is at the highest version that has come, never below one shown before."""
    book, batches = drawn
    store = MemoryBalancesStore()
    highest: dict[str, int] = {}
    for batch in batches:
        assert project(store, batch).failed == {}
        for entry in (entry for event in batch for entry in entries_of(event)):
            highest[entry.id] = max(entry.version, highest.get(entry.id, 0))
        shown = {account.totals.account: account.totals.version for account in store.accounts()}
        assert shown == highest
    assert_is_fold(store, book)


def with_parts() -> Book:
    """An account whose every part changes: its totals three times, profile and metadata twice."""
    book = Book()
    book.open("a", metadata={"name": "x"})
    book.freeze("a", "debits")
    book.describe("account", "a", {"name": "y"})
    book.alert("a")
    return book


@pytest.mark.parametrize("book", [four_events(), with_parts()], ids=["payments", "parts"])
def test_every_order_of_four_events_with_a_repetition_gives_the_fold(book: Book) -> None:
    """Exhaustively: each order of four events, one of them twice, cut in every way into batches."""
    for batches in every_delivery(book.recorded):
        store = MemoryBalancesStore()
        for batch in batches:
            project(store, batch)
        assert_is_fold(store, book)


@given(lives(), st.data())
def test_the_balances_say_what_the_states_of_the_ledger_say(
    events: list[Event], data: st.DataObject
) -> None:
    """Of whatever commands the ledger got: totals, profile and metadata of every account are those
    that decisions are made on, whatever order the events came in."""
    states = states_of(events)
    store = MemoryBalancesStore()
    order = data.draw(st.permutations(events))
    for batch in cut(order, data.draw(st.sets(st.integers(1, len(order))))):
        assert project(store, batch).failed == {}
    assert {one.totals.account for one in store.accounts()} == set(states.accounts)
    for name, state in states.accounts.items():
        account = store.account(name)
        assert account is not None
        assert account.profile is not None
        projected = msgspec.structs.asdict(account.totals) | msgspec.structs.asdict(account.profile)
        projected["type"], projected["last_event"] = projected["account_type"], projected["event"]
        projected["frozen"] = account.profile.frozen or None
        for field_name in state.__struct_fields__:
            if field_name in projected:
                assert (field_name, projected[field_name]) == (
                    field_name,
                    getattr(state, field_name),
                )
    given_metadata = {f"account/{one.account}": one for one in store.all_metadata()}
    assert {key: (one.metadata_version, one.metadata) for key, one in given_metadata.items()} == {
        key: (state.version, state.metadata)
        for key, state in states.metadata.items()
        if key.startswith("account/")
    }


@given(delivered_books())
def test_a_batch_costs_one_write_per_account(drawn: tuple[Book, Batches]) -> None:
    """However many events of a batch touch an account, it is written once, its profile with it;
    and its metadata once, if they are in the batch."""
    _, batches = drawn
    for batch in batches:
        store = MemoryBalancesStore()
        project(store, batch)
        touched = {entry.id for event in batch for entry in entries_of(event)}
        described = {one.account for event in batch if (one := metadata_of(event))}
        assert store.writes == len(touched) + len(described)


@given(delivered_books())
def test_in_order_no_write_is_in_vain(drawn: tuple[Book, Batches]) -> None:
    """Events that come as they were recorded cost a write for each account that one touches, and
    one for metadata; none is refused."""
    book, _ = drawn
    store = MemoryBalancesStore()
    for event in book.recorded:
        before = store.writes
        assert project(store, [event]).counts["WritesOutdated"] == 0
        assert store.writes - before == len(entries_of(event)) + (metadata_of(event) is not None)


@dataclass
class FaultyStore(MemoryBalancesStore):
    """Fails some writes, before or after they took effect, as `plan` says in turn."""

    plan: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def write(self, totals: Totals, profile: Profile | None = None) -> int:
        fault = self.plan.pop() if self.plan else "none"
        if fault == "refused":
            raise StoreError("ThrottlingException")
        if fault == "half":
            super().write(totals)
            raise StoreError("ThrottlingException")
        newer = super().write(totals, profile)
        if fault == "answer lost":
            raise StoreError("ReadTimeoutError")
        return newer

    @override
    def write_metadata(self, metadata: Metadata) -> bool:
        if self.plan and self.plan.pop() == "refused":
            raise StoreError("ThrottlingException")
        return super().write_metadata(metadata)


FAULTS = ("none", "refused", "half", "answer lost")


@given(delivered_books(), st.lists(st.sampled_from(FAULTS)))
def test_what_did_not_fail_is_projected_and_what_failed_can_be_retried(
    drawn: tuple[Book, Batches], plan: list[str]
) -> None:
    """With writes that fail, are done in part or lose their answers: an event that did not fail is
    in the balances at once, and retrying those that failed ends in the fold."""
    book, batches = drawn
    store = FaultyStore(plan=plan)
    waiting: list[Sequence[Event]] = list(batches)
    while waiting:
        batch = waiting.pop()
        failed = project(store, batch).failed
        for place, event in enumerate(batch):
            if place not in failed:
                assert_projected(store, event)
        if failed:
            waiting.insert(0, [batch[place] for place in failed])
    assert_is_fold(store, book)


def assert_projected(store: MemoryBalancesStore, event: Event) -> None:
    """Every account that the event is about is as far as it says, or further, in every part."""
    for entry in entries_of(event):
        account = store.account(entry.id)
        assert account is not None
        assert account.totals.version >= entry.version
        profile = profile_of(event)
        if profile is not None:
            assert account.profile is not None
            assert account.profile.profile_version >= profile.profile_version
    metadata = metadata_of(event)
    if metadata is not None:
        there = store.metadata([metadata.account])[metadata.account]
        assert there.metadata_version >= metadata.metadata_version
        assert metadata.account in set(accounts_of(event))
