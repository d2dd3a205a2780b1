"""`ledger verify` of the projections: each thing that they can say wrong, said wrong and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from ledger.application.verification import Check, Report
from ledger.application.verify import Captured, verify_store
from ledger.application.verify_projections import (
    ProjectedPayment,
    ProjectedProfile,
    ProjectedVersion,
    verify_payments,
    verify_profiles,
    verify_projection,
)
from ledger.contracts.events import ProfileEvent, decode_event
from tests.support.builders import NOON_MICROSECONDS, capturing, freezing, opening, paying
from tests.support.stores import OpenStore
from tests.support.tampering import (
    balance_rows,
    history_rows,
    payment_rows,
    rich_ledger,
    small_ledger,
)
from tests.support.worlds import World, accepted_by, commands_on

Found = set[tuple[Check, str]]


@pytest.fixture
def store() -> OpenStore:
    """A small ledger that verifies."""
    return small_ledger()


def named(report: Report) -> Found:
    """The checks that failed, and of what."""
    assert report.ok == (not report.findings)
    return {(finding.check, finding.subject) for finding in report.findings}


def of(check: Check, *subjects: str) -> Found:
    """Findings of one check."""
    return {(check, subject) for subject in subjects}


Projection = Literal["balances_equal", "history_equal"]
ROWS: dict[Projection, Callable[[OpenStore], list[ProjectedVersion]]] = {
    "balances_equal": balance_rows,
    "history_equal": history_rows,
}


def projected(
    store: OpenStore,
    check: Projection,
    rows: list[ProjectedVersion],
    captured: Captured | None = None,
) -> Report:
    """The report on a projection's rows."""
    captured = captured or verify_store(store, Report())
    report = Report()
    verify_projection(check, rows, captured, report)
    return report


@pytest.mark.parametrize("check", ROWS)
@pytest.mark.parametrize(
    "name",
    [
        "event",
        "debits_posted_minor",
        "credits_posted_minor",
        "debits_pending_minor",
        "credits_pending_minor",
    ],
)
def test_an_altered_row_is_named(store: OpenStore, check: Projection, name: str) -> None:
    """Each thing that a row says of its version."""
    rows = [
        ProjectedVersion(**(row._asdict() | {name: "fund" if name == "event" else 999}))
        if (row.account, row.version) == ("a", 4)
        else row
        for row in ROWS[check](store)
    ]
    report = projected(store, check, rows)
    assert named(report) == of(check, "a")
    assert "version 4 differs from event" in report.findings[0].detail


@pytest.mark.parametrize("check", ROWS)
def test_a_projection_of_nothing_is_behind(store: OpenStore, check: Projection) -> None:
    """Every account is missing."""
    assert named(projected(store, check, [])) == of(check, "bank", "a", "b", "c")


def test_a_balance_that_is_behind_is_named(store: OpenStore) -> None:
    """With both versions."""
    behind = [row for row in history_rows(store) if (row.account, row.version) == ("a", 3)]
    rows = [row for row in balance_rows(store) if row.account != "a"] + behind
    report = projected(store, "balances_equal", rows)
    assert named(report) == of("balances_equal", "a")
    assert report.findings[0].detail == "at version 3, the events at 4"


def test_gaps_in_a_history_are_named(store: OpenStore) -> None:
    """All the versions that are missing, runs of them together."""
    rows = [
        row
        for row in history_rows(store)
        if row.account != "a" and (row.account, row.version) != ("b", 2)
    ]
    report = projected(store, "history_equal", rows)
    assert {(one.subject, one.detail) for one in report.findings} == {
        ("a", "missing versions 1-4"),
        ("b", "missing versions 2"),
    }


@pytest.mark.parametrize("check", ROWS)
@pytest.mark.parametrize("event", ["p2", "nothing", "", "x" * 3000])
@pytest.mark.parametrize("account", ["a", "z"])
def test_an_invented_version_is_named(
    store: OpenStore, check: Projection, event: str, account: str
) -> None:
    """A row ahead of everything (it would keep all later updates out of the balances), or of an
    account that is not there: no event made it, whatever event it names."""
    rows = [*ROWS[check](store), ProjectedVersion(account, 99, event, 1, 1, 0, 0)]
    report = projected(store, check, rows)
    assert named(report) == of(check, account)
    assert report.findings[0].detail == "version 99 has no event"


@pytest.mark.parametrize("check", ROWS)
def test_a_projection_may_be_ahead_of_the_capture(store: OpenStore, check: Projection) -> None:
    """What was committed after the capture is looked up in the store: right, it is no finding;
    wrong, it is one."""
    captured = verify_store(store, Report())
    commands = commands_on(store)
    accepted_by(commands, opening("d"))
    accepted_by(commands, paying("p4", ("a", "d", 1)))
    rows = ROWS[check](store)
    assert projected(store, check, rows, captured).ok
    wrong = [
        row._replace(credits_posted_minor=7) if (row.account, row.version) == ("d", 2) else row
        for row in rows
    ]
    assert named(projected(store, check, wrong, captured)) == of(check, "d")


# --- payments


@pytest.fixture
def rich() -> OpenStore:
    """A ledger with one of everything, that verifies."""
    return rich_ledger()


