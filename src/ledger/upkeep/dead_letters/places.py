"""What a place of dead letters can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from ledger.upkeep.dead_letters.letters import Letter


class Untaken(Struct, frozen=True):
    """Why a letter was not taken where it was sent. `permanent`: it never will be as it is."""

    code: str
    permanent: bool


class Sending(Struct, frozen=True):
    """What became of letters that were sent, by their ids: taken (with the id of the message that
    each has become there, empty if it has none), or not, and why."""

    taken: Mapping[str, str]
    untaken: Mapping[str, Untaken] = {}


class Place(Protocol):
    """Where dead letters lie, and the way back from there.

    Every method may raise botocore's errors; then what was asked for may or may not have been done.
    What has been taken is out of other readers' sight until it is removed or released, and for a
    bounded time only: a reader that dies keeps nothing from anybody.
    """

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def back_to(self) -> str:
        """Where its letters are sent back to, for people; empty if there is no way back."""
        ...

    def depth(self) -> int:
        """About how many letters lie here, those in other readers' hands included."""
        ...

    def take(self) -> Sequence[Letter]:
        """Some letters that were not taken before, each once; none when no more can be seen."""
        ...

    def send(self, letters: Sequence[Letter]) -> Sending:
        """Sends letters that were taken back to where they came from, in their order. They stay
        here as well. At most ten, and no two of one group."""
        ...

    def remove(self, letters: Sequence[Letter]) -> frozenset[str]:
        """Removes letters that were taken; the ids of those that could not be."""
        ...

    def release(self) -> int:
        """Gives back what was taken and not removed; how many come back by themselves only, after
        the bounded time. Never raises for an error of AWS."""
        ...
