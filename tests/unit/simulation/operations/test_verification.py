"""`ledger verify` as an operator runs it in the world."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from ledger.application.verification import Report
from ledger.runtime.faults import StoreError
from simulation.kernel.chance import Chance
from simulation.kernel.hub import Hub
from simulation.kernel.trace import Trace
from simulation.operations import verification
from simulation.operations.verification import DifferenceError, verify
from simulation.releases.release import Release


class Answering(Release):
    """A release whose verification ends so, one time after the other."""

    def __init__(self, *outcomes: Report | Exception) -> None:
        super().__init__("answering")
        self.left = list(outcomes)

    def module(self, dotted: str) -> ModuleType:
        assert dotted == "ledger.upkeep.verification"
        return cast("ModuleType", SimpleNamespace(verified=self._verified))

    def _verified(self, _ledger: object, **_: object) -> Report:
        outcome = self.left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def verifying(release: Release, *, projections: bool) -> None:
    """Raises what the operator is shown."""
    hub = Hub(0)
    world: Any = SimpleNamespace(hub=hub, release=release, chance=Chance(1), trace=Trace(hub))
    task = hub.spawn("operator", lambda: verify(world, projections=projections))
    hub.run()
    task.done.result()


@pytest.fixture(autouse=True)
def _without_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "deployed", lambda _: None)


def different(check: Any) -> Report:
    report = Report()
    report.found(check, "cash", "differs")
    return report


def test_what_differs_ends_it() -> None:
    """By its check, its subject, and how."""
    with pytest.raises(DifferenceError, match="states_equal: cash: differs"):
        verifying(Answering(different("states_equal")), projections=False)
    with pytest.raises(DifferenceError, match="balances_equal"):
        verifying(Answering(different("balances_equal")), projections=True)


def test_a_projection_may_be_behind_where_events_are_on_their_way() -> None:
    """That is then no difference."""
    verifying(Answering(different("balances_equal")), projections=False)


def test_after_an_outage_it_is_given_again() -> None:
    """And what is no outage is told at once."""
    release = Answering(StoreError("lost"), Report())
    verifying(release, projections=True)
    assert not release.left
    with pytest.raises(ZeroDivisionError):
        verifying(Answering(ZeroDivisionError(), Report()), projections=True)
