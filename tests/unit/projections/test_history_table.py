"""The history's table under stress: throttled, unfinished, refused, lost, in pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber
from msgspec import structs

from ledger.consuming.writing import FAILURES_IN_A_ROW_MAX
from ledger.runtime.faults import BrokenItemError, StoreError
from projections.history.store import (
    RETRIES_MAX,
    DynamoHistoryStore,
    Versions,
    item_of_row,
    row_of_item,
)
from tests.contract.projections.test_history_store import FIRST, FULL, rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Keys = list[tuple[str, int]]


def client_error(code: str) -> ClientError:
    """The error that boto3 raises for a code of AWS."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "BatchWriteItem")


@dataclass
class Table:
    """Answers BatchWriteItem: `fault` decides for each request what to leave unprocessed, or
    raises. Keeps what was written, the size of each request and the waits between."""

    fault: Callable[[Keys], Keys]
    written: Counter[tuple[str, int]] = field(default_factory=Counter)
    requests: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """As the client does."""
        ((name, requests),) = RequestItems.items()
        assert name == "history"
        assert len(requests) <= 25
        keys = [key_of(request) for request in requests]
        assert len(set(keys)) == len(keys)
        self.requests.append(len(keys))
        left = self.fault(keys)
        self.written.update(key for key in keys if key not in left)
        return {"UnprocessedItems": {name: [r for r in requests if key_of(r) in left]}}

    @property
    def store(self) -> DynamoHistoryStore:
        """A store on this table."""
        return DynamoHistoryStore(
            cast("DynamoDBClient", self), "history", random=lambda: 0.5, sleep=self.waits.append
        )


def key_of(request: dict[str, Any]) -> tuple[str, int]:
    """The key of a put request."""
    item = request["PutRequest"]["Item"]
    return item["pk"]["S"], int(item["sk"]["N"])


def keys(account: str, *versions: int) -> set[tuple[str, int]]:
    """The keys of some versions."""
    return {(account, version) for version in versions}


def test_rows_are_written_25_a_request() -> None:
    """As many as BatchWriteItem takes."""
    table = Table(lambda _: [])
    assert table.store.write(rows("a", *range(1, 61))) == {}
    assert table.requests == [25, 25, 10]
    assert table.waits == []


def test_unprocessed_items_are_sent_again_after_a_wait() -> None:
    """Only those, until they are written; each wait is longer, with full jitter."""
    answers: Iterator[set[tuple[str, int]]] = iter([keys("a", 3, 4, 5), keys("a", 4), set()])
    table = Table(lambda sent: sorted(next(answers) & set(sent)))
    assert table.store.write(rows("a", *range(1, 11))) == {}
    assert table.requests == [10, 3, 1]
    assert table.waits == [0.05, 0.1]
    assert set(table.written.values()) == {1}


def test_items_that_stay_unprocessed_are_reported_and_the_rest_is_written() -> None:
    """A hot account is throttled for ever: bounded retries, its rows fail, all others are there."""
    table = Table(lambda sent: [key for key in sent if key[0] == "hot"])
    failed = table.store.write(rows("hot", 1, 2) + rows("cold", *range(1, 41)))
    assert failed == {("hot", 1): "unprocessed", ("hot", 2): "unprocessed"}
    assert set(table.written) == keys("cold", *range(1, 41))
    assert len(table.waits) == RETRIES_MAX


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalServerError"])
def test_a_failed_request_is_sent_again(code: str) -> None:
    """An error for the request as a whole passes when the table recovers."""
    faults = [client_error(code), client_error(code)]

    def fault(_: Keys) -> Keys:
        if faults:
            raise faults.pop()
        return []

    table = Table(fault)
    assert table.store.write(rows("a", 1, 2, 3)) == {}
    assert table.requests == [3, 3, 3]


