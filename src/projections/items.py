"""How projections write and read the items of their tables.

What an item says comes from events of several kinds, in any order. So it has parts, each with a
version of its own: a part is written whole, and only by what is newer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from msgspec import UNSET, Struct

from ledger.runtime.faults import AWS_ERRORS, CONDITION_FAILED, StoreError, code_of
from ledger.runtime.items import Item, attributes_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS_MAX: Final = 100  # of BatchGetItem
_ROUNDS_MAX: Final = 4  # DynamoDB left some keys out three times: it is overloaded


class Part(Struct, frozen=True):
    """All fields of a part of an item; `version` names the one that rises. What is UNSET goes.

    A field that two parts share has one value for ever.
    """

    version: str
    fields: Mapping[str, object]


def write_parts(client: DynamoDBClient, table: str, key: Item, parts: Sequence[Part]) -> int:
    """Write those of `parts` that are newer than what is there; how many they were.

    One request if all are, as is usual; else one more for each, if there are several. Raises
    StoreError: then some may have been written.
    """
    if _replaced(client, table, key, parts):
        return len(parts)
    if len(parts) == 1:
        return 0
    return sum(_replaced(client, table, key, [part]) for part in parts)


def write_item(client: DynamoDBClient, table: str, key: Item, fields: Mapping[str, object]) -> None:
    """Write an item that has no parts and no versions: it is the same whenever it is written.
    Raises StoreError."""
    names = {f"#{place}": name for place, name in enumerate(fields)}
    try:
        # An update like all others, as that is what the functions of projections may do.
        client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET " + ", ".join(f"{place} = {_value(place)}" for place in names),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={
                _value(f"#{place}"): attribute
                for place, attribute in enumerate(attributes_of(fields).values())
            },
        )
    except AWS_ERRORS as error:
        raise StoreError(code_of(error)) from error


def read_items(
    client: DynamoDBClient, table: str, keys: Sequence[Item]
) -> list[Mapping[str, Mapping[str, Any]]]:
    """The items that are there of these keys, each named once, in any order; read consistently.

    Asks again for what DynamoDB left out. Raises StoreError.
    """
    items: list[Mapping[str, Mapping[str, Any]]] = []
    for start in range(0, len(keys), KEYS_MAX):
        items += _read(client, table, keys[start : start + KEYS_MAX])
    return items


def _read(
    client: DynamoDBClient, table: str, keys: Sequence[Item]
) -> list[Mapping[str, Mapping[str, Any]]]:
    items: list[Mapping[str, Mapping[str, Any]]] = []
    left: Any = {table: {"Keys": list(keys), "ConsistentRead": True}}
    for _ in range(_ROUNDS_MAX):
        try:
            answer = client.batch_get_item(RequestItems=left)
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        items += answer["Responses"].get(table, [])
        left = answer.get("UnprocessedKeys")
        if not left:
            return items
    raise StoreError("unprocessed")


def _replaced(client: DynamoDBClient, table: str, key: Item, parts: Sequence[Part]) -> bool:
    """Write all of `parts` if the version of each rises by it; whether it was so."""
    fields = {name: value for part in parts for name, value in part.fields.items()}
    names = {name: f"#{place}" for place, name in enumerate(fields)}
    values = {name: value for name, value in fields.items() if value is not UNSET}
    gone = [names[name] for name, value in fields.items() if value is UNSET]
    update = "SET " + ", ".join(f"{names[name]} = {_value(names[name])}" for name in values)
    try:
        client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression=update + (f" REMOVE {', '.join(gone)}" if gone else ""),
            ConditionExpression=" AND ".join(_rises(names[part.version]) for part in parts),
            ExpressionAttributeNames={place: name for name, place in names.items()},
            ExpressionAttributeValues={
                _value(names[name]): attribute for name, attribute in attributes_of(values).items()
            },
        )
    except ClientError as error:
        if code_of(error) == CONDITION_FAILED:
            return False
        raise StoreError(code_of(error)) from error
    except AWS_ERRORS as error:
        raise StoreError(code_of(error)) from error
    return True


def _rises(place: str) -> str:
    return f"(attribute_not_exists({place}) OR {place} < {_value(place)})"


def _value(place: str) -> str:
    return f":{place[1:]}"
