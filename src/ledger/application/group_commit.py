"""Group commit: many commands in as few transactions as the limits allow, each answered by itself.

Commands are decided in their order, each on the effects of those before it, and their proposals
merged until a transaction is full. One that was refused comes back with the states as they are: its
commands are decided again on these. What cannot be decided in this way (a state that cannot be
read, a batch that is refused, a hold that must be released first, a bug) is decided alone, in its
place, by `Commands`: so no command fails another, and what is rare is done in one way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from ledger.application.attempts import exhausted
from ledger.application.commit import (
    ATTEMPTS_MAX,
    GIVE_UP_AFTER_MICROSECONDS,
    PAUSE_BASE_SECONDS,
    PAUSE_CAP_SECONDS,
    Commands,
    Decided,
)
from ledger.application.group_decisions import Answer, Asked, GroupDecisions, Pack, UnsureError
from ledger.application.group_view import GroupView
from ledger.application.outages import ContentionError
from ledger.application.ports import (
    ANSWER_UNKNOWN,
    CONFLICT,
    Appended,
    Chance,
    Clock,
    EventStore,
    Pause,
    Refused,
    Transaction,
    TransientStoreError,
)
from ledger.application.state_cache import StateCache
from ledger.contracts.events import encode_event
from ledger.contracts.reasons import InvalidCommandError
from ledger.domain.needs import Needs
from ledger.runtime.backoff import full_jitter_seconds

__all__ = ["WHOLE_ATTEMPTS", "Answer", "Asked", "GroupCommit", "GroupUse"]

#: Attempts at a whole transaction; then at half of it, half of that, and so on. What stands in the
#: way of so many may be a few of many subjects, or that so much at once is throttled.
WHOLE_ATTEMPTS: Final = 4


@dataclass(slots=True)
class GroupUse:
    """What groups took since it was last asked: `transactions` committed, the `commands` that these
    decided, as many as `largest` in one, the `attempts` at them, and what stood in the way of
    attempts, by its cause. Of commands that were decided alone, their answers tell the causes."""

    transactions: int = 0
    commands: int = 0
    largest: int = 0
    attempts: int = 0
    causes: Counter[str] = field(default_factory=Counter)

    def count(self, commands: int) -> None:
        """Counts a committed transaction."""
        self.transactions += 1
        self.commands += commands
        self.largest = max(self.largest, commands)


class GroupCommit:
    """Decides commands together and records each decision, accepted or refused."""

    def __init__(
        self,
        commands: Commands,
        store: EventStore,
        *,
        clock: Clock,
        pause: Pause,
        chance: Chance,
        cache: StateCache,
    ) -> None:
        self.commands = commands
        self.store = store
        self.clock = clock
        self.pause = pause
        self.chance = chance
        self.cache = cache
        self.use = GroupUse()

    def handle(self, asked: Sequence[Asked], has_time: Callable[[], bool]) -> list[Answer]:
        """One answer for each of `asked`, in their order: its outcome, the exception that
        `Commands.handle` would raise for it alone, or None if it was not tried.

        Not tried is what comes behind an exception other than InvalidCommandError in its lane, and
        what is left when `has_time` says no more: it is asked before each transaction. What the
        attempts at a transaction met is not told by its commands' answers, but by `take`.
        """
        return _Run(self, asked, has_time).answers()

    def take(self) -> GroupUse:
        """What groups took so far; counting starts anew."""
        taken, self.use = self.use, GroupUse()
        return taken


class _Run:
    """One group, from its first command to its last answer."""

    def __init__(
        self, parts: GroupCommit, asked: Sequence[Asked], has_time: Callable[[], bool]
    ) -> None:
        self._parts = parts
        self._asked = asked
        self._has_time = has_time
        self._view = GroupView(parts.store, parts.cache, parts.commands.spread)
        self._decisions = GroupDecisions(asked, self._view, parts.store, parts.clock)
        self._waiting: Sequence[int] = range(len(asked))
        self._to_look_up = tuple(dict.fromkeys(one.command.id for one in asked if one.seen_before))
        self._blocked: set[str | None] = set()  # lanes
        self._unanswered: defaultdict[str, list[bytes]] = defaultdict(list)
        self._hurries = False  # it is best tried again without a pause

    def answers(self) -> list[Answer]:
        while self._still_waiting() and self._has_time():
            self._step()
        return [self._decisions.answers.get(place) for place in range(len(self._asked))]

    def _still_waiting(self) -> Sequence[int]:
        answers, blocked = self._decisions.answers, self._blocked
        self._waiting = [
            place
            for place in self._waiting
            if place not in answers and self._asked[place].lane not in blocked
        ]
        return self._waiting

    def _step(self) -> None:
        """One transaction, until it is committed or given up; or one command alone."""
        causes: Counter[str] = Counter()
        tried: dict[int, None] = {}
        give_up_at = self._parts.clock() + GIVE_UP_AFTER_MICROSECONDS
        self._view.may_guess = True
        self._decisions.begin()
        while True:
            pack = Pack(self._view)
            try:
                if self._try(pack, causes):
                    return
            except UnsureError:
                pack.packing.undo()
                self._view.stop_guessing()
            except TransientStoreError as error:
                pack.packing.undo()
                self._view.stop_guessing()
                causes[error.cause] += 1
                self._parts.use.causes[error.cause] += 1
                last = pack.places or self._waiting[:1]
                tried.update(dict.fromkeys(last))
                if causes.total() >= ATTEMPTS_MAX or self._parts.clock() > give_up_at:
                    self._give_up(last, tried, causes)
                    return
                self._prepare_another(len(last), causes.total())
            except Exception:  # noqa: BLE001 - one command's: it shows which when it is alone
                pack.packing.undo()
                self._split(pack.places or self._waiting[:1])

    def _try(self, pack: Pack, causes: Counter[str]) -> bool:
        """One attempt; whether it came to an end, or is to be made again with what it learnt.

        Raises TransientStoreError if it failed.
        """
        self._hurries = False
        self._look_up()
        self._decisions.fill(pack, self._still_waiting())
        if not pack.decided:
            if pack.alone is not None:
                self._decide_alone(pack.alone)
            return True
        transaction = pack.packing.transaction()
        result = self._append(transaction)
        if isinstance(result, Appended):
            self._view.committed(transaction)
            self._answer(pack, attempts=1 + causes.total())
            return True
        pack.packing.undo()
        self._learn(pack, transaction, result)
        return False

    def _look_up(self) -> None:
        """Reads what is recorded under the ids of commands that were seen before. Once: what is not
        found in this way is found when it is to be recorded again."""
        ids, self._to_look_up = self._to_look_up, ()
        self._view.read(Needs(events=ids))

    def _append(self, transaction: Transaction) -> Appended | Refused:
        self._parts.use.attempts += 1
        try:
            return self._parts.store.append(transaction)
        except TransientStoreError as error:
            if error.cause == CONFLICT:
                self._view.met_others(transaction)
            if error.cause in ANSWER_UNKNOWN:
                for event in transaction.events:
                    self._unanswered[event.id].append(event.data)
            raise

    def _answer(self, pack: Pack, attempts: int) -> None:
        self._parts.use.count(len(pack.decided))
        for place, proposal in pack.decided:
            self._decisions.answers[place] = Decided(
                proposal.event, repeat=False, attempts=attempts, members=proposal.members
            )
        self._decisions.most = min(2 * self._decisions.most, len(self._asked))

    def _learn(self, pack: Pack, transaction: Transaction, refused: Refused) -> None:
        """Takes in why a transaction was refused. Raises TransientStoreError, unless some of its
        commands were decided before: then it has got further, as these can be answered."""
        at_once = self._view.refused(transaction, refused.fresh, refused.existing.values())
        for event in refused.existing.values():
            if event.data in self._unanswered[event.id]:
                self._decisions.ours.add(event.id)
        repeated = [
            place
            for place, proposal in pack.decided
            if any(event.id in refused.existing for event in proposal.stored)
        ]
        if not repeated:
            self._hurries = at_once
            raise TransientStoreError("stale")
        # What is recorded cannot be read, or it is a member's id that was used.
        self._decisions.odd.update(
            place for place in repeated if self._view.event(self._asked[place].command.id) is None
        )

    def _decide_alone(self, place: int) -> None:
        one, use = self._asked[place], self._parts.use
        try:
            outcome = self._parts.commands.handle(one.command, one.actor)
        except Exception as error:  # noqa: BLE001 - a bug in one must not fail its neighbours
            self._decisions.answers[place] = error
            if not isinstance(error, InvalidCommandError):
                self._block(place)
        else:
            if isinstance(outcome, Decided):
                outcome = self._first_answer(outcome)
                use.attempts += outcome.attempts
                if not outcome.repeat:
                    use.count(1)
            self._decisions.answers[place] = outcome
        self._view.forget()

    def _first_answer(self, outcome: Decided) -> Decided:
        """The outcome of a command decided alone: no repeat, if what is recorded is of one of the
        group's transactions whose answer was lost."""
        lost = self._unanswered.pop(outcome.event.id, ())
        if outcome.repeat and lost and encode_event(outcome.event) in lost:
            return replace(outcome, repeat=False)
        return outcome

    def _prepare_another(self, commands: int, failed: int) -> None:
        if failed >= WHOLE_ATTEMPTS:
            self._decisions.most = max(1, commands // 2)
        if not self._hurries:
            self._parts.pause(
                full_jitter_seconds(
                    failed,
                    base=PAUSE_BASE_SECONDS,
                    cap=PAUSE_CAP_SECONDS,
                    random=self._parts.chance,
                )
            )

    def _split(self, places: Sequence[int]) -> None:
        """Halves what something is wrong with, until it is one command."""
        if len(places) == 1:
            self._decisions.odd.add(places[0])
        else:
            self._decisions.most = len(places) // 2

    def _give_up(self, last: Iterable[int], tried: Iterable[int], causes: Counter[str]) -> None:
        """Answers an outage to all that was tried, if it is the store's; if others were in the way,
        to what was tried last and is least."""
        contended = isinstance(exhausted(causes), ContentionError)
        for place in last if contended else tried:
            if place not in self._decisions.answers:
                outage = exhausted(causes)
                outage.causes.clear()  # told by `take`, once for all
                self._decisions.answers[place] = outage
                self._block(place)

    def _block(self, place: int) -> None:
        lane = self._asked[place].lane
        if lane is not None:
            self._blocked.add(lane)
