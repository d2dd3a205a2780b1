"""Where a page of reviews ends, as an opaque token."""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Final

from consumers.fraud.store import ReviewKey

# Against mistakes, not against forgers: whoever may ask may see every review.
_CHECK_BYTES: Final = 6
_PURPOSE: Final = b"reviews.1"  # raise the number when the layout changes
_BETWEEN: Final = "|"  # in no instant and no key


def cursor_of(key: ReviewKey) -> str:
    """The token for the reviews older than the one at `key`."""
    place = f"{key.recorded_at}{_BETWEEN}{key.item}".encode()
    return base64.urlsafe_b64encode(_check(place) + place).decode().rstrip("=")


def key_of(cursor: str) -> ReviewKey:
    """The key that the token stands for. Raises ValueError if it is none of ours."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        token = base64.b64decode(padded, altchars=b"-_", validate=True)
        check, place = token[:_CHECK_BYTES], token[_CHECK_BYTES:]
        recorded_at, _, item = place.decode().partition(_BETWEEN)
    except (UnicodeError, binascii.Error):
        raise ValueError("not a cursor") from None
    if check != _check(place):
        raise ValueError("not a cursor")
    return ReviewKey(recorded_at, item)


def _check(place: bytes) -> bytes:
    return blake2b(place, digest_size=_CHECK_BYTES, person=_PURPOSE).digest()
