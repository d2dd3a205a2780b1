"""Where a page of a list ends, as an opaque token that fits one list only.

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
# Against mistakes (another list's token, a typo), not against forgers: a forged token shows
# nothing that its list's own pages do not.
_CHECK_BYTES: Final = 7  # with a version 18 bytes in all: 24 characters without padding


class Cursors:
    """The tokens of one kind of lists: `purpose` names it, and the layout of what it puts in."""

    def __init__(self, purpose: bytes) -> None:
        self._purpose = purpose

    def token_of(self, scope: str, generation: int, place: bytes) -> str:
        """The token for what lies behind `place` in that generation of the list `scope`."""
        body = generation.to_bytes(_GENERATION_BYTES, "big") + place
        return base64.urlsafe_b64encode(body + self._check(scope, body)).decode().rstrip("=")

    def place_of(self, scope: str, token: str) -> tuple[int, bytes]:
        """The generation and place that the token stands for.

        Raises ValueError if it is not one of the list `scope`.
        """
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            decoded = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise ValueError("not a cursor") from None
        body, check = decoded[:-_CHECK_BYTES], decoded[-_CHECK_BYTES:]
        if len(body) < _GENERATION_BYTES or check != self._check(scope, body):
            raise ValueError("not a cursor of this list")
        generation, place = body[:_GENERATION_BYTES], body[_GENERATION_BYTES:]
        # One text only stands for a place: of the last character not all bits may count.
        if token != self.token_of(scope, int.from_bytes(generation, "big"), place):
            raise ValueError("not a cursor as it was given")
        return int.from_bytes(generation, "big"), place

    def _check(self, scope: str, body: bytes) -> bytes:
        return blake2b(
            body + scope.encode(), digest_size=_CHECK_BYTES, person=self._purpose
        ).digest()


#: Raise the number of a purpose when what is put in changes.
HISTORY: Final = Cursors(b"history.2")
ACCOUNTS: Final = Cursors(b"accounts.1")
SUMS: Final = Cursors(b"sums.1")
PAYMENTS: Final = Cursors(b"payments.1")


def cursor_of(account: str, generation: int, version: int) -> str:
    """The token for the rows of `account` below `version` in that generation."""
    return HISTORY.token_of(account, generation, version.to_bytes(_VERSION_BYTES, "big"))


def place_of(account: str, cursor: str) -> tuple[int, int]:
    """The generation and version that the token stands for.

    Raises ValueError if it is not one of `account`'s.
    """
    generation, place = HISTORY.place_of(account, cursor)
    return generation, int.from_bytes(place, "big")
