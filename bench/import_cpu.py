"""CPU time of importing each handler, in fresh interpreters with bytecode compiled.

Run it with the Python to measure, in an environment that holds requirements/lambda.lock:

    python3.13 -m venv /tmp/lambda
    /tmp/lambda/bin/pip install --require-hashes --no-deps -r requirements/lambda.lock
    /tmp/lambda/bin/python bench/import_cpu.py

`boto3` is the floor that every handler stands on; machines differ, so read the figures against it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

SOURCES = Path(__file__).parents[1] / "src"
ROUNDS = 9
MODULES = (
    "boto3",
    "ledger.entrypoints.api",
    "ledger.entrypoints.commands",
    "ledger.entrypoints.relay",
    "projections.balances.handler",
    "projections.history.handler",
    "projections.query.handler",
)
_TIMED = """
import importlib, sys, time
start = time.process_time_ns()
importlib.import_module(sys.argv[1])
print(time.process_time_ns() - start)
"""


def cpu_ms(module: str) -> float:
    """CPU milliseconds of importing `module` in a fresh interpreter."""
    # Not this process's environment: PYTHONDONTWRITEBYTECODE would compile at every import.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)}
    answer = subprocess.run(
        [sys.executable, "-c", _TIMED, module],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(answer.stdout) / 1e6


def main() -> None:
    """Prints minimum, median and maximum for each module, one round of all after the other."""
    for module in MODULES:
        cpu_ms(module)  # compiles
    rounds = [{module: cpu_ms(module) for module in MODULES} for _ in range(ROUNDS)]
    write = sys.stdout.write
    write(f"CPU ms of an import, Python {sys.version.split()[0]}, {ROUNDS} rounds\n")
    for module in MODULES:
        every = [each[module] for each in rounds]
        write(f"{module:32}{min(every):6.0f}{median(every):6.0f}{max(every):6.0f}\n")


if __name__ == "__main__":
    main()
