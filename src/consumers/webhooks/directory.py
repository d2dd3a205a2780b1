"""Where subscribers are kept: all of them as one item, read and written as a whole.

The fan-out needs every one of them for every notification, and there are few: one consistent read
gives it all, their number is bounded exactly, and a change is one conditional write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from consumers.webhooks.subscribers import Subscriber
from ledger.runtime.faults import (
    AWS_ERRORS,
    CONDITION_FAILED,
    BrokenItemError,
    StoreError,
    code_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

#: A change is in force everywhere after this long at most.
CACHE_SECONDS: Final = 10.0
_ATTEMPTS_MAX: Final = 5  # people change subscribers: two at once are rare, six are a fault


class Directory(Struct, frozen=True):
    """Every subscriber by id, after `version` changes."""

    version: int
    subscribers: Mapping[str, Subscriber]

    def with_(self, subscriber: Subscriber) -> Directory:
        """The next version, where this subscriber is as given."""
        return Directory(self.version + 1, {**self.subscribers, subscriber.id: subscriber})

    def without(self, id: str) -> Directory:
        """The next version, where there is no such subscriber."""
        kept = {name: each for name, each in self.subscribers.items() if name != id}
        return Directory(self.version + 1, kept)


class DirectoryStore(Protocol):
    """Keeps the directory. Both methods may raise StoreError."""

    def read(self) -> Directory:
        """The directory after every write that was acknowledged; version 0 is empty."""

    def write(self, directory: Directory) -> bool:
        """Replace the version before this one. False: another change came first."""


class ConflictError(Exception):
    """Others kept changing the directory; nothing was changed."""


Change = Callable[[Directory], Directory | None]
"""What a directory becomes; None if it is to stay as it is."""


def change_directory(
    store: DirectoryStore, change: Change, *, attempts: int = _ATTEMPTS_MAX
) -> Directory:
    """The directory after `change`, which is asked again if another one came first.

    Raises ConflictError, StoreError, and what `change` raises.
    """
    for _ in range(attempts):
        found = store.read()
        changed = change(found)
        if changed is None:
            return found
        if store.write(changed):
            return changed
    raise ConflictError


class CachedDirectory:
    """The directory as it was at most CACHE_SECONDS ago."""

    def __init__(self, store: DirectoryStore, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._read: tuple[float, Directory] | None = None

    def directory(self, *, anew: bool = False) -> Directory:
        """The cached directory, or with `anew` the present one.

        Raises StoreError or BrokenItemError when it has to read and cannot.
        """
        now, read = self._monotonic(), self._read
        if anew or read is None or now - read[0] >= CACHE_SECONDS:
            self._read = read = now, self._store.read()
        return read[1]


_PK: Final = "subscribers"
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(tuple[Subscriber, ...])


class DynamoDirectory:
    """The directory in a DynamoDB table with the key `pk`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self) -> Directory:
        try:
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": _PK}}, ConsistentRead=True
            )
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        if "Item" not in answer:
            return Directory(0, {})
        try:
            version, data = int(answer["Item"]["version"]["N"]), answer["Item"]["data"]["S"]
            subscribers = _DECODER.decode(data)
        except (KeyError, ValueError) as error:
            raise BrokenItemError("the item of subscribers is not one of ours") from error
        return Directory(version, {each.id: each for each in subscribers})

    def write(self, directory: Directory) -> bool:
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": _PK},
                    "version": {"N": str(directory.version)},
                    "data": {"S": encoded_subscribers(directory).decode()},
                },
                ConditionExpression="attribute_not_exists(pk) OR version = :before",
                ExpressionAttributeValues={":before": {"N": str(directory.version - 1)}},
            )
        except ClientError as error:
            if code_of(error) == CONDITION_FAILED:
                return False
            raise StoreError(code_of(error)) from error
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        return True


def encoded_subscribers(directory: Directory) -> bytes:
    """The subscribers as they are stored; an item may have 400 KB in all."""
    return _ENCODER.encode(tuple(directory.subscribers.values()))


class MemoryDirectory:
    """The directory in memory, for tests and examples."""

    def __init__(self) -> None:
        self._directory = Directory(0, {})

    def read(self) -> Directory:
        return self._directory

    def write(self, directory: Directory) -> bool:
        if directory.version != self._directory.version + 1:
            return False
        self._directory = directory
        return True
