"""The fraud table's own: sizes and write units, and what DynamoDB's refusals mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from cdk.stacks import data
from consumers.fraud.features import Features, movements
from consumers.fraud.rules import RulesScorer
from consumers.fraud.screening import judged
from consumers.fraud.store import (
    REVIEWS_INDEX,
    DynamoFraudStore,
    Remembered,
    UnknownItemVersionError,
    features_item,
    screening_item,
)
from ledger.runtime.faults import BrokenItemError, StoreError
from tests.support.fraud import DAY, MONDAY, Ledger, customer, learned
from tests.support.items import write_units

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LONG = "customers:0123456789abcdef0123456789abcdef:wallet:eur"


class FakeDynamo:
    """Answers each call with the next of `answers`, or raises it; `calls` has the requests."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls.append({"call": name, **request})
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def store(*answers: Any) -> tuple[DynamoFraudStore, FakeDynamo]:
    """A store on a DynamoDB that answers so."""
    dynamo = FakeDynamo(*answers)
    return DynamoFraudStore(cast("DynamoDBClient", dynamo), "fraud"), dynamo


def error(code: str) -> ClientError:
    """An error of DynamoDB's."""
    response: Any = {"Error": {"Code": code, "Message": "secret"}}
    return ClientError(response, "PutItem")


def test_a_payment_between_two_usual_customers_is_two_write_units() -> None:
    """Each account's features are one, and so is the verdict if it is not clear: with long ids, a
    payment a day for a quarter, and as many reasons as a verdict can have."""
    ledger = Ledger()
    for day in range(91):
        ledger.pay((LONG, f"payee-{day % 12}", 5_000 + 37 * day), hour=MONDAY + day * DAY)
        ledger.pay((f"payee-{day % 12}", LONG, 9_000), hour=MONDAY + day * DAY)
    last = MONDAY + 91 * DAY
    ledger.pay(("somebody", LONG, 10**10), hour=last)
    for hour in range(8):
        ledger.pay((LONG, "stranger", 10**9), hour=last + hour)
    mine = [each for event in ledger.events for each in movements(event) if each.account == LONG]
    event = ledger.pay((LONG, "stranger", 10**9), hour=last + 9)
    found = judged(event, {LONG: learned(mine)}, RulesScorer())
    assert found.screening
    assert len(found.screening.command.reasons) == 4
    items = [
        screening_item(found.screening),
        *(features_item(account, after, 10**6) for account, after in found.features.items()),
    ]
    assert [write_units(item) for item in items] == [1, 1, 1]


def test_features_are_written_on_a_condition_and_in_no_transaction() -> None:
    """That costs half as much: an account is one item, and nothing is tied to it."""
    fraud, dynamo = store({}, {})
    assert fraud.save("ann", Remembered(), Features())
    assert fraud.save("ann", Remembered(revision=4), Features())
    assert [call["call"] for call in dynamo.calls] == ["put_item", "put_item"]
    first, second = dynamo.calls
    assert first["ConditionExpression"] == "attribute_not_exists(pk)"
    assert second["ConditionExpression"] == "revision = :revision"
    assert second["ExpressionAttributeValues"] == {":revision": {"N": "4"}}
    assert second["Item"]["revision"] == {"N": "5"}


def test_being_behind_is_no_error() -> None:
    """A failed condition means that somebody else has written: read, and observe again."""
    fraud, _ = store(error("ConditionalCheckFailedException"))
    assert fraud.save("ann", Remembered(), Features()) is False


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (error("ThrottlingException"), "ThrottlingException"),
        (error("AccessDeniedException"), "AccessDeniedException"),
        (ReadTimeoutError(endpoint_url="x"), "ReadTimeoutError"),
    ],
)
def test_every_other_failure_is_the_stores(fault: Exception, code: str) -> None:
    """What is not a race fails the messages, under AWS's code, at every call."""
    ledger = Ledger()
    customer(ledger)
    found = judged(ledger.events[-1], {}, RulesScorer()).screening
    calls: list[Any] = [
        lambda fraud: fraud.save("ann", Remembered(), Features()),
        lambda fraud: fraud.keep(found),
        lambda fraud: fraud.load(["ann"]),
        lambda fraud: fraud.screening("p"),
        lambda fraud: fraud.reviews(None, 1),
    ]
    for call in calls:
        fraud, _ = store(fault)
        with pytest.raises(StoreError) as raised:
            call(fraud)
        assert raised.value.code == code
        assert "secret" not in str(raised.value)


def test_what_dynamodb_leaves_out_of_a_read_is_asked_for_again() -> None:
    """Unprocessed keys are not accounts without features; they are asked for a few times."""
    item = features_item("ann", Features(versions=((1, 2),)), 7)
    keys = {"fraud": {"Keys": [{"pk": {"S": "account#ann"}}]}}
    left = {"Responses": {}, "UnprocessedKeys": keys}
    fraud, dynamo = store(left, {"Responses": {"fraud": [item]}})
    assert fraud.load(["ann"]) == {"ann": Remembered(Features(versions=((1, 2),)), 7)}
    assert [call["RequestItems"]["fraud"]["ConsistentRead"] for call in dynamo.calls] == [True] * 2
    fraud, dynamo = store(*[left] * 9)
    with pytest.raises(StoreError, match="unprocessed"):
        fraud.load(["ann"])
    assert len(dynamo.calls) == 4


@pytest.mark.parametrize(
    "spoilt",
    [{"features": {"B": b"\x01"}}, {"revision": {"N": "x"}}, {"revision": {"S": "1"}}],
    ids=["bytes", "number", "type"],
)
def test_what_no_release_wrote_is_not_taken_for_features(spoilt: dict[str, Any]) -> None:
    """A broken item is an error, not an account without a past."""
    fraud, _ = store({"Responses": {"fraud": [features_item("ann", Features(), 1) | spoilt]}})
    with pytest.raises(BrokenItemError):
        fraud.load(["ann"])


def test_what_a_newer_release_wrote_is_left_alone() -> None:
    """An unknown version of the features fails retryably, before anything is written."""
    item = features_item("ann", Features(), 1) | {"v": {"N": "2"}}
    fraud, _ = store({"Responses": {"fraud": [item]}})
    with pytest.raises(StoreError, match="unknown_item_version"):
        fraud.load(["ann"])


def test_a_verdict_of_a_newer_release_is_left_to_its_workers() -> None:
    """Stored with its version; an unknown one fails retryably, by name."""
    ledger = Ledger()
    customer(ledger)
    found = judged(ledger.events[-1], {}, RulesScorer()).screening
    assert found
    item = screening_item(found)
    assert item["v"] == {"N": "1"}
    fraud, _ = store({"Item": item | {"v": {"N": "2"}}})
    with pytest.raises(UnknownItemVersionError, match="unknown_item_version"):
        fraud.screening("p")


def test_an_item_that_is_no_verdict_is_none() -> None:
    """Neither a cut verdict nor another item passes for one."""
    ledger = Ledger()
    customer(ledger)
    found = judged(ledger.events[-1], {}, RulesScorer()).screening
    assert found
    item = screening_item(found)
    for spoilt in ({"command": {"S": "{"}}, {"command": {"S": "{}"}}):
        fraud, _ = store({"Item": item | spoilt})
        with pytest.raises(BrokenItemError):
            fraud.screening("p")


def test_the_template_makes_the_index_that_is_asked_for() -> None:
    """Infrastructure and adapter name the list of reviews alike."""
    assert data.REVIEWS_INDEX == REVIEWS_INDEX
