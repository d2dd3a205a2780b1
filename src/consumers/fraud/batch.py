"""A batch of events to verdicts, and the verdicts to the ledger.

Events are taken in the order of their recording and packed into transactions as large as they may
be. Each is loaded, judged and saved as one: features, and the verdicts made from them. If somebody
else was faster, it is read and judged anew, for a while; then its messages come back later.

A verdict is sent once it is stored, and only then; whatever is lost in between comes back with its
message, is found to be known, and the stored verdict is sent again. The ledger takes the same
verdict twice for once. So a payment has one verdict, whatever fails, and in whatever order.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumers.fraud.features import Features, TooManyGapsError
from consumers.fraud.scorer import Scorer
from consumers.fraud.screening import Screening, asks_for_verdict, judged, screened_accounts
from consumers.fraud.store import (
    ACTIONS_MAX,
    FraudStore,
    Remembered,
    UnknownItemVersionError,
)
from ledger.consuming.batches import NOT_TRIED
from ledger.contracts.commands import ScreenPayment
from ledger.contracts.events import AccountEvent
from ledger.runtime.backoff import full_jitter_seconds
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.telemetry import named

#: Some 0.5 s at most in all: who loses that often to others had better come back in seconds.
ATTEMPTS_MAX: Final = 6
_PAUSE_BASE_SECONDS: Final = 0.02
_PAUSE_CAP_SECONDS: Final = 0.2
#: Transactions that failed one behind the other: at 2 tries of 3 s for each of two calls, that is
#: 24 s of the function's 30 at the worst; the table is taken to be out of reach then.
FAILURES_IN_A_ROW_MAX: Final = 2

CONTENDED: Final = "contended"
TOO_MANY_GAPS: Final = "too_many_gaps"
BROKEN_ITEM: Final = "broken_item"
NO_VERDICT: Final = "known_without_verdict"

Send = Callable[[Sequence[ScreenPayment]], Mapping[int, str]]
"""Sends verdicts to the ledger; answers error codes by the places of those perhaps not sent."""

Placed = tuple[int, AccountEvent]


@dataclass(slots=True)
class _Outcome:
    """What became of some events: verdicts to send, and error codes, by the event's place."""

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
    ) -> None:
        self._store = store
        self._scorer = scorer
        self._send = send
        self._random = random
        self._pause = pause

    def screen(self, events: Sequence[Placed]) -> tuple[dict[int, str], Counter[str]]:
        """Observe and judge `events`, each with its place in the batch.

        Answers error codes by the places of those that must come again, and counts for the log.
        """
        total = _Outcome()
        in_a_row = 0
        chunks = deque(packed(events))
        while chunks:  # ends: a chunk is taken apart once
            chunk = chunks.popleft()
            if in_a_row >= FAILURES_IN_A_ROW_MAX:
                total.failed.update((place, NOT_TRIED) for place, _ in chunk)
                continue
            try:
                outcome = self._judged(chunk)
            except StoreError as error:
                in_a_row += 1
                total.failed.update((place, error.code) for place, _ in chunk)
                continue
            except Exception as error:  # noqa: BLE001 - a bug over one event fails that one alone
                if len(chunk) > 1:
                    chunks.extendleft([each] for each in reversed(chunk))
                else:
                    total.failed[chunk[0][0]] = f"exception:{named(error)}"
                continue
            in_a_row = 0
            total.screenings.update(outcome.screenings)
            total.failed.update(outcome.failed)
            total.counts.update(outcome.counts)
        places = list(total.screenings)
        unsent = self._send([total.screenings[place].command for place in places])
        total.failed.update((places[at], code) for at, code in unsent.items())
        total.counts["Verdicts"] = len(places) - len(unsent)
        return total.failed, total.counts

    def _judged(self, chunk: Sequence[Placed]) -> _Outcome:
        """Judge what fits one transaction, and save it. Raises StoreError."""
        conflicts = 0
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
            outcome = self._attempt(chunk)
            if outcome is not None:
                outcome.counts["ScreeningConflicts"] = conflicts
                return outcome
            conflicts += 1
        return _Outcome(
            failed={place: CONTENDED for place, _ in chunk},
            counts=Counter(ScreeningConflicts=conflicts),
        )

    def _attempt(self, chunk: Sequence[Placed]) -> _Outcome | None:
        """One read, one judgement, one write; None if somebody else was faster."""
        outcome = _Outcome()
        before = self._loaded(chunk, outcome)
        features = {name: remembered.features for name, remembered in before.items()}
        changed: dict[str, Features] = {}
        fresh: list[Screening] = []
        for place, event in chunk:
            if not all(account in features for account in screened_accounts(event)):
                continue  # failed for a broken item
            try:
                result = judged(event, features, self._scorer)
            except TooManyGapsError:
                outcome.failed[place] = TOO_MANY_GAPS
                continue
            if result.known:
                self._again(place, event, outcome, fresh)
                continue
            features.update(result.features)
            changed.update(result.features)
            if result.screening:
                outcome.screenings[place] = result.screening
                outcome.counts[f"Screened{result.screening.command.verdict.capitalize()}"] += 1
                fresh.append(result.screening)
        if changed and not self._store.save(before, changed, fresh):
            return None
        return outcome

    def _loaded(self, chunk: Sequence[Placed], outcome: _Outcome) -> Mapping[str, Remembered]:
        """The accounts of a chunk; a broken one fails the events that touch it, and no other."""
        by_account = {name: None for _, event in chunk for name in screened_accounts(event)}
        try:
            return self._store.load(by_account)
        except BrokenItemError:
            found: dict[str, Remembered] = {}
            for name in by_account:
                try:
                    found.update(self._store.load([name]))
                except BrokenItemError:
                    outcome.failed.update(
                        (place, BROKEN_ITEM)
                        for place, event in chunk
                        if name in screened_accounts(event)
                    )
            return found

    def _again(
        self, place: int, event: AccountEvent, outcome: _Outcome, fresh: Sequence[Screening]
    ) -> None:
        """Find the verdict that a known event was given: in this transaction, or before."""
        outcome.counts["Known"] += 1
        if not asks_for_verdict(event):
            return
        made = (screening for screening in fresh if screening.command.payment == event.id)
        try:
            found = next(made, None) or self._store.screening(event.id)
        except BrokenItemError:
            outcome.failed[place] = BROKEN_ITEM
            return
        except UnknownItemVersionError as error:
            outcome.failed[place] = error.code
            return
        if found:
            outcome.screenings[place] = found
        else:
            outcome.failed[place] = NO_VERDICT


def packed(events: Sequence[Placed]) -> Iterator[Sequence[Placed]]:
    """The events in the order of their recording, in runs that fit a transaction each."""
    run: list[Placed] = []
    accounts: set[str] = set()
    verdicts = 0
    for place, event in sorted(events, key=lambda placed: (placed[1].recorded_at, placed[1].id)):
        touched = screened_accounts(event)
        asks = asks_for_verdict(event)
        if run and len(accounts.union(touched)) + verdicts + asks > ACTIONS_MAX:
            yield run
            run, accounts, verdicts = [], set(), 0
        run.append((place, event))
        accounts.update(touched)
        verdicts += asks
    if run:
        yield run
