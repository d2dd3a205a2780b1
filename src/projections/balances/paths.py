"""Account ids as paths: `customers:42:wallet` lies under `customers:42`, and that under nothing.

Accounts are listed by the first two segments of their ids: all under a path of two or more lie
together, and no list has more than the accounts of one customer, merchant, or branch.
"""

from __future__ import annotations

from typing import Final

SEPARATOR: Final = ":"
ROOT_SEGMENTS: Final = 2
#: Below and above every character of an id (`contracts.primitives.ID_ALPHABET`), in bytes.
_LOWEST: Final = "-"
_HIGHEST: Final = "~"


def root_of(account: str) -> str:
    """The path by which an account is listed: its first two segments, or all if it has fewer."""
    return SEPARATOR.join(account.split(SEPARATOR)[:ROOT_SEGMENTS])


def is_listed_path(path: str) -> bool:
    """Whether the accounts under `path` are all listed in one place."""
    return path.count(SEPARATOR) >= ROOT_SEGMENTS - 1


def bounds_under(path: str, above: str) -> tuple[str, str]:
    """The lowest and the highest text that an id under `path` and above the id `above` can be.

    `path` is not under itself. The lowest is above the highest if nothing can lie between.
    """
    low = f"{path}{SEPARATOR}"
    return max(low, f"{above}{_LOWEST}"), f"{low}{_HIGHEST}"