def test_a_table_out_of_reach_fails_every_row_after_bounded_tries() -> None:
    """Each row is reported; none is tried for ever."""

    def fault(_: Keys) -> Keys:
        raise client_error("ThrottlingException")

    table = Table(fault)
    failed = table.store.write(rows("a", *range(1, 101)))
    assert set(failed) == keys("a", *range(1, 101))
    assert set(failed.values()) == {"ThrottlingException"}
    assert len(table.requests) == 4 * (RETRIES_MAX + 1)


def test_a_table_that_answers_nothing_is_not_tried_to_the_end() -> None:
    """Once five requests failed one behind the other the rest waits for another time: rows that
    were not tried say so, and no further round is begun."""

    def fault(_: Keys) -> Keys:
        raise client_error("ThrottlingException")

    table = Table(fault)
    failed = table.store.write(rows("a", *range(1, 201)))
    assert len(table.requests) == FAILURES_IN_A_ROW_MAX == 5
    assert Counter(failed.values()) == {"ThrottlingException": 125, "not_tried": 75}


def test_a_lost_answer_is_sent_again() -> None:
    """Whether it took effect is unknown; the rows are the same."""
    faults = [ReadTimeoutError(endpoint_url="https://dynamodb")]

    def fault(_: Keys) -> Keys:
        if faults:
            raise faults.pop()
        return []

    assert Table(fault).store.write(rows("a", 1)) == {}


@pytest.mark.parametrize("bad", [1, 13, 25, 26])
def test_an_item_that_dynamodb_never_takes_fails_alone(bad: int) -> None:
    """A request is refused for one of its items: halves are tried until it is found, at no cost
    in retries, and every other row of the batch is written."""

    def fault(sent: Keys) -> Keys:
        if ("a", bad) in sent:
            raise client_error("ValidationException")
        return []

    table = Table(fault)
    assert table.store.write(rows("a", *range(1, 31))) == {("a", bad): "ValidationException"}
    assert set(table.written) == keys("a", *range(1, 31)) - keys("a", bad)
    assert table.waits == []


def test_a_batch_of_refused_items_ends() -> None:
    """Every item refused: each is reported, by fewer than two requests an item."""

    def fault(_: Keys) -> Keys:
        raise client_error("ValidationException")

    table = Table(fault)
    assert set(table.store.write(rows("a", *range(1, 26)))) == keys("a", *range(1, 26))
    assert len(table.requests) == 2 * 25 - 1


