"""What a benchmark found, in a file that the report and the plots are made from.

A file names the day, the command and the machine: a figure without them says nothing.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, TypedDict

RESULTS: Final = Path(__file__).with_name("results")


class Spread(TypedDict):
    """The median of several measurements, and the least and the most of them."""

    median: float
    min: float
    max: float


def median_and_spread(values: Iterable[float], *, digits: int = 4) -> Spread:
    """Of at least one value, rounded to so many digits."""
    ascending = sorted(values)
    return Spread(
        median=round(median(ascending), digits),
        min=round(ascending[0], digits),
        max=round(ascending[-1], digits),
    )


def machine() -> dict[str, Any]:
    """What this machine is, and how busy it was."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cpus": os.cpu_count(),
        "load_1_5_15_minutes": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
    }


def write(name: str, results: Any, *, command: Sequence[str] | None = None) -> Path:
    """Keeps what a benchmark found; `command` is that of this process, if it is left out."""
    written = {
        "bench": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _commit(),
        "command": shlex.join(command if command is not None else _own_command()),
        "machine": machine(),
        "results": results,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(name: str) -> dict[str, Any]:
    """What was kept. Raises FileNotFoundError if nothing was."""
    kept: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return kept


def _own_command() -> list[str]:
    """As it would be typed: of a module, `python -m` and its name."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is None:
        return ["python", Path(sys.argv[0]).name, *sys.argv[1:]]
    return ["python", "-m", spec.name.removesuffix(".__main__"), *sys.argv[1:]]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def _commit() -> str:
    """The commit that was measured, with a plus if files were changed since; empty outside git."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"],  # noqa: S607 - git, wherever it is
        capture_output=True,
        text=True,
        check=False,
        cwd=RESULTS.parent,
    )
    return described.stdout.strip()
