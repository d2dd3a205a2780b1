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
from ledger.adapters.dynamodb.event_store import DUE_PAGES_OF_ACCOUNT_MAX, DynamoEventStore
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.ports import (
    Due,
    Refused,
    StateCheck,
    StateWrite,
    Transaction,
    TransientStoreError,
)
from ledger.contracts.storage import DUE_AT
from ledger.contracts.subjects import Key, account_key
from ledger.domain.states import State, States
from tests.support.builders import opening, paying, state
from tests.support.subjects import ELEVEN, at, book, hold, refusal_event
from tests.support.transactions import acceptance, append_openings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STATES = append_openings(MemoryEventStore(), "a", "b")
PAYMENT, AFTER = acceptance(STATES, paying("p", ("a", "b", 5)))

#: Every call that the store makes, by the operation it asks for.
CALLS: dict[str, Callable[[DynamoEventStore], object]] = {
    "batch_get_item": lambda store: store.load([account_key("a")]),
    "transact_write_items": lambda store: store.append(PAYMENT),
    "get_item": lambda store: store.event("p"),
    "query": lambda store: store.due(ELEVEN, limit=1),
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
    client: DynamoDBClient, *reasons: dict[str, Any], transaction: Transaction = PAYMENT
) -> Refused | TransientStoreError | ClientError:
    """What becomes of a transaction, a payment's unless given, that is cancelled for these."""
    with Stubber(client) as stubber:
        stubber.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            http_status_code=400,
            modeled_fields={"CancellationReasons": list(reasons)},
        )
        try:
            result = store_on(client).append(transaction)
        except (TransientStoreError, ClientError) as error:
            return error
    assert isinstance(result, Refused)
    return result


