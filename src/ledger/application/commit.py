"""The commit: load, decide, append, and what to do when the append is refused.

A command has one effect or none, for ever: its event is put under its own id only if absent, in one
transaction with the new version of every account it touches. So a lost answer, a repeat after
years and two workers with the same command all end in the same recorded event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypedDict

from msgspec import Struct

from ledger.application.outages import (
    ClockSkewError,
    ContentionError,
    StoreUnavailableError,
    UnknownStoredVersionError,
)
from ledger.application.ports import (
    ANSWER_UNKNOWN,
    Appended,
    Chance,
    Clock,
    EventStore,
    Pause,
    Refused,
    StateCheck,
    StateWrite,
    Transaction,
    TransientStoreError,
    UnknownStoredStateError,
)
from ledger.contracts import reasons
from ledger.contracts.commands import Command, ScreenPayment, accounts_of
from ledger.contracts.events import (
    AccountEvent,
    Event,
    PaymentPosted,
    UnknownEventError,
    decode_event,
    request_of,
)
from ledger.contracts.reasons import InvalidCommandError, Violation
from ledger.domain.accounts import AccountState, evolve
from ledger.domain.chain import StoredEvent, seal
from ledger.domain.decider import decide, rejected_event
from ledger.domain.rejections import Rejection
from ledger.domain.requests import differing_fields
from ledger.domain.stamp import Skewed, Stamp, stamp
from ledger.runtime.backoff import full_jitter_seconds

#: With the pauses below some 2 s in all: enough to win an account that commits 60 times a second
#: against a dozen others, and well inside the 29 s that API Gateway waits.
ATTEMPTS_MAX: Final = 12
PAUSE_BASE_SECONDS: Final = 0.01  # about one transaction's latency
PAUSE_CAP_SECONDS: Final = 0.4
#: No attempt starts later than this after the first: three calls at the client's time-out of 3 s.
GIVE_UP_AFTER_MICROSECONDS: Final = 9_000_000


class Decided(Struct, frozen=True):
    """The command is decided: `event` is what is recorded under its id.

    `repeat` says that it had been recorded before this request. `causes` counts what the attempts
    before the last met (stale, conflict, throttled, unavailable, lost_answer).
    """

    event: Event
    repeat: bool
    attempts: int = 1
    causes: Mapping[str, int] | None = None


class Mismatch(Struct, frozen=True):
    """Another request was decided under this id; `fields` are the paths that differ."""

    command_id: str
    fields: tuple[str, ...]


Outcome = Decided | Mismatch


class _Effort(TypedDict):
    attempts: int
    causes: Mapping[str, int]


class _Proposal(Struct, frozen=True):
    event: Event
    stored: StoredEvent
    transaction: Transaction


class Commands:
    """Decides commands one at a time and records each decision, accepted or refused."""

    def __init__(self, store: EventStore, *, clock: Clock, pause: Pause, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._pause = pause
        self._chance = chance

    def handle(self, command: Command, actor: str) -> Outcome:
        """Decides `command` (well-formed) for `actor`, or answers what was decided under its id.

        Raises an OutageError if it can do neither now; then the same request may be sent again.
        Raises InvalidCommandError for a verdict on what is no posted payment; nothing is recorded.
        """
        attempt = _Attempt(command, actor)
        give_up_at = self._clock() + GIVE_UP_AFTER_MICROSECONDS
        for number in range(ATTEMPTS_MAX):
            if number:
                if self._clock() > give_up_at:
                    break
                self._pause(
                    full_jitter_seconds(
                        number,
                        base=PAUSE_BASE_SECONDS,
                        cap=PAUSE_CAP_SECONDS,
                        random=self._chance,
                    )
                )
            outcome = self._try(attempt)
            if outcome is not None:
                return outcome
        raise attempt.exhausted()

    def _try(self, attempt: _Attempt) -> Outcome | None:
        """One attempt; None if it should be made again with what it learnt."""
        try:
            if attempt.states is None:
                attempt.states = self._loaded(attempt.command)
            # Every attempt is stamped anew: the time must not be older than the states it met.
            proposal = _propose(attempt.states, attempt.command, attempt.actor, self._clock)
            attempt.proposed = proposal.stored.data
            result = self._store.append(proposal.transaction)
            if isinstance(result, Appended):
                return Decided(proposal.event, repeat=False, **attempt.effort())
            existing = result.existing.get(attempt.command.id)
            if existing is not None:
                return _recorded(attempt, existing)
        except TransientStoreError as error:
            attempt.fail(error)
            return None
        except (UnknownStoredStateError, UnknownEventError) as error:
            raise UnknownStoredVersionError(str(error)) from error
        attempt.take(result)
        return None

    def _loaded(self, command: Command) -> dict[str, AccountState]:
        """The states of the accounts that the command touches."""
        if isinstance(command, ScreenPayment):
            # Events are never taken back: what is posted now, is when the verdict commits.
            recorded = self._store.event(command.payment)
            if recorded is None or not isinstance(decode_event(recorded.data), PaymentPosted):
                fault = Violation(reasons.SCREENED_PAYMENT_UNKNOWN, "payment")
                raise InvalidCommandError((fault,))
            return {}
        return self._store.load(accounts_of(command))


class _Attempt:
    """What the attempts at one command have learnt so far."""

    def __init__(self, command: Command, actor: str) -> None:
        self.command = command
        self.actor = actor
        self.states: dict[str, AccountState] | None = None
        self.proposed: bytes | None = None
        self.unanswered: list[bytes] = []
        self.causes: Counter[str] = Counter()

    def fail(self, error: TransientStoreError) -> None:
        """What was proposed may have taken effect all the same, if its answer is what was lost."""
        self.causes[error.cause] += 1
        if error.cause in ANSWER_UNKNOWN and self.proposed is not None:
            self.unanswered.append(self.proposed)

    def take(self, refused: Refused) -> None:
        """The fresh states came with the refusal: no need to read them again."""
        self.causes["stale"] += 1
        assert self.states is not None  # a refusal answers an append
        for account, state in refused.fresh.items():
            if state is None:
                self.states.pop(account, None)
            else:
                self.states[account] = state

    def effort(self) -> _Effort:
        return {"attempts": 1 + self.causes.total(), "causes": dict(self.causes)}

    def exhausted(self) -> ContentionError | StoreUnavailableError:
        contended = self.causes["stale"] + self.causes["conflict"]
        kind: Callable[[str, Mapping[str, int]], ContentionError | StoreUnavailableError] = (
            ContentionError if 2 * contended >= self.causes.total() else StoreUnavailableError
        )
        return kind(f"{self.causes.total()} attempts", self.causes)


def _propose(
    states: Mapping[str, AccountState], command: Command, actor: str, clock: Clock
) -> _Proposal:
    stamped = stamp(clock(), states.values(), actor)
    if isinstance(stamped, Skewed):
        raise ClockSkewError(
            f"account {stamped.account} is {stamped.ahead_microseconds} us ahead of the clock",
            {"skewed": 1},
        )
    decision = decide(states, command, stamped)
    if isinstance(decision, Rejection):
        return _propose_rejection(states, command, decision, stamped)
    stored = seal(decision, states)
    if not isinstance(decision, AccountEvent):
        return _Proposal(decision, stored, Transaction((stored,)))
    writes = tuple(
        StateWrite(evolve(states.get(entry.id), decision, entry, chain_hash))
        for entry, chain_hash in zip(decision.accounts, stored.hashes, strict=True)
    )
    return _Proposal(decision, stored, Transaction((stored,), writes))


def _propose_rejection(
    states: Mapping[str, AccountState], command: Command, refusal: Rejection, stamped: Stamp
) -> _Proposal:
    """A refusal is permanent, so it commits only if each state that caused it still stands."""
    event = rejected_event(command, refusal, stamped)
    stored = seal(event, states)
    checks = tuple(StateCheck(cause.id, cause.version) for cause in refusal.causes)
    return _Proposal(event, stored, Transaction((stored,), checks=checks))


def _recorded(attempt: _Attempt, existing: StoredEvent) -> Outcome:
    """What is recorded under the id: the answer to a repeat, or a mismatch."""
    event = decode_event(existing.data)
    fields = differing_fields(request_of(event), attempt.command)
    if fields:
        return Mismatch(attempt.command.id, fields)
    # An earlier attempt of this very request may have taken effect and its answer been lost: then
    # the recorded bytes are ours, and to the client this is the first answer, not a repeat. Equal
    # bytes alone prove nothing: a worker whose clock is behind stamps all with its states' time.
    ours = existing.data in attempt.unanswered
    return Decided(event, repeat=not ours, **attempt.effort())
