"""Handlers do not end, and do not work around, exceptions that nobody foresaw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulation.auditor.findings import Findings

_PREFIX: Final = "exception:"
#: What a handler raises by its contract: nobody waits for the sweeper, and the next does its work.
_FORESEEN: Final[Mapping[str, frozenset[str]]] = {"Expiry": frozenset({"TransientStoreError"})}


class Failures:
    """Hears of handlers that failed, and reads what they log."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def failed(self, function: str, text: str) -> None:
        """A handler ended in an exception that was not injected."""
        last = (text.strip().splitlines() or [""])[-1]
        name = last.partition(":")[0].rpartition(".")[2]
        if name not in _FORESEEN.get(function, ()):
            self._findings.report("handlers_do_not_fail", f"{function}: {last}", function)

    def logged(self, function: str, line: Mapping[str, object]) -> None:
        """A handler has written a line."""
        found = [str(line["exception"])] if "exception" in line else []
        for name in ("outcomes", "failures"):
            counts = line.get(name)
            if isinstance(counts, dict):
                found += [one for one in counts if str(one).startswith(_PREFIX)]
        for name in (one.removeprefix(_PREFIX) for one in found):
            if name not in _FORESEEN.get(function, ()):
                self._findings.report("handlers_do_not_fail", f"{function} met {name}.", function)
