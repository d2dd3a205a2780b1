"""Balances: what is written for which event, and what becomes of failed writes."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws
from msgspec import structs
from typing_extensions import override

from ledger.consuming.writing import FAILURES_IN_A_ROW_MAX
from ledger.contracts.events import AccountOpened
from ledger.contracts.primitives import AccountType
from ledger.runtime.faults import StoreError
from projections.balances import handler as module
from projections.balances.apply import Metadata, Profile, Totals, coalesce
from projections.balances.handler import make_handler
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project
from projections.balances.store import DynamoBalancesStore
from projections.generations.memory import single
from tests.properties.projection_streams import Book, four_events, message
from tests.support.consuming import REJECTION, World, function_environment
from tests.unit.projections.fakes import create_tables

BOOK = four_events()


def test_only_the_newest_totals_of_a_batch_count() -> None:
    """Whatever their order in the batch, the highest version of each account is what is written."""
    for events in (BOOK.events, BOOK.events[::-1]):
        writes = coalesce(events)
        assert {name: totals.version for name, totals in writes.totals.items()} == {"a": 3, "b": 3}
        assert {name: p.profile_version for name, p in writes.profiles.items()} == {"a": 1, "b": 1}


def test_only_the_newest_profile_of_a_batch_counts() -> None:
    """Whatever their order in the batch, the highest profile version is what is written."""
    opening = BOOK.events[0]
    assert isinstance(opening, AccountOpened)
    later = structs.replace(
        opening, accounts=(structs.replace(opening.accounts[0], version=5, prev="x"),)
    )
    for events in ([opening, later], [later, opening]):
        assert coalesce(events).profiles["a"].profile_version == 5


def test_a_rejection_changes_nothing() -> None:
    """Events without accounts need no write."""
    store = MemoryBalancesStore()
    assert project(store, [REJECTION]).failed == {}
    assert store.writes == 0


@pytest.mark.parametrize(
    ("account_type", "balance", "available"),
    [("asset", 60, 53), ("expense", 60, 53), ("liability", -60, -65), ("income", -60, -65)],
)
def test_pending_amounts_lower_what_is_available_and_never_raise_it(
    account_type: AccountType, balance: int, available: int
) -> None:
    """On the normal side: pending credits of an asset, pending debits of a liability."""
    totals = Totals(
        account="a",
        version=2,
        account_type=account_type,
        currency="EUR",
        debits_posted_minor=100,
        credits_posted_minor=40,
        debits_pending_minor=5,
        credits_pending_minor=7,
        event="e",
        recorded_at="",
        effective_at="",
    )
    assert (totals.balance_minor, totals.available_minor) == (balance, available)


def test_a_profile_is_all_that_an_account_is() -> None:
    """Status, frozen sides, book, limits with their bases, velocity: from whichever event has the
    newest, though it came first."""
    book = Book()
    book.open("a", lowest=-5)
    limited = book.limit("a", -7, velocity=True)
    frozen = book.freeze("a", "credits")
    expected = Profile(
        account="a",
        profile_version=3,
        account_type="liability",
        currency="EUR",
        status="frozen",
        frozen="credits",
        min_balance_minor=-7,
        max_balance_minor=None,
        min_balance_basis="posted",
        velocity=limited.profile.velocity,
        opened_at=limited.profile.opened_at,
    )
    assert coalesce([frozen, limited, book.events[0]]).profiles == {"a": expected}


def test_metadata_come_with_an_opening_and_after_it() -> None:
    """Those of an account alone; an opening without any has none; of several the newest."""
    book = Book()
    book.open("a", metadata={"name": "x"})
    book.open("b")
    opening = coalesce(book.recorded).metadata
    assert opening == {"a": Metadata(account="a", metadata_version=1, metadata={"name": "x"})}
    book.pay(("a", "b", 1))
    book.describe("payment", "payment-2", {"name": "z"})
    book.describe("account", "a", {})
    newest = coalesce(book.recorded[::-1]).metadata
    assert newest == {"a": Metadata(account="a", metadata_version=2, metadata={})}


def test_what_is_held_shows_in_the_totals() -> None:
    """Pending amounts of a hold, and what of it was posted."""
    book = Book()
    book.open("a")
    book.open("b", "asset")
    held = book.hold(("a", "b", 9))
    book.capture(held.id, (4,))
    payer = coalesce(book.recorded).totals["a"]
    assert (payer.debits_posted_minor, payer.debits_pending_minor) == (4, 5)
    assert (payer.balance_minor, payer.available_minor) == (-4, -9)


class Broken(MemoryBalancesStore):
    """Fails every write to some accounts, totals or metadata."""

    def __init__(self, *accounts: str, part: str = "totals") -> None:
        super().__init__()
        self.accounts_out = accounts
        self.part = part
        self.tried: list[str] = []

    @override
    def write(self, totals: Totals, profile: Profile | None = None) -> int:
        self.tried.append(totals.account)
        if self.part == "totals" and totals.account in self.accounts_out:
            raise StoreError("ThrottlingException")
        return super().write(totals, profile)

    @override
    def write_metadata(self, metadata: Metadata) -> bool:
        if self.part == "metadata" and metadata.account in self.accounts_out:
            raise StoreError("ThrottlingException")
        return super().write_metadata(metadata)


def test_a_failed_account_fails_the_messages_that_touch_it_and_no_other() -> None:
    """A hot account that is throttled holds up its own events only."""
    book = Book()
    for name in "abcd":
        book.open(name)
    hot, cold = book.pay(("a", "b", 1)), book.pay(("c", "d", 1))
    outcome = project(Broken("b"), [*book.events[:4], hot, cold])
    assert outcome.failed == {1: "ThrottlingException", 4: "ThrottlingException"}
    assert outcome.counts == {"Writes": 6, "WritesOutdated": 0}


def test_failed_metadata_fail_the_message_that_gave_them() -> None:
    """Totals that were written do not excuse metadata that were not. (A payment of the same account
    in the batch fails with it: to project it again is harmless.)"""
    book = Book()
    book.open("a", metadata={"name": "x"})
    book.open("b")
    book.describe("account", "b", {"name": "y"})
    for account, failed in (("a", {0}), ("b", {1, 2})):
        outcome = project(Broken(account, part="metadata"), book.recorded)
        assert outcome.failed == dict.fromkeys(failed, "ThrottlingException")


def test_a_table_out_of_reach_is_not_asked_for_ever() -> None:
    """After a few failures in a row the rest of the batch fails untried."""
    book = Book()
    names = [f"n{number}" for number in range(10)]
    for name in names:
        book.open(name)
    store = Broken(*names)
    outcome = project(store, book.events)
    assert len(store.tried) == FAILURES_IN_A_ROW_MAX
    assert set(outcome.failed) == set(range(10))
    assert list(outcome.failed.values()).count("not_tried") == 10 - FAILURES_IN_A_ROW_MAX


def test_failures_that_are_not_in_a_row_stop_nothing() -> None:
    """Some hot accounts among many others do not end the batch."""
    book = Book()
    names = [f"n{number}" for number in range(12)]
    for name in names:
        book.open(name)
    store = Broken(*names[::2])
    project(store, book.events)
    assert store.tried == names


def test_the_handler_projects_a_batch_and_says_so() -> None:
    """From queue messages to balances, with counts in the line; a repetition is outdated."""
    world, store = World(), MemoryBalancesStore()
    handler = make_handler(stores=single(store), **world.collaborators)
    records = [message(event, event.id) for event in BOOK.events]
    for _ in range(2):
        assert handler({"Records": records}, None) == {"batchItemFailures": []}
    account = store.account("a")
    assert account is not None
    assert account.totals.balance_minor == 7 - 3 + 1
    assert [line.metrics["Writes"] for line in world.lines] == [("Count", 4), ("Count", 0)]
    assert world.lines[1].metrics["WritesOutdated"] == ("Count", 4)


def test_the_function_is_built_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployed entry point, with a table: importing it created nothing, calling it projects."""
    for name, value in function_environment(
        "Balances", BALANCES_TABLE="balances", QUEUE_URL="https://queue"
    ).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb")
        create_tables(client)
        records = [message(event, event.id) for event in BOOK.events]
        assert module.handler({"Records": records}, None) == {"batchItemFailures": []}
        account = DynamoBalancesStore(client, "balances").account("a")
    assert account is not None
    assert account.totals.version == 3
