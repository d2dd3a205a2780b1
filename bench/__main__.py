"""All benches, one after the other: `make bench`, or `python -m bench NAME …` for some of them.

Each runs in a process of its own and writes its figures to bench/results; the tables and plots of
them in docs/ come last. One that fails does not keep the others from running, but the whole then
fails.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.engine import say

_ROOT: Final = Path(__file__).resolve().parents[1]
_BENCH_PYTHON: Final = str(_ROOT / ".venv-bench" / "bin" / "python")
#: By name: the interpreter, and what it is told.
_BENCHES: Final[dict[str, tuple[str, ...]]] = {
    "client_cpu": (sys.executable, "-m", "bench.client_cpu", "--write"),
    "cold_start": (sys.executable, "-m", "bench.cold_start", "--write"),
    "memory_sizes": (sys.executable, "-m", "bench.memory_sizes", "--write"),
    "cache": (sys.executable, "-m", "bench.cache", "--write"),
    "engines": (sys.executable, "-m", "bench.engines", "--write"),
    "hot_model": (sys.executable, "-m", "bench.hot_model"),
    "hot_engine": (sys.executable, "-m", "bench.hot_engine"),
    "scale": (sys.executable, "-m", "bench.scale"),
    "end_to_end": (sys.executable, "-m", "bench.end_to_end", "--write"),
    "simulation_speed": (sys.executable, "-m", "bench.simulation_speed", "--write"),
    "tables": (sys.executable, "-m", "bench.tables"),
    "plots": (_BENCH_PYTHON, "-m", "bench.plots"),
}


def main(names: list[str]) -> int:
    """Runs the benches of these names, all if there are none; how many failed."""
    unknown = [name for name in names if name not in _BENCHES]
    if unknown:
        say(f"no such bench: {', '.join(unknown)}; there are {', '.join(_BENCHES)}")
        return len(unknown)
    failed = []
    for name in names or _BENCHES:
        say(f"== {name}")
        if subprocess.run(_BENCHES[name], cwd=_ROOT, check=False).returncode != 0:
            failed.append(name)
    if failed:
        say(f"failed: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
