"""What a run came to, and what looking for a planted bug did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from simulation.auditor.findings import Finding
from simulation.faults.kinds import Fault
from simulation.history import Line
from simulation.settings import Settings


class Result(Struct, frozen=True, kw_only=True):
    """One run. The same settings give the same result, wherever and whenever they are run."""

    settings: Settings
    findings: tuple[Finding, ...]
    planned: int
    """How many elements the whole plan has, of which `settings.only` may be a part."""
    commands: int
    """Commands that were asked for, each counted once however often it was repeated."""
    sent: int
    """Commands that clients meant to send, repeats counted: to be decided, or known again. What is
    tried again for want of an answer is in `asks`."""
    handled: int
    """Commands that a function was given to decide: every attempt, repeat and redelivery, what is
    malformed, dry runs, and the ledger's own verdicts."""
    asks: int
    """Requests, every attempt counted, and questions."""
    outcomes: Mapping[str, int]
    """The asks by what came of them."""
    occurred: Mapping[Fault, int]
    """Faults that struck, by kind; kinds that did not are left out."""
    strikes: int
    """Strikes that were drawn, in order; `settings.strikes` names them by that."""
    virtual_seconds: float
    steps: int
    """How many things happened, each at its instant."""
    entries: int
    digest: str
    """SHA-256 of the trace, which has so many `entries`."""
    history: tuple[Line, ...] = ()
    """What happened, for people, if the trace was kept."""

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return not self.findings

    @property
    def finding(self) -> Finding:
        """The one that the run was to end with, or the first. Raises IndexError if all is well."""
        return looked_for(self.settings, self.findings)

    @property
    def missed(self) -> tuple[Fault, ...]:
        """The kinds of faults that never struck."""
        return tuple(fault for fault in Fault if fault not in self.occurred)


class Hunt(Struct, frozen=True):
    """How one planted bug was looked for."""

    bug: str
    what: str
    seeds: int
    """How many seeds were run, the one that found it included."""
    seed: int | None
    """The seed that found it."""
    finding: Finding | None


def looked_for(settings: Settings, findings: Sequence[Finding]) -> Finding:
    """Of what a run found, what it was to end with, or else what it found first."""
    wanted = (one for one in findings if one.property in settings.until)
    return next(wanted, findings[0])
