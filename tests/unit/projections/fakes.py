"""The tables of the projections, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.balances.store import PATHS_INDEX
from projections.payments.store import STATUS_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def create_tables(client: DynamoDBClient) -> None:
    """The tables `balances`, `history` and `payments`, empty."""
    create_table(client, "balances", [("pk", "S")], {PATHS_INDEX: ("root", "account")})
    create_table(client, "history", [("pk", "S"), ("sk", "N")])
    create_table(client, "payments", [("pk", "S")], {STATUS_INDEX: ("listed", "created")})


def create_table(
    client: DynamoDBClient,
    name: str,
    key: list[tuple[str, Any]],
    indexes: dict[str, tuple[str, str]] | None = None,
) -> None:
    """A table with this key, and indexes of keys only, each with its partition and sort key."""
    attributes: list[tuple[str, Any]] = [
        *key,
        *((attribute, "S") for pair in (indexes or {}).values() for attribute in pair),
    ]
    more: Any = {}
    if indexes:
        more["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index,
                "KeySchema": _schema(pair),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index, pair in indexes.items()
        ]
    client.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": kind} for attribute, kind in attributes
        ],
        KeySchema=_schema([attribute for attribute, _ in key]),
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def _schema(names: Any) -> list[Any]:
    return [
        {"AttributeName": name, "KeyType": "RANGE" if place else "HASH"}
        for place, name in enumerate(names)
    ]
