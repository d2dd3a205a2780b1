"""The work of `ledger up` on a stack that runs: feed, wait, verify, sum up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from ledger.application.ports import Clock
from ledger.cli.connection import Connection
from ledger.cli.failures import RefusedError
from ledger.cli.feeding.emptying import StalledError, wait_until_empty
from ledger.cli.feeding.feed import Feed
from ledger.cli.feeding.outcomes import Outcomes
from ledger.cli.feeding.routes import through_all
from ledger.cli.output import Output
from ledger.cli.up.golden import Golden, compared, differing_totals
from ledger.cli.up.recorded import results
from ledger.cli.up.summary import Summary
from ledger.cli.up.usage import Usage, log_groups, usage_since
from ledger.cli.up.wait import wait_until_expired, wait_until_projected
from ledger.cli.verification import verified
from ledger.contracts.primitives import instant_of_microseconds
from ledger.importers.berka import Statement
from ledger.importers.generated.lives import FORGOTTEN, lives
from ledger.importers.instructions import Phase, Source
from ledger.upkeep.depth import depth

#: Over REST. The emulator shares this machine: more threads make it no faster, and the conflicts
#: on hot accounts more.
THREADS: Final = 2
#: For how long the hold that nobody captures is held: until some payments are made.
HELD_SECONDS: Final = 40
#: Malformed commands are meant to end in the dead letters of these; nothing is in those of others.
_CLIENTS_QUEUES: Final = frozenset({"Commands", "CommandsFifo"})


class Input(NamedTuple):
    """What is fed; `statement` if its balances are known from the bank."""

    source: Source
    statement: Statement | None = None


class _Stopwatch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started


def work(ledger: Connection, given: Input, output: Output, *, clock: Clock) -> Summary:
    """Feeds everything, waits until it is projected, verifies it; what came of it.

    Beside what is given it feeds the stories of `lives`. `clock` is the ledger's time.
    """
    watch = _Stopwatch()
    fed = _fed(ledger, given.source, output, watch, clock)
    with watch.stage("expiry"):
        held = _expired(ledger, output)
    with watch.stage("projections after that"):
        stalled = _projected(ledger, output)
    with watch.stage("other consumers"):
        stalled = stalled or _consumed(ledger, output)
    with watch.stage("verification"):
        report = verified(ledger, output, wait_seconds=0)
    golden = None
    if given.statement is not None:
        with watch.stage("bank's balances"):
            golden = _golden(ledger, given.statement, output)
    totals = None
    if given.source.balances_minor:
        totals = differing_totals(ledger.balances().accounts(), given.source.balances_minor)
    untold = differing_totals(ledger.balances().accounts(), fed.lives.balances_minor)
    with output.step("counting events"):
        foreseen = given.source.expected() + fed.lives.expected()
        found = results(foreseen, ledger.events(), fed.outcomes, fed.usage)
    return Summary(
        source=given.source.name,
        results=found,
        outcomes=fed.outcomes,
        usage=fed.payments_usage,
        report=report,
        dead_letters={
            name: depth(ledger.sqs, url)
            for name, url in _queues(ledger, "DlqUrl").items()
            if name not in _CLIENTS_QUEUES
        },
        seconds=watch.seconds,
        golden=golden,
        totals=totals,
        lives=[*([held] if held else []), *untold],
        refused_rows=given.source.faults,
        stalled=stalled,
    )


class _Fed(NamedTuple):
    """What was fed, what came back, and what it cost: all of it, and the payments alone."""

    lives: Source
    outcomes: Outcomes
    usage: Usage
    payments_usage: Usage


def _fed(
    ledger: Connection, source: Source, output: Output, watch: _Stopwatch, clock: Clock
) -> _Fed:
    """Opens the accounts, tells the stories of `lives`, then sends the payments."""
    accounts, *payments = source.phases
    outcomes = Outcomes()

    def feed(phases: Sequence[Phase], name: str) -> None:
        count = sum(len(phase.instructions) for phase in phases)
        with watch.stage(name), output.bar(name, count) as bar:
            sender = Feed(ledger, outcomes, threads=THREADS, advance=bar.advance)
            sender.send(phases, through_all)

    began = _milliseconds()
    feed([accounts], "accounts")
    # Here, and not before: by now the functions have started, and the hold has time to be made.
    expires_at = instant_of_microseconds(clock() + HELD_SECONDS * 1_000_000)
    told = lives(expires_at)
    feed(told.phases, "lives")
    since = _milliseconds()
    feed(payments, "payments")
    groups = log_groups(ledger.config.output("EventsTableName"))
    return _Fed(
        told,
        outcomes,
        usage_since(ledger.logs, groups, began),
        usage_since(ledger.logs, groups, since),
    )


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


def _expired(ledger: Connection, output: Output) -> str:
    """Waits until the hold that nobody captures is released; what is wrong, or nothing."""
    with output.step("waiting for a hold to expire"):
        try:
            wait_until_expired(ledger.api(), FORGOTTEN)
        except StalledError as error:
            return str(error)
        except RefusedError as error:
            return f"hold {FORGOTTEN}: {error}"
    return ""


def _projected(ledger: Connection, output: Output) -> str:
    """Waits for the projections; why they are not complete, or nothing."""
    with output.bar("projections") as bar:
        try:
            wait_until_projected(ledger, on_look=lambda now: bar.at(now.done, now.total))
        except StalledError as error:
            return str(error)
    return ""


def _consumed(ledger: Connection, output: Output) -> str:
    """Waits until no consumer has anything left to do; what has not moved, or nothing."""
    with output.step("waiting for the other consumers"):
        try:
            wait_until_empty(ledger.sqs, list(_queues(ledger, "QueueUrl").values()))
        except StalledError as error:
            return str(error)
    return ""


def _queues(ledger: Connection, ending: str) -> dict[str, str]:
    """The URLs of the stack's queues whose output keys end so, by what stands before."""
    return {
        key.removesuffix(ending): url
        for key, url in ledger.config.outputs.items()
        if key.endswith(ending)
    }


def _golden(ledger: Connection, statement: Statement, output: Output) -> Golden:
    with output.bar("bank's balances", len(statement.rows)) as bar:
        return compared(ledger.api(THREADS), statement, threads=THREADS, advance=bar.advance)
