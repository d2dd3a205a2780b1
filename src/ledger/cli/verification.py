"""`ledger verify`: the events against themselves, the states, and the projections."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import msgspec
import typer

from ledger.application.verification import CHECKS, Report
from ledger.cli.connection import Connection, connection
from ledger.cli.failures import CheckFailedError, reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import Output, table
from ledger.upkeep import verification

WAIT_SECONDS_DEFAULT: Final = 30.0

#: What each check holds, for people. The order is the report's.
MEANINGS: Final = {
    "events_readable": "every stored event is one of ours, under its own id",
    "versions_dense": "each account's versions run from 1 without a gap or a double",
    "prev_leads_back": "each event names the one before it",
    "chain_links": "each hash is that of the one before and the event's bytes",
    "time_monotonic": "no event was recorded before its predecessor",
    "totals_follow": "each event's totals are those before plus what it moved",
    "alerts_follow": "each event names the alerts that it made an account cross",
    "constraints_hold": "no payment passed a limit, a freeze or a closing of its accounts",
    "leases_add_up": "no stripe passed its share of its account's limits, and the shares add up",
    "subjects_follow": "payments, books, templates and metadata follow from their events",
    "periods_respected": "nothing was recorded in a period while it was closed",
    "batches_whole": "every command of an atomic batch has its event",
    "zero_sum": "per currency, all balances sum to zero",
    "states_equal": "the states table equals the events",
    "balances_equal": "the balances projection equals the events",
    "history_equal": "the history projection equals the events",
    "payments_equal": "the payments projection equals the events",
}


def verify(
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds that the projections get to catch up.")
    ] = WAIT_SECONDS_DEFAULT,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute everything from the events, compare, and name whatever differs.

    Reads the event store and the projections as a whole. Safe while payments flow.
    """
    with reporting(as_json) as output:
        report = verified(connection(config), output, wait_seconds=wait)
        output.result(as_value(report), *as_shown(report))
        if not report.ok:
            raise CheckFailedError


def verified(ledger: Connection, output: Output, *, wait_seconds: float) -> Report:
    """The report on a ledger, whose projections get that long to reach what was captured."""
    return verification.verified(
        ledger, wait_seconds=wait_seconds, monotonic=time.monotonic, step=output.step
    )


def as_value(report: Report) -> dict[str, Any]:
    """The report for programs."""
    return {
        "ok": report.ok,
        "checks": [
            {
                "check": check,
                "examined": report.examined.get(check, 0),
                "failures": report.failures.get(check, 0),
            }
            for check in CHECKS
        ],
        "findings": [msgspec.structs.asdict(finding) for finding in report.findings],
    }


def as_shown(report: Report) -> list[Any]:
    """The report for people."""
    checks = table(
        ("check", "", "examined", "what holds"),
        (
            (
                check,
                f"{report.failures[check]} FAILED" if check in report.failures else "ok",
                f"{report.examined.get(check, 0):,}",
                MEANINGS[check],
            )
            for check in CHECKS
        ),
        right="examined",
    )
    if report.ok:
        return [checks]
    findings = table(("check", "subject", "finding"), map(msgspec.structs.astuple, report.findings))
    return [checks, "", findings]