FINE = {"Code": "None"}
FRESH_B = {account_key("b"): AFTER.accounts["b"]}
STALE_B = {
    "Code": "ConditionalCheckFailed",
    "Item": state_item(AFTER.accounts["b"]),
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
    assert cancelled(client, *mixed) == Refused(fresh=FRESH_B)
    assert cancelled(client, FINE, FINE, STALE_B) == Refused(fresh=FRESH_B)
    assert cancelled(client, EXISTING, FINE, STALE_B) == Refused(
        existing={"p": PAYMENT.events[0]}, fresh=FRESH_B
    )
    gone = {"Code": "ConditionalCheckFailed"}
    assert cancelled(client, FINE, gone, FINE) == Refused(fresh={account_key("a"): None})


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_cancellation_that_is_our_fault_passes_through(client: DynamoDBClient, code: str) -> None:
    """It would be cancelled for ever."""
    error = cancelled(client, FINE, {"Code": code}, FINE)
    assert isinstance(error, ClientError)
    both = cancelled(client, {"Code": "TransactionConflict"}, {"Code": code}, FINE)
    assert isinstance(both, TransientStoreError)


def asked_for(*keys: str) -> dict[str, Any]:
    """The parameters of a consistent read of these keys of the table of states."""
    read = {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}
    return {"RequestItems": {"states": read}}


def answered(*states: str, left: tuple[str, ...] = ()) -> dict[str, Any]:
    """An answer with the states of these accounts, and those that were not looked up."""
    found = [state_item(STATES.accounts[name]) for name in states]
    answer: dict[str, Any] = {"Responses": {"states": found} if found else {}}
    if left:
        answer["UnprocessedKeys"] = asked_for(*left)["RequestItems"]
    return answer


def test_what_was_not_looked_up_is_asked_for_again(client: DynamoDBClient) -> None:
    """A read that was answered in part goes on with the rest, and takes nothing of it for absent:
    neither states nor events."""
    store = store_on(client)
    with Stubber(client) as stubber:
        every = ("account#a", "account#b", "account#c")
        stubber.add_response("batch_get_item", answered("a", left=every[1:]), asked_for(*every))
        stubber.add_response("batch_get_item", answered("b"), asked_for(*every[1:]))
        loaded = store.load([account_key(name) for name in "abc"])
    assert loaded.accounts == STATES.accounts
    assert store.meter.take().requests == 2
    event = refusal_event("e")
    left = {"events": {"Keys": [{"pk": {"S": "f"}}], "ConsistentRead": True}}
    with Stubber(client) as stubber:
        first = {"Responses": {"events": [event_item(event)]}, "UnprocessedKeys": left}
        stubber.add_response("batch_get_item", first)
        stubber.add_response("batch_get_item", {"Responses": {}}, {"RequestItems": left})
        assert store.events_of(["e", "f"]) == {"e": event}


def test_what_is_never_looked_up_is_a_throttle(client: DynamoDBClient) -> None:
    """At once if nothing comes, after four requests if it comes in drops: then it is for the caller
    to wait and ask again."""
    store, names = store_on(client), "abcdef"
    keys = [f"account#{name}" for name in names]
    with Stubber(client) as stubber:
        stubber.add_response("batch_get_item", answered(left=tuple(keys)))
        with pytest.raises(TransientStoreError, match="throttled"):
            store.load([account_key(name) for name in names])
    assert store.meter.take().requests == 1
    with Stubber(client) as stubber:
        for _ in range(4):
            stubber.add_response("batch_get_item", answered("a", left=tuple(keys)))
        with pytest.raises(TransientStoreError, match="throttled"):
            store.load([account_key(name) for name in names])
    assert store.meter.take().requests == 4


def test_reasons_of_every_action_are_told_apart(client: DynamoDBClient) -> None:
    """They come in the order of the actions: events that are put, those that must be absent, states
    that are put, those that must stand."""
    events = [refusal_event(name) for name in ("e1", "e2", "x1", "x2")]
    states: list[State] = [hold("p"), book("n"), state("a"), state("b")]
    transaction = Transaction(
        tuple(events[:2]),
        writes=(StateWrite(hold("p", version=3), at(2)), StateWrite(book("n", version=2), at(1))),
        checks=(StateCheck(account_key("a"), at(3)), StateCheck(account_key("b"), at(0))),
        absent=("x1", "x2"),
    )
    found: list[tuple[Key | str, Any]] = [
        *((event.id, event_item(event)) for event in events),
        *((one.key, state_item(one)) for one in states),
    ]
    stored: dict[Key | str, object] = {event.id: event for event in events}
    stored |= {one.key: one for one in states}
    for failing in range(1, 2 ** len(found)):
        met = [failing >> place & 1 for place in range(len(found))]
        reasons = [
            {"Code": "ConditionalCheckFailed", "Item": item} if fails else FINE
            for fails, (_, item) in zip(met, found, strict=True)
        ]
        names = [name for fails, (name, _) in zip(met, found, strict=True) if fails]
        assert cancelled(client, *reasons, transaction=transaction) == Refused(
            existing={name: stored[name] for name in names if isinstance(name, str)},  # type: ignore[misc]
            fresh={name: stored[name] for name in names if isinstance(name, Key)},  # type: ignore[misc]
        )


def index_page(*payments: str, more: bool = False) -> dict[str, Any]:
    """A page of the index: holds that expire when their ids say."""
    items = [
        {"pk": {"S": f"payment#{one}"}, DUE_AT: {"S": f"2026-11-21T{one[1:]}:00:00.000000Z"}}
        for one in payments
    ]
    return {"Items": items} | ({"LastEvaluatedKey": items[-1]} if more else {})


EMPTY: dict[str, Any] = {"Items": []}


def due(client: DynamoDBClient, *pages: dict[str, Any], **asked: Any) -> list[str]:
    """What is due according to these pages; each must be asked for, and no other."""
    with Stubber(client) as stubber:
        for page in pages:
            stubber.add_response("query", page)
        found = store_on(client).due(ELEVEN, **asked)
        stubber.assert_no_pending_responses()
    assert all(isinstance(one, Due) for one in found)
    return [one.payment for one in found]


def test_what_is_due_comes_from_all_shards(client: DynamoDBClient) -> None:
    """One query each, their answers merged by time."""
    pages = [index_page("p03", "p07"), EMPTY, index_page("p01", "p09"), *[EMPTY] * 5]
    assert due(client, *pages, limit=9) == ["p01", "p03", "p07", "p09"]
    assert due(client, *pages, limit=2) == ["p01", "p03"]


def test_pages_of_the_index_are_followed(client: DynamoDBClient) -> None:
    """As far as there are more, also behind one in which the filter left nothing; not when there
    are as many as were asked for, and at most four of a shard."""
    rest = [EMPTY] * 7
    key = {"pk": {"S": "payment#p01"}}
    filtered = {"Items": [], "LastEvaluatedKey": key}
    pages = [filtered, index_page("p02", more=True), index_page("p03"), *rest]
    assert due(client, *pages, account="a", limit=9) == ["p02", "p03"]
    enough = [index_page("p02", "p03", more=True), *rest]
    assert due(client, *enough, limit=2) == ["p02", "p03"]
    endless = [index_page(f"p0{number}", more=True) for number in range(4)]
    assert due(client, *endless, *rest, limit=9) == ["p00", "p01", "p02", "p03"]


def test_what_is_due_of_an_account_has_a_bound_in_all(client: DynamoDBClient) -> None:
    """Whoever pays waits for it: a dozen pages. The first shards have what there is beyond one
    page for each; the others are looked at all the same, and the longest due come first."""
    first = [index_page(f"p1{number}", more=True) for number in range(4)]
    second = [index_page("p09", more=True)] * 2
    others = [index_page("p02", more=True)] * 6
    pages = [*first, *second, *others]
    assert len(pages) == DUE_PAGES_OF_ACCOUNT_MAX
    found = due(client, *pages, account="a", limit=99)
    assert found == ["p02"] * 6 + ["p09"] * 2 + ["p10", "p11", "p12", "p13"]
    assert len(due(client, *[index_page("p01", more=True)] * 32, limit=99)) == 32  # the sweeper


def test_a_shard_is_left_when_its_rest_comes_too_late(client: DynamoDBClient) -> None:
    """There are as many as were asked for, and all that follow are due for less long."""
    pages = [index_page("p01", "p02"), *[index_page("p03", more=True)] * 7]
    assert due(client, *pages, account="a", limit=2) == ["p01", "p02"]


def test_the_index_is_asked_for_no_more_than_is_wanted(client: DynamoDBClient) -> None:
    """The limit counts what is read: with a filter it would count what that leaves out."""
    for account, limited in ((None, True), ("a", False)):
        asked: list[dict[str, Any]] = []

        def note(params: dict[str, Any], **_: object) -> None:
            asked.append(params)  # noqa: B023 - called in this round

        client.meta.events.register_first("provide-client-params.dynamodb.Query", note)
        due(client, *[EMPTY] * 8, account=account, limit=5)
        client.meta.events.unregister("provide-client-params.dynamodb.Query", note)
        assert [one.get("Limit") for one in asked] == [5 if limited else None] * 8
        assert [("FilterExpression" in one) for one in asked] == [not limited] * 8
        shards = [one["ExpressionAttributeValues"][":shard"]["S"] for one in asked]
        assert shards == list("01234567")


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
    opened, _ = acceptance(States(), opening("c"))
    with Stubber(client) as stubber:
        stubber.add_response("transact_write_items", {})
        store.append(opened)
    assert store.meter.take().write_units == 0


def test_a_scan_reads_every_page(client: DynamoDBClient) -> None:
    """Until there is no key to go on from; a page may be empty."""
    pages: list[dict[str, Any]] = [
        {
            "Items": [state_item(STATES.accounts["a"])],
            "LastEvaluatedKey": {"pk": {"S": "account#a"}},
        },
        {"Items": [], "LastEvaluatedKey": {"pk": {"S": "account#aa"}}},
        {"Items": [state_item(STATES.accounts["b"])]},
    ]
    store = store_on(client)
    with Stubber(client) as stubber:
        for page in pages:
            stubber.add_response("scan", page)
        assert list(store.states()) == list(STATES.accounts.values())
    assert store.meter.take().requests == 3
