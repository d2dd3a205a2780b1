"""A DynamoDB to be asked, and the short words in which its answers are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import uuid4

from botocore.exceptions import ClientError

from tests.support.conformance import Catalogue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
KEY = "pk"
INDEX_SECONDS = 1.0
_R = TypeVar("_R")


class AtOnce(Protocol):
    """Runs a function for several arguments side by side; answers in their order."""

    def __call__(self, do: Callable[[int], _R], each: Iterable[int], /) -> list[_R]: ...


def in_threads(do: Callable[[int], _R], each: Iterable[int]) -> list[_R]:
    """Each in a thread of its own."""
    arguments = list(each)
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(do, arguments))


class Bench:
    """A DynamoDB to ask, with an empty table that has the partition key `pk`."""

    def __init__(
        self,
        client: DynamoDBClient,
        streams: Any,
        *,
        at_once: AtOnce = in_threads,
        pause: Callable[[float], object] = lambda _: None,
    ) -> None:
        self.client = client
        self.streams = streams
        self.at_once = at_once
        self._pause = pause
        self.table = self.new_table()

    def settle(self) -> None:
        """Waits until indexes have followed, where that takes a while."""
        self._pause(INDEX_SECONDS)

    def new_table(self, *, sort_key: str | None = None, **options: Any) -> str:
        """The name of another empty table; `sort_key` is a number."""
        name = f"check-{uuid4()}"
        keys = [(KEY, "S", "HASH"), *([(sort_key, "N", "RANGE")] if sort_key else [])]
        self.client.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind}  # type: ignore[typeddict-item]
                for key, kind, _ in keys
            ],
            KeySchema=[
                {"AttributeName": key, "KeyType": role}  # type: ignore[typeddict-item]
                for key, _, role in keys
            ],
            BillingMode="PAY_PER_REQUEST",
            **options,
        )
        return name

    def put(self, key: str, **attributes: Any) -> None:
        """Writes an item to the table."""
        self.client.put_item(TableName=self.table, Item=item(key, **attributes))

    def stored(self, key: str) -> Item | None:
        """The item under a key, read consistently."""
        found = self.client.get_item(
            TableName=self.table, Key={KEY: {"S": key}}, ConsistentRead=True
        )
        return dict(found["Item"]) if "Item" in found else None

    def transact(self, *actions: Any, **options: Any) -> Any:
        """One transaction."""
        return self.client.transact_write_items(TransactItems=list(actions), **options)

    def put_action(self, key: str, **attributes: Any) -> Item:
        """A put for a transaction, without a condition."""
        return {"Put": {"TableName": self.table, "Item": item(key, **attributes)}}

    def put_if_absent(self, key: str, **attributes: Any) -> Item:
        """A put for a transaction, as the ledger makes one."""
        action = self.put_action(key, **attributes)
        action["Put"] |= {
            "ConditionExpression": f"attribute_not_exists({KEY})",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return action

    def check_absent(self, key: str) -> Item:
        """A condition for a transaction: that there is no such item."""
        return {
            "ConditionCheck": {
                "TableName": self.table,
                "Key": {KEY: {"S": key}},
                "ConditionExpression": f"attribute_not_exists({KEY})",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }


def item(key: str, **attributes: Any) -> Item:
    """An item of attributes in DynamoDB's own form."""
    return {KEY: {"S": key}, **attributes}


CATALOGUE: Catalogue[Bench] = Catalogue()
"""What the ledger needs answered as AWS answers it."""
check = CATALOGUE.check


def code_of(error: ClientError) -> str:
    """What AWS calls an error."""
    return str(error.response.get("Error", {}).get("Code"))


def outcome(call: Callable[[], object], *, done: str = "accepted") -> str:
    """`done`, or the error's code, with the reasons' of a cancelled transaction."""
    try:
        call()
    except ClientError as error:
        response: Any = error.response
        reasons = [str(reason.get("Code")) for reason in response.get("CancellationReasons", ())]
        return code_of(error) + (f" [{', '.join(reasons)}]" if reasons else "")
    return done


def refused_or_accepted(call: Callable[[], object]) -> str:
    """Whether it was refused, whatever the code."""
    return "accepted" if outcome(call) == "accepted" else "refused"
