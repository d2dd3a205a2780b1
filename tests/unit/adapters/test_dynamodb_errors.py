"""AWS's errors become the application's, each as what it is; what we do not know passes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.ports import Refused, TransientStoreError
from tests.support.builders import opening, paying, state
from tests.support.transactions import acceptance, append_openings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STATES = append_openings(MemoryEventStore(), "a", "b")
PAYMENT, AFTER = acceptance(STATES, paying("p", ("a", "b", 5)))

#: Every call that the store makes, by the operation it asks for.
CALLS: dict[str, Callable[[DynamoEventStore], object]] = {
    "batch_get_item": lambda store: store.load(["a"]),
    "transact_write_items": lambda store: store.append(PAYMENT),
    "get_item": lambda store: store.event("p"),
    "scan": lambda store: list(store.states()),
    "put_item": lambda store: store.restore(state("a")),
}


@pytest.fixture(scope="module")
def client() -> DynamoDBClient:
    """A client that reaches nothing."""
    return boto3.client(
        "dynamodb",
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def store_on(client: DynamoDBClient) -> DynamoEventStore:
    """A store on that client."""
    return DynamoEventStore(client, events_table="events", states_table="states")


class Raising:
    """A client whose every call raises one error; its paginator does so at the first page."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._page if name == "get_paginator" else self._raise

    def _raise(self, **_: object) -> Any:
        raise self._error

    def _page(self, _: str) -> Raising:
        return Raising(self._error)

    def paginate(self, **_: object) -> Iterator[Any]:
        """Pages of which there is none."""
        return (self._raise() for _ in [1])


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("code", "status", "cause"),
    [
        ("TransactionConflictException", 400, "conflict"),
        ("TransactionInProgressException", 400, "conflict"),
        ("ThrottlingException", 400, "throttled"),
        ("ProvisionedThroughputExceededException", 400, "throttled"),
        ("RequestLimitExceeded", 400, "throttled"),
        ("InternalServerError", 500, "unavailable"),
        ("ServiceUnavailable", 503, "unavailable"),
        ("SomethingNew", 502, "unavailable"),
    ],
)
def test_what_a_retry_may_mend_is_transient(
    client: DynamoDBClient, operation: str, code: str, status: int, cause: str
) -> None:
    """Of every operation; the cause is what the counters are to say, the AWS error its origin."""
    with Stubber(client) as stubber:
        stubber.add_client_error(operation, code, http_status_code=status)
        with pytest.raises(TransientStoreError) as raised:
            CALLS[operation](store_on(client))
    assert raised.value.cause == cause
    assert isinstance(raised.value.__cause__, ClientError)


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDeniedException", 400),
        ("ValidationException", 400),
        ("ResourceNotFoundException", 400),
        ("UnrecognizedClientException", 400),
        ("IdempotentParameterMismatchException", 400),
        ("KMSAccessDeniedException", 400),
    ],
)
def test_a_bug_or_a_missing_grant_passes_through(
    client: DynamoDBClient, operation: str, code: str, status: int
) -> None:
    """It is not retried, and arrives as AWS worded it."""
    with Stubber(client) as stubber:
        stubber.add_client_error(operation, code, http_status_code=status)
        with pytest.raises(ClientError) as raised:
            CALLS[operation](store_on(client))
    assert raised.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    "error",
    [
        exceptions.ReadTimeoutError(endpoint_url="x"),
        exceptions.ConnectTimeoutError(endpoint_url="x"),
        exceptions.EndpointConnectionError(endpoint_url="x"),
        exceptions.ConnectionClosedError(endpoint_url="x"),
        exceptions.SSLError(endpoint_url="x", error=OSError("y")),
        exceptions.ResponseStreamingError(error="y"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_is_a_lost_answer(operation: str, error: Exception) -> None:
    """Whatever happened on the way: whether it took effect is unknown."""
    store = DynamoEventStore(
        Raising(error),  # type: ignore[arg-type]
        events_table="events",
        states_table="states",
    )
    with pytest.raises(TransientStoreError) as raised:
        CALLS[operation](store)
    assert raised.value.cause == "lost_answer"
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("operation", CALLS)
def test_an_error_of_ours_passes_through(operation: str) -> None:
    """A parameter that botocore refuses was never sent."""
    error = exceptions.ParamValidationError(report="x")
    store = DynamoEventStore(
        Raising(error),  # type: ignore[arg-type]
        events_table="events",
        states_table="states",
    )
    with pytest.raises(exceptions.ParamValidationError):
        CALLS[operation](store)


def cancelled(
    client: DynamoDBClient, *reasons: dict[str, Any]
) -> Refused | TransientStoreError | ClientError:
    """What becomes of a payment's transaction that is cancelled for these reasons."""
    with Stubber(client) as stubber:
        stubber.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            http_status_code=400,
            modeled_fields={"CancellationReasons": list(reasons)},
        )
        try:
            result = store_on(client).append(PAYMENT)
        except (TransientStoreError, ClientError) as error:
            return error
    assert isinstance(result, Refused)
    return result


FINE = {"Code": "None"}
STALE_B = {
    "Code": "ConditionalCheckFailed",
    "Item": state_item(AFTER["b"]),
    "Message": "The conditional request failed",
}
EXISTING = {"Code": "ConditionalCheckFailed", "Item": event_item(PAYMENT.events[0])}


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("TransactionConflict", "conflict"),
        ("ThrottlingError", "throttled"),
        ("ProvisionedThroughputExceeded", "throttled"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_cancellation_without_a_failed_condition(
    client: DynamoDBClient, code: str, cause: str, place: int
) -> None:
    """A conflict or a throttle at any action is transient."""
    reasons = [FINE, FINE, FINE]
    reasons[place] = {"Code": code}
    error = cancelled(client, *reasons)
    assert isinstance(error, TransientStoreError)
    assert error.cause == cause


def test_a_failed_condition_says_more_than_a_conflict(client: DynamoDBClient) -> None:
    """Where some actions met their condition's failure and others a conflict or a throttle, the
    fresh states are taken: reasons are positional, `None` is one that was fine."""
    mixed = ({"Code": "TransactionConflict"}, {"Code": "ThrottlingError"}, STALE_B)
    assert cancelled(client, *mixed) == Refused(fresh={"b": AFTER["b"]})
    assert cancelled(client, FINE, FINE, STALE_B) == Refused(fresh={"b": AFTER["b"]})
    assert cancelled(client, EXISTING, FINE, STALE_B) == Refused(
        existing={"p": PAYMENT.events[0]}, fresh={"b": AFTER["b"]}
    )
    gone = {"Code": "ConditionalCheckFailed"}
    assert cancelled(client, FINE, gone, FINE) == Refused(fresh={"a": None})


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_cancellation_that_is_our_fault_passes_through(client: DynamoDBClient, code: str) -> None:
    """It would be cancelled for ever."""
    error = cancelled(client, FINE, {"Code": code}, FINE)
    assert isinstance(error, ClientError)
    both = cancelled(client, {"Code": "TransactionConflict"}, {"Code": code}, FINE)
    assert isinstance(both, TransientStoreError)


def test_unprocessed_keys_are_a_throttle(client: DynamoDBClient) -> None:
    """A read that was answered in part is asked for again, not taken for absent accounts."""
    answer = {
        "Responses": {"states": [state_item(STATES["a"])]},
        "UnprocessedKeys": {"states": {"Keys": [{"pk": {"S": "account#b"}}]}},
    }
    with Stubber(client) as stubber:
        stubber.add_response("batch_get_item", answer)
        with pytest.raises(TransientStoreError) as raised:
            store_on(client).load(["a", "b"])
    assert raised.value.cause == "throttled"


def test_write_units_are_those_that_were_reported(client: DynamoDBClient) -> None:
    """The sum over the tables, of what took effect."""
    consumed = [
        {"TableName": "events", "CapacityUnits": 2.0},
        {"TableName": "states", "CapacityUnits": 4.0},
    ]
    store = store_on(client)
    with Stubber(client) as stubber:
        stubber.add_response("transact_write_items", {"ConsumedCapacity": consumed})
        store.append(PAYMENT)
    assert store.meter.take().write_units == 6
    opened, _ = acceptance({}, opening("c"))
    with Stubber(client) as stubber:
        stubber.add_response("transact_write_items", {})
        store.append(opened)
    assert store.meter.take().write_units == 0


def test_a_scan_reads_every_page(client: DynamoDBClient) -> None:
    """Until there is no key to go on from; a page may be empty."""
    pages: list[dict[str, Any]] = [
        {"Items": [state_item(STATES["a"])], "LastEvaluatedKey": {"pk": {"S": "account#a"}}},
        {"Items": [], "LastEvaluatedKey": {"pk": {"S": "account#aa"}}},
        {"Items": [state_item(STATES["b"])]},
    ]
    store = store_on(client)
    with Stubber(client) as stubber:
        for page in pages:
            stubber.add_response("scan", page)
        assert list(store.states()) == [STATES["a"], STATES["b"]]
    assert store.meter.take().requests == 3
