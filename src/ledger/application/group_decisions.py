"""The decisions on the commands of a group, in their order, as many as one transaction holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from ledger.application.commit import Outcome, anything_held, recorded_outcome
from ledger.application.group_view import GroupView
from ledger.application.packing import Packing
from ledger.application.ports import KEYS_A_LOAD_MAX, Clock, EventStore
from ledger.application.proposals import Proposal, lacking, propose, unconditioned
from ledger.contracts import reasons
from ledger.contracts.commands import AtomicBatch, Command
from ledger.contracts.events import Accepted, BatchCommitted
from ledger.contracts.primitives import instant_of_microseconds
from ledger.domain.needs import Needs

#: Rounds of reading for one command, of which all but a batch need four at most. A batch that leads
#: on and on is decided alone: there its time is looked after.
ROUNDS_MAX: Final = 6


class Asked(Struct, frozen=True):
    """A command of a group, and the principal who asked for it.

    Behind one of a `lane` that could not be decided, no other of that lane is. `seen_before` says
    that it was delivered before, and may well be recorded: that is looked up first.
    """

    command: Command
    actor: str
    lane: str | None = None
    seen_before: bool = False


Answer = Outcome | Exception | None
"""Of one command: its outcome, what `Commands.handle` would raise, or None if it was not tried."""


class UnsureError(Exception):
    """A decision rests on a guess that no condition would test."""


class Pack:
    """A transaction in the making, and the commands that it decides, by their places in the group.

    `reading` are the places for which something is being read; `alone` is a place that comes before
    all others, to be decided alone.
    """

    def __init__(self, view: GroupView) -> None:
        self.packing = Packing(view.known)
        self.decided: list[tuple[int, Proposal]] = []
        self.reading: Sequence[int] = ()
        self.alone: int | None = None

    @property
    def places(self) -> list[int]:
        """The places of all commands whose fate it shares."""
        return [*(place for place, _ in self.decided), *self.reading]

    def add(self, place: int, proposal: Proposal) -> None:
        """Takes in what was decided."""
        self.packing.add(proposal)
        self.decided.append((place, proposal))


class GroupDecisions:
    """What has been decided of a group: `answers` by place, `odd` places that are to be decided
    alone, the `most` commands that a transaction may have, and `ours`, the ids under which an
    earlier attempt at this very group had something recorded, its answer lost."""

    def __init__(
        self, asked: Sequence[Asked], view: GroupView, store: EventStore, clock: Clock
    ) -> None:
        self._asked = asked
        self._view = view
        self._store = store
        self._clock = clock
        self._due: dict[str, bool] = {}
        self._waiting: Sequence[int] = ()
        self.answers: dict[int, Answer] = {}
        self.odd: set[int] = set()
        self.most = len(asked)
        self.ours: set[str] = set()

    def begin(self) -> None:
        """Takes note that another transaction is begun."""
        self._due.clear()

    def fill(self, pack: Pack, waiting: Sequence[int]) -> None:
        """Decides the commands at the places `waiting`. Raises UnsureError if that must be done
        again without guesses, and whatever the store raises."""
        self._waiting = waiting
        self._view.begin(self._clock())
        for nth, place in enumerate(waiting):
            if len(pack.decided) >= self.most:
                return
            one = self._asked[place]
            if pack.packing.holds(one.command.id):
                continue  # a repeat: what it repeats is not recorded yet
            if place in self.odd:
                pack.alone = place
                return
            if self._is_recorded(pack, place):
                continue
            proposal = self._proposed(pack, nth)
            if proposal is None:
                pack.alone = place
                return
            if not pack.packing.has_room_for(proposal):
                return
            pack.add(place, proposal)

    def _proposed(self, pack: Pack, nth: int) -> Proposal | None:
        """The decision on one command; None if it is to be decided alone. Raises UnsureError."""
        view, one = self._view, self._asked[self._waiting[nth]]
        for _ in range(ROUNDS_MAX):
            try:
                proposal = propose(view.known, one.command, view.stamp(one.actor))
                if isinstance(proposal, Proposal):
                    self._refuse_to_guess(proposal)
            except Exception:  # noqa: BLE001 - the command's own, or for a guess that was wrong
                if view.guessed:
                    raise UnsureError from None
                return None
            if isinstance(proposal, Proposal):
                return proposal if self._is_simple(one.command, proposal) else None
            if view.cannot_read(proposal):
                return None
            self._read_ahead(pack, nth, proposal)
        return None

    def _refuse_to_guess(self, proposal: Proposal) -> None:
        guessed = self._view.guessed
        if guessed and unconditioned(guessed, proposal):
            raise UnsureError

    def _is_simple(self, command: Command, proposal: Proposal) -> bool:
        """Whether what was decided can be recorded as it is."""
        refused = proposal.rejection
        if isinstance(command, AtomicBatch):
            # That a member's id was used comes before every other reason.
            used = any(self._view.event(member.id) for member in command.commands)
            return refused is None and not used
        if refused is None or refused.reason != reasons.INSUFFICIENT_FUNDS.code:
            return True
        account = refused.causes[0].id
        return not anything_held(self._view.known.states, account) or not self._any_due(account)

    def _any_due(self, account: str) -> bool:
        """Whether a hold on the account is due, of which a refusal would not know. Asked once for
        a transaction."""
        if account not in self._due:
            now = instant_of_microseconds(self._clock())
            self._due[account] = bool(self._store.due(now, account=account, limit=1))
        return self._due[account]

    def _read_ahead(self, pack: Pack, nth: int, needs: Needs) -> None:
        """Reads what a command needs, and in the same requests what those behind it will."""
        view = self._view
        keys, ids = dict.fromkeys(needs.keys), dict.fromkeys(needs.events)
        reading = [self._waiting[nth]]
        for place in self._waiting[nth + 1 : nth + self.most - len(pack.decided)]:
            if len(keys) >= KEYS_A_LOAD_MAX or len(ids) >= KEYS_A_LOAD_MAX:
                break
            if place in self.odd:
                break  # after it everything is read anew
            one = self._asked[place]
            if view.event(one.command.id):
                continue
            more = self._lacking(one)
            if view.cannot_read(more):
                continue
            new = sum(key not in keys for key in more.keys)
            if len(keys) + new > KEYS_A_LOAD_MAX or len(ids) + len(more.events) > KEYS_A_LOAD_MAX:
                break
            keys.update(dict.fromkeys(more.keys))
            ids.update(dict.fromkeys(more.events))
            reading.append(place)
        pack.reading = reading
        view.read(Needs(tuple(keys), tuple(ids)))
        pack.reading = ()

    def _lacking(self, one: Asked) -> Needs:
        try:
            return lacking(self._view.known, one.command, self._view.stamp(one.actor))
        except Exception:  # noqa: BLE001 - it shows when it is its turn
            return Needs()

    def _is_recorded(self, pack: Pack, place: int) -> bool:
        """Answers a command of whose id it is known what is recorded; whether it is."""
        command = self._asked[place].command
        event = self._view.event(command.id)
        if event is None:
            return False
        members: tuple[Accepted, ...] = ()
        if isinstance(event, BatchCommitted):
            unknown = tuple(one for one in event.commands if self._view.event(one) is None)
            pack.reading = (place,)
            self._view.read(Needs(events=unknown))
            pack.reading = ()
            made = map(self._view.event, event.commands)
            members = tuple(one for one in made if isinstance(one, Accepted))
        ours = command.id in self.ours
        self.ours.discard(command.id)
        self.answers[place] = recorded_outcome(command, event, members, repeat=not ours)
        return True
