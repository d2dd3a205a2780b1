"""What a replay finds that the live projection lacks, or says otherwise than the events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from projections.balances.apply import Metadata
from projections.balances.memory import MemoryBalancesStore
from projections.balances.replay import REPLAYABLE as BALANCES
from projections.generations.views import Reach
from projections.history.memory import MemoryHistoryStore
from projections.history.replay import REPLAYABLE as HISTORY
from projections.payments.apply import Metadata as PaymentMetadata
from projections.payments.apply import Payment
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.replay import REPLAYABLE as PAYMENTS
from projections.replay.differences import Difference
from tests.unit.projections.replays import Ledger, through


@pytest.fixture
def balances() -> Ledger:
    """Balances."""
    return Ledger(BALANCES, MemoryBalancesStore)


@pytest.fixture
def history() -> Ledger:
    """A history."""
    return Ledger(HISTORY, MemoryHistoryStore)


@pytest.fixture
def payments() -> Ledger:
    """Payments."""
    return Ledger(PAYMENTS, MemoryPaymentsStore)


@pytest.fixture(params=["balances", "history", "payments"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """Any of them."""
    found: Ledger = request.getfixturevalue(request.param)
    return found


def changed(ledger: Ledger, name: str, **changes: Any) -> Any:
    """The totals of an account, otherwise."""
    return msgspec.structs.replace(ledger.live.account(name).totals, **changes)


def test_balances_are_compared_field_by_field(balances: Ledger) -> None:
    """A changed total, a changed profile, changed metadata, a lost account, an account and metadata
    of nobody, a lost tail, a profile of a version that no event made."""
    live = balances.live
    live._totals["a"] = changed(balances, "a", debits_posted_minor=7)  # noqa: SLF001 - as a hand does
    live._profiles["a"] = msgspec.structs.replace(live._profiles["a"], max_balance_minor=1)  # noqa: SLF001
    live._metadata["a"] = Metadata(account="a", metadata_version=1, metadata={})  # noqa: SLF001
    live._totals["x"] = changed(balances, "b", account="x")  # noqa: SLF001
    live._metadata["y"] = Metadata(account="y", metadata_version=2, metadata={})  # noqa: SLF001
    del live._totals["b"]  # noqa: SLF001
    live._totals["c"] = changed(balances, "c", version=9)  # noqa: SLF001
    live._profiles["c"] = msgspec.structs.replace(live._profiles["c"], profile_version=2)  # noqa: SLF001
    outcome, _ = through(balances.replay().run())
    assert outcome.compared is not None
    assert outcome.compared.kept == [
        Difference(subject="a", version=4, kind="differs", field="debits_posted_minor",
                   live=7, rebuilt=30),
        Difference(subject="a", version=4, kind="differs", field="max_balance_minor",
                   live=1, rebuilt=None),
        Difference(subject="a", version=1, kind="differs", field="metadata",
                   live={}, rebuilt={"name": "a"}),
        Difference(subject="b", version=4, kind="missing"),
        Difference(subject="c", version=1, kind="differs", field="version", live=9, rebuilt=1),
        Difference(subject="c", version=1, kind="differs", field="profile_version",
                   live=2, rebuilt=1),
        Difference(subject="x", version=4, kind="extra"),
        Difference(subject="y", version=2, kind="differs", field="account",
                   live="y", rebuilt=None),
        Difference(subject="y", version=2, kind="differs", field="metadata",
                   live={}, rebuilt=None),
        Difference(subject="y", version=2, kind="differs", field="metadata_version",
                   live=2, rebuilt=None),
    ]  # fmt: skip
    assert through(balances.replay().run(swap=False))[0].compared == msgspec.structs.replace(
        outcome.compared, count=0, kept=[]
    )


def test_payments_are_compared_part_by_part(payments: Ledger) -> None:
    """A changed origin, a status that no event made, a lost payment, one of nobody, metadata that
    were never set."""
    live = payments.live
    stored = live._payments  # noqa: SLF001 - as a hand does
    first, second, third = (stored[f"payment-{number}"] for number in (3, 4, 5))
    stored[first.id] = msgspec.structs.replace(
        first, origin=msgspec.structs.replace(first.origin, reference="x")
    )
    stored[second.id] = msgspec.structs.replace(
        second,
        progress=msgspec.structs.replace(second.progress, version=2, status="reversed"),
        metadata=PaymentMetadata(payment=second.id, metadata_version=1, metadata={}),
    )
    del stored[third.id]
    stored["x"] = Payment("x", origin=third.origin, progress=third.progress)
    outcome, _ = through(payments.replay().run())
    assert outcome.compared is not None
    assert outcome.compared.kept == [
        Difference(subject="payment-3", version=1, kind="differs", field="reference",
                   live="x", rebuilt=None),
        Difference(subject="payment-4", version=1, kind="differs", field="status",
                   live="reversed", rebuilt="posted"),
        Difference(subject="payment-4", version=1, kind="differs", field="version",
                   live=2, rebuilt=1),
        Difference(subject="payment-4", version=1, kind="differs", field="metadata",
                   live={}, rebuilt=None),
        Difference(subject="payment-4", version=1, kind="differs", field="metadata_version",
                   live=1, rebuilt=None),
        Difference(subject="payment-4", version=1, kind="differs", field="payment",
                   live="payment-4", rebuilt=None),
        Difference(subject="payment-5", version=1, kind="missing"),
        Difference(subject="x", version=1, kind="extra"),
    ]  # fmt: skip
    assert through(payments.replay().run(swap=False))[0].compared == msgspec.structs.replace(
        outcome.compared, count=0, kept=[]
    )


def test_history_is_compared_row_by_row(history: Ledger) -> None:
    """A changed row, a lost one, one of nobody's version, one of nobody's account."""
    live = history.live
    rows = {row.key: row for row in live.rows()}
    wrong = msgspec.structs.replace(rows["a", 2], reference="x", debited_minor=7)
    beyond = msgspec.structs.replace(rows["b", 4], version=9)
    live.write([wrong, beyond, msgspec.structs.replace(rows["c", 1], account="x")])
    del live._rows["b"][3]  # noqa: SLF001 - as a hand does
    live._versions["b"].remove(3)  # noqa: SLF001
    outcome, _ = through(history.replay().run())
    assert outcome.compared is not None
    assert outcome.compared.kept == [
        Difference(subject="a", version=2, kind="differs", field="debited_minor",
                   live=7, rebuilt=10),
        Difference(subject="a", version=2, kind="differs", field="reference",
                   live="x", rebuilt=None),
        Difference(subject="b", version=3, kind="missing"),
        Difference(subject="b", version=9, kind="extra"),
        Difference(subject="x", version=1, kind="extra"),
    ]  # fmt: skip
    assert sorted(history.generations.store_of(2).rows(), key=lambda row: row.key) == sorted(
        rows.values(), key=lambda row: row.key
    )


def test_what_lags_is_found_by_scans_as_by_reads(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many subjects are asked for."""
    reached = ledger.reaches()
    first, *_ = reached
    beyond = {first: (*reached[first][:-1], reached[first][-1] + 1), "x": reached[first]}
    for most in (100, 3, 0):
        monkeypatch.setattr(f"projections.{ledger.replayable.name}.replay.POINT_READS_MAX", most)
        assert ledger.replayable.lagging(ledger.live, reached | beyond) == {first, "x"}


def test_differences_in_flight_are_none(ledger: Ledger) -> None:
    """Either generation may have what the other has not got yet: the report does not say it."""
    built = ledger.generations.store_of(2)
    known = ledger.reaches()
    ledger.replayable.project(built, ledger.book.recorded)
    for ahead in (ledger.live, built):
        ledger.replayable.project(ahead, [ledger.change()])
        ledger.replayable.project(ahead, [ledger.book.describe("account", "a", {})])
        ledger.replayable.project(ahead, [ledger.book.describe("payment", "payment-3", {})])
        ledger.replayable.project(ahead, [ledger.book.freeze("c", "both")])
        new = ledger.book.open("new" + ahead.__class__.__name__ + str(id(ahead)))
        ledger.replayable.project(ahead, [new, ledger.book.pay(("a", new.account, 1))])

    def possible(subject: str) -> Reach:
        return ledger.replayable.possible(ledger.version, subject)

    found = ledger.replayable.differences(ledger.live, built, known, possible)
    assert list(found) == []
