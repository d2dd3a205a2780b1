"""Events and answers, worded as the model words them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from ledger.application.commit import Mismatch, Outcome
from ledger.contracts.commands import AtomicBatch, Command
from ledger.contracts.events import (
    BatchCommitted,
    CommandRejected,
    Event,
    PaymentEntry,
    entries_of,
    request_of,
    subject_of,
)
from ledger.contracts.reasons import InvalidCommandError
from tests.support.model import Detail, Reply, as_asked

Answer = Outcome | InvalidCommandError


def asked_for(event: Event, sent: Sequence[Command]) -> Command | None:
    """The command that an event answers, of those that were sent."""
    asked = [one for one in sent if one.id == event.id]
    if len(asked) > 1 and asked[0] != asked[1]:
        if isinstance(event, BatchCommitted):
            batches = (one for one in asked if isinstance(one, AtomicBatch))
            return next(
                one for one in batches if tuple(it.id for it in one.commands) == event.commands
            )
        request = request_of(event)
        assert request is not None
        return next(one for one in asked if as_asked(one) == as_asked(request))
    return asked[0] if asked else None


def told_by(event: Event) -> Detail:
    """What an event says became of each subject, as the model words it."""
    told: Detail = {
        ("account", entry.id): {
            "version": entry.version,
            "debits": entry.debits_posted_minor,
            "credits": entry.credits_posted_minor,
            "held_debits": entry.debits_pending_minor,
            "held_credits": entry.credits_pending_minor,
            "crossed": list(entry.crossed),
        }
        for entry in entries_of(event)
    }
    subject = subject_of(event)
    if subject is not None:
        key, entry = subject
        told[key] = _payment_facts(entry) if isinstance(entry, PaymentEntry) else entry.version
    return told


def _payment_facts(entry: PaymentEntry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "status": entry.status,
        "authorized": list(entry.authorized_minor),
        "captured": list(entry.captured_minor),
        "reversed": list(entry.reversed_minor),
        "expires_at": "" if entry.expires_at is UNSET else entry.expires_at,
    }


def reply_of_event(event: Event, *, repeat: bool) -> Reply:
    if isinstance(event, CommandRejected):
        return Reply("rejected", repeat, event.reason)
    return Reply("accepted", repeat, told_by(event))


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
