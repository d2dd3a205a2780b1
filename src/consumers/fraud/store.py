"""Where features and verdicts are kept: the port, and its DynamoDB adapter.

One table, three kinds of items. `account#<id>` has an account's features, with the revision that a
writer must still find there. `screening#<payment>` has the verdict that a payment was given, if it
was not clear: put before it is sent, and never replaced, also when another release has another
scorer. `review#<event>` has such a verdict as the ledger recorded it; those items alone are in the
index of reviews.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from consumers.fraud.codec import decoded, encoded
from consumers.fraud.features import Features
from consumers.fraud.screening import Screening
from ledger.contracts.commands import ScreenPayment, encode_command
from ledger.contracts.events import PaymentScreened, decode_event, encode_event
from ledger.runtime.faults import (
    AWS_ERRORS,
    CONDITION_FAILED,
    BrokenItemError,
    StoreError,
    code_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: Accounts of one `load`, which is one request.
LOADED_AT_ONCE: Final = 100
REVIEWS_INDEX: Final = "reviews"
_LOAD_ROUNDS_MAX: Final = 4  # DynamoDB left some keys out three times: it is overloaded
_SCHEMA: Final = 1  # of features and of verdicts; stored as `v`
_ALL_REVIEWS: Final = "all"  # the index's one partition: verdicts that are not clear are few
_COMMAND: Final = msgspec.json.Decoder(ScreenPayment)

Item = Mapping[str, Mapping[str, Any]]


class UnknownItemVersionError(StoreError):
    """A newer release wrote an item: this worker is about to be replaced, and must not write."""

    def __init__(self) -> None:
        super().__init__("unknown_item_version")


class Remembered(Struct, frozen=True):
    """An account's features and their revision: 0 if nothing is stored yet."""

    features: Features = Features()
    revision: int = 0


class Review(Struct, frozen=True):
    """A recorded verdict that is not clear, and the payer that it is about most, if known."""

    event: PaymentScreened
    account: str | None


class Reviews(Struct, frozen=True):
    """Some reviews, newest first, and the key behind which older ones lie, if there are more."""

    reviews: tuple[Review, ...]
    next_key: ReviewKey | None


class ReviewKey(Struct, frozen=True):
    """Where a review lies in the list: when it was recorded, and its item."""

    recorded_at: str
    item: str


class FraudStore(Protocol):
    """Keeps features and verdicts. Every method may raise StoreError; reads are consistent, but
    those of the list of reviews."""

    def load(self, accounts: Sequence[str]) -> Mapping[str, Remembered]:
        """What is remembered of each of these accounts, LOADED_AT_ONCE at most, each named once.
        Raises BrokenItemError, too."""

    def save(self, account: str, before: Remembered, after: Features) -> bool:
        """Replace an account's features. False: it is not at the revision of `before` any more."""

    def keep(self, screening: Screening) -> Screening:
        """Keep a verdict, unless the payment has one: the one that it has then. Raises
        BrokenItemError, too."""

    def screening(self, payment: str) -> Screening | None:
        """The verdict that was kept of a payment, if one was. Raises BrokenItemError, too."""

    def add_review(self, review: Review) -> None:
        """Put a verdict that the ledger recorded into the list of reviews; twice is once."""

    def reviews(self, after: ReviewKey | None, limit: int) -> Reviews:
        """Up to `limit` reviews older than `after` (None: from the newest), newest first."""


