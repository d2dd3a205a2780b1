"""A history as a timeline: what was promised, what was found instead, and how it came to that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from simulation.auditor.findings import PROPERTIES, Finding
from simulation.history import Line, Mark
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.reports.sentences import listed
from simulation.results import Result

#: More nobody follows. Shrunk histories have some dozens.
LINES_MAX: Final = 200
_WHO_WIDTH_MAX: Final = 28
#: Promises about what is decided and recorded: what follows from it has no part in them.
_OF_DECIDING: Final = frozenset(
    {
        "answers_are_recorded",
        "batches_are_whole",
        "chains_link",
        "dry_runs_foretell",
        "events_are_foretold",
        "events_stay",
        "events_were_asked_for",
        "frozen_stands_still",
        "holds_are_indexed",
        "limits_hold",
        "malformed_leaves_no_trace",
        "mismatches_are_real",
        "money_is_conserved",
        "repeats_are_told",
        "states_follow_events",
        "states_lose_nothing",
        "times_are_true",
        "totals_are_explained",
        "versions_are_dense",
    }
)
_CALL: Final = re.compile(r"[a-z]+\.[a-z_]+")
_DAY: Final = 86_400 * SECOND
_SIGNS: Final[Mapping[Mark, str]] = {
    "ask": ">",
    "answer": "<",
    "does": " ",
    "fault": "!",
    "finding": "*",
}

LEGEND: Final = "> asked   < answered   ! a fault   * what is wrong"


def timeline(result: Result, beginning: int) -> list[str]:
    """The lines of text, for one finding. `beginning` is when the run's time began.

    The result has its history, or there is nothing to show but the finding.
    """
    finding = result.finding
    lines = relevant(result.history, finding)
    left_out = len(lines) - LINES_MAX
    shown = lines[-LINES_MAX:]
    return [
        f"promised  {PROPERTIES.get(finding.property, finding.property)}",
        f"found     {finding.message}",
        *([f"about     {listed(finding.about)}"] if finding.about else []),
        "",
        LEGEND,
        *([f"({left_out:,} earlier lines are left out)"] if left_out > 0 else []),
        *_laid_out(shown, beginning),
    ]


def relevant(history: Sequence[Line], finding: Finding) -> list[Line]:
    """What has to do with a finding: with the ids that it names, or with what was asked about them;
    and what has to do with everything, as an outage. All of it if the finding names nothing.

    Other promises that were broken are another story, and so is what comes after.
    """
    told = _until_found(history, finding.property)
    if not finding.about:
        return told
    if finding.property in _OF_DECIDING:
        told = [line for line in told if not line.follows]
    ids = set(finding.about)
    asks = (line for line in told if line.mark == "ask")
    if all(ids.isdisjoint(line.about) for line in asks):
        # What nobody asked for leads to what was asked by what was written with it.
        written = [line.about for line in told if line.mark == "does"]
        ids.update(name for about in written if not ids.isdisjoint(about) for name in about)
    # No further: by an account that everybody uses everything leads to everything.
    named = frozenset(ids)
    for line in told:
        if line.mark == "ask" and not named.isdisjoint(line.about):
            ids.update(line.about)
    return [line for line in told if _concerns(line, ids)]


def _until_found(history: Sequence[Line], promise: str) -> list[Line]:
    """Up to the finding, and what was answered then."""
    told: list[Line] = []
    found_at: int | None = None
    for line in history:
        if line.mark == "finding":
            if found_at is None and line.says.partition(":")[0] == promise:
                found_at = line.at
                told.append(line)
        elif found_at is None or (line.mark == "answer" and line.at - found_at < SECOND):
            told.append(line)
    return told


def _concerns(line: Line, ids: set[str]) -> bool:
    # What strikes at a call is about the operation, `sqs.send_message`: no id of anybody's.
    somebody = [one for one in line.about if line.mark != "fault" or not _CALL.fullmatch(one)]
    return not somebody or not ids.isdisjoint(somebody)


def _laid_out(lines: Sequence[Line], beginning: int) -> Iterator[str]:
    """Aligned columns; what happens again and again right after itself is said once."""
    width = min(max((len(line.who) for line in lines), default=0), _WHO_WIDTH_MAX)
    days = any(line.at - beginning >= _DAY for line in lines)
    for line, count, others in _folded(lines):
        elsewhere = ", at others too" if others else ""
        again = f"  ({count} times{elsewhere})" if count > 1 else ""
        when = offset_text(line.at - beginning, days=days)
        yield f"{when}  {_SIGNS[line.mark]} {line.who:<{width}}  {line.says}{again}"


def _folded(lines: Iterable[Line]) -> Iterator[tuple[Line, int, bool]]:
    """The first of several that say the same, how many they are, and whether of others, too: one
    kind of fault is told once, whomever it strikes in a row."""
    for _, same in groupby(lines, key=_said):
        first, *more = same
        yield first, 1 + len(more), any(one.who != first.who for one in more)


def _said(line: Line) -> tuple[Mark, str, str]:
    return line.mark, line.says, "" if line.mark == "fault" else line.who


def offset_text(offset: int, *, days: bool) -> str:
    """Microseconds since the beginning as `3d 04:05:06.789`, or without the days."""
    day, rest = divmod(offset, _DAY)
    seconds, micros = divmod(rest, SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    clock = f"{hour:02}:{minute:02}:{second:02}.{micros // MILLISECOND:03}"
    return f"{day:>3}d {clock}" if days else clock