@pytest.fixture
def stubbed() -> Any:
    """A store whose client answers what it is told to, and the stub."""
    client = boto3.client(
        "dynamodb", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    store = DynamoHistoryStore(client, "history", random=lambda: 0.0, sleep=lambda _: None)
    return store, Stubber(client)


def query(low: int, high: int, **more: Any) -> dict[str, Any]:
    """What a query for versions from `low` to `high` of account a asks."""
    return {
        "TableName": "history",
        "KeyConditionExpression": "pk = :lane AND sk BETWEEN :low AND :high",
        "ExpressionAttributeValues": {
            ":lane": {"S": "a"},
            ":low": {"N": str(low)},
            ":high": {"N": str(high)},
        },
        "ConsistentRead": True,
    } | more


def test_rows_come_from_as_many_pages_as_there_are(stubbed: Any) -> None:
    """A page ends at 1 MB wherever that is; reading goes on behind it."""
    store, stub = stubbed
    key = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    items = [item_of_row(row) for row in (FIRST, FULL)]
    asked = query(1, 2**63 - 1)
    stub.add_response("query", {"Items": items[:1], "LastEvaluatedKey": key}, asked)
    stub.add_response("query", {"Items": items[1:]}, asked | {"ExclusiveStartKey": key})
    with stub:
        assert list(store.rows_after("a", 0)) == [FIRST, FULL]


def test_a_limit_is_filled_from_several_pages(stubbed: Any) -> None:
    """`before` answers as many rows as it was asked for, though a page held fewer."""
    store, stub = stubbed
    key = {"pk": {"S": "a"}, "sk": {"N": "2"}}
    asked = query(1, 9, ScanIndexForward=False, Limit=2)
    stub.add_response("query", {"Items": [item_of_row(FULL)], "LastEvaluatedKey": key}, asked)
    stub.add_response("query", {"Items": [item_of_row(FIRST)]}, asked | {"ExclusiveStartKey": key})
    with stub:
        assert store.before("a", 10, 2) == (FULL, FIRST)


def test_a_walk_is_one_page_of_keys(stubbed: Any) -> None:
    """Even if the page ended early: then it is not the last."""
    store, stub = stubbed
    stub.add_response(
        "query",
        {"Items": [{"sk": {"N": "8"}}], "LastEvaluatedKey": {"pk": {"S": "a"}, "sk": {"N": "8"}}},
        query(8, 2**63 - 1, Limit=5, ProjectionExpression="sk"),
    )
    with stub:
        assert store.versions_after("a", 7, 5) == Versions((8,), last=False)


def test_a_scan_goes_on_to_the_last_page(stubbed: Any) -> None:
    """A table is more than one page of 1 MB; markers are no rows."""
    store, stub = stubbed
    key = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    marker = {"pk": {"S": "a"}, "sk": {"N": "0"}, "complete_to": {"N": "2"}}
    asked = {"TableName": "history", "ConsistentRead": True}
    first, second = item_of_row(FIRST), item_of_row(FULL)
    stub.add_response("scan", {"Items": [marker, first], "LastEvaluatedKey": key}, asked)
    stub.add_response("scan", {"Items": [second]}, asked | {"ExclusiveStartKey": key})
    stub.add_response("get_item", {})  # no replay has retired what was scanned
    with stub:
        assert list(store.rows()) == [FIRST, FULL]


def test_errors_of_aws_come_with_their_code(stubbed: Any) -> None:
    """From everything but `write`, which answers them row by row."""
    store, stub = stubbed
    calls: list[tuple[str, Callable[[], object]]] = [
        ("query", lambda: store.before("a", None, 1)),
        ("query", lambda: store.versions_after("a", 0, 1)),
        ("query", lambda: list(store.rows_after("a", 0))),
        ("get_item", lambda: store.marker("a")),
        ("update_item", lambda: store.raise_marker("a", 1)),
        ("scan", lambda: list(store.rows())),
    ]
    for operation, _ in calls:
        stub.add_client_error(operation, "ThrottlingException")
    with stub:
        for _, call in calls:
            with pytest.raises(StoreError, match="ThrottlingException"):
                call()


def test_an_impossible_range_is_no_request(stubbed: Any) -> None:
    """DynamoDB refuses BETWEEN 1 AND 0, and nothing lies there."""
    store, stub = stubbed
    with stub:
        assert store.before("a", 1, 5) == ()
        assert store.versions_after("a", 2**63 - 1, 5) == Versions((), last=True)


@pytest.mark.parametrize(
    "change",
    [
        {"event": {"N": "1"}},
        {"debits_posted_minor": {"N": "1.5"}},
        {"debits_posted_minor": {"BOOL": True}},
        {"account_type": {"S": "coffer"}},
        {"legs": {"L": [{"M": {"side": {"S": "left"}}}]}},
    ],
    ids=str,
)
def test_an_item_that_nobody_wrote_is_refused(change: dict[str, Any]) -> None:
    """What is read back is checked, and never shown if it is not a row."""
    with pytest.raises(BrokenItemError):
        row_of_item(FULL.account, item_of_row(FULL) | change)


def test_defaults_take_no_room() -> None:
    """What a row does not have is not stored."""
    assert set(item_of_row(FIRST)) == {
        *("pk", "sk", "event", "type", "recorded_at", "effective_at", "account_type", "currency"),
        *("debits_posted_minor", "credits_posted_minor"),
    }
    plain = structs.replace(FULL, legs=())
    assert row_of_item(FULL.account, item_of_row(plain)) == plain
