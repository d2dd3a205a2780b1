"""What the attempts at one command have learnt, and the outage that they may end in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypedDict

from ledger.application.outages import ClockSkewError, ContentionError, StoreUnavailableError
from ledger.application.ports import (
    ANSWER_UNKNOWN,
    CONFLICT,
    Refused,
    TransientStoreError,
)
from ledger.application.proposals import Known
from ledger.contracts.commands import AtomicBatch, Command
from ledger.contracts.events import decode_event
from ledger.contracts.subjects import Key
from ledger.domain.stamp import Skewed, Stamp, stamp


class TornReadError(TransientStoreError):
    """States that were read one after the other, and that no moment can have had together."""

    def __init__(self) -> None:
        super().__init__("stale")


class Effort(TypedDict):
    """How many attempts there were, and what those before the last met."""

    attempts: int
    causes: Mapping[str, int]


class Attempt:
    """What the attempts at one command have learnt so far."""

    def __init__(self, command: Command, actor: str) -> None:
        self.command = command
        self.actor = actor
        self.known = Known.nothing()
        self.may_guess = True
        self.guessed: dict[Key, None] = {}  # what is known from the cache alone
        self.give_up_at = 0
        self.used_member: str | None = None
        self.released: set[str] = set()  # accounts whose due holds were released
        self.proposed: bytes | None = None
        self.hurries = False  # it is best tried again without a pause
        self.unanswered: list[bytes] = []
        self.torn = 0  # reads in a row of which no decision could be made
        self.causes: Counter[str] = Counter()

    def fail(self, error: TransientStoreError) -> None:
        """What was proposed may have taken effect all the same, if its answer is what was lost."""
        self.causes[error.cause] += 1
        if isinstance(error, TornReadError):
            self.torn += 1
            self.forget()
        else:
            self.torn = 0
        # Whoever it was that stood in the way, what was guessed is the less likely for it.
        self.stops_guessing()
        if error.cause in ANSWER_UNKNOWN and self.proposed is not None:
            self.unanswered.append(self.proposed)

    def stops_guessing(self) -> bool:
        """What was guessed is to be read, and all that comes; whether anything was."""
        self.may_guess = False
        guessed = bool(self.guessed)
        self.known.forget(self.guessed)
        self.guessed.clear()
        return guessed

    def forget(self) -> None:
        """What is known has been changed by ourselves."""
        self.known = Known.nothing()
        self.guessed.clear()
        self.may_guess = False

    def take(self, refused: Refused) -> None:
        """The fresh states came with the refusal: no need to read them again."""
        self.causes["stale"] += 1
        self.torn = 0
        self.known.refresh(refused.fresh)
        self.may_guess = False
        # Of what else was guessed nothing is known: a conflict, say, keeps a condition from being
        # looked at.
        for key in refused.fresh:
            self.guessed.pop(key, None)
        if isinstance(self.command, AtomicBatch):
            members = (command.id for command in self.command.commands)
            self.used_member = next((one for one in members if one in refused.existing), None)
        for event_id, stored in refused.existing.items():
            self.known.states.events[event_id] = decode_event(stored.data)

    def effort(self) -> Effort:
        return {"attempts": 1 + self.causes.total(), "causes": dict(self.causes)}

    def exhausted(self) -> ContentionError | StoreUnavailableError:
        return exhausted(self.causes)


def exhausted(causes: Counter[str]) -> ContentionError | StoreUnavailableError:
    """The outage that so many attempts ended in, named after what was met most."""
    contended = causes["stale"] + causes[CONFLICT]
    kind: Callable[[str, Mapping[str, int]], ContentionError | StoreUnavailableError] = (
        ContentionError if 2 * contended >= causes.total() else StoreUnavailableError
    )
    return kind(f"{causes.total()} attempts", causes)


def stamped(attempt: Attempt, now: int, spread: int) -> Stamp:
    """The stamp of a decision at `now`. Raises ClockSkewError if its states are too far ahead."""
    made = stamp(now, attempt.known.states, attempt.actor, spread)
    if isinstance(made, Skewed):
        raise ClockSkewError(
            f"{made.key.kind} {made.key.id} is {made.ahead_microseconds} us ahead of the clock",
            {"skewed": 1},
        )
    return made
