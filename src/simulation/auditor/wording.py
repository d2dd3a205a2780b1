"""Events, worded as the model words them, and the commands that they answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

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
from ledger.contracts.reasons import BALANCE_OVERFLOW
from simulation.auditor.model import Detail, Reply, as_asked
from simulation.auditor.model.accounts import Touched


def answers_to(event: Event, asked: Iterable[Command]) -> Command | None:
    """The command that an event answers, of those that were asked under its id."""
    for command in asked:
        if isinstance(event, BatchCommitted):
            if isinstance(command, AtomicBatch) and event.commands == members_of(command):
                return command
        elif says_what_was_asked(event, command):
            return command
    return None


def says_what_was_asked(event: Event, command: Command) -> bool:
    """Whether an event (of no batch) has all that the command asked for, and no more."""
    request = request_of(event)
    assert request is not None
    return request == command or as_asked(request) == as_asked(command)


def members_of(batch: AtomicBatch) -> tuple[str, ...]:
    """The ids of a batch's commands."""
    return tuple(one.id for one in batch.commands)


def told_by(event: Event) -> Detail:
    """What an event says became of each subject, as the model words it."""
    told: Detail = {
        entry.key: {
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


def touched_by(event: Event) -> Touched:
    """Which stripes of each account an event touches; of a refusal, which of them was too full."""
    touched: dict[str, list[int]] = {}
    for entry in entries_of(event):
        touched.setdefault(entry.id, []).append(entry.stripe_number)
    if isinstance(event, CommandRejected) and event.reason == BALANCE_OVERFLOW.code:
        for cause in event.causes:
            account, _, stripe = cause.id.partition("/")
            touched[account] = [int(stripe or 0)]
    return touched


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
    """What an event (of no batch) answers."""
    if isinstance(event, CommandRejected):
        return Reply("rejected", repeat, event.reason)
    return Reply("accepted", repeat, told_by(event))
