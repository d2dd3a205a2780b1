"""How generations share a table: the text in front of an account's id in the partition key.

An id has neither `/` nor `#` (see `contracts.primitives.is_id`), so that no key of one kind is ever
one of another.
"""

from __future__ import annotations

from typing import Final

#: The generation that a new table begins with. Its keys are the bare ids: a ledger that was never
#: replayed pays nothing for the possibility.
FIRST: Final = 1
#: The partition key of the item that says which generations there are.
POINTER: Final = "#generations"
_SEPARATOR: Final = "/"


def partition_of(account: str, generation: int) -> str:
    """The partition key of an account's items in a generation: `3/customers:42:wallet`."""
    return account if generation == FIRST else f"{generation}{_SEPARATOR}{account}"


def place_of(partition: str) -> tuple[int, str] | None:
    """The generation and the account that a partition key is of; None for any other item."""
    front, separator, account = partition.rpartition(_SEPARATOR)
    if not separator:
        return None if partition == POINTER else (FIRST, account)
    return (int(front), account) if front.isascii() and front.isdigit() else None
