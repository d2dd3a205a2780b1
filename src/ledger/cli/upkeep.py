"""The verbs that mend: `repair` and `rebuild-states`."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Annotated, Any, Final, NamedTuple

import typer

from ledger.application.publication import Published
from ledger.application.rebuild import rebuild_states
from ledger.application.repair import BrokenWalkError, Gap, missing_events, tails
from ledger.cli.connection import Connection, connection
from ledger.cli.failures import CheckFailedError, UsageError, reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import fields, table
from ledger.contracts.events import CorruptEventError, decode_event
from ledger.domain.chain import StoredEvent
from projections.history.apply import Row
from projections.history.completeness import gaps

WAIT_SECONDS_DEFAULT: Final = 60.0
_LOOK_AGAIN_SECONDS: Final = 1.0
_PUBLISHED_AT_A_TIME: Final = 500  # 500 events of 1 KiB: 50 requests
_SHOWN_MAX: Final = 50


class ProjectionGap(NamedTuple):
    """Versions `first` to `last` of an account that a projection has not seen."""

    projection: str
    account: str
    first: int
    last: int


def repair(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the gaps; fails if there are any.")
    ] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds until the gaps must be filled.")
    ] = WAIT_SECONDS_DEFAULT,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find events that a projection has not seen, and publish them again.

    Versions are dense, so that what is missing shows. What is published goes to every consumer;
    all are harmless under duplicates, so this is safe while payments flow.
    """
    with reporting(as_json) as output:
        ledger = connection(config)
        with output.step("looking for gaps"):
            found = _all_gaps(ledger)
        missing, failed, left = _Missing([], []), 0, found
        if found and not dry_run:
            with output.step("publishing the missing events"):
                missing = _missing(ledger, found)
                failed = _publish(ledger, missing.events)
            with output.step("waiting for the projections"):
                left = _left_after(ledger, wait)
        listed = [_named(projection, gap) for projection, gap in found]
        result: dict[str, Any] = {
            "gaps": [gap._asdict() for gap in listed],
            "published": len(missing.events) - failed,
            "not_published": failed,
            "left": len(left),
            "broken": missing.broken,
        }
        facts = (
            ("gaps", str(len(found))),
            ("events published", str(len(missing.events) - failed)),
            ("not published", str(failed)),
            ("gaps left", str(len(left))),
        )
        rows = ((g.projection, g.account, str(g.first), str(g.last)) for g in listed[:_SHOWN_MAX])
        shown: list[Any] = [fields(facts)]
        if listed:
            columns = ("projection", "account", "first", "last")
            shown += ["", table(columns, rows, right="first last")]
        if missing.broken:
            shown += ["", *missing.broken, "`ledger verify` names all that is broken."]
        output.result(result, *shown)
        if left or failed:
            raise CheckFailedError


def rebuild(
    handlers_stopped: Annotated[
        bool,
        typer.Option(
            "--handlers-stopped",
            help="Say that no function decides commands now: set the reserved concurrency of the "
            "functions api and commands to 0 first.",
        ),
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute the states table from the events, after it was lost or restored from the past.

    Writes only what is missing or older. While commands are decided it would fork versions.
    """
    with reporting(as_json) as output:
        if not handlers_stopped:
            raise UsageError(
                "states must not be rebuilt while commands are decided: stop the functions api and "
                "commands (reserved concurrency 0), then say --handlers-stopped"
            )
        ledger = connection(config)
        with output.step("reading events, writing states"):
            rebuilt = rebuild_states(ledger.events())
        output.result(
            {"accounts": rebuilt.accounts, "restored": rebuilt.restored},
            fields((("accounts", str(rebuilt.accounts)), ("restored", str(rebuilt.restored)))),
        )


Found = list[tuple[str, Gap]]


def _all_gaps(ledger: Connection) -> Found:
    """Every gap of both projections, lost tails included."""
    store = ledger.events()
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in ledger.history().rows():
        rows[row.account].append(row)
    found: Found = []
    newest: dict[str, int] = {}
    for account, of_account in rows.items():
        of_account.sort(key=lambda row: row.version)
        newest[account] = of_account[-1].version
        for gap in gaps(account, of_account):
            found.append(("history", Gap(gap.account, gap.first, gap.last, gap.event)))
    balances = list(ledger.balances().accounts())
    projected = {account.totals.account: account.totals.version for account in balances}
    whole = {account.totals.account for account in balances if account.profile}
    found += [("history", gap) for gap in tails(store, newest)]
    # The balances keep the newest version only: what is missing below it is no gap of theirs.
    found += [
        ("balances", Gap(gap.account, gap.last, gap.last, gap.event))
        for gap in tails(store, projected)
    ]
    # An account's profile came with its opening, which the history knows; or lacks, and then that
    # is a gap of its own.
    found += [
        ("balances", Gap(account, 1, 1, of_account[0].event))
        for account, of_account in rows.items()
        if account not in whole and of_account[0].version == 1
    ]
    return found


class _Missing(NamedTuple):
    """The events that fill gaps, each once, and why some gaps cannot be filled."""

    events: list[StoredEvent]
    broken: list[str]


def _missing(ledger: Connection, found: Found) -> _Missing:
    """One gap's trouble must not keep the others from being filled."""
    store = ledger.events()
    events: dict[str, StoredEvent] = {}
    broken: list[str] = []
    for _, gap in found:
        try:
            events.update((event.id, event) for event in missing_events(store, [gap]))
        except (BrokenWalkError, CorruptEventError) as error:
            broken.append(str(error))
    return _Missing(list(events.values()), broken)


def _publish(ledger: Connection, events: list[StoredEvent]) -> int:
    """How many of the events the bus did not take."""
    publisher = ledger.publisher()
    to_publish = [
        Published(str(decode_event(event.data).__struct_config__.tag), event.data.decode())
        for event in events
    ]
    return sum(
        len(publisher.publish(to_publish[start : start + _PUBLISHED_AT_A_TIME]))
        for start in range(0, len(to_publish), _PUBLISHED_AT_A_TIME)
    )


def _left_after(ledger: Connection, wait_seconds: float) -> Found:
    """The gaps that are there when the time is up, or none as soon as there are none."""
    deadline = time.monotonic() + wait_seconds
    while (left := _all_gaps(ledger)) and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)
    return left


def _named(projection: str, gap: Gap) -> ProjectionGap:
    return ProjectionGap(projection, gap.account, gap.first, gap.last)
