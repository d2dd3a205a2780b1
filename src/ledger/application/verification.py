"""What `ledger verify` reports: checks, and findings that name their subject."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from msgspec import Struct

Check = Literal[
    "events_readable",
    "versions_dense",
    "prev_leads_back",
    "chain_links",
    "time_monotonic",
    "totals_follow",
    "alerts_follow",
    "constraints_hold",
    "leases_add_up",
    "subjects_follow",
    "periods_respected",
    "batches_whole",
    "zero_sum",
    "states_equal",
    "balances_equal",
    "history_equal",
    "payments_equal",
]
CHECKS: Final[tuple[Check, ...]] = get_args(Check)
FINDINGS_KEPT: Final = 100  # of each check; the rest is counted: a report is read by people


class Finding(Struct, frozen=True):
    """One thing that is not as it must be: which check, of what (account or event), and how."""

    check: Check
    subject: str
    detail: str


@dataclass(slots=True)
class Report:
    """The outcome of a verification. `examined` counts what each check looked at."""

    examined: dict[Check, int] = field(default_factory=dict)
    failures: dict[Check, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no check found anything."""
        return not self.failures

    def looked_at(self, check: Check, count: int = 1) -> None:
        """Counts subjects that `check` has examined."""
        self.examined[check] = self.examined.get(check, 0) + count

    def found(self, check: Check, subject: str, detail: str) -> None:
        """Records a finding; beyond FINDINGS_KEPT of a check it is only counted."""
        self.failures[check] = self.failures.get(check, 0) + 1
        if self.failures[check] <= FINDINGS_KEPT:
            self.findings.append(Finding(check, subject, detail))
