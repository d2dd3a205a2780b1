"""Where a page of a history ends, as an opaque token that fits one account only.

It names the generation that the page was read from, so that the pages of one sequence are all of
one: after a replay has swapped generations, a token of the old one is refused.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Final

_GENERATION_BYTES: Final = 3  # a replay a minute for 31 years
_VERSION_BYTES: Final = 8
_PLACE_BYTES: Final = _GENERATION_BYTES + _VERSION_BYTES
# Against mistakes (another account's token, a typo), not against forgers: a forged token shows
# nothing that its account's own pages do not.
_CHECK_BYTES: Final = 7  # 18 bytes in all: 24 characters without padding
_PURPOSE: Final = b"history.2"  # raise the number when the layout changes


def cursor_of(account: str, generation: int, version: int) -> str:
    """The token for the rows of `account` below `version` in that generation."""
    place = generation.to_bytes(_GENERATION_BYTES, "big") + version.to_bytes(_VERSION_BYTES, "big")
    return base64.urlsafe_b64encode(place + _check(account, place)).decode()


def place_of(account: str, cursor: str) -> tuple[int, int]:
    """The generation and version that the token stands for.

    Raises ValueError if it is not one of `account`'s.
    """
    try:
        token = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError("not a cursor") from None
    place, check = token[:_PLACE_BYTES], token[_PLACE_BYTES:]
    if check != _check(account, place):
        raise ValueError("not a cursor of this account")
    generation, version = place[:_GENERATION_BYTES], place[_GENERATION_BYTES:]
    return int.from_bytes(generation, "big"), int.from_bytes(version, "big")


def _check(account: str, place: bytes) -> bytes:
    return blake2b(place + account.encode(), digest_size=_CHECK_BYTES, person=_PURPOSE).digest()
