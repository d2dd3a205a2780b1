"""What a payment costs on the embedded engine, as payments, groups and the ledger itself grow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from bench import results
from bench.engine import Tables
from bench.hot.percentiles import percentile
from bench.scale.payments import ACTOR, BETWEEN, Between, group, openings, payment
from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.application.commit import Commands, Decided
from ledger.application.group_commit import Asked, GroupCommit
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import Command
from ledger.contracts.events import CommandRejected
from ledger.runtime.clock import wall_clock

POSTINGS: Final = (1, 2, 5, 10, 20, 45)
GROUPS: Final = (1, 2, 5, 10, 20, 33, 49, 98)
#: Openings of one group: each is an event and a state.
_OPENED_AT_ONCE: Final = 500
_MS: Final = 1_000
_PAYER: Final[Between] = "one payer"


class Asking:
    """One worker on a pair of tables. It remembers no states: what is measured is a cold account's
    payment, a batched read and a transaction."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.store: DynamoEventStore = self.tables.store()
        self.commands = Commands(self.store, clock=wall_clock, pause=time.sleep, chance=lambda: 0.5)
        self.group = GroupCommit(
            self.commands,
            self.store,
            clock=wall_clock,
            pause=time.sleep,
            chance=lambda: 0.5,
            cache=StateCache(0),
        )
        self.accounts = 0

    def open_up_to(self, accounts: int) -> None:
        """Opens accounts until there are so many."""
        for some in openings(self.accounts, accounts, _OPENED_AT_ONCE):
            self.together(some)
        self.accounts = max(self.accounts, accounts)

    def together(self, commands: Sequence[Command]) -> None:
        """Decides them as a group. All must be accepted."""
        asked = [Asked(one, ACTOR) for one in commands]
        _accepted(self.group.handle(asked, lambda: True))

    def alone(self, commands: Sequence[Command]) -> None:
        """Decides them one by one. All must be accepted."""
        _accepted([self.commands.handle(one, ACTOR) for one in commands])


def by_postings(repeats: int, each: int) -> Iterator[dict[str, Any]]:
    """Single payments of 1 to 45 postings, from one account to as many."""
    asking = Asking()
    asking.open_up_to(each + max(POSTINGS) + 1)
    for postings in POSTINGS:
        made = [
            [payment(f"p{run}:{postings}:{n}", n, range(n + 1, n + 1 + postings))]
            for run in range(repeats + 1)
            for n in range(each)
        ]
        yield {"postings": postings, **_measured(asking, asking.alone, made, each)}
    asking.tables.drop()


def by_group(repeats: int, each: int) -> Iterator[dict[str, Any]]:
    """Groups of 1 to 98 payments, by whom they are between."""
    asking = Asking()
    asking.open_up_to(2 * max(GROUPS) + 2)
    for between in BETWEEN:
        for size in GROUPS:
            made = [
                group(f"g{run}:{between[:2]}:{size}:{n}", size, between, asking.accounts, n)
                for run in range(repeats + 1)
                for n in range(each)
            ]
            found = _measured(asking, asking.together, made, each)
            yield {"between": between, "group": size, **found}
    asking.tables.drop()


def by_accounts(levels: Sequence[int], repeats: int, each: int) -> Iterator[dict[str, Any]]:
    """Single payments and groups of 49 while the ledger has ever more accounts; the payments are
    between accounts that lie far apart. There are as many events as accounts, and more."""
    asking = Asking()
    for level in levels:
        begun = time.perf_counter()
        asking.open_up_to(level)
        opened = time.perf_counter() - begun
        singles, groups = [], []
        for place in range((repeats + 1) * each):
            first = place * 7_919 % level
            name = f"a{level}:{place}"
            singles.append([payment(f"s{name}", first, [(first + level // 2) % level])])
            groups.append(group(f"g{name}", 49, _PAYER, level, first))
        yield {
            "accounts": level,
            "opened_in_s": round(opened, 1),
            "single": _measured(asking, asking.alone, singles, each),
            "group_of_49": _measured(asking, asking.together, groups, each),
        }
    asking.tables.drop()


def _measured(
    asking: Asking,
    do: Callable[[Sequence[Command]], None],
    made: Sequence[Sequence[Command]],
    each: int,
) -> dict[str, Any]:
    """What each payment took: `made` are the groups of some runs, `each` of a run; the first run
    is not counted."""
    runs = [made[start : start + each] for start in range(0, len(made), each)]
    _timed(do, runs[0])
    asking.store.meter.take()
    timed = [_timed(do, run) for run in runs[1:]]
    meter = asking.store.meter.take()
    payments = sum(len(some) for run in runs[1:] for some in run)
    return {
        "call_ms_p50": results.median_and_spread([one.p50_ms for one in timed], digits=2),
        "call_ms_p99": max(one.p99_ms for one in timed),
        "client_cpu_ms_a_payment": results.median_and_spread(
            [one.cpu_ms for one in timed], digits=3
        ),
        "requests_a_payment": round(meter.requests / payments, 4),
        "write_units_a_payment": round(meter.write_units / payments, 3),
    }


class _Timed(NamedTuple):
    p50_ms: float
    p99_ms: float
    cpu_ms: float


def _timed(do: Callable[[Sequence[Command]], None], run: Sequence[Sequence[Command]]) -> _Timed:
    """How long each call of a run took, and what this process computed for each payment."""
    took = []
    computed = time.process_time()
    for some in run:
        begun = time.perf_counter()
        do(some)
        took.append((time.perf_counter() - begun) * _MS)
    computed = (time.process_time() - computed) * _MS
    took.sort()
    return _Timed(percentile(took, 0.5), percentile(took, 0.99), computed / sum(map(len, run)))


def _accepted(answers: Sequence[object]) -> None:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Decided), answer
        assert not isinstance(answer.event, CommandRejected), answer.event
