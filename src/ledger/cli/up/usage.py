"""What the payments cost: DynamoDB requests and write units, summed from the functions' own lines.

Every function logs one JSON line per invocation. Those of the functions that decide commands say
what they asked of DynamoDB and what became of the commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

_FUNCTIONS: Final = ("api", "commands")
_LINES_A_PAGE: Final = 10_000  # the most that FilterLogEvents gives
_PAGES_MAX: Final = 1_000
_SYSTEM_QUEUE: Final = "-system-commands"
_PATTERN: Final = '"write_units"'


class LogsClient(Protocol):
    """The one operation of CloudWatch Logs that is used."""

    def filter_log_events(self, **arguments: Any) -> Any:
        """A page of log events."""
        ...


@dataclass(slots=True)
class Usage:
    """Sums over the invocations since some moment, those for the ledger's own commands left out."""

    invocations: int = 0
    requests: int = 0
    write_units: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def decided(self) -> int:
        """Commands that were decided, accepted or rejected; repeats are not decided again."""
        return self.outcomes["accepted"] + self.outcomes["rejected"]

    def add(self, line: dict[str, Any]) -> None:
        """Adds one invocation's line, if clients' commands were decided in it."""
        if str(line.get("queue", "")).endswith(_SYSTEM_QUEUE):
            return
        self.invocations += 1
        self.requests += line.get("requests", 0)
        self.write_units += line.get("write_units", 0)
        self.outcomes.update(line.get("outcomes", {}))
        self.dead_letters.update(line.get("dead_letters", {}))
        self.causes.update(line.get("causes", {}))


def log_groups(events_table: str) -> tuple[str, ...]:
    """The log groups of the functions that decide commands. Names follow from the stage's prefix,
    which every resource of a stage shares."""
    prefix = events_table.removesuffix("-events")
    return tuple(f"/aws/lambda/{prefix}-{function}" for function in _FUNCTIONS)


def usage_since(logs: LogsClient, groups: tuple[str, ...], milliseconds: int) -> Usage:
    """The usage of all invocations that ended at `milliseconds` since 1970 or later."""
    usage = Usage()
    for group in groups:
        for line in _lines(logs, group, milliseconds):
            usage.add(line)
    return usage


def _lines(logs: LogsClient, group: str, since: int) -> Iterator[dict[str, Any]]:
    """Each invocation's line once.

    AWS pages by token. The embedded emulator gives the first 10,000 and no token: then the next
    page starts at the last line's time, and lines are told apart by their request.
    """
    seen: set[str] = set()
    start: dict[str, Any] = {"startTime": since}
    for _ in range(_PAGES_MAX):
        page = logs.filter_log_events(
            logGroupName=group, filterPattern=_PATTERN, limit=_LINES_A_PAGE, **start
        )
        new = 0
        for event in page["events"]:
            line = _line_of(event["message"])
            if line is not None and line["request_id"] not in seen:
                seen.add(line["request_id"])
                new += 1
                yield line
        if token := page.get("nextToken"):
            start = {"startTime": since, "nextToken": token}
        elif new and len(page["events"]) == _LINES_A_PAGE:
            start = {"startTime": page["events"][-1]["timestamp"]}
        else:
            return


def _line_of(message: str) -> dict[str, Any] | None:
    try:
        line = msgspec.json.decode(message)
    except msgspec.DecodeError:
        return None  # not ours: a runtime's own line
    return line if isinstance(line, dict) and "request_id" in line else None
