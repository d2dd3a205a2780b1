"""What `ledger verify` does: the events against themselves, the states, and the projections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from msgspec import UNSET

from ledger.application.verification import Report
from ledger.application.verify import Captured, verify_store
from ledger.application.verify_projections import (
    ProjectedPayment,
    ProjectedProfile,
    ProjectedVersion,
    verify_payments,
    verify_profiles,
    verify_projection,
)
from ledger.contracts.events import AccountProfile
from ledger.upkeep.deployed import Deployed
from projections.balances.apply import Profile, Totals
from projections.history.store import HistoryStore
from projections.payments.apply import REJECTED
from projections.payments.store import PaymentsStore

_LOOK_AGAIN_SECONDS: Final = 1.0

Step = Callable[[str], AbstractContextManager[object]]
"""Is told what is done next, and is around it."""


def verified(
    ledger: Deployed, *, wait_seconds: float, monotonic: Callable[[], float], step: Step
) -> Report:
    """The report on a ledger, whose projections get that long to reach what was captured.

    `monotonic` is seconds since some moment.
    """
    report = Report()
    with step("reading states and events"):
        captured = verify_store(ledger.events(), report)
    deadline = monotonic() + wait_seconds
    for name, verify in (
        ("balances", _verify_balances),
        ("history", _verify_history),
        ("payments", _verify_payments),
    ):
        with step(f"reading {name}"):
            here = _caught_up(
                partial(verify, ledger, captured),
                lambda: monotonic() < deadline,
                partial(ledger.pause, _LOOK_AGAIN_SECONDS),
            )
        report.examined |= here.examined
        report.failures |= here.failures
        report.findings += here.findings
    return report


def _caught_up(
    judge: Callable[[Report], None], waits: Callable[[], bool], pause: Callable[[], None]
) -> Report:
    """Judges a projection, again and again until nothing is found or the time is up."""
    while True:
        here = Report()
        judge(here)
        if here.ok or not waits():
            return here
        pause()


def _verify_balances(ledger: Deployed, captured: Captured, report: Report) -> None:
    accounts = list(ledger.balances().accounts())
    totals = (_totals(one) for account in accounts for one in account.stripes)
    verify_projection("balances_equal", totals, captured, report)
    profiles = (_profile(account.profile) for account in accounts if account.profile)
    verify_profiles(profiles, captured, report)


def _verify_history(ledger: Deployed, captured: Captured, report: Report) -> None:
    verify_projection("history_equal", _history(ledger.history()), captured, report)


def _verify_payments(ledger: Deployed, captured: Captured, report: Report) -> None:
    verify_payments(_payments(ledger.payments()), captured, report)


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


def _totals(totals: Totals) -> ProjectedVersion:
    return ProjectedVersion(
        totals.account,
        totals.version,
        totals.event,
        totals.debits_posted_minor,
        totals.credits_posted_minor,
        totals.debits_pending_minor,
        totals.credits_pending_minor,
        totals.stripe,
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
            stripes=profile.stripes,
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
            0 if row.stripe is UNSET else row.stripe,
        )
