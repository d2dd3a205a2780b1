"""The commit: load, decide, append, and what to do when the append is refused.

A command has one effect or none, for ever: its event is put under its own id only if absent, in one
transaction with the new version of everything it changes. So a lost answer, a repeat after years
and two workers with the same command all end in the same recorded event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypedDict

from msgspec import Struct

from ledger.application.outages import (
    ClockSkewError,
    ContentionError,
    OutageError,
    StoreUnavailableError,
    UnknownStoredVersionError,
)
from ledger.application.ports import (
    ANSWER_UNKNOWN,
    KEYS_A_LOAD_MAX,
    Appended,
    Chance,
    Clock,
    EventStore,
    Pause,
    Refused,
    TransientStoreError,
    UnknownStoredStateError,
)
from ledger.application.proposals import Known, Proposal, propose, propose_used_member
from ledger.contracts import reasons
from ledger.contracts.commands import AtomicBatch, Command, ExpirePayment, expiry_id
from ledger.contracts.events import (
    Accepted,
    BatchCommitted,
    Event,
    UnknownEventError,
    decode_event,
    request_of,
)
from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.subjects import payment_key
from ledger.domain.accounts import BrokenStateError
from ledger.domain.chain import StoredEvent
from ledger.domain.needs import Needs
from ledger.domain.payments import is_due
from ledger.domain.requests import differing_fields, differing_members
from ledger.domain.stamp import Skewed, Stamp, stamp
from ledger.runtime.backoff import full_jitter_seconds

#: With the pauses below some 2 s in all: enough to win an account that commits 60 times a second
#: against a dozen others, and well inside the 29 s that API Gateway waits.
ATTEMPTS_MAX: Final = 12
PAUSE_BASE_SECONDS: Final = 0.01  # about one transaction's latency
PAUSE_CAP_SECONDS: Final = 0.4
#: No attempt starts later than this after the first: three calls at the client's time-out of 3 s.
GIVE_UP_AFTER_MICROSECONDS: Final = 9_000_000
#: A payment leads to its accounts and they to their books: three rounds. In a batch each command
#: may lead on by two, and 49 of them at most: each puts an event and a state, of 100 actions.
ROUNDS_MAX: Final = 110
#: Of an account's holds that are due, released before one payment is refused. The sweeper leaves
#: none older than a minute or two.
RELEASES_MAX: Final = 25
#: A hold is read before its accounts: if it ended between, they do not fit each other. So often in
#: a row that is no accident, but a corruption.
TORN_MAX: Final = ATTEMPTS_MAX // 2
EXPIRY_ACTOR: Final = "ledger:expiry"


class TornReadError(TransientStoreError):
    """States that were read one after the other, and that no moment can have had together."""

    def __init__(self) -> None:
        super().__init__("stale")


class Decided(Struct, frozen=True):
    """The command is decided: `event` is what is recorded under its id.

    `repeat` says that it had been recorded before this request. `members` are the events of an
    atomic batch's commands. `causes` counts what the attempts before the last met (stale, conflict,
    throttled, unavailable, lost_answer).
    """

    event: Event
    repeat: bool
    attempts: int = 1
    causes: Mapping[str, int] | None = None
    members: tuple[Accepted, ...] = ()


class Mismatch(Struct, frozen=True):
    """Another request was decided under this id; `fields` are the paths that differ."""

    command_id: str
    fields: tuple[str, ...]


Outcome = Decided | Mismatch


class _Effort(TypedDict):
    attempts: int
    causes: Mapping[str, int]


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
        Raises InvalidCommandError for a system command without ground, and for a batch too large
        for one transaction; nothing is recorded.
        """
        return self._decided(_Attempt(command, actor), self._clock() + GIVE_UP_AFTER_MICROSECONDS)

    def _decided(self, attempt: _Attempt, give_up_at: int) -> Outcome:
        attempt.give_up_at = give_up_at
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

    def preview(self, command: Command, actor: str) -> Outcome:
        """What `handle` would answer now. Nothing is written, and the id stays free.

        Raises as `handle` does, at the first outage.
        """
        attempt = _Attempt(command, actor)
        attempt.give_up_at = self._clock() + GIVE_UP_AFTER_MICROSECONDS
        try:
            recorded = self._store.event(command.id)
            if recorded is not None:
                return self._recorded(attempt, recorded)
            if isinstance(command, AtomicBatch):
                attempt.used_member = self._first_used(command)
            proposal = self._proposed(attempt)
            while due := self._due_holds(attempt, proposal):
                # As `handle` does, which records their expiry: here in a world that is let go.
                proposal = self._proposed_after(attempt, due)
        except TransientStoreError as error:
            attempt.fail(error)
            raise attempt.exhausted() from error
        except (UnknownStoredStateError, UnknownEventError) as error:
            raise UnknownStoredVersionError(str(error)) from error
        return Decided(proposal.event, repeat=False, members=proposal.members)

    def expire(self, payment: str, give_up_at: int | None = None) -> Decided | None:
        """Releases what a hold has, if it is open and due; None if there was nothing to do.

        No attempt is begun after `give_up_at` (microseconds), that of a command of its own if left
        out. Raises an OutageError.
        """
        give_up_at = give_up_at or self._clock() + GIVE_UP_AFTER_MICROSECONDS
        try:
            state = self._store.load((payment_key(payment),)).payments.get(payment)
        except TransientStoreError as error:
            raise StoreUnavailableError("the hold could not be read", {error.cause: 1}) from error
        except UnknownStoredStateError as error:
            raise UnknownStoredVersionError(str(error)) from error
        now = Stamp(instant_of_microseconds(self._clock()), EXPIRY_ACTOR)
        if state is None or not is_due(state, now):
            return None
        command = ExpirePayment(
            v=1, id=expiry_id(payment, state.version), payment=payment, version=state.version
        )
        try:
            outcome = self._decided(_Attempt(command, EXPIRY_ACTOR), give_up_at)
        except InvalidCommandError:
            return None  # it was captured, voided or prolonged meanwhile
        return outcome if isinstance(outcome, Decided) and not outcome.repeat else None

    def _try(self, attempt: _Attempt) -> Outcome | None:
        """One attempt; None if it should be made again with what it learnt."""
        try:
            proposal = self._ready(attempt)
            if not isinstance(proposal, Proposal):
                return proposal
            attempt.proposed = proposal.transaction.events[0].data
            result = self._store.append(proposal.transaction)
            if isinstance(result, Appended):
                return Decided(
                    proposal.event, repeat=False, members=proposal.members, **attempt.effort()
                )
            existing = result.existing.get(attempt.command.id)
            if existing is not None:
                return self._recorded(attempt, existing)
            attempt.take(result)
        except TransientStoreError as error:
            attempt.fail(error)
        except (UnknownStoredStateError, UnknownEventError) as error:
            raise UnknownStoredVersionError(str(error)) from error
        return None

    def _ready(self, attempt: _Attempt) -> Proposal | Outcome:
        """What is to be committed, holds released that stand in its way; or what was recorded, if
        the command had ground once and has none now."""
        try:
            proposal = self._proposed(attempt)
        except (InvalidCommandError, TornReadError):
            recorded = self._store.event(attempt.command.id)
            if recorded is not None:
                return self._recorded(attempt, recorded)
            if not self._finds_used_member(attempt):
                raise
            proposal = self._proposed(attempt)
        while due := self._due_holds(attempt, proposal):
            recorded = self._store.event(attempt.command.id)
            if recorded is not None:
                return self._recorded(attempt, recorded)  # a repeat changes nothing
            for payment in due:
                self._try_to_expire(payment, attempt)
            attempt.forget()
            proposal = self._proposed(attempt)
        if proposal.rejection is not None and self._finds_used_member(attempt):
            proposal = self._proposed(attempt)
        return proposal

    def _try_to_expire(self, payment: str, attempt: _Attempt) -> None:
        """Releases a hold that is in a command's way; if that fails, the command is decided all the
        same, and the sweeper tells of the hold."""
        try:
            self.expire(payment, attempt.give_up_at)
        except OutageError as error:
            attempt.causes.update(error.causes)
        except BrokenStateError:
            attempt.causes["broken"] += 1

    def _proposed(self, attempt: _Attempt) -> Proposal:
        """The decision on what is known, after reading all that it needs. No round but the first
        is begun after the attempt's time: each decides a batch from its beginning."""
        for round_ in range(ROUNDS_MAX):
            now = self._clock()
            if round_ and now > attempt.give_up_at:
                raise attempt.exhausted()
            # Stamped anew each time: the time must not be older than the states it met.
            stamped = _stamped(attempt, now)
            if attempt.used_member is not None and isinstance(attempt.command, AtomicBatch):
                return propose_used_member(
                    attempt.known, attempt.command, attempt.used_member, stamped
                )
            try:
                proposal = propose(attempt.known, attempt.command, stamped)
            except BrokenStateError as error:
                if attempt.causes["stale"] >= TORN_MAX:
                    raise
                raise TornReadError from error
            if isinstance(proposal, Proposal):
                return proposal
            self._read(attempt.known, proposal)
        raise AssertionError("each round reads something that was not known")

    def _read(self, known: Known, needs: Needs) -> None:
        for start in range(0, len(needs.keys), KEYS_A_LOAD_MAX):
            keys = needs.keys[start : start + KEYS_A_LOAD_MAX]
            for state in self._store.load(keys):
                known.states.put(state)
            known.keys.update(keys)
        for start in range(0, len(needs.events), KEYS_A_LOAD_MAX):
            ids = needs.events[start : start + KEYS_A_LOAD_MAX]
            there = self._events(ids)
            known.states.events.update((one, there.get(one)) for one in ids)
            known.events.update(ids)

    def _events(self, ids: Sequence[str]) -> dict[str, Event]:
        """The events under these ids; those under which nothing is are absent."""
        if len(ids) == 1:  # the usual case, for which the store has a call of its own
            stored = self._store.event(ids[0])
            return {ids[0]: decode_event(stored.data)} if stored else {}
        found = self._store.events_of(ids)
        return {one: decode_event(stored.data) for one, stored in found.items()}

    def _due_holds(self, attempt: _Attempt, proposal: Proposal) -> tuple[str, ...]:
        """The holds whose release may be all that keeps the command from being accepted.

        Once for each account: so whoever asks again and again comes to an end. Raises an outage if
        there is no time left to ask: a refusal that had not asked would stand for ever.
        """
        refused = proposal.rejection
        if refused is None or refused.reason != reasons.INSUFFICIENT_FUNDS.code:
            return ()
        account = refused.causes[0].id
        if account in attempt.released:
            return ()
        attempt.released.add(account)
        state = attempt.known.states.accounts.get(account)
        if state is None or state.available_minor == state.balance_minor:
            return ()  # nothing is held of it
        now = self._clock()
        if now > attempt.give_up_at:
            raise attempt.exhausted()
        due = self._store.due(instant_of_microseconds(now), account=account, limit=RELEASES_MAX)
        return tuple(hold.payment for hold in due)

    def _proposed_after(self, attempt: _Attempt, due: tuple[str, ...]) -> Proposal:
        """What would be decided once the holds that are due were released."""
        for payment in due:
            state = self._store.load((payment_key(payment),)).payments.get(payment)
            if state is None:
                continue
            command = ExpirePayment(
                v=1, id=expiry_id(payment, state.version), payment=payment, version=state.version
            )
            expiry = _Attempt(command, EXPIRY_ACTOR)
            expiry.known, expiry.give_up_at = attempt.known, attempt.give_up_at
            try:
                after = self._proposed(expiry).after
            except InvalidCommandError:
                continue
            attempt.known = Known(after, attempt.known.keys, attempt.known.events)
        return self._proposed(attempt)

    def _finds_used_member(self, attempt: _Attempt) -> bool:
        """Whether a batch that is not accepted has a command whose id was decided before.

        That reason comes first, and shows by itself only where the batch would be accepted.
        """
        command = attempt.command
        if not isinstance(command, AtomicBatch) or attempt.used_member is not None:
            return False
        attempt.used_member = self._first_used(command)
        return attempt.used_member is not None

    def _first_used(self, batch: AtomicBatch) -> str | None:
        """The first command of a batch with an id that was decided before."""
        ids = [command.id for command in batch.commands]
        used = self._store.events_of(ids)
        return next((one for one in ids if one in used), None)

    def _recorded(self, attempt: _Attempt, existing: StoredEvent) -> Outcome:
        """What is recorded under the id: the answer to a repeat, or a mismatch."""
        event = decode_event(existing.data)
        members: tuple[Accepted, ...] = ()
        if isinstance(event, BatchCommitted):
            members = self._members(event)
            fields = differing_members(event, members, attempt.command)
        else:
            request = request_of(event)
            assert request is not None  # only a batch's is told by its members
            fields = differing_fields(request, attempt.command)
        if fields:
            return Mismatch(attempt.command.id, fields)
        # An earlier attempt of this very request may have taken effect and its answer been lost:
        # then the recorded bytes are ours, and to the client this is the first answer, not a
        # repeat. Equal bytes alone prove nothing: a worker whose clock is behind stamps all with
        # its states' time.
        ours = existing.data in attempt.unanswered
        return Decided(event, repeat=not ours, members=members, **attempt.effort())

    def _members(self, batch: BatchCommitted) -> tuple[Accepted, ...]:
        events = self._events(batch.commands)
        members = (events[one] for one in batch.commands)
        return tuple(event for event in members if isinstance(event, Accepted))


