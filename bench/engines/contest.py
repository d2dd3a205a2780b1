"""How a contestant in Python is run: warmed up, timed, and asked what came of it.

Imports nothing that is not in every environment: two of the contestants have their own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any, Protocol


class Contestant(Protocol):
    """A ledger, as little as it takes."""

    def post(self, group: list[dict[str, Any]]) -> None:
        """Makes the payments of a group, none of which is to be refused."""
        ...

    def balances(self, accounts: list[str]) -> dict[str, int]:
        """What the accounts have."""
        ...


def contest(make: Callable[[dict[str, Any]], Contestant]) -> None:
    """Runs the workload in the file that the command line names, and prints what it took.

    A line `ready` is printed before the timed part, and one of input awaited: so a proxy can begin
    to count there.
    """
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 - as in every environment
        workload = json.load(file)
    contestant = make(workload)
    for group in workload["warm_up"]:
        contestant.post(group)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began, computed = perf_counter(), process_time()
    for group in workload["timed"]:
        contestant.post(group)
    took = {"seconds": perf_counter() - began, "cpu_seconds": process_time() - computed}
    sys.stdout.write(json.dumps(took) + "\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(contestant.balances(workload["accounts"])) + "\n")
