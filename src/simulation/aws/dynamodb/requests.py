"""Which parameters are understood: no other is ever silently ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simulation.aws.dynamodb.items import Value, taken_value

_EXPRESSED: Final = frozenset({"ExpressionAttributeNames", "ExpressionAttributeValues"})
_CONDITIONED: Final = _EXPRESSED | {
    "TableName",
    "ConditionExpression",
    "ReturnValuesOnConditionCheckFailure",
}
_READ: Final = frozenset(
    {"TableName", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"}
)
_PAGED: Final = _READ | {"ExclusiveStartKey", "FilterExpression", "Limit"} | _EXPRESSED

#: By operation, and by action of a transaction.
KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "put_item": _CONDITIONED | {"Item"},
    "update_item": _CONDITIONED | {"Key", "UpdateExpression"},
    "delete_item": _CONDITIONED | {"Key"},
    "get_item": _READ | {"Key"},
    "batch_get_item": frozenset({"RequestItems", "ReturnConsumedCapacity"}),
    "batch_get_item of a table": frozenset({"Keys", "ConsistentRead"}),
    "batch_write_item": frozenset({"RequestItems"}),
    "query": _PAGED | {"IndexName", "KeyConditionExpression", "ScanIndexForward"},
    "scan": _PAGED | {"IndexName"},
    "transact_write_items": frozenset(
        {"TransactItems", "ClientRequestToken", "ReturnConsumedCapacity"}
    ),
    "Put": _CONDITIONED | {"Item"},
    "Update": _CONDITIONED | {"Key", "UpdateExpression"},
    "Delete": _CONDITIONED | {"Key"},
    "ConditionCheck": _CONDITIONED | {"Key"},
}
_NONE: Final[Mapping[str, Value]] = {}


def refuse_unknown(operation: str, request: Mapping[str, object]) -> None:
    """Raises NotImplementedError for a parameter that is not simulated."""
    known = KNOWN[operation]
    if not request.keys() <= known:
        unknown = ", ".join(sorted(request.keys() - known))
        raise NotImplementedError(f"{operation}: {unknown} is not simulated")


def all_old(request: Mapping[str, Any]) -> bool:
    """Whether a failed condition is to bring the item."""
    wanted = request.get("ReturnValuesOnConditionCheckFailure", "NONE")
    if wanted not in {"NONE", "ALL_OLD"}:
        raise NotImplementedError(f"ReturnValuesOnConditionCheckFailure={wanted}")
    return bool(wanted == "ALL_OLD")


def wants_units(request: Mapping[str, Any]) -> bool:
    """Whether consumed capacity is to be told."""
    wanted = request.get("ReturnConsumedCapacity", "NONE")
    if wanted not in {"NONE", "TOTAL"}:
        raise NotImplementedError(f"ReturnConsumedCapacity={wanted}")
    return bool(wanted == "TOTAL")


def values_of(request: Mapping[str, Any]) -> Mapping[str, Value]:
    """The values of a request's expressions, in the form in which they are kept."""
    values = request.get("ExpressionAttributeValues")
    if not values:
        return _NONE
    return {
        name: {"S": value["S"]} if len(value) == 1 and "S" in value else taken_value(value)[0]
        for name, value in values.items()
    }
