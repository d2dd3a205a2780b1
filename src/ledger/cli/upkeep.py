"""The verbs that mend: `repair` and `rebuild-states`."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final, NamedTuple

import typer

from ledger.application.rebuild import rebuild_states
from ledger.application.repair import Lost
from ledger.cli.connection import Connection, connection
from ledger.cli.failures import CheckFailedError, UsageError, reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import fields, table
from ledger.upkeep.gaps import Found, Missing, all_gaps, missing, publish

WAIT_SECONDS_DEFAULT: Final = 60.0
_LOOK_AGAIN_SECONDS: Final = 1.0
_SHOWN_MAX: Final = 50


class ProjectionGap(NamedTuple):
    """Versions `first` to `last` of a subject that a projection has not seen: an account by its
    id, anything else with its kind before that."""

    projection: str
    subject: str
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
            found = all_gaps(ledger)
        lacking, failed, left = Missing([], []), 0, found
        if found and not dry_run:
            with output.step("publishing the missing events"):
                lacking = missing(ledger, found)
                failed = publish(ledger, lacking.events)
            with output.step("waiting for the projections"):
                left = _left_after(ledger, wait)
        listed = [_named(one) for one in found]
        result: dict[str, Any] = {
            "gaps": [gap._asdict() for gap in listed],
            "published": len(lacking.events) - failed,
            "not_published": failed,
            "left": len(left),
            "broken": lacking.broken,
        }
        facts = (
            ("gaps", str(len(found))),
            ("events published", str(len(lacking.events) - failed)),
            ("not published", str(failed)),
            ("gaps left", str(len(left))),
        )
        rows = ((g.projection, g.subject, str(g.first), str(g.last)) for g in listed[:_SHOWN_MAX])
        shown: list[Any] = [fields(facts)]
        if listed:
            columns = ("projection", "subject", "first", "last")
            shown += ["", table(columns, rows, right="first last")]
        if lacking.broken:
            shown += ["", *lacking.broken, "`ledger verify` names all that is broken."]
        output.result(result, *shown)
        if left or failed:
            raise CheckFailedError


def rebuild(
    handlers_stopped: Annotated[
        bool,
        typer.Option(
            "--handlers-stopped",
            help="Say that no function decides commands now: set the reserved concurrency of the "
            "functions api, commands and expiry to 0 first.",
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
                "states must not be rebuilt while commands are decided: stop the functions api, "
                "commands and expiry (reserved concurrency 0), then say --handlers-stopped"
            )
        ledger = connection(config)
        with output.step("reading events, writing states"):
            rebuilt = rebuild_states(ledger.events())
        output.result(
            {
                "accounts": rebuilt.accounts,
                "others": rebuilt.others,
                "restored": rebuilt.restored,
            },
            fields(
                (
                    ("accounts", str(rebuilt.accounts)),
                    ("other subjects", str(rebuilt.others)),
                    ("restored", str(rebuilt.restored)),
                )
            ),
        )


def _left_after(ledger: Connection, wait_seconds: float) -> list[Found]:
    """The gaps that are there when the time is up, or none as soon as there are none."""
    deadline = time.monotonic() + wait_seconds
    while (left := all_gaps(ledger)) and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)
    return left


def _named(found: Found) -> ProjectionGap:
    gap = found.gap
    if isinstance(gap, Lost):
        name = f"{gap.key.kind} {gap.key.id}"
        return ProjectionGap(found.projection, name, gap.version, gap.version)
    return ProjectionGap(found.projection, gap.key.id, gap.first, gap.last)
