"""What was delivered, so that a message that comes twice is not sent twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ledger.runtime.faults import AWS_ERRORS, CONDITION_FAILED, StoreError, code_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: For how long a delivery is known to be done. The longest that one message can wait: four days in
#: its queue and its dead letters' fourteen from there; the rest is for events replayed late. An
#: event that is replayed later still is sent again, under its `webhook-id` of then.
KEPT_SECONDS: Final = 30 * 86_400
_MICROSECONDS_PER_SECOND: Final = 1_000_000


class Delivered(Protocol):
    """Remembers deliveries by `webhook-id`. Both methods may raise StoreError."""

    def has(self, message: str) -> bool:
        """Whether it was delivered, by every record that was acknowledged."""

    def add(self, message: str, subscriber: str, status: int, now_microseconds: int) -> None:
        """It was, with that status. Adding it twice is adding it once."""


class DynamoDelivered:
    """Deliveries in a DynamoDB table with the key `pk`, which expires items at `expires_at`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def has(self, message: str) -> bool:
        try:
            answer = self._client.get_item(
                TableName=self._table,
                Key={"pk": {"S": message}},
                ConsistentRead=True,
                ProjectionExpression="pk",
            )
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        return "Item" in answer

    def add(self, message: str, subscriber: str, status: int, now_microseconds: int) -> None:
        seconds = now_microseconds // _MICROSECONDS_PER_SECOND
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": message},
                    "subscriber": {"S": subscriber},
                    "status": {"N": str(status)},
                    "delivered_at": {"N": str(seconds)},
                    "expires_at": {"N": str(seconds + KEPT_SECONDS)},
                },
                # The first delivery's time stands. That one came before is no error.
                ConditionExpression="attribute_not_exists(pk)",
            )
        except AWS_ERRORS as error:
            if code_of(error) != CONDITION_FAILED:
                raise StoreError(code_of(error)) from error


class MemoryDelivered:
    """Deliveries in memory, for tests."""

    def __init__(self) -> None:
        self.statuses: dict[str, int] = {}

    def has(self, message: str) -> bool:
        return message in self.statuses

    def add(self, message: str, _subscriber: str, status: int, _now_microseconds: int) -> None:
        self.statuses.setdefault(message, status)
