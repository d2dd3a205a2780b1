"""What the ledger recorded and buried, against what the source foresees."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from ledger.application.ports import EventStore
from ledger.cli.feeding.outcomes import Outcomes
from ledger.cli.up.usage import Usage
from ledger.contracts.events import (
    Accepted,
    CommandRejected,
    PaymentAuthorized,
    PaymentPosted,
    PaymentScreened,
    decode_event,
    moved_minor,
    pended_minor,
)
from ledger.contracts.reasons import BY_CODE, IDEMPOTENCY_MISMATCH, Kind
from ledger.importers.instructions import REPEAT

#: What happens to these is named by its word alone.
_PLAIN: Final = frozenset({"account", "batch", "payment"})


@dataclass(slots=True)
class Screened:
    """The payments that ask for a verdict (money left a customer's account or was held there: a
    liability of the ledger's), those that have one, and how many each verdict has."""

    asked: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    verdicts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Results:
    """How many commands came to each outcome, over all entry points, and were foreseen to; and what
    the fraud scorer made of the payments."""

    found: Counter[str]
    foreseen: Counter[str]
    differing: list[str] = field(default_factory=list)
    screened: Screened = field(default_factory=Screened)


def recorded(store: EventStore) -> tuple[Counter[str], Screened]:
    """The events of the store: what was accepted by what it came to, rejections by reason; and the
    verdicts."""
    counts: Counter[str] = Counter()
    screened = Screened()
    for stored in store.events():
        event = decode_event(stored.data)
        if isinstance(event, CommandRejected):
            counts[event.reason] += 1
        elif isinstance(event, PaymentScreened):
            screened.done.add(event.payment)
            screened.verdicts[event.verdict] += 1
        else:
            counts[outcome_of_event(event)] += 1
            if _asks_for_verdict(event):
                screened.asked.add(event.id)
    return counts, screened


def outcome_of_event(event: Accepted) -> str:
    """What its command came to: the `status` that the API answers it with."""
    subject, happened = str(event.__struct_config__.tag).split(".")
    return happened if subject in _PLAIN else f"{subject}_{happened}"


def results(foreseen: Counter[str], store: EventStore, outcomes: Outcomes, usage: Usage) -> Results:
    """What was found, and where it is not as foreseen.

    Events are counted in the store; repeats, mismatches and malformed commands leave none, so they
    are counted where they were answered: over REST, or in the lines of the queue's handler. A
    message that SQS delivers twice is a repeat more.
    """
    found, screened = recorded(store)
    for outcome, count in (outcomes.answered + usage.dead_letters).items():
        if _leaves_no_event(outcome):
            found[outcome] += count
    found[REPEAT] = usage.outcomes[REPEAT]
    differing = [
        f"{outcome}: {found[outcome]} instead of {foreseen[outcome]}"
        for outcome in sorted(found.keys() | foreseen.keys())
        if not (
            found[outcome] == foreseen[outcome]
            or (outcome == REPEAT and found[outcome] > foreseen[outcome])
        )
    ]
    return Results(found, foreseen, differing, screened)


def _asks_for_verdict(event: Accepted) -> bool:
    if isinstance(event, PaymentPosted):
        taken = [(entry, moved_minor(event, entry.id)[0]) for entry in event.accounts]
    elif isinstance(event, PaymentAuthorized):
        taken = [(entry, pended_minor(event, entry.id)[0]) for entry in event.accounts]
    else:
        return False
    return any(entry.type == "liability" and minor for entry, minor in taken)


def _leaves_no_event(outcome: str) -> bool:
    reason = BY_CODE.get(outcome)
    return outcome == IDEMPOTENCY_MISMATCH.code or (
        reason is not None and reason.kind in {Kind.MALFORMED, Kind.TRANSPORT}
    )
