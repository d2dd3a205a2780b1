"""What happened, line by line, and a digest of all of it: two runs of a seed have the same."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from msgspec import Struct

from simulation.kernel.hub import Hub

_DIGESTED_AT_ONCE: Final = 256


class Entry(Struct, frozen=True):
    """One thing that happened: when (microseconds since 1970), to or by whom, and what."""

    at: int
    who: str
    what: str
    about: tuple[str, ...] = ()
    """The ids that it concerns: of commands, accounts, messages."""


class Trace:
    """The entries of a run. Only if `kept` are they all held; the digest has them in any case."""

    def __init__(self, hub: Hub, *, kept: bool = False) -> None:
        self._hub = hub
        self._kept = kept
        self._digest = sha256()
        self._undigested: list[str] = []
        self.count = 0
        self.entries: list[Entry] = []

    def add(self, who: str, what: str, *about: str) -> None:
        """It happens now."""
        self.count += 1
        self._undigested.append(f"{self._hub.now} {who}: {what} {about}\n")
        if len(self._undigested) == _DIGESTED_AT_ONCE:
            self._take_in()
        if self._kept:
            self.entries.append(Entry(self._hub.now, who, what, about))

    @property
    def digest(self) -> str:
        """SHA-256 of all entries so far, in hexadecimal."""
        self._take_in()
        return self._digest.hexdigest()

    def _take_in(self) -> None:
        self._digest.update("".join(self._undigested).encode())
        self._undigested.clear()
