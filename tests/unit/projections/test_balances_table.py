"""The balances' table: what is asked of DynamoDB, and what becomes of its errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from moto import mock_aws
from msgspec import structs, to_builtins

from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.items import attributes_of
from projections.balances.apply import Account, Metadata, coalesce
from projections.balances.project import project
from projections.balances.store import DynamoBalancesStore
from tests.properties.projection_streams import Book, four_events
from tests.unit.projections.fakes import create_tables
from tests.unit.projections.sizes import item_bytes

BOOK = four_events()


@pytest.fixture
def stubbed() -> Any:
    """A store whose client answers what it is told to, and the stub."""
    client = boto3.client(
        "dynamodb", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    return DynamoBalancesStore(client, "balances"), Stubber(client)


def test_a_write_is_one_conditional_update(stubbed: Any) -> None:
    """All fields of the part at once, and where it is listed, if and only if its version rises."""
    store, stub = stubbed
    totals = coalesce(BOOK.events).totals["a"]
    fields = to_builtins(totals) | {"root": "a"}  # but for the stripe of an account that has one
    names = {f"#{place}": name for place, name in enumerate(fields)}
    stub.add_response(
        "update_item",
        {},
        {
            "TableName": "balances",
            "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "SET " + ", ".join(f"#{n} = :{n}" for n in range(len(fields))),
            "ConditionExpression": "(attribute_not_exists(#1) OR #1 < :1)",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                f":{place}": value for place, value in enumerate(attributes_of(fields).values())
            },
        },
    )
    assert names["#1"] == "version"
    with stub:
        assert store.write(totals) == 1
        stub.assert_no_pending_responses()


def test_totals_and_profile_are_one_request_unless_something_newer_is_there(stubbed: Any) -> None:
    """Both at once; if that is refused, each by itself: of two parts one may be newer."""
    store, stub = stubbed
    writes = coalesce(BOOK.events[:1])
    totals, profile = writes.totals["a"], writes.profiles["a"]
    stub.add_response("update_item", {})
    with stub:
        assert store.write(totals, profile) == 2
        stub.assert_no_pending_responses()
    for first in (True, False):
        stub.add_client_error("update_item", "ConditionalCheckFailedException")
        for newer in (first, not first):
            if newer:
                stub.add_response("update_item", {})
            else:
                stub.add_client_error("update_item", "ConditionalCheckFailedException")
        with stub:
            assert store.write(totals, profile) == 1
            stub.assert_no_pending_responses()


def test_a_payment_writes_nothing_that_the_index_of_paths_has() -> None:
    """The keys of an item of totals are the same in every version, so the index is written once;
    and a usual account, limits and all, is one write unit."""
    book = Book()
    wallet = f"customers:{'4' * 19}:wallet"
    book.open(wallet)
    book.open("bank")
    book.limit(wallet, -(10**9), velocity=True)
    for _ in range(3):
        book.pay(("bank", wallet, 10**12))
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        store, keys = DynamoBalancesStore(client, "balances", 9_999), []
        for event in book.events:
            project(store, [event])
            (item,) = (
                one
                for one in client.scan(TableName="balances")["Items"]
                if one["account"]["S"] == wallet
            )
            keys.append({name: item[name] for name in ("pk", "root", "account")})
            assert item_bytes(item) <= 1_024
    assert all(one == keys[0] for one in keys)


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "AccessDeniedException", "InternalServerError"],
)
def test_errors_of_aws_come_with_their_code(stubbed: Any, code: str) -> None:
    """Writes and reads alike."""
    store, stub = stubbed
    writes = coalesce(BOOK.events)
    metadata = Metadata(account="a", metadata_version=1, metadata={})
    calls: list[tuple[str, Callable[[], object]]] = [
        ("update_item", lambda: store.write(writes.totals["a"], writes.profiles["a"])),
        ("update_item", lambda: store.write_metadata(metadata)),
        ("get_item", lambda: store.account("a")),
        ("batch_get_item", lambda: store.some(["a"])),
        ("batch_get_item", lambda: store.metadata(["a"])),
        ("query", lambda: store.under("a:b", "", 5)),
        ("scan", lambda: list(store.accounts())),
        ("scan", lambda: list(store.all_metadata())),
    ]
    for operation, _ in calls:
        stub.add_client_error(operation, code)
    with stub:
        for _, call in calls:
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
        store.write(coalesce(BOOK.events).totals["a"])


def test_a_scan_goes_on_to_the_last_page(stubbed: Any) -> None:
    """A table is more than one page of 1 MB."""
    store, stub = stubbed
    accounts = coalesce(BOOK.events).totals.values()
    items = [
        attributes_of({"pk": each.account, "root": each.account} | structs.asdict(each))
        for each in accounts
    ]
    expected = {"TableName": "balances", "ConsistentRead": True}
    key = {"pk": {"S": "a"}}
    stub.add_response("scan", {"Items": items[:1], "LastEvaluatedKey": key}, expected)
    stub.add_response("scan", {"Items": items[1:]}, expected | {"ExclusiveStartKey": key})
    stub.add_response("get_item", {})  # no replay has retired what was scanned
    with stub:
        assert [each.totals for each in store.accounts()] == list(accounts)


def test_what_a_batched_read_leaves_out_is_asked_for_again(stubbed: Any) -> None:
    """Under load DynamoDB answers some keys only; for ever, and the store is out of reach."""
    store, stub = stubbed
    totals = coalesce(BOOK.events).totals
    items = {
        name: attributes_of({"pk": name, "root": name} | structs.asdict(one))
        for name, one in totals.items()
    }
    asked = {"balances": {"Keys": [{"pk": {"S": name}} for name in "ab"], "ConsistentRead": True}}
    left = {"balances": {"Keys": [{"pk": {"S": "b"}}], "ConsistentRead": True}}
    stub.add_response(
        "batch_get_item",
        {"Responses": {"balances": [items["a"]]}, "UnprocessedKeys": left},
        {"RequestItems": asked},
    )
    stub.add_response(
        "batch_get_item", {"Responses": {"balances": [items["b"]]}}, {"RequestItems": left}
    )
    with stub:
        assert {name: one.totals for name, one in store.some(["a", "b"]).items()} == totals
    for _ in range(4):
        stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": asked})
    with stub, pytest.raises(StoreError, match="unprocessed"):
        store.some(["a", "b"])


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
    item = attributes_of({"pk": "a", "root": "a"} | totals) | change
    stub.add_response("get_item", {"Item": item})
    with stub, pytest.raises(BrokenItemError):
        store.account("a")


def test_metadata_that_nobody_wrote_are_refused(stubbed: Any) -> None:
    """They are texts by name."""
    store, stub = stubbed
    item = attributes_of({"pk": "a#metadata", "metadata_version": 1, "metadata": {"name": 5}})
    stub.add_response("batch_get_item", {"Responses": {"balances": [item]}})
    with stub, pytest.raises(BrokenItemError):
        store.metadata(["a"])


def test_an_item_of_an_earlier_release_is_an_account_as_it_was() -> None:
    """Without what later releases added: in the main book, no side frozen, no velocity limits."""
    writes = coalesce(BOOK.events)
    totals, profile = writes.totals["a"], writes.profiles["a"]
    values = structs.asdict(totals) | {
        name: getattr(profile, name)
        for name in ("profile_version", "status", "min_balance_minor", "max_balance_minor")
    }
    del values["account"]
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        store = DynamoBalancesStore(client, "balances")
        item = attributes_of({"pk": "a", "opened_at": profile.opened_at} | values)
        client.put_item(TableName="balances", Item=item)
        assert store.account("a") == Account(totals, profile)
        assert store.metadata(["a"]) == {}
