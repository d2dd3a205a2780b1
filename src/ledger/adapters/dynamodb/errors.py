"""AWS's errors as the application's, in one place, each raised from its cause.

What is not listed is a bug or a missing grant: it passes through unchanged and is not retried.
Source: DynamoDB developer guide, "Error handling"; the codes of TransactWriteItems' reasons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from ledger.application.ports import TransientStoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

TRANSACTION_CANCELED: Final = "TransactionCanceledException"
CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_CONFLICT: Final = frozenset(
    {"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"}
)
_THROTTLED: Final = frozenset(
    {
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ReplicatedWriteConflictException",
    }
)
_UNAVAILABLE: Final = frozenset({"InternalServerError", "InternalServerErrorException"})
_SERVER_FAULT: Final = 500


def code_of(error: ClientError) -> str:
    """The code by which AWS names an error; empty if it gave none."""
    return error.response.get("Error", {}).get("Code", "")


def raise_translated(error: ClientError | HTTPClientError | BotoConnectionError) -> NoReturn:
    """Raises TransientStoreError if a retry is safe and may help, else `error` itself."""
    if not isinstance(error, ClientError):
        # Connection and time-out errors: whether it took effect is unknown.
        raise TransientStoreError("lost_answer") from error
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _CONFLICT:
        raise TransientStoreError("conflict") from error
    if code in _THROTTLED:
        raise TransientStoreError("throttled") from error
    if code in _UNAVAILABLE or status >= _SERVER_FAULT:
        raise TransientStoreError("unavailable") from error
    raise error


def raise_cancelled(codes: Iterable[str], error: ClientError) -> NoReturn:
    """Raises what a cancellation without a failed condition means, by its reasons' codes."""
    present = frozenset(codes)
    if present & _CONFLICT:
        raise TransientStoreError("conflict") from error
    if present & _THROTTLED:
        raise TransientStoreError("throttled") from error
    raise error  # ValidationError, ItemCollectionSizeLimitExceeded: ours to mend
