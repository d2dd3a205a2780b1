"""The report on many runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from simulation.auditor.findings import Finding
from simulation.faults.kinds import Fault
from simulation.faults.profiles import Profile
from simulation.reports.single import columns, coverage, rows, virtual_days
from simulation.results import Hunt, Result
from simulation.settings import Settings


class Failed(Struct, frozen=True):
    """A run that found something."""

    settings: Settings
    first: Finding
    findings: int


class Campaign(Struct):
    """The sum of many runs. They are added in any order, and shown in that of their seeds."""

    faults: Profile
    seeds: int = 0
    commands: int = 0
    sent: int = 0
    handled: int = 0
    asks: int = 0
    virtual_seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    occurred: Counter[Fault] = field(default_factory=Counter)
    failed: list[Failed] = []

    def add(self, result: Result) -> None:
        """One more run."""
        self.seeds += 1
        self.commands += result.commands
        self.sent += result.sent
        self.handled += result.handled
        self.asks += result.asks
        self.virtual_seconds += result.virtual_seconds
        self.outcomes.update(result.outcomes)
        self.occurred.update(result.occurred)
        if result.findings:
            found = Failed(result.settings, result.findings[0], len(result.findings))
            self.failed.append(found)
            self.failed.sort(key=lambda one: one.settings.seed)

    @property
    def ok(self) -> bool:
        """Whether every promise was kept in every run."""
        return not self.failed

    def value(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "ok": self.ok,
            "seeds": self.seeds,
            "commands": self.commands,
            "sent": self.sent,
            "handled": self.handled,
            "asks": self.asks,
            "virtual_days": virtual_days(self.virtual_seconds),
            "outcomes": dict(self.outcomes),
            "faults": {fault.name: self.occurred[fault] for fault in Fault},
            "faults_missed": [fault.name for fault in Fault if not self.occurred[fault]],
            "failed": [
                {
                    "seed": one.settings.seed,
                    "findings": one.findings,
                    "first": asdict(one.first),
                    "again": one.settings.text(),
                }
                for one in self.failed
            ],
        }

    def shown(self, seconds: float) -> list[str]:
        """The report for people, after so many real seconds."""
        pace = f", {self.handled / seconds:,.0f} a second" if seconds > 0 else ""
        facts = [
            ("seeds", f"{self.seeds:,}, {self.faults} faults"),
            ("commands", f"{self.commands:,}, sent {self.sent:,} times"),
            ("handled", f"{self.handled:,}{pace}"),
            ("virtual time", f"{virtual_days(self.virtual_seconds):,.1f} days"),
        ]
        return [
            *columns(facts),
            "",
            *coverage(self.occurred, faults=self.faults),
            "",
            *self._failures(),
        ]

    def _failures(self) -> list[str]:
        if self.ok:
            return ["no finding: every promise was kept in every run"]
        cells = [
            (str(one.settings.seed), str(one.findings), one.first.property, one.first.message)
            for one in self.failed
        ]
        return [
            f"{len(self.failed):,} of {self.seeds:,} seeds found something",
            *rows(("seed", "findings", "first broken", "what was found"), cells),
        ]


def hunts_value(hunts: Iterable[Hunt]) -> dict[str, Any]:
    """The test of the test, for programs."""
    kept = list(hunts)
    return {
        "ok": all(hunt.finding is not None for hunt in kept),
        "bugs": [asdict(hunt) | {"finding": _finding(hunt)} for hunt in kept],
    }


def hunts_shown(hunts: Iterable[Hunt]) -> list[str]:
    """The test of the test, for people."""
    cells = [
        (
            hunt.bug,
            str(hunt.seeds) if hunt.finding else f"not in {hunt.seeds}",
            hunt.finding.property if hunt.finding else "",
            hunt.what,
        )
        for hunt in hunts
    ]
    return rows(("planted bug", "seeds", "found as", "what it does"), cells)


def _finding(hunt: Hunt) -> dict[str, Any] | None:
    return None if hunt.finding is None else asdict(hunt.finding)
