"""What DynamoDB refuses, in its own words as far as anyone reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from simulation.aws.dynamodb.items import Item, copied
from simulation.aws.errors import ServiceError

FAILED: Final = "ConditionalCheckFailed"
CONFLICT: Final = "TransactionConflict"
THROTTLED: Final = "ThrottlingError"
EXCEEDED: Final = "ProvisionedThroughputExceeded"
INVALID: Final = "ValidationError"
_MESSAGES: Final = {
    FAILED: "The conditional request failed",
    CONFLICT: "Transaction is ongoing for the item",
    THROTTLED: "Throughput exceeds the current capacity for one or more global secondary indexes "
    "or for the table",
    EXCEEDED: "The level of configured provisioned throughput for the table was exceeded",
    INVALID: "Item size to update has exceeded the maximum allowed size",
}
NO_REASON: Final[dict[str, Any]] = {"Code": "None"}


def reason(code: str, item: Item | None = None) -> dict[str, Any]:
    """Why an action of a transaction was refused; `item` is the one that it met."""
    told: dict[str, Any] = {"Code": code, "Message": _MESSAGES[code]}
    if item is not None:
        told["Item"] = copied(item)
    return told


def cancelled(reasons: Sequence[dict[str, Any]]) -> ServiceError:
    """A transaction that did not take place; the reasons are positional."""
    codes = ", ".join(one["Code"] for one in reasons)
    return ServiceError(
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        fields={"CancellationReasons": [dict(one) for one in reasons]},
    )


def condition_failed(item: Item | None) -> ServiceError:
    """A single write whose condition was not met; `item` is what it met, if that was asked for."""
    return ServiceError(
        "ConditionalCheckFailedException",
        _MESSAGES[FAILED],
        fields={"Item": copied(item)} if item is not None else {},
    )


def conflict() -> ServiceError:
    """A single write on an item that a transaction has in hand."""
    return ServiceError("TransactionConflictException", _MESSAGES[CONFLICT])


def throttled() -> ServiceError:
    """More than a table or a partition takes."""
    return ServiceError("ProvisionedThroughputExceededException", _MESSAGES[EXCEEDED])
