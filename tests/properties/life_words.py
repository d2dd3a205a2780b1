"""Events and answers, worded as the model words them."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.application.commit import Mismatch, Outcome
from ledger.contracts.commands import Command
from ledger.contracts.events import BatchCommitted, Event
from ledger.contracts.reasons import InvalidCommandError
from simulation.auditor.model import Reply
from simulation.auditor.wording import answers_to, reply_of_event, told_by

Answer = Outcome | InvalidCommandError


def asked_for(event: Event, sent: Sequence[Command]) -> Command | None:
    """The command that an event answers, of those that were sent."""
    asked = [one for one in sent if one.id == event.id]
    if not asked:
        return None
    found = answers_to(event, asked)
    assert found is not None
    return found


def reply_of(answer: Answer) -> Reply:
    """An answer as the model words it."""
    if isinstance(answer, InvalidCommandError):
        return Reply("malformed", False, answer.violations[0].reason.code)
    if isinstance(answer, Mismatch):
        return Reply(
            "mismatch", False, {field.split("[")[0].split(".")[0] for field in answer.fields}
        )
    if isinstance(answer.event, BatchCommitted):
        detail = {("member", one.id): told_by(one) for one in answer.members}
        return Reply("accepted", answer.repeat, detail)
    return reply_of_event(answer.event, repeat=answer.repeat)
