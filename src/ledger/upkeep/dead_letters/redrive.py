"""Sending dead letters back: sent first, removed afterwards, so that none is ever lost.

A crash, an outage or a lost answer between the two leaves a letter in both places. That is
harmless: a repeated command answers what it answered, a repeated event changes nothing, and whoever
is told of one twice knows it by its id. The other order would lose the letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from ledger.application.ports import TransientStoreError
from ledger.client.retries import Retries
from ledger.upkeep.dead_letters.letters import Letter
from ledger.upkeep.dead_letters.places import Place, Sending, Untaken

#: Of one run; SQS lets 120,000 messages of a queue be in a reader's hands at a time.
LETTERS_MAX: Final = 100_000
_BATCH_LETTERS_MAX: Final = 10  # of a request
#: Of a request of several letters: what SQS has always taken, though it takes 1 MiB by now. A
#: single letter has fitted into a queue before.
_BATCH_BYTES_MAX: Final = 256 * 1024
_AWS_ERRORS: Final = (BotoCoreError, ClientError, TransientStoreError)


class Orders(Struct, frozen=True):
    """What to send back: all, or only the letters of these ids; `force`: also what is hopeless.

    With `dry_run` nothing is sent or removed.
    """

    only: frozenset[str] = frozenset()
    force: bool = False
    dry_run: bool = False


class Report(Struct):
    """What a redrive came to, complete up to the moment at which it ended or was stopped.

    `sent` (with `dry_run`: would be) are the ids of letters that were sent and removed, `kept` of
    those that were sent and could not be removed for certain: both are where they came from.
    `refused` were not sent, for the reason that their handler gave, `not_taken` were, and never
    will be taken, for the reason there. `came_back` had been sent by this very run and died again.
    `missing` was asked for and not seen; `unseen` is about how many letters could not be seen,
    `unreleased` how many show again only after HOLD_SECONDS.
    """

    sent: list[str] = []
    kept: list[str] = []
    refused: dict[str, str] = {}
    not_taken: dict[str, str] = {}
    came_back: list[str] = []
    missing: list[str] = []
    unseen: int = 0
    unreleased: int = 0

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for was done."""
        behind = (self.kept, self.refused, self.not_taken, self.came_back, self.missing)
        return not (any(behind) or self.unseen)


class NotTakenError(Exception):
    """Letters were not taken at any attempt; the message has the last code."""


class StoppedError(Exception):
    """A redrive ended early, for `__cause__`. `report` says what was done until then."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__("stopped")

    @property
    def done(self) -> dict[str, object]:
        """The report, as members of the problem that is shown."""
        return {"sent": len(self.report.sent), "kept": self.report.kept}


def redrive(
    place: Place,
    orders: Orders,
    *,
    retries: Retries | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Sends the letters of `place` back; `on_progress` gets how many more were looked at.

    Raises StoppedError as soon as something cannot be done now: what follows would fail as well.
    """
    run = _Redrive(place, orders, retries or Retries(), on_progress)
    try:
        run.work()
    except (*_AWS_ERRORS, NotTakenError) as error:
        raise StoppedError(run.report) from error
    return run.report


class _Redrive:
    def __init__(
        self,
        place: Place,
        orders: Orders,
        retries: Retries,
        on_progress: Callable[[int], None],
    ) -> None:
        self.report = Report()
        self._place = place
        self._orders = orders
        self._retries = retries
        self._on_progress = on_progress
        self._sent_as: set[str] = set()  # the ids that letters have where they were sent

    def work(self) -> None:
        expected = self._place.depth()
        seen: set[str] = set()
        try:
            while len(seen) < LETTERS_MAX and (letters := self._place.take()):
                seen.update(letter.id for letter in letters)
                for batch in _batches(letter for letter in letters if self._is_to_go(letter)):
                    self._go(batch)
                self._on_progress(len(letters))
                if self._orders.only and self._orders.only <= seen:
                    expected = 0  # what else lies there was not asked for
                    break
        finally:
            self.report.unreleased = self._place.release()
        self.report.missing = sorted(self._orders.only - seen)
        self.report.unseen = max(0, expected - len(seen))

    def _is_to_go(self, letter: Letter) -> bool:
        if self._orders.only and letter.id not in self._orders.only:
            return False
        if {letter.id, letter.source_message_id} & self._sent_as:
            self.report.came_back.append(letter.id)  # once more would be for ever
            return False
        if letter.hopeless and not self._orders.force:
            self.report.refused[letter.id] = letter.reason
            return False
        return True

    def _go(self, letters: Sequence[Letter]) -> None:
        """Sends and removes, and tries again with what was not taken. Raises NotTakenError."""
        if self._orders.dry_run:
            self.report.sent += [letter.id for letter in letters]
            return
        waiting = letters
        untaken: dict[str, Untaken] = {}
        for _ in self._retries.attempts():
            sending = self._place.send(waiting)
            self._remove([letter for letter in waiting if letter.id in sending.taken], sending)
            untaken = {id_: why for id_, why in sending.untaken.items() if not why.permanent}
            self.report.not_taken.update(
                (id_, why.code) for id_, why in sending.untaken.items() if why.permanent
            )
            waiting = [letter for letter in waiting if letter.id in untaken]
            if not waiting:
                return
        code = next(iter(untaken.values())).code
        raise NotTakenError(f"{len(waiting)} letters were not taken: {code}")

    def _remove(self, letters: Sequence[Letter], sending: Sending) -> None:
        if not letters:
            return
        ids = [letter.id for letter in letters]
        self._sent_as.update(sending.taken[id_] for id_ in ids if sending.taken[id_])
        self.report.kept += ids  # until they are known to be removed
        failed = self._place.remove(letters)
        self.report.kept = [id_ for id_ in self.report.kept if id_ in failed or id_ not in ids]
        self.report.sent += [id_ for id_ in ids if id_ not in failed]


def _batches(letters: Iterable[Letter]) -> Iterator[list[Letter]]:
    """The letters in their order, in as few requests as number and bytes allow.

    No request holds two letters of a group: SQS may take one entry and not another, and what is
    sent again must not come behind its successor.
    """
    batch: list[Letter] = []
    for letter in letters:
        full = len(batch) == _BATCH_LETTERS_MAX
        heavy = sum(each.size for each in batch) + letter.size > _BATCH_BYTES_MAX
        if batch and (full or heavy or any(_same_group(letter, each) for each in batch)):
            yield batch
            batch = []
        batch.append(letter)
    if batch:
        yield batch


def _same_group(one: Letter, other: Letter) -> bool:
    return bool(one.group) and one.group == other.group
