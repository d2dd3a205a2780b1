"""The versions of accounts that replies told of, for those who want to read no less."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct


class _Account(Struct):
    id: str
    version: int
    stripe: int = 0


class _Told(Struct):
    """What an answer to one command or several says of accounts."""

    accounts: tuple[_Account, ...] = ()
    answers: tuple[_Told, ...] = ()
    body: _Told | None = None
    dry_run: bool = False


_TOLD: Final = msgspec.json.Decoder(_Told)


class Versions:
    """The highest version of each account, and each further stripe, that anybody was told of."""

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}
        self._of_stripes: dict[tuple[str, int], int] = {}

    def of(self, account: str, stripe: int = 0) -> int | None:
        """That of an account, or of another stripe than its first; None if nobody was told of
        it."""
        if stripe:
            return self._of_stripes.get((account, stripe))
        return self._highest.get(account)

    def accounts(self) -> list[str]:
        """The accounts that anybody was told of, in the order of their ids."""
        return sorted(self._highest)

    def learn(self, body: bytes) -> None:
        """Takes what the answer to accepted commands says."""
        self._take(_TOLD.decode(body))

    def _take(self, told: _Told) -> None:
        if told.dry_run:  # of what would be, and is not
            return
        for account in told.accounts:
            if account.stripe:
                place = (account.id, account.stripe)
                self._of_stripes[place] = max(account.version, self._of_stripes.get(place, 0))
            elif account.version > self._highest.get(account.id, 0):
                self._highest[account.id] = account.version
        for answer in told.answers:
            self._take(answer)
        if told.body is not None:
            self._take(told.body)
