"""A batch of events to verdicts, and the verdicts to the ledger.

In this order: what is remembered of all accounts is read; the events are judged in the order of
their recording; the verdicts are sent; and only then is each account's part in the events
remembered, by one conditional write for the account, however many events there were.

So an event that was observed in any of its accounts has had its verdict sent. One whose worker died
in between is judged again, perhaps otherwise: the ledger knows verdicts by their ids and keeps the
first. An account that somebody else has changed meanwhile is read again and observes the same
events: what is remembered follows from the set of them, whatever their order. So nothing depends on
how that race ends, and no transaction is needed, which would cost twice as much.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from consumers.fraud.features import Features, Movement, TooManyGapsError, movements, observed
from consumers.fraud.scorer import Scorer
from consumers.fraud.screening import Screening, judged
from consumers.fraud.store import LOADED_AT_ONCE, FraudStore, Remembered
from ledger.consuming.writing import Failed, one_by_one, written
from ledger.contracts.commands import ScreenPayment
from ledger.contracts.events import AccountEvent
from ledger.runtime.backoff import full_jitter_seconds
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.host import SideBySide
from ledger.runtime.telemetry import named

#: Some 0.5 s at most in all: who loses that often to others had better come back in seconds.
ATTEMPTS_MAX: Final = 6
_PAUSE_BASE_SECONDS: Final = 0.02
_PAUSE_CAP_SECONDS: Final = 0.2

CONTENDED: Final = "contended"
TOO_MANY_GAPS: Final = "too_many_gaps"
BROKEN_ITEM: Final = "broken_item"

Send = Callable[[Sequence[ScreenPayment]], Mapping[int, str]]
"""Sends verdicts to the ledger; answers error codes by the places of those perhaps not sent."""

Placed = tuple[int, AccountEvent]


class _Moved(Struct, frozen=True):
    """What the event at that place in the batch did to an account."""

    place: int
    movement: Movement


class _Account(Struct, frozen=True):
    """An account as it was read, and what it is to observe."""

    name: str
    remembered: Remembered
    moved: list[_Moved]


class _Saved(Struct, frozen=True):
    """Error codes by the places of the events that an account has not observed."""

    failed: Mapping[int, str] = {}
    conflicts: int = 0


@dataclass(slots=True)
class _Batch:
    """What becomes of a batch: error codes and verdicts by the places of its events."""

    remembered: dict[str, Remembered] = field(default_factory=dict)
    moved: defaultdict[str, list[_Moved]] = field(default_factory=lambda: defaultdict(list))
    screenings: dict[int, Screening] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


class Screener:
    """Screens batches of events. `random` draws from [0, 1); `pause` takes seconds."""

    def __init__(
        self,
        store: FraudStore,
        scorer: Scorer,
        send: Send,
        *,
        random: Callable[[], float],
        pause: Callable[[float], object],
        side_by_side: SideBySide = one_by_one,
    ) -> None:
        self._store = store
        self._scorer = scorer
        self._send = send
        self._random = random
        self._pause = pause
        self._side_by_side = side_by_side

    def screen(self, events: Sequence[Placed]) -> tuple[dict[int, str], Counter[str]]:
        """Observe and judge `events`, each with its place in the batch.

        Answers error codes by the places of those that must come again, and counts for the log.
        """
        batch = _Batch()
        # One that is there twice shares one fate: a copy of what failed must not be observed.
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, event in events:
            places[event.id].append(place)
        once = [(place, event) for place, event in events if places[event.id][0] == place]
        self._load(once, batch)
        self._judge(once, batch)
        self._keep(batch)
        self._send_verdicts(batch)
        self._observe(batch)
        batch.counts["Known"] += len(events) - len(once)
        failed = {
            place: batch.failed[same[0]]
            for same in places.values()
            if same[0] in batch.failed
            for place in same
        }
        return failed, batch.counts

    def _load(self, events: Sequence[Placed], batch: _Batch) -> None:
        """Read what is remembered; what cannot be read fails the events that need it."""
        touching: defaultdict[str, list[int]] = defaultdict(list)
        for place, event in events:
            for each in movements(event):
                touching[each.account].append(place)
        names = list(touching)
        chunks = [names[at : at + LOADED_AT_ONCE] for at in range(0, len(names), LOADED_AT_ONCE)]
        for chunk, found in zip(
            chunks, written(self._side_by_side, self._read, chunks), strict=True
        ):
            loaded = {} if isinstance(found, Failed) else found
            code = found.code if isinstance(found, Failed) else BROKEN_ITEM
            batch.remembered.update(loaded)
            for name in chunk:
                if name not in loaded:
                    batch.failed.update(dict.fromkeys(touching[name], code))

    def _read(self, names: Sequence[str]) -> Mapping[str, Remembered]:
        """What is remembered of some accounts, but for those that are broken."""
        try:
            return self._store.load(names)
        except BrokenItemError:
            if len(names) == 1:
                return {}
            middle = len(names) // 2
            return {**self._read(names[:middle]), **self._read(names[middle:])}

    def _judge(self, events: Sequence[Placed], batch: _Batch) -> None:
        """Give the events their verdicts, each by what was there before it: in the table, and in
        the batch."""
        features = {name: one.features for name, one in batch.remembered.items()}
        for place, event in sorted(events, key=lambda one: (one[1].recorded_at, one[1].id)):
            if place in batch.failed:
                continue
            try:
                result = judged(event, features, self._scorer)
            except TooManyGapsError:
                batch.failed[place] = TOO_MANY_GAPS
                continue
            except Exception as error:  # noqa: BLE001 - a bug over one event fails that one alone
                batch.failed[place] = f"exception:{named(error)}"
                continue
            features.update(result.features)
            for each in movements(event):
                batch.moved[each.account].append(_Moved(place, each))
            if result.screening:
                batch.screenings[place] = result.screening
            batch.counts["Known"] += result.known

    def _keep(self, batch: _Batch) -> None:
        """Keep verdicts that are not clear, before they are sent: an alert says of whom each is. If
        one was kept before, it is that one which is sent."""
        for place, screening in list(batch.screenings.items()):
            if screening.command.verdict == "clear":
                continue
            try:
                batch.screenings[place] = self._store.keep(screening)
            except BrokenItemError:
                batch.failed[place] = BROKEN_ITEM
            except StoreError as error:
                batch.failed[place] = error.code

    def _send_verdicts(self, batch: _Batch) -> None:
        """Send what is to be sent. An event whose verdict may not be with the ledger fails."""
        places = [place for place in batch.screenings if place not in batch.failed]
        commands = [batch.screenings[place].command for place in places]
        unsent = self._send(commands)
        batch.failed.update((places[at], code) for at, code in unsent.items())
        batch.counts["Verdicts"] = len(places) - len(unsent)
        for at, command in enumerate(commands):
            batch.counts[f"Screened{command.verdict.capitalize()}"] += at not in unsent

    def _observe(self, batch: _Batch) -> None:
        """Remember in each account what has not failed: of that every verdict is sent."""
        accounts = [
            _Account(name, batch.remembered[name], moved)
            for name, all_moved in batch.moved.items()
            if (moved := [one for one in all_moved if one.place not in batch.failed])
        ]
        answers = written(self._side_by_side, self._save, accounts)
        for account, answer in zip(accounts, answers, strict=True):
            if isinstance(answer, Failed):
                batch.failed.update((one.place, answer.code) for one in account.moved)
            else:
                batch.failed.update(answer.failed)
                batch.counts["ScreeningConflicts"] += answer.conflicts

    def _save(self, account: _Account) -> _Saved:
        """Have an account observe events, also if others change it all the while. Raises
        StoreError."""
        remembered = account.remembered
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._pause(
                    full_jitter_seconds(
                        attempt,
                        base=_PAUSE_BASE_SECONDS,
                        cap=_PAUSE_CAP_SECONDS,
                        random=self._random,
                    )
                )
                remembered = self._store.load([account.name])[account.name]
            features, failed = _after(remembered.features, account.moved)
            if features is remembered.features or self._store.save(
                account.name, remembered, features
            ):
                return _Saved(failed, conflicts=attempt)
        return _Saved({one.place: CONTENDED for one in account.moved}, conflicts=ATTEMPTS_MAX)


def _after(features: Features, moved: Sequence[_Moved]) -> tuple[Features, dict[int, str]]:
    """The features after what is not in them yet; the same object if all is. And what they have no
    room for."""
    failed: dict[int, str] = {}
    for one in moved:
        try:
            features = observed(features, one.movement)
        except TooManyGapsError:
            failed[one.place] = TOO_MANY_GAPS
    return features, failed