def payments_found(rich: OpenStore, rows: list[ProjectedPayment]) -> set[tuple[str, str]]:
    """What is found of a payments projection: payments, and how."""
    captured = verify_store(rich, Report())
    report = Report()
    verify_payments(rows, captured, report)
    assert {finding.check for finding in report.findings} <= {"payments_equal"}
    return {(finding.subject, finding.detail) for finding in report.findings}


@pytest.mark.parametrize("payment", ["h", "p", "t", "m1"])
def test_a_payment_that_is_not_projected_is_named(rich: OpenStore, payment: str) -> None:
    """Held, reversed, made of a template, of a batch."""
    rows = [row for row in payment_rows(rich) if row.payment != payment]
    version = {"h": 3, "p": 3}.get(payment, 1)
    assert payments_found(rich, rows) == {(payment, f"at version 0, the events at {version}")}


@pytest.mark.parametrize(
    ("payment", "change"),
    [
        ("h", {"status": "captured"}),
        ("h", {"authorized_minor": (100,)}),
        ("h", {"captured_minor": (0,)}),
        ("h", {"event": "increase:h"}),
        ("p", {"reversed_minor": (20,)}),
        ("t", {"status": "reversed"}),
        ("t", {"captured_minor": (7,)}),
        ("t", {"event": "p"}),
    ],
)
def test_a_payment_projected_otherwise_is_named(
    rich: OpenStore, payment: str, change: dict[str, object]
) -> None:
    """Each thing that a row says of it."""
    rows = [
        ProjectedPayment(**(row._asdict() | change)) if row.payment == payment else row
        for row in payment_rows(rich)
    ]
    assert {subject for subject, _ in payments_found(rich, rows)} == {payment}


@pytest.mark.parametrize("event", ["p", "nothing", "", "not an id"])
@pytest.mark.parametrize("payment", ["h", "z"])
def test_an_invented_payment_is_named(rich: OpenStore, payment: str, event: str) -> None:
    """A version that no event made, of a payment that is there or not: it would keep all later
    updates out."""
    invented = ProjectedPayment(payment, 9, event, "held", (1,), (), ())
    rows = [row for row in payment_rows(rich) if row.payment != payment]
    assert payments_found(rich, [*rows, invented]) == {(payment, "version 9 has no event")}


def test_payments_may_be_ahead_of_the_capture(rich: OpenStore) -> None:
    """What was committed since is looked up: right, it is no finding; wrong, it is one."""
    captured = verify_store(rich, Report())
    commands = World(now=NOON_MICROSECONDS + 2 * 3_600 * 1_000_000).commands(rich)
    accepted_by(commands, capturing("h", id="capture:h:2"))
    accepted_by(commands, paying("new", ("a", "b", 1)))
    report = Report()
    verify_payments(payment_rows(rich), captured, report)
    assert report.ok
    wrong = [
        row._replace(status="voided") if row.payment in ("h", "new") else row
        for row in payment_rows(rich)
    ]
    verify_payments(wrong, captured, report)
    assert {(one.subject, one.detail) for one in report.findings} == {
        ("h", "version 4 differs"),
        ("new", "version 1 differs"),
    }


# --- profiles


def profile_rows(store: OpenStore) -> dict[str, ProjectedProfile]:
    """What a complete projection says the accounts are."""
    rows = {}
    for stored in store.events():  # in the order of their commits
        event = decode_event(stored.data)
        if isinstance(event, ProfileEvent):
            entry = event.accounts[0]
            rows[entry.id] = ProjectedProfile(entry.id, entry.version, event.profile)
    return rows


def profiles_found(
    store: OpenStore, rows: dict[str, ProjectedProfile], captured: Captured | None = None
) -> set[tuple[str, str]]:
    """What is found of profiles: accounts, and how."""
    report = Report()
    verify_profiles(rows.values(), captured or verify_store(store, Report()), report)
    assert {finding.check for finding in report.findings} <= {"balances_equal"}
    return {(finding.subject, finding.detail) for finding in report.findings}


def test_profiles_are_those_of_their_events(rich: OpenStore) -> None:
    """Complete, nothing is found; one that is missing, behind or different is, and no other."""
    rows = profile_rows(rich)
    assert profiles_found(rich, rows) == set()
    newest = rows["a"]
    assert newest.version == 4
    behind, other = newest._replace(version=3), newest._replace(profile=rows["s"].profile)
    lost = {name: row for name, row in rows.items() if name != "a"}
    assert profiles_found(rich, lost) == {("a", "its profile is missing")}
    assert profiles_found(rich, rows | {"a": behind}) == {
        ("a", "its profile is at version 3, the events at 4")
    }
    assert profiles_found(rich, rows | {"a": other}) == {
        ("a", "its profile differs from its event")
    }


def test_profiles_may_be_ahead_of_the_capture(rich: OpenStore) -> None:
    """Of what changed or was opened since, nothing is found."""
    captured = verify_store(rich, Report())
    commands = World(now=NOON_MICROSECONDS + 2 * 3_600 * 1_000_000).commands(rich)
    accepted_by(commands, freezing("a", id="freeze:again"))
    accepted_by(commands, opening("d"))
    rows = profile_rows(rich)
    assert profiles_found(rich, rows, captured) == set()
    del rows["d"]
    assert profiles_found(rich, rows, captured) == set()