class DynamoFraudStore:
    """The store in a DynamoDB table with the key `pk` and the index `reviews`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def load(self, accounts: Sequence[str]) -> Mapping[str, Remembered]:
        found = dict.fromkeys(accounts, Remembered())
        for item in self._items([account_key(name) for name in accounts]):
            found[item["pk"]["S"].partition("#")[2]] = _remembered(item)
        return found

    def save(self, account: str, before: Remembered, after: Features) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before.revision:
            condition = {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": {":revision": {"N": str(before.revision)}},
            }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=features_item(account, after, before.revision + 1),
                **condition,
            )
        except AWS_ERRORS as error:
            # Also if it was an earlier try of the SDK's that took effect, and lost its answer: then
            # what is read next has observed all of it.
            if code_of(error) == CONDITION_FAILED:
                return False
            raise StoreError(code_of(error)) from error
        return True

    def keep(self, screening: Screening) -> Screening:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=screening_item(screening),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except AWS_ERRORS as error:
            if code_of(error) != CONDITION_FAILED:
                raise StoreError(code_of(error)) from error
            return self.screening(screening.command.payment) or screening
        return screening

    def screening(self, payment: str) -> Screening | None:
        try:
            answer = self._client.get_item(
                TableName=self._table,
                Key={"pk": {"S": screening_key(payment)}},
                ConsistentRead=True,
            )
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        return _screening(answer["Item"]) if "Item" in answer else None

    def add_review(self, review: Review) -> None:
        try:
            self._client.put_item(TableName=self._table, Item=review_item(review))
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error

    def reviews(self, after: ReviewKey | None, limit: int) -> Reviews:
        start: dict[str, Any] = {}
        if after:
            start["ExclusiveStartKey"] = {
                "pk": {"S": after.item},
                "listed": {"S": _ALL_REVIEWS},
                "recorded_at": {"S": after.recorded_at},
            }
        try:
            answer = self._client.query(
                TableName=self._table,
                IndexName=REVIEWS_INDEX,
                KeyConditionExpression="listed = :listed",
                ExpressionAttributeValues={":listed": {"S": _ALL_REVIEWS}},
                ScanIndexForward=False,
                Limit=limit,
                **start,
            )
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        last = answer.get("LastEvaluatedKey")
        return Reviews(
            reviews=tuple(map(_review, answer["Items"])),
            next_key=ReviewKey(last["recorded_at"]["S"], last["pk"]["S"]) if last else None,
        )

    def _items(self, keys: Sequence[str]) -> list[Item]:
        """The items of up to 100 keys; asks again for what DynamoDB left out."""
        left: Any = {self._table: {"Keys": [{"pk": {"S": key}} for key in keys]}}
        items: list[Item] = []
        for _ in range(_LOAD_ROUNDS_MAX):
            left[self._table]["ConsistentRead"] = True
            try:
                answer = self._client.batch_get_item(RequestItems=left)
            except AWS_ERRORS as error:
                raise StoreError(code_of(error)) from error
            items += answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys")
            if not left:
                return items
        raise StoreError("unprocessed")


def account_key(account: str) -> str:
    """The key of an account's features."""
    return f"account#{account}"


def screening_key(payment: str) -> str:
    """The key of the verdict on a payment."""
    return f"screening#{payment}"


def review_key(event: PaymentScreened) -> str:
    """The key of a recorded verdict that is not clear."""
    return f"review#{event.id}"


def features_item(account: str, features: Features, revision: int) -> dict[str, Any]:
    """The item of an account's features."""
    return {
        "pk": {"S": account_key(account)},
        "v": {"N": str(_SCHEMA)},
        "revision": {"N": str(revision)},
        "features": {"B": encoded(features)},
    }


def screening_item(screening: Screening) -> dict[str, Any]:
    """The item of a verdict: the very command that goes to the ledger, so that it always is."""
    command = screening.command
    return {
        "pk": {"S": screening_key(command.payment)},
        "v": {"N": str(_SCHEMA)},
        "account": {"S": screening.account},
        "command": {"S": encode_command(command).decode()},
    }


def review_item(review: Review) -> dict[str, Any]:
    """The item of a recorded verdict; what the index of reviews is made of."""
    return {
        "pk": {"S": review_key(review.event)},
        "listed": {"S": _ALL_REVIEWS},
        "recorded_at": {"S": review.event.recorded_at},
        "event": {"S": encode_event(review.event).decode()},
        **({"account": {"S": review.account}} if review.account else {}),
    }


def _remembered(item: Item) -> Remembered:
    _expect_schema(item)
    try:
        return Remembered(decoded(bytes(item["features"]["B"])), int(item["revision"]["N"]))
    except (KeyError, ValueError) as error:
        raise BrokenItemError("an item of the fraud table is no account's features") from error


def _screening(item: Item) -> Screening:
    _expect_schema(item)
    try:
        return Screening(item["account"]["S"], _COMMAND.decode(item["command"]["S"]))
    except (KeyError, msgspec.MsgspecError) as error:
        raise BrokenItemError("an item of the fraud table is no verdict") from error


def _expect_schema(item: Item) -> None:
    if item.get("v") != {"N": str(_SCHEMA)}:
        raise UnknownItemVersionError


def _review(item: Item) -> Review:
    event = decode_event(item["event"]["S"])
    if not isinstance(event, PaymentScreened):
        raise BrokenItemError("an item of the fraud table is no review")
    account = item.get("account")
    return Review(event, account["S"] if account else None)
