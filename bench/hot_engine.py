"""One hot account on the embedded engine: the ledger's own code, adapter and client included.

    python -m bench.hot_engine [--seconds 2] [--repeats 3] [--lanes 1 2 4 8 16 32]

So many writers, each a thread with a client of its own, pay one account for some seconds: payment
by payment, and in groups; with one stripe, 4 and 16. The engine takes one request after the other,
so a transaction never meets another that is under way: there are stale conditions, and no
TransactionConflict. It and all writers share this machine: what is compared is the forms, not the
machine with AWS. Writes bench/results/hot_engine.json.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from bench import results
from bench.engine import Tables, engine, say
from bench.hot.accounts import (
    ACTOR,
    hot_side,
    lane_name,
    payment,
    refuse_inexact,
    refuse_refused,
    set_up,
)
from bench.hot.cases import Case
from bench.hot.percentiles import percentile
from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.commit import Commands, Decided
from ledger.application.group_commit import Asked, GroupCommit
from ledger.application.outages import OutageError
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import PostPayment
from ledger.runtime.clock import wall_clock

LANES: Final = (1, 2, 4, 8, 16, 32)
STRIPES: Final = (1, 4, 16)


class Measured(Struct, frozen=True):
    """One run of a case: milliseconds are from a payment's first attempt to its answer."""

    payments_per_second: float
    p50_ms: float
    p99_ms: float
    attempts_per_commit: float
    requests_per_payment: float
    write_units_per_payment: float


class Lane:
    """One writer."""

    def __init__(self, case: Case, tables: Tables, number: int) -> None:
        self.case = case
        self.number = number
        self.store = tables.store()
        chance = Random(number).random  # noqa: S311 - when to ask again, and no secret
        cache = StateCache(case.cache)
        self.commands = Commands(
            self.store, clock=wall_clock, pause=time.sleep, chance=chance, cache=cache
        )
        self.group = GroupCommit(
            self.commands,
            self.store,
            clock=wall_clock,
            pause=time.sleep,
            chance=chance,
            cache=cache,
        )
        self.milliseconds: list[float] = []
        self.accepted: Counter[str] = Counter()
        self.commits = 0
        self.attempts = 0
        self.meter = Meter()

    def work(self, until: float) -> None:
        """Pays until then."""
        size = self.case.group or 1
        for first in count(0, size):
            if time.perf_counter() >= until:
                break
            made = [
                payment(self.case, self.number, number) for number in range(first, first + size)
            ]
            begun = time.perf_counter()
            if self.case.group is None:
                self._one(made[0])
            else:
                self._many(made)
            self.milliseconds += [(time.perf_counter() - begun) * 1000] * size
            self.accepted.update(hot_side(self.case, one) for one in made)
        self.meter, use = self.store.meter.take(), self.group.take()
        self.commits, self.attempts = self.commits + use.transactions, self.attempts + use.attempts

    def _one(self, made: PostPayment) -> None:
        while True:
            try:
                outcome = self.commands.handle(made, ACTOR)
            except OutageError as error:
                self.attempts += sum(error.causes.values())
                continue
            assert isinstance(outcome, Decided), outcome
            self.commits, self.attempts = self.commits + 1, self.attempts + outcome.attempts
            return

    def _many(self, left: list[PostPayment]) -> None:
        again = False
        while left:
            lane = lane_name(self.number)
            answers = self.group.handle(
                [Asked(one, ACTOR, lane, seen_before=again) for one in left], lambda: True
            )
            undecided = []
            for one, answer in zip(left, answers, strict=True):
                if answer is None or isinstance(answer, OutageError):
                    undecided.append(one)
                else:
                    assert isinstance(answer, Decided), answer
            left, again = undecided, True


def measured(case: Case, seconds: float) -> Measured:
    """One run of so many seconds. Raises AssertionError if the accounts do not add up then."""
    tables = Tables()
    lanes = [Lane(case, tables, number) for number in range(case.lanes)]
    for some in set_up(case):
        refuse_refused(lanes[0].group.handle([Asked(one, ACTOR) for one in some], lambda: True))
    lanes[0].store.meter.take()
    lanes[0].group.take()
    begun = time.perf_counter()
    with ThreadPoolExecutor(case.lanes) as pool:
        for done in [pool.submit(lane.work, begun + seconds) for lane in lanes]:
            done.result()
    took = time.perf_counter() - begun
    states = list(lanes[0].store.states())
    refuse_inexact(case, states, sum((lane.accepted for lane in lanes), Counter()))
    tables.drop()
    return _summed(lanes, took)


def _summed(lanes: list[Lane], took: float) -> Measured:
    milliseconds = sorted(ms for lane in lanes for ms in lane.milliseconds)
    commits = sum(lane.commits for lane in lanes)
    return Measured(
        payments_per_second=round(len(milliseconds) / took, 1),
        p50_ms=percentile(milliseconds, 0.50),
        p99_ms=percentile(milliseconds, 0.99),
        attempts_per_commit=round(sum(lane.attempts for lane in lanes) / commits, 3),
        requests_per_payment=round(
            sum(lane.meter.requests for lane in lanes) / len(milliseconds), 3
        ),
        write_units_per_payment=round(
            sum(lane.meter.write_units for lane in lanes) / len(milliseconds), 3
        ),
    )


def cases(lanes: list[int]) -> list[Case]:
    """All that is measured."""
    one = Case(name="", lanes=1, rounds=1)
    return [
        replace(
            one,
            name=name if stripes == 1 else f"{name}, {stripes} stripes",
            lanes=n,
            group=group,
            stripes=stripes,
        )
        for name, group in (("one by one", None), ("groups of 49", 49))
        for stripes in STRIPES
        for n in lanes
    ]


def main() -> None:
    """Measures all cases in turn, as often as asked, and writes what it found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--lanes", type=int, nargs="+", default=list(LANES))
    asked = parser.parse_args()
    found: list[dict[str, Any]] = []
    with engine():
        for case in cases(asked.lanes):
            runs = [measured(case, asked.seconds) for _ in range(asked.repeats)]
            spread = {
                name: results.median_and_spread([getattr(run, name) for run in runs])
                for name in Measured.__struct_fields__
            }
            found.append(
                {"name": case.name, "lanes": case.lanes, "stripes": case.stripes, **spread}
            )
            say(
                f"{case.name:<26} {case.lanes:>3} lanes "
                f"{spread['payments_per_second']['median']:>9,.1f} payments/s  "
                f"p99 {spread['p99_ms']['median']:>8,.1f} ms  "
                f"{spread['attempts_per_commit']['median']:.2f} attempts"
            )
    say(f"written to {results.write('hot_engine', found).name}")


if __name__ == "__main__":
    main()
