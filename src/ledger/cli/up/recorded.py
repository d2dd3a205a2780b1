"""What the ledger recorded and buried, against what the source foresees."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ledger.application.ports import EventStore
from ledger.cli.feeding.outcomes import Outcomes
from ledger.cli.up.usage import Usage
from ledger.contracts.events import AccountOpened, CommandRejected, decode_event
from ledger.contracts.reasons import BY_CODE, IDEMPOTENCY_MISMATCH, Kind
from ledger.importers.instructions import OPENED, POSTED, REPEAT


@dataclass(frozen=True, slots=True)
class Results:
    """How many commands came to each outcome, over all entry points, and were foreseen to."""

    found: Counter[str]
    foreseen: Counter[str]
    differing: list[str] = field(default_factory=list)


def recorded(store: EventStore) -> Counter[str]:
    """The events of the store: opened, posted, and rejections by reason."""
    counts: Counter[str] = Counter()
    for stored in store.events():
        event = decode_event(stored.data)
        if isinstance(event, CommandRejected):
            counts[event.reason] += 1
        else:
            counts[OPENED if isinstance(event, AccountOpened) else POSTED] += 1
    return counts


def results(foreseen: Counter[str], store: EventStore, outcomes: Outcomes, usage: Usage) -> Results:
    """What was found, and where it is not as foreseen.

    Events are counted in the store; repeats, mismatches and malformed commands leave none, so they
    are counted where they were answered: over REST, or in the lines of the queue's handler. A
    message that SQS delivers twice is a repeat more.
    """
    found = recorded(store)
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
    return Results(found, foreseen, differing)


def _leaves_no_event(outcome: str) -> bool:
    reason = BY_CODE.get(outcome)
    return outcome == IDEMPOTENCY_MISMATCH.code or (
        reason is not None and reason.kind in {Kind.MALFORMED, Kind.TRANSPORT}
    )
