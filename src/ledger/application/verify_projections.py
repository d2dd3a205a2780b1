"""`ledger verify` of the projections: what they say, compared with the events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

from ledger.application.history_of_events import EventHistory, arranged
from ledger.application.verification import Report
from ledger.application.verify import TOTALS, Captured, totals_of
from ledger.contracts.events import AccountProfile, PaymentEntry, ProfileEvent
from ledger.contracts.primitives import is_id
from ledger.contracts.subjects import Key, payment_key, stripe_key


class ProjectedVersion(NamedTuple):
    """What a projection says of one version of one account, or stripe."""

    account: str
    version: int
    event: str
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    stripe: int = 0

    @property
    def key(self) -> Key:
        """What it is a version of."""
        return stripe_key(self.account, self.stripe)


class ProjectedProfile(NamedTuple):
    """What a projection says an account is, since the event that made `version`."""

    account: str
    version: int
    profile: AccountProfile


class ProjectedPayment(NamedTuple):
    """What a projection says of a payment: its newest version, and by what event."""

    payment: str
    version: int
    event: str
    status: str
    authorized_minor: tuple[int, ...]
    captured_minor: tuple[int, ...]
    reversed_minor: tuple[int, ...]


def verify_payments(
    payments: Iterable[ProjectedPayment], captured: Captured, report: Report
) -> None:
    """Compares what a projection says of payments, read after the capture, with the events.

    One row a payment is expected, at the captured version or later; payments that were refused are
    not judged.
    """
    seen: dict[str, int] = {}
    for row in payments:
        report.looked_at("payments_equal")
        seen[row.payment] = row.version
        said = _said_of_payment(row.payment, row.version, captured.history) or _said_of_payment(
            row.payment, row.version, _said_since(row.event, captured)
        )
        if said is None:
            report.found("payments_equal", row.payment, f"version {row.version} has no event")
        elif said != row:
            report.found("payments_equal", row.payment, f"version {row.version} differs")
    for payment, version in captured.payments.items():
        if seen.get(payment, 0) < version:
            detail = f"at version {seen.get(payment, 0)}, the events at {version}"
            report.found("payments_equal", payment, detail)


def _said_since(event: str, captured: Captured) -> EventHistory:
    """What was committed after the capture is not in it, but its event is in the store: it was
    there before any projection could see it."""
    stored = captured.store.event(event) if is_id(event) else None
    return arranged([stored] if stored else [])


def _said_of_payment(payment: str, version: int, history: EventHistory) -> ProjectedPayment | None:
    links = history.subjects.get(payment_key(payment), {}).get(version)
    if links is not None:
        entry = links[0].entry
        assert isinstance(entry, PaymentEntry)  # it is a payment's
        amounts = (entry.authorized_minor, entry.captured_minor, entry.reversed_minor)
        return ProjectedPayment(payment, version, links[0].event, entry.status, *amounts)
    if version == 1 and payment in history.posted:
        return ProjectedPayment(payment, 1, payment, "posted", (), (), ())
    return None


def verify_projection(
    check: Literal["balances_equal", "history_equal"],
    rows: Iterable[ProjectedVersion],
    captured: Captured,
    report: Report,
) -> None:
    """Compares a projection's rows, read after the capture, with the events.

    `balances_equal` expects one row an account, or stripe, at the captured version or later;
    `history_equal` one row for every version up to it.
    """
    seen: defaultdict[Key, set[int]] = defaultdict(set)
    for row in rows:
        report.looked_at(check)
        seen[row.key].add(row.version)
        expected = _expected(row, captured)
        if not expected:
            report.found(check, row.key.id, f"version {row.version} has no event")
        elif _said(row) not in expected:
            report.found(check, row.key.id, f"version {row.version} differs from event {row.event}")
    for key, captured_version in captured.versions.items():
        made = {n for n in captured.history.of(key) if n <= captured_version}
        if check == "balances_equal":
            newest, version = max(seen[key], default=0), max(made, default=0)
            if newest < version:
                report.found(check, key.id, f"at version {newest}, the events at {version}")
        elif missing := made - seen[key]:
            report.found(check, key.id, f"missing versions {_ranges(missing)}")


def verify_profiles(
    profiles: Iterable[ProjectedProfile], captured: Captured, report: Report
) -> None:
    """Compares what a projection says the accounts are with their events, as `balances_equal`.

    The profile must be that of the event which made its version, and no captured event may have
    made a newer one. An account without a profile is found too; one that was opened since the
    capture is not judged.
    """
    projected = {profile.account: profile for profile in profiles}
    for key, links in captured.history.links.items():
        if key.kind != "account" or key not in captured.versions:
            continue  # what the first stripe says, all say; or opened since
        account = key.id
        made = {
            version: one.fact.profile
            for version, here in links.items()
            for one in here
            if isinstance(one.fact, ProfileEvent)
        }
        newest = max((n for n in made if n <= captured.versions[key]), default=0)
        if not newest:
            continue  # its own check names it
        said = projected.get(account)
        if said is None:
            report.found("balances_equal", account, "its profile is missing")
        elif said.version < newest:
            detail = f"its profile is at version {said.version}, the events at {newest}"
            report.found("balances_equal", account, detail)
        elif said.version in made and said.profile != made[said.version]:
            report.found("balances_equal", account, "its profile differs from its event")


def _expected(row: ProjectedVersion, captured: Captured) -> list[tuple[object, ...]]:
    """What the events say of a row's version; more than one answer only after tampering."""
    links = captured.history.of(row.key).get(row.version)
    if links is not None:
        return [(one.event, *totals_of(one.entry)) for one in links]
    later = _said_since(row.event, captured).of(row.key).get(row.version, [])
    return [(one.event, *totals_of(one.entry)) for one in later]


def _said(row: ProjectedVersion) -> tuple[object, ...]:
    return (row.event, *(getattr(row, name) for name in TOTALS))


def _ranges(versions: set[int]) -> str:
    """Versions for people: `3, 7-9`."""
    runs: list[list[int]] = []
    for version in sorted(versions):
        if runs and version == runs[-1][1] + 1:
            runs[-1][1] = version
        else:
            runs.append([version, version])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
