"""The work of `ledger up` on a stack that runs: feed, wait, verify, sum up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from ledger.cli.connection import Connection
from ledger.cli.feeding.depth import StalledError, depth, wait_until_empty
from ledger.cli.feeding.feed import Feed
from ledger.cli.feeding.outcomes import Outcomes
from ledger.cli.feeding.routes import through_all
from ledger.cli.output import Bar, Output
from ledger.cli.up.golden import Golden, compared, differing_totals
from ledger.cli.up.recorded import results
from ledger.cli.up.summary import Summary
from ledger.cli.up.usage import Usage, log_groups, usage_since
from ledger.cli.up.wait import wait_until_projected
from ledger.cli.verification import verified
from ledger.importers.berka import Statement
from ledger.importers.instructions import Phase, Source

#: Over REST. The emulator shares this machine: more threads make it no faster, and the conflicts
#: on hot accounts more.
THREADS: Final = 2
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


def work(ledger: Connection, given: Input, output: Output) -> Summary:
    """Feeds everything, waits until it is projected, verifies it; what came of it."""
    watch = _Stopwatch()
    outcomes, usage = _fed(ledger, given.source, output, watch)
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
    with output.step("counting events"):
        found = results(given.source.expected(), ledger.events(), outcomes, usage)
    return Summary(
        source=given.source.name,
        results=found,
        outcomes=outcomes,
        usage=usage,
        report=report,
        dead_letters={
            name: depth(ledger.sqs, url)
            for name, url in _queues(ledger, "DlqUrl").items()
            if name not in _CLIENTS_QUEUES
        },
        seconds=watch.seconds,
        golden=golden,
        totals=totals,
        refused_rows=given.source.faults,
        stalled=stalled,
    )


def _fed(
    ledger: Connection, source: Source, output: Output, watch: _Stopwatch
) -> tuple[Outcomes, Usage]:
    """Opens the accounts, then sends the payments; the usage is that of the payments."""
    accounts, *payments = source.phases
    outcomes = Outcomes()

    def feed(phases: Sequence[Phase], bar: Bar) -> None:
        sender = Feed(ledger, outcomes, threads=THREADS, advance=bar.advance)
        sender.send(phases, through_all)

    with watch.stage("accounts"), output.bar("accounts", len(accounts.instructions)) as bar:
        feed([accounts], bar)
    since = time.time_ns() // 1_000_000
    count = len(source) - len(accounts.instructions)
    with watch.stage("payments"), output.bar("payments", count) as bar:
        feed(payments, bar)
    groups = log_groups(ledger.config.output("EventsTableName"))
    return outcomes, usage_since(ledger.logs, groups, since)


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
