"""The verb `replay`."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import msgspec
import typer

from ledger.cli.connection import Connection, connection
from ledger.cli.failures import CheckFailedError, UsageError, reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import LINE_SECONDS, Output, fields, table
from ledger.contracts.primitives import instant_of_microseconds
from ledger.runtime.clock import wall_clock
from ledger.upkeep.replays import StoredEvents, projection_of
from projections.replay.differences import Difference
from projections.replay.replaying import Compared, Outcome, Replay, Step, Steps

WAIT_SECONDS_DEFAULT: Final = 30.0
#: Threads that project: each waits for DynamoDB most of the time.
LANES: Final = 8
_SHOWN_MAX: Final = 50

_T = TypeVar("_T")


class ProjectionName(StrEnum):
    """The keys of PROJECTIONS, for the command line."""

    BALANCES = "balances"
    HISTORY = "history"
    PAYMENTS = "payments"


def replay(
    projection: Annotated[
        ProjectionName, typer.Argument(help="Which one to rebuild.", show_default=False)
    ],
    *,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Rebuild and compare only; fails if anything differs."),
    ] = False,
    keep_old: Annotated[
        bool,
        typer.Option("--keep-old", help="Leave the old one in its table, until --resume."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a replay that was interrupted.")
    ] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Drop what an interrupted replay has built.")
    ] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds that an event on its way may take to arrive.")
    ] = WAIT_SECONDS_DEFAULT,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild a projection from the events beside the live one, compare them, and swap.

    Safe while payments flow, and to be interrupted anywhere: queries are answered all the while,
    and no answer goes back. Run `ledger verify` first: what is built is as right as the events are.
    """
    with reporting(as_json) as output:
        if (resume and abort) or (abort and (dry_run or keep_old)) or (dry_run and keep_old):
            raise UsageError("--abort stands alone; --dry-run keeps nothing of what it built")
        with ThreadPoolExecutor(LANES) as threads:
            replaying = _replay(connection(config), projection.value, wait, threads)
            outcome = _Driver(output).through(
                replaying.abort()
                if abort
                else replaying.run(resume=resume, swap=not dry_run, keep_old=keep_old)
            )
        output.result(_value(projection.value, outcome), *_shown(outcome))
        if dry_run and outcome.compared and outcome.compared.count:
            raise CheckFailedError


def _replay(
    ledger: Connection, name: str, patience_seconds: float, threads: ThreadPoolExecutor
) -> Replay[Any]:
    found = projection_of(ledger, name)
    return Replay(
        found.replayable,
        generations=found.generations,
        store_of=found.store_of,
        source=StoredEvents(ledger.events()),
        patience_seconds=patience_seconds,
        now=lambda: instant_of_microseconds(wall_clock()),
        spread=threads.map,
        lanes=LANES,
    )


def _value(projection: str, outcome: Outcome) -> dict[str, Any]:
    """The outcome for programs; `compared` says whether this run did."""
    compared = outcome.compared or Compared()
    return {
        "projection": projection,
        "generation": outcome.pointer.live,
        "swapped": outcome.swapped,
        "compared": outcome.compared is not None,
        "events": compared.events,
        "subjects": compared.subjects,
        "differences": compared.count,
        "differing": msgspec.to_builtins(compared.kept),
        "deleted": outcome.deleted,
    }


def _shown(outcome: Outcome) -> list[Any]:
    """The outcome for people."""
    compared = outcome.compared or Compared()
    differing = compared.kept[:_SHOWN_MAX]
    facts = (
        ("live generation", f"{outcome.pointer.live}{' (new)' if outcome.swapped else ''}"),
        ("events projected", f"{compared.events:,}"),
        ("accounts or payments", f"{compared.subjects:,}"),
        ("differences", f"{compared.count:,}" if outcome.compared else "not compared"),
        ("items deleted", f"{outcome.deleted:,}"),
    )
    if not differing:
        return [fields(facts)]
    columns = ("account or payment", "version", "what", "live", "rebuilt")
    listed = table(columns, map(_row, differing), right="version")
    more = compared.count - len(differing)
    return [fields(facts), "", listed, *([f"and {more:,} more (--json)"] if more else [])]


def _row(difference: Difference) -> tuple[str, str, str, str, str]:
    what = difference.kind if difference.kind != "differs" else str(difference.field)
    live, rebuilt = (
        "" if value is msgspec.UNSET else str(value)
        for value in (difference.live, difference.rebuilt)
    )
    return difference.subject, str(difference.version), what, live, rebuilt


class _Driver:
    """Takes a replay through its steps: waits where they say so, and tells what goes on."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._what = ""
        self._told_at = 0.0

    def through(self, steps: Steps[_T]) -> _T:
        """What the steps come to."""
        while True:  # ends when the steps do
            try:
                step = next(steps)
            except StopIteration as done:
                value: _T = done.value
                return value
            self._tell(step)
            if step.wait_seconds:
                time.sleep(step.wait_seconds)

    def _tell(self, step: Step) -> None:
        now = time.monotonic()
        if step.what == self._what and now - self._told_at < LINE_SECONDS:
            return
        self._what, self._told_at = step.what, now
        done = "" if step.done is None else f": {step.done:,}"
        wait = f", {step.wait_seconds:.0f} s" if step.wait_seconds and step.done is None else ""
        self._output.note(f"{step.what}{done}{wait} …")
