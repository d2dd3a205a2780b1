"""From a command and what is known to what would be committed: the decision, sealed.

Pure but for what it is given: the same command, states and stamp make the same proposal.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ledger.contracts import reasons
from ledger.contracts.commands import (
    ACTIONS_MAX,
    AtomicBatch,
    BaseCommand,
    Command,
    ExpirePayment,
    PaymentCommand,
    ScreenPayment,
)
from ledger.contracts.events import (
    Accepted,
    BackDatableEvent,
    BatchCommitted,
    Cause,
    CommandRejected,
    Event,
    PaymentAuthorized,
    PaymentPosted,
)
from ledger.contracts.reasons import InvalidCommandError, Reason, Violation
from ledger.contracts.subjects import Key, account_key, book_key, payment_key, stripe_of_key
from ledger.domain.chain import StoredEvent, changed_by, seal
from ledger.domain.decider import decide, rejected_event
from ledger.domain.evolution import states_after
from ledger.domain.needs import Needs, needed
from ledger.domain.payments import is_due
from ledger.domain.rejections import Rejection, rejection_for_event, shown_version
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import State, States

NOTHING: Final = Needs()


class Known(NamedTuple):
    """What was read: `states`, and of which subjects and ids they tell (absent: not there)."""

    states: States
    keys: set[Key]
    events: set[str]

    @classmethod
    def nothing(cls) -> Known:
        """Before anything is read."""
        return cls(States(), set(), set())

    def lacks(self, needs: Needs) -> Needs:
        """What of `needs` is not known yet: states first, which may make events superfluous (that
        of a payment is asked for only if it has no state)."""
        if not self.keys.issuperset(needs.keys):
            return Needs(tuple(dict.fromkeys(key for key in needs.keys if key not in self.keys)))
        if not needs.events:
            return NOTHING
        return Needs(
            events=tuple(dict.fromkeys(one for one in needs.events if one not in self.events))
        )

    def take(self, keys: Iterable[Key], states: Iterable[State]) -> None:
        """Takes in what was found of these subjects."""
        for state in states:
            self.states.put(state)
        self.keys.update(keys)

    def refresh(self, fresh: Mapping[Key, State | None]) -> None:
        """Takes in what subjects are now; None: not there."""
        for key, state in fresh.items():
            if state is None:
                self.states.drop(key)
            else:
                self.states.put(state)
        self.keys.update(fresh)

    def forget(self, keys: Iterable[Key]) -> None:
        """What these subjects are is not known any more."""
        for key in keys:
            self.states.drop(key)
            self.keys.discard(key)


class Proposal(Struct, frozen=True):
    """A decision sealed, to be packed into a transaction. `event` answers the command; `members`
    are those of a batch's commands.

    `stored` are the events, the command's own first, and `made` the states that they make, the last
    of each subject. It stands only if the subjects that it changes or names in `checks` are still
    as they were known, and if there is no event under the ids of `stored` and `absent`. `needed`
    are all subjects that were looked at.
    """

    event: Event
    stored: tuple[StoredEvent, ...]
    made: Mapping[Key, State]
    checks: tuple[Key, ...]
    absent: tuple[str, ...] = ()
    members: tuple[Accepted, ...] = ()
    needed: Iterable[Key] = ()

    @property
    def rejection(self) -> CommandRejected | None:
        """The event, if the command is refused."""
        return self.event if isinstance(self.event, CommandRejected) else None


def propose(known: Known, command: Command, stamp: Stamp) -> Proposal | Needs:
    """What would be committed for `command`, or what must be read first.

    Raises InvalidCommandError for a system command without ground, and for a batch that needs more
    actions than a transaction has.
    """
    if isinstance(command, AtomicBatch):
        return _propose_batch(known, command, stamp)
    states = known.states
    needs = needed(states, command, stamp)
    missing = known.lacks(needs)
    if missing is not NOTHING and any(missing):
        return missing
    refuse_unfounded(states, command, stamp)
    decision = decide(states, command, stamp)
    if isinstance(decision, Rejection):
        return _refusal(known, command, decision, stamp, needed=needs.keys)
    stored = seal(decision, states)
    made = {state.key: state for state in states_after(states, decision, stored)}
    return _accepted((decision,), (stored,), made, needs.keys)


def lacking(known: Known, command: Command, stamp: Stamp) -> Needs:
    """What must be read before `command` can be decided, as far as can be told from what is known:
    `propose` may ask for more."""
    if isinstance(command, AtomicBatch):
        return known.lacks(_all_needed(known.states, command.commands, stamp))
    return known.lacks(needed(known.states, command, stamp))


def refuse_unfounded(states: States, command: BaseCommand, stamp: Stamp) -> None:
    """Raises InvalidCommandError for a verdict on what is no payment, and for an expiry that is not
    due: neither is a fact, so neither is recorded."""
    if isinstance(command, ScreenPayment):
        made = states.events.get(command.payment)
        if not isinstance(made, PaymentPosted | PaymentAuthorized):
            raise _unfounded(reasons.SCREENED_PAYMENT_UNKNOWN)
    if isinstance(command, ExpirePayment):
        payment = states.payments.get(command.payment)
        if payment is None or payment.version != command.version or not is_due(payment, stamp):
            raise _unfounded(reasons.HOLD_NOT_DUE)


def propose_used_member(known: Known, batch: AtomicBatch, used: str, stamp: Stamp) -> Proposal:
    """The refusal of a batch of which a command has an id that was decided before."""
    index = next(place for place, one in enumerate(batch.commands) if one.id == used)
    field = f"commands[{index}].id"
    refusal = rejection_for_event(reasons.MEMBER_ID_USED, field, used, there=True)
    return _refusal(known, batch, refusal, stamp)


def _propose_batch(known: Known, batch: AtomicBatch, stamp: Stamp) -> Proposal | Needs:
    """The commands decided in order, each on the effects of those before it."""
    needs = _all_needed(known.states, batch.commands, stamp)
    missing = known.lacks(needs)
    if any(missing):
        return missing
    looked_at = set(needs.keys)
    working = known.states.copy()
    events: list[Accepted] = []
    stored: list[StoredEvent] = []
    changed: dict[Key, None] = {}
    for index, command in enumerate(batch.commands):
        # What a command before it made is known, though it is not stored.
        needs = needed(working, command, stamp)
        missing = _lacking(known, working, needs)
        if any(missing):
            return missing
        looked_at.update(needs.keys)
        decision = decide(working, command, stamp)
        if isinstance(decision, Rejection):
            refusal = _of_member(known.states, decision, batch, index)
            rested_on = (*_rested_on(events), *_judged_by(command))
            return _refusal(known, batch, refusal, stamp, check=rested_on, needed=looked_at)
        events.append(decision)
        stored.append(_apply(working, decision))
        # Judged at once: what comes behind could only add to it, and would be decided for nothing.
        changed |= dict.fromkeys(changed_by(decision))
        _refuse_oversize(1 + len(batch.commands) + len(changed), len(batch.commands))
    committed = BatchCommitted(
        **head(batch, stamp),
        commands=tuple(command.id for command in batch.commands),
    )
    own = seal(committed, working)
    made = {key: _made(working, key) for key in changed}
    proposal = _accepted(tuple(events), (own, *stored), made, looked_at)
    return replace(proposal, event=committed, members=tuple(events))


def _all_needed(states: States, commands: Sequence[BaseCommand], stamp: Stamp) -> Needs:
    """What is needed for each command by itself: read at once, that is all in most cases."""
    each = [needed(states, command, stamp) for command in commands]
    members = {command.id for command in commands}
    # What a command makes is not looked for: if it is there, its id was used.
    made = {payment_key(member) for member in members}
    keys = tuple(key for needs in each for key in needs.keys if key not in made)
    events = tuple(one for needs in each for one in needs.events if one not in members)
    return Needs(keys, events)


def _lacking(known: Known, working: States, needs: Needs) -> Needs:
    missing = known.lacks(needs)
    return Needs(
        tuple(key for key in missing.keys if working.get(key) is None),
        tuple(one for one in missing.events if one not in working.events),
    )


def _apply(working: States, event: Accepted) -> StoredEvent:
    """Seals `event` and takes its effects into `working`."""
    stored = seal(event, working)
    for state in states_after(working, event, stored):
        working.put(state)
    working.events[event.id] = event
    return stored


def _made(working: States, key: Key) -> State:
    state = working.get(key)
    assert state is not None  # an event made it
    return state


def _accepted(
    events: tuple[Accepted, ...],
    stored: tuple[StoredEvent, ...],
    made: Mapping[Key, State],
    needed: Iterable[Key],
) -> Proposal:
    checks = tuple(
        dict.fromkeys(key for event in events for key in relied_on(event) if key not in made)
    )
    _refuse_oversize(len(stored) + len(made) + len(checks), len(events))
    return Proposal(events[0], stored, made, checks, needed=needed)


def unconditioned(guessed: Container[Key], proposal: Proposal) -> bool:
    """Whether a proposal rests on one of these subjects in a way that no condition of its
    transaction tests: then a guess at it will not do.

    So it is with every refusal: it is for ever, and says more of the states than that it names.
    """
    guesses = [key for key in proposal.needed if key in guessed]
    if not guesses or proposal.rejection is not None:
        return bool(guesses)
    conditioned = {*proposal.checks, *proposal.made}
    # A stripe that fits the account as it is guessed says of it all that is decided on.
    conditioned.update(
        account_key(stripe_of_key(key)[0]) for key in proposal.made if key.kind == "stripe"
    )
    return not conditioned.issuperset(guesses)


def relied_on(event: Accepted) -> tuple[Key, ...]:
    """What an event does not change, but is right only if it has not changed either.

    A template is none of it: its versions never change, and a payment that names none is made of
    the one that was the newest when it was decided.
    """
    if isinstance(event, BackDatableEvent):
        return tuple(book_key(check.book) for check in event.books)
    return ()


def _refusal(
    known: Known,
    command: Command,
    refusal: Rejection,
    stamp: Stamp,
    *,
    check: Iterable[Key] = (),
    needed: Iterable[Key] = (),
) -> Proposal:
    """A refusal is permanent, so it commits only if each state that caused it still stands."""
    event = rejected_event(command, refusal, stamp)
    keys = dict.fromkeys((*check, *_judged_by(command)))
    absent = []
    for cause in refusal.causes:
        if cause.kind == "event":
            # Under the command's own id there is nothing if it is decided at all.
            absent += [cause.id] if cause.version == 0 and cause.id != command.id else []
        elif cause.kind != "clock":
            keys[Key(cause.kind, cause.id)] = None
    checks = tuple(keys)
    members = len(command.commands) if isinstance(command, AtomicBatch) else 1
    _refuse_oversize(1 + len(checks) + len(absent), members)
    stored = seal(event, known.states)
    return Proposal(event, (stored,), {}, checks, tuple(absent), needed=needed)


def _judged_by(command: BaseCommand) -> tuple[Key, ...]:
    """What says what a command is about, whatever it is refused for: it was read before the rest,
    and may have changed between."""
    if isinstance(command, PaymentCommand):
        return (payment_key(command.payment),)
    return ()


def _of_member(states: States, refusal: Rejection, batch: AtomicBatch, index: int) -> Rejection:
    """A refusal as one of the whole batch: at the place of its command, and caused by states as
    they are stored, whatever the commands before it would have made of them."""
    members = {command.id for command in batch.commands}
    place = f"commands[{index}]"
    field = f"{place}.{refusal.field}" if refusal.field else place
    causes = tuple(_as_stored(states, cause, members) for cause in refusal.causes)
    return Rejection(refusal.reason, field, causes)


def _as_stored(states: States, cause: Cause, members: set[str]) -> Cause:
    if cause.kind == "clock":
        return cause
    if cause.kind == "event":  # what the batch would have made is not there
        return replace(cause, version=0) if cause.id in members else cause
    return replace(cause, version=shown_version(states, Key(cause.kind, cause.id)))


def _rested_on(events: Sequence[Accepted]) -> tuple[Key, ...]:
    """What the commands before the one refused changed or relied on: they had their share in it."""
    keys = (key for event in events for key in (*changed_by(event), *relied_on(event)))
    return tuple(dict.fromkeys(keys))


def _refuse_oversize(actions: int, commands: int) -> None:
    """A batch may be too large; a single payment only if it is back-dated in a dozen books."""
    if actions > ACTIONS_MAX:
        field = "commands" if commands > 1 else "postings"
        raise InvalidCommandError((Violation(reasons.TRANSACTION_TOO_LARGE, field),))


def _unfounded(reason: Reason) -> InvalidCommandError:
    return InvalidCommandError((Violation(reason, "payment"),))
