"""The commit: load, decide, append, and what to do when the append is refused.

A command has one effect or none, for ever: its event is put under its own id only if absent, in one
transaction with the new version of everything it changes. So a lost answer, a repeat after years
and two workers with the same command all end in the same recorded event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ledger.application.attempts import Attempt, TornReadError, stamped
from ledger.application.outages import (
    OutageError,
    StoreUnavailableError,
    UnknownStoredVersionError,
)
from ledger.application.packing import Packing, transaction_of
from ledger.application.ports import (
    CONFLICT,
    KEYS_A_LOAD_MAX,
    Appended,
    Chance,
    Clock,
    EventStore,
    Pause,
    TransientStoreError,
    UnknownStoredStateError,
)
from ledger.application.proposals import (
    Proposal,
    propose,
    propose_used_member,
    unconditioned,
)
from ledger.application.spread import Spread
from ledger.application.state_cache import StateCache
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
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from ledger.domain.striped import whole
from ledger.runtime.backoff import full_jitter_seconds

#: With the pauses below some 2 s in all: enough to win an account that commits 60 times a second
#: against a dozen others, and well inside the 29 s that API Gateway waits.
ATTEMPTS_MAX: Final = 12
PAUSE_BASE_SECONDS: Final = 0.01  # about one transaction's latency
PAUSE_CAP_SECONDS: Final = 0.4
#: No attempt starts later than this after the first: three calls at the client's time-out of 3 s.
GIVE_UP_AFTER_MICROSECONDS: Final = 9_000_000
#: What all attempts together may take; with less time left, none is to be begun. The last starts
#: 9.4 s after the first at most, and makes two calls that each wait up to 1 s to connect and 3 s
#: for an answer.
DECIDING_MILLISECONDS_MAX: Final = 18_000
#: A payment leads to its accounts and they to their books: three rounds. In a batch each command
#: may lead on by two, and 49 of them at most: each puts an event and a state, of 100 actions.
ROUNDS_MAX: Final = 110
#: Of an account's holds that are due, released before one payment is refused. The sweeper leaves
#: none older than a minute or two.
RELEASES_MAX: Final = 25
#: A hold is read before its accounts: if it ended between, they do not fit each other; nor do the
#: stripes of an account that was changed between. So often in a row that is no accident, but a
#: corruption.
TORN_MAX: Final = ATTEMPTS_MAX // 2
EXPIRY_ACTOR: Final = "ledger:expiry"


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


class Commands:
    """Decides commands one at a time and records each decision, accepted or refused."""

    def __init__(
        self,
        store: EventStore,
        *,
        clock: Clock,
        pause: Pause,
        chance: Chance,
        cache: StateCache | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._pause = pause
        self._chance = chance
        self._cache = StateCache(0) if cache is None else cache
        #: The worker's, for all that it decides.
        self.spread = Spread(chance)

    def handle(self, command: Command, actor: str) -> Outcome:
        """Decides `command` (well-formed) for `actor`, or answers what was decided under its id.

        Raises an OutageError if it can do neither now; then the same request may be sent again.
        Raises InvalidCommandError for a system command without ground, and for a batch too large
        for one transaction; nothing is recorded.
        """
        return self._decided(Attempt(command, actor), self._clock() + GIVE_UP_AFTER_MICROSECONDS)

    def _decided(self, attempt: Attempt, give_up_at: int) -> Outcome:
        attempt.give_up_at = give_up_at
        for number in range(ATTEMPTS_MAX):
            if number:
                if self._clock() > give_up_at:
                    break
                if not attempt.hurries:
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
        attempt = Attempt(command, actor)
        attempt.may_guess = False  # no transaction will test it
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
            outcome = self._decided(Attempt(command, EXPIRY_ACTOR), give_up_at)
        except InvalidCommandError:
            return None  # it was captured, voided or prolonged meanwhile
        return outcome if isinstance(outcome, Decided) and not outcome.repeat else None

    def _try(self, attempt: Attempt) -> Outcome | None:
        """One attempt; None if it should be made again with what it learnt."""
        attempt.proposed, attempt.hurries = None, False
        try:
            proposal = self._ready(attempt)
            if not isinstance(proposal, Proposal):
                return proposal
            transaction = transaction_of(attempt.known, proposal)
            attempt.proposed = proposal.stored[0].data
            result = self._store.append(transaction)
            if isinstance(result, Appended):
                self._cache.proved_right(
                    one.key for one in transaction.conditions if one.key in attempt.guessed
                )
                self._cache.wrote(proposal.made.values())
                return Decided(
                    proposal.event, repeat=False, members=proposal.members, **attempt.effort()
                )
            existing = result.existing.get(attempt.command.id)
            if existing is not None:
                return self._recorded(attempt, existing)
            self._cache.proved_stale(result.fresh, attempt.guessed)
            attempt.hurries = self.spread.met_others(result.fresh.values())
            attempt.take(result)
        except TransientStoreError as error:
            attempt.fail(error)
            if error.cause == CONFLICT:
                self.spread.met_others(attempt.known.states)
        except (UnknownStoredStateError, UnknownEventError) as error:
            raise UnknownStoredVersionError(str(error)) from error
        return None

    def _ready(self, attempt: Attempt) -> Proposal | Outcome:
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

    def _try_to_expire(self, payment: str, attempt: Attempt) -> None:
        """Releases a hold that is in a command's way; if that fails, the command is decided all the
        same, and the sweeper tells of the hold."""
        try:
            self.expire(payment, attempt.give_up_at)
        except OutageError as error:
            attempt.causes.update(error.causes)
        except BrokenStateError:
            attempt.causes["broken"] += 1

    def _proposed(self, attempt: Attempt) -> Proposal:
        """The decision on what is known, after reading all that it needs. No round but the first
        is begun after the attempt's time: each decides a batch from its beginning."""
        for round_ in range(ROUNDS_MAX):
            now = self._clock()
            if round_ and now > attempt.give_up_at:
                raise attempt.exhausted()
            # Stamped anew each time: the time must not be older than the states it met.
            stamp = stamped(attempt, now, self.spread.value)
            if attempt.used_member is not None and isinstance(attempt.command, AtomicBatch):
                return propose_used_member(
                    attempt.known, attempt.command, attempt.used_member, stamp
                )
            try:
                proposal = propose(attempt.known, attempt.command, stamp)
            except (BrokenStateError, InvalidCommandError) as error:
                if attempt.stops_guessing():
                    continue
                if isinstance(error, InvalidCommandError) or attempt.torn >= TORN_MAX:
                    raise
                raise TornReadError from error
            if not isinstance(proposal, Proposal):
                self._read(attempt, proposal)
            elif not (unconditioned(attempt.guessed, proposal) and attempt.stops_guessing()):
                return proposal
        raise AssertionError("each round reads something that was not known")

    def _read(self, attempt: Attempt, needs: Needs) -> None:
        known = attempt.known
        guesses = self._cache.guess(needs.keys) if needs.keys and attempt.may_guess else None
        if guesses is not None:
            known.take(needs.keys, guesses)
            attempt.guessed.update(dict.fromkeys(needs.keys))
        else:
            for start in range(0, len(needs.keys), KEYS_A_LOAD_MAX):
                keys = needs.keys[start : start + KEYS_A_LOAD_MAX]
                found = tuple(self._store.load(keys))
                known.take(keys, found)
                self._cache.found(found)
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

    def _due_holds(self, attempt: Attempt, proposal: Proposal) -> tuple[str, ...]:
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
        if not anything_held(attempt.known.states, account):
            return ()
        now = self._clock()
        if now > attempt.give_up_at:
            raise attempt.exhausted()
        due = self._store.due(instant_of_microseconds(now), account=account, limit=RELEASES_MAX)
        return tuple(hold.payment for hold in due)

    def _proposed_after(self, attempt: Attempt, due: tuple[str, ...]) -> Proposal:
        """What would be decided once the holds that are due were released."""
        for payment in due:
            state = self._store.load((payment_key(payment),)).payments.get(payment)
            if state is None:
                continue
            command = ExpirePayment(
                v=1, id=expiry_id(payment, state.version), payment=payment, version=state.version
            )
            expiry = Attempt(command, EXPIRY_ACTOR)
            expiry.known, expiry.give_up_at = attempt.known, attempt.give_up_at
            expiry.may_guess = False
            try:
                Packing(expiry.known).add(self._proposed(expiry))
            except InvalidCommandError:
                continue
        return self._proposed(attempt)

    def _finds_used_member(self, attempt: Attempt) -> bool:
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

    def _recorded(self, attempt: Attempt, existing: StoredEvent) -> Outcome:
        """What is recorded under the id: the answer to a repeat, or a mismatch."""
        event = decode_event(existing.data)
        members: tuple[Accepted, ...] = ()
        if isinstance(event, BatchCommitted):
            members = self._members(event)
        # An earlier attempt of this very request may have taken effect and its answer been lost:
        # then the recorded bytes are ours, and to the client this is the first answer, not a
        # repeat. Equal bytes alone prove nothing: a worker whose clock is behind stamps all with
        # its states' time.
        ours = existing.data in attempt.unanswered
        outcome = recorded_outcome(attempt.command, event, members, repeat=not ours)
        return outcome if isinstance(outcome, Mismatch) else replace(outcome, **attempt.effort())

    def _members(self, batch: BatchCommitted) -> tuple[Accepted, ...]:
        events = self._events(batch.commands)
        members = (events[one] for one in batch.commands)
        return tuple(event for event in members if isinstance(event, Accepted))


def recorded_outcome(
    command: Command, event: Event, members: tuple[Accepted, ...], *, repeat: bool
) -> Outcome:
    """The answer to `command`, of which `event` is recorded: `members` are those of a batch."""
    if isinstance(event, BatchCommitted):
        fields = differing_members(event, members, command)
    else:
        request = request_of(event)
        assert request is not None  # only a batch's is told by its members
        fields = differing_fields(request, command)
    if fields:
        return Mismatch(command.id, fields)
    return Decided(event, repeat=repeat, members=members)


def anything_held(states: States, account: str) -> bool:
    """Whether something of an account is held, whose release would leave it with more."""
    state = whole(states, account)
    return state is not None and state.available_minor != state.balance_minor
