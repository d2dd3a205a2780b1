"""One example of every command, event and notification, in one story: of a card payment and a
refusal, a hold and what becomes of it, an account's life, a book, a batch.

They are what the schemas, the documents and the OpenAPI description show. Tests hold them to the
schemas, to both parsers, and to what the ledger really answers to the commands among them.
"""

from ledger.contracts.examples.commands import COMMANDS, OTHER_OPENINGS, REFUSED_COMMAND
from ledger.contracts.examples.events import EVENTS
from ledger.contracts.examples.notifications import NOTIFICATIONS
from ledger.contracts.examples.story import ACTOR, SCORER, STORY, SWEEPER, Step, step

__all__ = [
    "ACTOR",
    "COMMANDS",
    "EVENTS",
    "NOTIFICATIONS",
    "OTHER_OPENINGS",
    "REFUSED_COMMAND",
    "SCORER",
    "STORY",
    "SWEEPER",
    "Step",
    "step",
]
