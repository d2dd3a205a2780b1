"""The routes of the REST API as users see them: purpose, parameters, answers, refusals."""

from __future__ import annotations

from typing import Final

from publishing.operations.base import Operation
from publishing.operations.commands import OF_COMMANDS
from publishing.operations.parts import HEADERS, HEADERS_OF_COMMANDS, PARAMETERS, STATUS_TEXT
from publishing.operations.questions import OF_QUESTIONS
from publishing.operations.webhooks import OF_WEBHOOKS

__all__ = [
    "HEADERS",
    "HEADERS_OF_COMMANDS",
    "OPERATIONS",
    "PARAMETERS",
    "STATUS_TEXT",
    "Operation",
]

OPERATIONS: Final[dict[tuple[str, str], Operation]] = OF_COMMANDS | OF_QUESTIONS | OF_WEBHOOKS
