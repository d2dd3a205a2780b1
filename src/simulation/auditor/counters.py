"""What a state says was used of each velocity limit is what the payments since then come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simulation.auditor.findings import Findings
from simulation.auditor.model import Model
from simulation.auditor.model.velocity import ModelLimit
from simulation.auditor.stored import StoredState

Used = list[Sequence[int]]
"""Amounts and numbers of payments, by stretch of time, the newest first."""


class Counters:
    """Holds the counters in states to the model, which is as far as the events are."""

    def __init__(self, model: Model, findings: Findings) -> None:
        self._model = model
        self._findings = findings

    def take(self, written: Iterable[StoredState]) -> None:
        """The states that a transaction wrote, once the model has its events."""
        for state in written:
            if state.key.kind != "account" or state.key.id not in self._model.accounts:
                continue
            stored = [counter[1:] for *_, counter in state.data.get("velocity", ())]
            wanted = [_used(one) for one in self._model.accounts[state.key.id].velocity]
            if stored != wanted:
                self._findings.report(
                    "states_follow_events",
                    f"account {state.key.id}: Its state says that {stored} was used of its limits; "
                    f"the events say {wanted}.",
                    state.key.id,
                )


def _used(limit: ModelLimit) -> Used:
    spent = limit.spent
    stretches = range(max(spent), min(spent) - 1, -1) if spent else ()
    each = [spent.get(one, (0, 0)) for one in stretches]
    return [[amount for amount, _ in each], [times for _, times in each]]
