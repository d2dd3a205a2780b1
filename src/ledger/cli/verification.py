"""`ledger verify`: the events against themselves, the states, and the projections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Final

import msgspec
import typer

from ledger.application.verification import CHECKS, Report
from ledger.application.verify import Captured, verify_store
from ledger.application.verify_projections import (
    ProjectedPayment,
    ProjectedProfile,
    ProjectedVersion,
    verify_payments,
    verify_profiles,
    verify_projection,
)
from ledger.cli.connection import Connection, connection
from ledger.cli.failures import CheckFailedError, reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import Output, table
from ledger.contracts.events import AccountProfile
from projections.balances.apply import Account, Profile
from projections.balances.store import BalancesStore
from projections.history.store import HistoryStore
from projections.payments.apply import REJECTED
from projections.payments.store import PaymentsStore

WAIT_SECONDS_DEFAULT: Final = 30.0
_LOOK_AGAIN_SECONDS: Final = 1.0

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
    report = Report()
    with output.step("reading states and events"):
        captured = verify_store(ledger.events(), report)
    deadline = time.monotonic() + wait_seconds
    with output.step("reading balances"):
        _verify(partial(_verify_balances, ledger.balances, captured), report, deadline)
    with output.step("reading history"):
        _verify(partial(_verify_history, ledger.history, captured), report, deadline)
    with output.step("reading payments"):
        _verify(partial(_verify_payments, ledger.payments, captured), report, deadline)
    return report


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


def _verify(judge: Callable[[Report], None], report: Report, deadline: float) -> None:
    """Judges a projection, again and again until nothing is found or the time is up."""
    while True:
        here = Report()
        judge(here)
        if here.ok or time.monotonic() >= deadline:
            break
        time.sleep(_LOOK_AGAIN_SECONDS)
    report.examined |= here.examined
    report.failures |= here.failures
    report.findings += here.findings


def _verify_balances(live: Callable[[], BalancesStore], captured: Captured, report: Report) -> None:
    accounts = list(live().accounts())
    verify_projection("balances_equal", map(_totals, accounts), captured, report)
    profiles = (_profile(account.profile) for account in accounts if account.profile)
    verify_profiles(profiles, captured, report)


def _verify_history(live: Callable[[], HistoryStore], captured: Captured, report: Report) -> None:
    verify_projection("history_equal", _history(live()), captured, report)


def _verify_payments(live: Callable[[], PaymentsStore], captured: Captured, report: Report) -> None:
    verify_payments(_payments(live()), captured, report)


def _payments(store: PaymentsStore) -> Iterator[ProjectedPayment]:
    for payment in store.payments():
        progress = payment.progress
        if progress is not None and progress.status != REJECTED:
            yield ProjectedPayment(
                payment.id,
                progress.version,
                progress.event,
                progress.status,
                progress.authorized_minor,
                progress.captured_minor,
                progress.reversed_minor,
            )


def _totals(account: Account) -> ProjectedVersion:
    totals = account.totals
    return ProjectedVersion(
        totals.account,
        totals.version,
        totals.event,
        totals.debits_posted_minor,
        totals.credits_posted_minor,
        totals.debits_pending_minor,
        totals.credits_pending_minor,
    )


def _profile(profile: Profile) -> ProjectedProfile:
    return ProjectedProfile(
        profile.account,
        profile.profile_version,
        AccountProfile(
            currency=profile.currency,
            account_type=profile.account_type,
            status=profile.status,
            frozen=profile.frozen,
            book=profile.book,
            opened_at=profile.opened_at,
            min_balance_minor=profile.min_balance_minor,
            max_balance_minor=profile.max_balance_minor,
            min_balance_basis=profile.min_balance_basis,
            max_balance_basis=profile.max_balance_basis,
            velocity=profile.velocity,
        ),
    )


def _history(store: HistoryStore) -> Iterator[ProjectedVersion]:
    for row in store.rows():
        yield ProjectedVersion(
            row.account,
            row.version,
            row.event,
            row.debits_posted_minor,
            row.credits_posted_minor,
            row.debits_pending_minor,
            row.credits_pending_minor,
        )
