"""When and by whom: what a decision needs of the world, passed in as a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, Protocol, TypedDict

from msgspec import Struct

from ledger.contracts.commands import BaseCommand
from ledger.contracts.primitives import instant_of_microseconds, microseconds_of_instant
from ledger.contracts.subjects import Key

#: A state this far ahead of the worker's clock means that one of the two clocks is wrong.
#: AWS keeps its hosts within milliseconds; 5 s is far outside that, and short to wait out.
SKEW_MICROSECONDS_MAX: Final = 5_000_000


class Stamp(Struct, frozen=True):
    """The recorded time of an event (stored form), and the principal who asked for it.

    `spread` (0 or more) says which stripe is used of striped accounts: it modulo their number.
    """

    recorded_at: str
    actor: str
    spread: int = 0


class Head(TypedDict):
    """What every event begins with."""

    v: Literal[1]
    id: str
    recorded_at: str
    effective_at: str
    actor: str


def head(command: BaseCommand, stamp: Stamp, effective_at: str | None = None) -> Head:
    """The head of the event of `command`, effective when recorded unless another time is given."""
    return Head(
        v=1,
        id=command.id,
        recorded_at=stamp.recorded_at,
        effective_at=stamp.recorded_at if effective_at is None else effective_at,
        actor=stamp.actor,
    )


class Recorded(Protocol):
    """A state, as far as time goes."""

    @property
    def key(self) -> Key: ...

    @property
    def recorded_at(self) -> str: ...


class Skewed(Struct, frozen=True):
    """A state recorded more than SKEW_MICROSECONDS_MAX ahead of the clock: do not decide now."""

    key: Key
    ahead_microseconds: int


def stamp(
    clock_microseconds: int, states: Iterable[Recorded], actor: str, spread: int = 0
) -> Stamp | Skewed:
    """The stamp that keeps the history of everything touched monotonic under clock skew:
    the later of the clock and the last recorded time of each state."""
    recorded_at = instant_of_microseconds(clock_microseconds)
    for state in states:
        if state.recorded_at > recorded_at:
            ahead = microseconds_of_instant(state.recorded_at) - clock_microseconds
            if ahead > SKEW_MICROSECONDS_MAX:
                return Skewed(state.key, ahead)
            recorded_at = state.recorded_at
    return Stamp(recorded_at, actor, spread)
