"""The report on one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import asdict

from simulation.faults.kinds import Fault
from simulation.faults.profiles import Profile
from simulation.history import Line
from simulation.results import Result

_DAY_SECONDS: Final = 86_400
_FINDINGS_SHOWN_MAX: Final = 20


def value_of(result: Result) -> dict[str, Any]:
    """The report for programs. Nothing in it depends on the machine."""
    return {
        "ok": result.ok,
        "settings": _settings(result),
        "commands": result.commands,
        "sent": result.sent,
        "handled": result.handled,
        "asks": result.asks,
        "outcomes": dict(result.outcomes),
        "virtual_days": virtual_days(result.virtual_seconds),
        "steps": result.steps,
        "trace": {"entries": result.entries, "digest": result.digest},
        "faults": {fault.name: result.occurred.get(fault, 0) for fault in Fault},
        "faults_missed": [fault.name for fault in result.missed],
        "findings": [asdict(finding) for finding in result.findings],
    }


def shown(result: Result) -> list[str]:
    """The report for people, line by line."""
    settings = result.settings
    bug = f", with the planted bug {settings.bug}" if settings.bug else ""
    commands = (
        f"{result.commands:,}, sent {result.sent:,} times, in {result.asks:,} requests, "
        f"handled {result.handled:,} times"
    )
    facts = [
        ("seed", f"{settings.seed}, {settings.faults} faults{bug}"),
        ("commands", commands),
        ("virtual time", f"{virtual_days(result.virtual_seconds):.1f} days"),
        ("trace", f"{result.entries:,} entries, digest {result.digest[:16]}"),
    ]
    return [
        *columns(facts),
        "",
        *_counts("what came of the asks", result.outcomes),
        "",
        *coverage(result.occurred, faults=settings.faults),
        "",
        *findings_shown(result),
    ]


def findings_shown(result: Result) -> list[str]:
    """What was found, the first of many."""
    found = result.findings
    if not found:
        return ["no finding: every promise was kept"]
    more = len(found) - _FINDINGS_SHOWN_MAX
    return [
        f"{len(found):,} findings" if len(found) > 1 else "1 finding",
        *columns((one.property, one.message) for one in found[:_FINDINGS_SHOWN_MAX]),
        *([f"  and {more:,} more (--json)"] if more > 0 else []),
    ]


def coverage(occurred: Mapping[Fault, int], *, faults: Profile) -> list[str]:
    """Faults that struck, by kind, and those that never did."""
    if faults is Profile.NONE and not occurred:
        return ["no faults were asked for, and none struck"]
    struck = {str(fault): occurred[fault] for fault in Fault if occurred.get(fault)}
    missed = [fault for fault in Fault if not occurred.get(fault)]
    return [
        *_counts(f"faults, {len(struck)} of {len(Fault)} kinds", struck),
        *(["never struck", *(f"  {fault}" for fault in missed)] if missed else []),
    ]


def columns(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Names and values, one pair a line."""
    kept = list(pairs)
    width = max((len(name) for name, _ in kept), default=0)
    return [f"  {name:<{width}}  {value}" for name, value in kept]


def rows(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """A table of text; every column but the last has the width of its widest cell."""
    widths = [max(len(row[place]) for row in (titles, *cells)) for place in range(len(titles))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (titles, *cells)
    ]


def history_value(history: Iterable[Line]) -> list[dict[str, Any]]:
    """A history for programs."""
    return [asdict(line) for line in history]


def virtual_days(seconds: float) -> float:
    """Days, to three digits."""
    return round(seconds / _DAY_SECONDS, 3)


def _settings(result: Result) -> dict[str, Any]:
    kept = asdict(result.settings)
    return {name: kept[name] for name in ("seed", "commands", "faults", "bug")} | {
        "again": result.settings.text()
    }


def _counts(title: str, counts: Mapping[str, int]) -> list[str]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    width = max((len(f"{count:,}") for _, count in ordered), default=0)
    return [title, *(f"  {count:>{width},}  {name}" for name, count in ordered)]
