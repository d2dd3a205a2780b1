"""The lines of a history."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Mark = Literal["ask", "answer", "does", "fault", "finding"]


class Line(Struct, frozen=True):
    """One thing that happened, for people."""

    at: int
    """Microseconds since 1970."""
    mark: Mark
    who: str
    says: str
    """A sentence without its subject, which is `who`."""
    about: tuple[str, ...] = ()
    """The ids that it concerns: of commands, payments, accounts."""
    follows: bool = False
    """Whether it only follows from an event: that is published, projected, told."""
