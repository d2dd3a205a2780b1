"""What a projection must know of itself to be replayed, and where the events come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from ledger.consuming.batches import Handled
from ledger.contracts.events import Event
from ledger.contracts.subjects import Key
from projections.generations.views import Reach
from projections.replay.differences import Difference
from projections.replay.reaching import Reaches, ReachOf

_S = TypeVar("_S")

VersionOf = Callable[[Key], int]
"""The version of a state now; 0 if there is none."""


class Replayable(Struct, Generic[_S], frozen=True, kw_only=True):
    """One projection, by what is done to the store of one generation. All may raise StoreError.

    It has one kind of subjects, each with a reach of so many numbers.
    """

    name: str
    #: Events given to `project` at once.
    part: int
    #: The projection's own code, as its function runs it.
    project: Callable[[_S, Sequence[Event]], Handled]
    #: The subjects that an event is about, and how far each has come by it.
    reach_of: ReachOf
    #: How far a subject must have come for a state to be at a version; None: it says nothing.
    required: Callable[[Key, int], tuple[str, Reach] | None]
    #: The furthest that a subject can have come, by the versions of states.
    possible: Callable[[VersionOf, str], Reach]
    #: The subjects that lack anything up to there.
    lagging: Callable[[_S, Reaches], set[str]]
    #: Whatever makes a store that lacks nothing up to there as good as a grown one.
    settle: Callable[[_S, Reaches], None]
    #: What the live store (first) says otherwise than the rebuilt one, which lacks nothing up to
    #: the reaches given. What lies beyond these is compared where both have it; the last argument
    #: says how far a subject can have come by now, so that what is on its way is told from what no
    #: event made.
    differences: Callable[[_S, _S, Reaches, Callable[[str], Reach]], Iterator[Difference]]


class Source(Protocol):
    """The events and the states of the ledger. Every method may raise what the store raises."""

    def events(self) -> Iterator[Event]:
        """Every event committed before the call; perhaps later ones.

        Raises CorruptEventError or UnknownEventError for what this release cannot project.
        """

    def versions(self) -> Iterator[tuple[Key, int]]:
        """The version of every state, each read at some moment of the call."""

    def version(self, key: Key) -> int:
        """The version of a state now; 0 if there is none. A payment that has no state, but was
        made, is at version 1."""
