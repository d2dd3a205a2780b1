"""Where a page of a history ends, as an opaque token that fits one account only."""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Final

_VERSION_BYTES: Final = 8
# Against mistakes (another account's token, a typo), not against forgers: a forged token shows
# nothing that its account's own pages do not.
_CHECK_BYTES: Final = 7  # 15 bytes in all: 20 characters without padding
_PURPOSE: Final = b"history.1"  # raise the number when the layout changes


def cursor_of(account: str, version: int) -> str:
    """The token for the rows of `account` below `version`."""
    place = version.to_bytes(_VERSION_BYTES, "big")
    return base64.urlsafe_b64encode(place + _check(account, place)).decode()


def version_of(account: str, cursor: str) -> int:
    """The version that the token stands for. Raises ValueError if it is not one of `account`'s."""
    try:
        token = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError("not a cursor") from None
    place, check = token[:_VERSION_BYTES], token[_VERSION_BYTES:]
    if check != _check(account, place):
        raise ValueError("not a cursor of this account")
    return int.from_bytes(place, "big")


def _check(account: str, place: bytes) -> bytes:
    return blake2b(place + account.encode(), digest_size=_CHECK_BYTES, person=_PURPOSE).digest()
