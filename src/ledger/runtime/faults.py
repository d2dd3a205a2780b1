"""What a store says when DynamoDB did not do what it was asked."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

#: What a call to DynamoDB raises for reasons outside this code; anything else is a bug.
AWS_ERRORS: Final = (ClientError, HTTPClientError, BotoConnectionError)

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
VALIDATION: Final = "ValidationException"


class StoreError(Exception):
    """A read or write did not happen, or its answer was lost; to try it again is always safe.

    `code` is AWS's error code, or the name of the connection's failure.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class BrokenItemError(Exception):
    """An item of a table that no release of ours wrote."""


def code_of(error: Exception) -> str:
    """AWS's code of an error, else the name of its class. The message may hold keys: not used."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__
