"""Who is told of all that clients ask, and of what they hear."""

from __future__ import annotations

from typing import Protocol

from simulation.asks import Ask, HttpAnswer


class Listener(Protocol):
    """Told of each ask, once before it leaves and once when it is known what came of it."""

    def asked(self, ask: Ask) -> None:
        """It is about to leave."""

    def answered(self, ask: Ask, answer: HttpAnswer) -> None:
        """The reply to one with commands has arrived, be it an error."""

    def read(self, ask: Ask, answer: HttpAnswer) -> None:
        """The reply to a question has arrived, be it an error."""

    def taken(self, ask: Ask) -> None:
        """The bus or the queue has it for certain."""

    def unanswered(self, ask: Ask) -> None:
        """Nobody will ever say what came of it: it may have arrived or not."""
