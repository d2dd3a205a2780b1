"""What a projection must know of itself to be replayed, and where the events come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from ledger.consuming.batches import Handled
from ledger.contracts.events import Event
from projections.replay.differences import Difference

_S = TypeVar("_S")

Versions = Mapping[str, int]
"""The version of each account up to which something is asked."""


class Replayable(Struct, Generic[_S], frozen=True, kw_only=True):
    """One projection, by what is done to the store of one generation. All may raise StoreError."""

    name: str
    #: Events given to `project` at once.
    part: int
    #: The projection's own code, as its function runs it.
    project: Callable[[_S, Sequence[Event]], Handled]
    #: The accounts that lack anything up to their version.
    lagging: Callable[[_S, Versions], set[str]]
    #: Whatever makes a store that lacks nothing up to these versions as good as a grown one.
    settle: Callable[[_S, Versions], None]
    #: What the live store (first) says otherwise than the rebuilt one, which lacks nothing up to
    #: the versions given. What lies above these is compared where both have it; the last argument
    #: says which version an account is at now, so that what is on its way is told from what no
    #: event made.
    differences: Callable[[_S, _S, Versions, Callable[[str], int]], Iterator[Difference]]


class Source(Protocol):
    """The events and the states of the ledger. Every method may raise what the store raises."""

    def events(self) -> Iterator[Event]:
        """Every event committed before the call that touches an account; perhaps later ones.

        Raises CorruptEventError or UnknownEventError for what this release cannot project.
        """

    def versions(self) -> dict[str, int]:
        """The version of every account, each read at some moment of the call."""

    def version(self, account: str) -> int:
        """The version of an account now; 0 if it was never opened."""
