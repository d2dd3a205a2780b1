"""Balances: what is written for which event, and what becomes of failed writes."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from moto import mock_aws
from msgspec import structs
from typing_extensions import override

from ledger.contracts.events import AccountOpened
from ledger.contracts.primitives import AccountType
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.items import attributes_of
from projections.balances import handler as module
from projections.balances.apply import Profile, Totals, coalesce
from projections.balances.handler import make_handler
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import FAILURES_IN_A_ROW_MAX, project
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


class Broken(MemoryBalancesStore):
    """Fails every write to some accounts, totals or profile."""

    def __init__(self, *accounts: str, part: str = "totals") -> None:
        super().__init__()
        self.accounts_out = accounts
        self.part = part
        self.tried: list[str] = []

    @override
    def write_totals(self, totals: Totals) -> bool:
        self.tried.append(totals.account)
        if self.part == "totals" and totals.account in self.accounts_out:
            raise StoreError("ThrottlingException")
        return super().write_totals(totals)

    @override
    def write_profile(self, profile: Profile) -> bool:
        if self.part == "profile" and profile.account in self.accounts_out:
            raise StoreError("ThrottlingException")
        return super().write_profile(profile)


def test_a_failed_account_fails_the_messages_that_touch_it_and_no_other() -> None:
    """A hot account that is throttled holds up its own events only."""
    book = Book()
    for name in "abcd":
        book.open(name)
    hot, cold = book.pay(("a", "b", 1)), book.pay(("c", "d", 1))
    outcome = project(Broken("b"), [*book.events[:4], hot, cold])
    assert outcome.failed == {1: "ThrottlingException", 4: "ThrottlingException"}
    assert outcome.counts == {"Writes": 7, "WritesOutdated": 0}


def test_a_failed_profile_fails_the_message_that_opened_the_account() -> None:
    """Totals that were written do not excuse a profile that was not. (A payment of the same account
    in the batch fails with it: to project it again is harmless.)"""
    outcome = project(Broken("a", part="profile"), BOOK.events[:2])
    assert outcome.failed == {0: "ThrottlingException"}


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


@pytest.fixture
def stubbed() -> Any:
    """A store whose client answers what it is told to, and the stub."""
    client = boto3.client(
        "dynamodb", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    return DynamoBalancesStore(client, "balances"), Stubber(client)


def test_a_write_is_one_conditional_update(stubbed: Any) -> None:
    """All fields of the part at once, if and only if its version rises."""
    store, stub = stubbed
    totals = coalesce(BOOK.events).totals["a"]
    fields = {name: value for name, value in structs.asdict(totals).items() if name != "account"}
    names = {f"#{place}": name for place, name in enumerate(fields)}
    stub.add_response(
        "update_item",
        {},
        {
            "TableName": "balances",
            "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "SET " + ", ".join(f"#{n} = :{n}" for n in range(len(fields))),
            "ConditionExpression": "attribute_not_exists(#0) OR #0 < :0",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                f":{place}": value for place, value in enumerate(attributes_of(fields).values())
            },
        },
    )
    assert names["#0"] == "version"
    with stub:
        assert store.write_totals(totals) is True
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "AccessDeniedException", "InternalServerError"],
)
def test_errors_of_aws_come_with_their_code(stubbed: Any, code: str) -> None:
    """Writes and reads alike."""
    store, stub = stubbed
    for operation in ("update_item", "update_item", "get_item", "scan"):
        stub.add_client_error(operation, code)
    writes = coalesce(BOOK.events)
    calls = (
        lambda: store.write_totals(writes.totals["a"]),
        lambda: store.write_profile(writes.profiles["a"]),
        lambda: store.account("a"),
        lambda: list(store.accounts()),
    )
    with stub:
        for call in calls:
            with pytest.raises(StoreError) as error:
                call()
            assert error.value.code == code


def test_a_lost_answer_is_an_error_like_others() -> None:
    """Whether it took effect is unknown; to write again is safe."""

    class Disconnected:
        def update_item(self, **_: object) -> object:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    store = DynamoBalancesStore(Disconnected(), "balances")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="ReadTimeoutError"):
        store.write_totals(coalesce(BOOK.events).totals["a"])


def test_a_scan_goes_on_to_the_last_page(stubbed: Any) -> None:
    """A table is more than one page of 1 MB."""
    store, stub = stubbed
    accounts = coalesce(BOOK.events).totals.values()
    items = [
        attributes_of(
            {"pk": each.account} | {k: v for k, v in structs.asdict(each).items() if k != "account"}
        )
        for each in accounts
    ]
    expected = {"TableName": "balances", "ConsistentRead": True}
    key = {"pk": {"S": "a"}}
    stub.add_response("scan", {"Items": items[:1], "LastEvaluatedKey": key}, expected)
    stub.add_response("scan", {"Items": items[1:]}, expected | {"ExclusiveStartKey": key})
    stub.add_response("get_item", {})  # no replay has retired what was scanned
    with stub:
        assert [each.totals for each in store.accounts()] == list(accounts)


def test_reads_are_consistent(stubbed: Any) -> None:
    """Two reads one after the other never show a version going backwards."""
    store, stub = stubbed
    stub.add_response(
        "get_item",
        {},
        {"TableName": "balances", "Key": {"pk": {"S": "a"}}, "ConsistentRead": True},
    )
    with stub:
        assert store.account("a") is None


@pytest.mark.parametrize(
    "change",
    [
        {"version": {"N": "1.5"}},
        {"version": {"BOOL": True}},
        {"currency": {"N": "1"}},
        {"account_type": {"S": "coffer"}},
    ],
    ids=str,
)
def test_an_item_that_nobody_wrote_is_refused(stubbed: Any, change: dict[str, Any]) -> None:
    """What is read back is checked, and never shown if it is not an account."""
    store, stub = stubbed
    totals = structs.asdict(coalesce(BOOK.events).totals["a"])
    item = attributes_of({"pk": totals.pop("account")} | totals) | change
    stub.add_response("get_item", {"Item": item})
    with stub, pytest.raises(BrokenItemError):
        store.account("a")