class _Attempt:
    """What the attempts at one command have learnt so far."""

    def __init__(self, command: Command, actor: str) -> None:
        self.command = command
        self.actor = actor
        self.known = Known.nothing()
        self.give_up_at = 0
        self.used_member: str | None = None
        self.released: set[str] = set()  # accounts whose due holds were released
        self.proposed: bytes | None = None
        self.unanswered: list[bytes] = []
        self.causes: Counter[str] = Counter()

    def fail(self, error: TransientStoreError) -> None:
        """What was proposed may have taken effect all the same, if its answer is what was lost."""
        self.causes[error.cause] += 1
        if isinstance(error, TornReadError):
            self.forget()
        if error.cause in ANSWER_UNKNOWN and self.proposed is not None:
            self.unanswered.append(self.proposed)

    def forget(self) -> None:
        """What is known has been changed by ourselves."""
        self.known = Known.nothing()

    def take(self, refused: Refused) -> None:
        """The fresh states came with the refusal: no need to read them again."""
        self.causes["stale"] += 1
        for key, state in refused.fresh.items():
            if state is None:
                self.known.states.drop(key)
            else:
                self.known.states.put(state)
        if isinstance(self.command, AtomicBatch):
            members = (command.id for command in self.command.commands)
            self.used_member = next((one for one in members if one in refused.existing), None)
        for event_id, stored in refused.existing.items():
            self.known.states.events[event_id] = decode_event(stored.data)

    def effort(self) -> _Effort:
        return {"attempts": 1 + self.causes.total(), "causes": dict(self.causes)}

    def exhausted(self) -> ContentionError | StoreUnavailableError:
        contended = self.causes["stale"] + self.causes["conflict"]
        kind: Callable[[str, Mapping[str, int]], ContentionError | StoreUnavailableError] = (
            ContentionError if 2 * contended >= self.causes.total() else StoreUnavailableError
        )
        return kind(f"{self.causes.total()} attempts", self.causes)


def _stamped(attempt: _Attempt, now: int) -> Stamp:
    """The stamp of a decision at `now`. Raises ClockSkewError if its states are too far ahead."""
    stamped = stamp(now, attempt.known.states, attempt.actor)
    if isinstance(stamped, Skewed):
        raise ClockSkewError(
            f"{stamped.key.kind} {stamped.key.id} is {stamped.ahead_microseconds} us ahead of "
            "the clock",
            {"skewed": 1},
        )
    return stamped
